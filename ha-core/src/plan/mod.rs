//! Questions before it happens: where everything would go, what a round would do, what follows from a command.
//!
//! Nothing is decided here. Each question is answered by the code that decides, on a copy; and no code that decides knows of the
//! questions.
//!
//! * [`Situation`]: where one service goes and why, what would have to be different for it to go elsewhere, and where all go
//!   when nodes fail.
//! * [`Rehearsal`]: a host on which nothing happens, to see what one round of a manager would do.
//! * [`RoundsToCome`]: the rounds until everything has settled, with LRMs that do what they are asked.
//! * [`Tolerance`]: which losses of nodes are survived, what stays down after those that are not, and what would help.
//! * [`Feasibility`]: whether any placement at all could keep the strict rules and capacities.
//! * [`BalancePlan`]: what automatic balancing would move.
//! * [`Steps`]: the moves from the present placement to another one, so that all is kept at each of them.
//! * [`ClusterSnapshot`]: a live cluster as a document, for a virtual one to go on from there.

mod balance;
mod balance_plan;
mod combinations;
mod feasible;
mod losses;
mod moves;
mod other_placement;
mod rehearsal;
mod remedies;
mod rounds;
mod settled;
mod situation;
mod snapshot;
mod tolerance;

pub use balance_plan::{BalancePlan, BalanceQuestion, BalanceStep, LeftAlone, LeftAloneReason, Shorter};
pub use feasible::{Blocked, Feasibility, FeasibleQuestion, Needed, Part, Steps, StepsQuestion, Verdict};
pub use losses::{Down, DownReason, LossLevel, LossUnit, Losses, OtherPlacement, Remedy, Tolerance, TooMuch, Votes};
pub use moves::Move;
pub use rehearsal::Rehearsal;
pub use rounds::{RoundsPlayed, RoundsToCome};
pub use situation::{Prepared, Recovery, Situation};
pub use snapshot::{ClusterSnapshot, GuestInSnapshot, NodeInSnapshot, SnapshotError};
