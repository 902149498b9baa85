//! Scenarios: folders with ordinary configuration files, and one text that says what happens when.
//!
//! A folder holds `resources.cfg`, and if they are wanted `groups.cfg`, `rules.cfg`, `nodes.cfg`, `datacenter.cfg` and `fence.cfg`,
//! all as on a real cluster. The text is called `scenario`. It is read line by line; a `#` begins a comment, and the
//! comment at the top says what the scenario is about.
//!
//! ```
//! use ha_sim::scenario::{Scenario, play};
//!
//! let scenario = Scenario::parse(
//!     "example",
//!     "# A node dies, and its service starts elsewhere.
//!      nodes node1 node2 node3
//!      guest vm:100 on node3
//!
//!      at 1m  power off node3
//!      by 4m  expect vm:100 running on node1
//!      until 5m
//!      expect vm:100 recovered 1 time
//!      expect vm:100 down at most 3m",
//!     &[("resources.cfg", "vm: 100\n")],
//! )?;
//! let outcome = play(scenario, &mut |_| {});
//! assert!(outcome.passed());
//! # Ok::<(), ha_sim::scenario::ScenarioError>(())
//! ```
//!
//! # The cluster
//!
//! Instead of these lines there may be a live cluster, from which the virtual one goes on: see [`Scenario::from_snapshot`].
//!
//! | line | says |
//! |---|---|
//! | `nodes NODE …` | nodes of the usual size (16 cores, 64G), with power from the beginning |
//! | `node NODE [cores N memory SIZE] [version V] [off] [out]` | a node about which there is more to say; `out`: not a member yet |
//! | … `[clock PPM] [watchdog early\|late T]` | how far its clock and its watchdog are from right |
//! | `guest SID on NODE …` | a guest; a service too if `resources.cfg` has it |
//! | … `[cores N memory SIZE] [uses cores N memory SIZE]` | what it may use, and what it does use |
//! | … `[start T] [stop T] [migrate T] [relocate T]` | how long that takes with this guest |
//! | … `[locked NAME] [running]` | begins locked; runs whenever its node is up, unless HA manages it |
//! | `guest SID missing` | a service without a guest |
//! | `timings [of NODE] [customary\|fast] [SETTING VALUE …]` | the timings of all daemons, or of those of a node |
//! | `takes WHAT T …` | how long things take: `start`, `stop`, `migrate`, `relocate`, `boot`, `boot-after-reset` (without it a node that was reset stays off), `restart`, `fencing`, `fencing-timeout`, `stagger` |
//! | `leases last T longer`, `jobs last T at-most` | locks are held longer than promised; jobs are ended after that time |
//! | `multiplexers`, `records as json` | a multiplexer on each node; records are written down and read between daemons |
//!
//! # What happens
//!
//! Lines are in the order of their times, which count from the start: `90s`, `2m`, `1h30m`, `250ms`; `+30s` is that long
//! after the line before.
//!
//! | line | does |
//! |---|---|
//! | `at T ACTION` | see below |
//! | `at T expect CONDITION` | it must hold then, after all that is due by then |
//! | `by T expect CONDITION` | it must hold at some moment from the line before on, not later than that |
//! | `from T until T expect CONDITION` | it must hold all the time |
//! | `until T` | the end; without it the scenario ends with its last line |
//! | `expect CONDITION` | it must hold at the end |
//!
//! | action | |
//! |---|---|
//! | `power on\|off NODE …`, `reset NODE …` | by the button |
//! | `reboot NODE`, `shutdown NODE`, `confirm NODE` | as a person asks it to; cuts its power and says so |
//! | `add node NODE`, `remove node NODE`, `retire node NODE` | takes it into the list of members, with its power, or out of it: while it runs, or switched off |
//! | `suspend NODE …`, `resume NODE …` | a machine stands still, all but its watchdog, and goes on |
//! | `clock of NODE … jumps forward\|back T` | its wall clock |
//! | `twin of NODE appears\|goes` | another machine with the node's name gets or loses its power |
//! | `network on\|off NODE …`, `partition NODE … \| NODE … \| …`, `partition nobody`, `heal`, `unheard by NODE NODE …\|nobody` | who sees whom |
//! | `store\|view\|locks works\|fails on NODE …` | shared records, the view of the cluster, locks |
//! | `store full\|has-room`, `store mounted\|unmounted on NODE …` | whether there is room, or a store at all |
//! | `damage SID for T`, `repair status` | its entry can't be understood any more, and all CRMs are back after that time; a person removes such entries |
//! | `reads stale\|fresh on NODE …` | it reads what all share as it was then, until it is fresh again |
//! | `write FILE "TEXT"`, `write manager-status "TEXT"`, `write lrm-status of NODE "TEXT"` | any text, unchecked; in it `\n`, `\t`, `\\`, `\'` for a double quote, `\u{FEFF}` |
//! | `stop crm on NODE`, `restart lrm on NODE` | asked to |
//! | `start\|kill\|pause\|resume crm\|lrm\|daemons on NODE …`, `kill … for T on NODE …` | not asked |
//! | `disturb crm\|lrm on NODE CALL\|any [skip N] FAULT` | a call of the host goes wrong: `fails`, `unknown`, `stalls T`, `late T`, `late-unknown T`, `crashes T`, `crashes-after T` |
//! | `multiplexer restart\|restart-unfit\|delay\|stall T on NODE …`, `multiplexer pause\|resume on NODE …` | what is between daemons and watchdog |
//! | `command LINE` | a line of the command queue: `migrate`, `relocate`, `stop`, `enable-node-maintenance`, …; in quotes it is not checked |
//! | `add\|set\|unset\|remove SID …`, `add\|set\|unset\|remove group ID …`, `add rule TYPE ID …`, `set\|unset\|remove rule ID …`, `set\|unset datacenter …` | edits, with properties as `key value` |
//! | `start SID on NODE`, `crash SID`, `create SID on NODE`, `destroy SID`, `carry SID to NODE` | guests, behind HA's back |
//! | `lock SID [NAME] [for T]`, `unlock SID` | a guest's lock |
//! | `takes SID start\|stop\|migrate\|relocate T …` | how long that takes with this guest from now on |
//! | `fail\|hang start\|stop\|move of SID [N times] [on NODE]`, `mend start\|stop\|move of SID` | what agents do; also `check-running`, `locate` and `probe` |
//! | `agent FAULT start\|stop\|move of SID …` | the same in other ways: `slow`, `pretends`, `denies`, `dies`, `dies-before`, `unheard` |
//! | `leave-behind SID N times`, `unendable SID N times` | it ends and leaves something running; its jobs go on, however often they are ended |
//! | `mend all` | all faults end |
//! | `device NAME works\|fails\|hangs\|late\|slow` | fence devices, or parts of them (`NAME:N`); one that is late acts at once, and says so as late as it may; one that is slow acts as late |
//! | `load SID cores N memory SIZE`, `size SID\|NODE cores N memory SIZE` | measured use, configured size |
//! | `version NODE V` | the software on a node |
//! | `say TEXT` | nothing, but it is shown |
//!
//! # What the hunt found
//!
//! `ha-sim chaos` writes a history that breaks an invariant as such a folder. Its line `hunted seed N profile P until T
//! [planted BUG]` says where it comes from and until when faults last; then it is judged as the hunt does: by all invariants, and
//! whether all settles after the faults. It has no `expect` lines. Actions also happen inside a call that stalls; an action that
//! can't be done, or that names a node or a service that does not exist, is left out.
//!
//! # Conditions
//!
//! A `not` before a condition turns it round.
//!
//! | condition | holds if |
//! |---|---|
//! | `SID on NODE` | its guest is there |
//! | `SID running [on NODE]` | it runs, by what the virtual hardware does |
//! | `SID STATE [on NODE]` | the manager's record says so |
//! | `SID unmanaged` | the manager has no record of it |
//! | `SID requested STATE`, `SID locked`, `SID unlocked`, `SID shown TEXT` | as configured; as `status` shows it |
//! | `SID down at most\|at least T`, `SID recovered N times` | since its first start |
//! | `NODE STATE`, `NODE forgotten` | the manager's record of the node |
//! | `NODE up`, `NODE off`, `NODE quorate`, `NODE master`, `no master` | |
//! | `NODE crm STATE`, `NODE lrm STATE` | the state of a daemon |
//! | `armed`, `disarming`, `disarmed` | |
//! | `event NAME [key=value …] [[at least\|at most] N times] [since T]` | it happened, that often if given; a list is written with commas |
//! | `rule ID`, `group ID` | it is configured |

mod action;
mod condition;
mod live;
mod play;
mod problem;
mod read;
mod words;
mod write;

pub use crate::texts::duration;
pub use live::{IsHunted, LiveError, LiveScenario};
pub use play::{Failure, Outcome, Played, play};
pub use problem::{Problem, ScenarioError};
pub use write::{save, written};

use ha_core::time::Instant;

use crate::{
    cluster::{Action, PlantedBug, Setup},
    history::{DueAction, History, Profile},
};
use condition::Condition;

/// A scenario, ready to be played.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The name of its folder.
    pub name: String,
    /// The comment at its top.
    pub title: String,
    setup: Setup,
    steps: Vec<Step>,
    hunted: Option<Hunted>,
    end: Instant,
}

/// Says that a scenario is a history that the hunt found.
#[derive(Debug, Clone)]
struct Hunted {
    line: usize,
    seed: u64,
    profile: Profile,
    faults_end: Instant,
    planted: Option<PlantedBug>,
}

impl Scenario {
    /// Whether a folder holds a scenario of this form.
    #[must_use]
    pub fn is_in(folder: &std::path::Path) -> bool {
        folder.join(words::FILE).is_file()
    }

    /// The cluster that it begins with.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The history that it is, if the hunt found it.
    #[must_use]
    pub fn history(&self) -> Option<History> {
        let Hunted { seed, profile, faults_end, planted, .. } = self.hunted.clone()?;
        let done = self.steps.iter().flat_map(|step| match &step.kind {
            StepKind::Act { actions, .. } => actions.iter().map(|action| (step.at, action.clone())).collect(),
            StepKind::Now(_) | StepKind::By { .. } | StepKind::Throughout { .. } | StepKind::AtEnd(_) => Vec::new(),
        });
        let actions = done.map(|(at, action)| DueAction { at_ms: milliseconds(at), action }).collect();
        let (faults_end_ms, end_ms) = (milliseconds(faults_end), milliseconds(self.end));
        Some(History { seed, profile, planted, setup: self.setup.clone(), actions, faults_end_ms, end_ms })
    }

    /// The same up to a moment, without what happens later.
    #[must_use]
    pub fn until(mut self, moment: Instant) -> Self {
        self.steps.retain(|step| step.at <= moment && !matches!(step.kind, StepKind::AtEnd(_)));
        self.end = moment;
        self
    }

    /// How many expectations it has.
    #[must_use]
    pub fn expectations(&self) -> usize {
        self.steps.iter().filter(|step| !matches!(step.kind, StepKind::Act { .. })).count()
    }
}

fn milliseconds(at: Instant) -> u64 {
    u64::try_from(at.since_start().as_millis()).unwrap_or(u64::MAX)
}

/// A line of a scenario that says what happens or what is expected.
#[derive(Debug, Clone)]
struct Step {
    line: usize,
    /// When it is played.
    at: Instant,
    kind: StepKind,
}

#[derive(Debug, Clone)]
enum StepKind {
    /// As it was written, and what it is.
    Act {
        text: String,
        actions: Vec<Action>,
    },
    Now(Condition),
    By {
        until: Instant,
        condition: Condition,
    },
    Throughout {
        until: Instant,
        condition: Condition,
    },
    AtEnd(Condition),
}

impl Step {
    /// When it is over.
    fn end(&self) -> Instant {
        match &self.kind {
            StepKind::By { until, .. } | StepKind::Throughout { until, .. } => *until,
            StepKind::Act { .. } | StepKind::Now(_) | StepKind::AtEnd(_) => self.at,
        }
    }
}
