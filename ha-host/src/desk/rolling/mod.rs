//! Work on node after node: what the store has of it, that one carries it out at a time, and what speaks against going on.

mod doubts;
mod lease;
mod work;

pub use doubts::{RollingPlan, boot_of, is_evacuated, rolling_alarms, rolling_doubts, rolling_plan};
pub use lease::RollingLease;
pub use work::{RollingCommand, RollingError, RollingRunner, RollingStep, RollingWork};
