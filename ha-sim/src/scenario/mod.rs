//! Scenarios: folders with ordinary configuration files, and one text that says what happens when.
//!
//! A folder holds `resources.cfg`, and where they are wanted `groups.cfg`, `rules.cfg`, `datacenter.cfg` and `fence.cfg`,
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
//! | line | says |
//! |---|---|
//! | `nodes NODE …` | nodes of the usual size (16 cores, 64G), with power from the beginning |
//! | `node NODE [cores N memory SIZE] [version V] [off] [out]` | a node with more to say about; `out`: no member yet |
//! | `guest SID on NODE …` | a guest; a service too if `resources.cfg` has it |
//! | … `[cores N memory SIZE] [uses cores N memory SIZE]` | what it may use, and what it does use |
//! | … `[start T] [stop T] [migrate T] [relocate T]` | how long that takes with this guest |
//! | … `[locked NAME] [running]` | begins locked; runs whenever its node is up, unless HA manages it |
//! | `guest SID missing` | a service without a guest |
//! | `timings [customary\|fast] [SETTING VALUE …]` | the timings of all daemons |
//! | `takes WHAT T …` | how long things take: `start`, `stop`, `migrate`, `relocate`, `boot`, `boot-after-reset` (without it a node that was reset stays off), `restart`, `fencing`, `fencing-timeout`, `stagger` |
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
//! | `reboot NODE`, `shutdown NODE` | as a person asks it to |
//! | `add node NODE`, `remove node NODE` | takes it into the list of members, with its power, or out of it while it runs |
//! | `suspend NODE …`, `resume NODE …` | a machine stands still, all but its watchdog, and goes on |
//! | `clock of NODE … jumps forward\|back T` | its wall clock |
//! | `twin of NODE appears\|goes` | another machine with the node's name gets or loses its power |
//! | `network on\|off NODE …`, `partition NODE … \| NODE … \| …`, `heal` | who sees whom |
//! | `store\|view\|locks works\|fails on NODE …` | shared records, the view of the cluster, locks |
//! | `reads stale\|fresh on NODE …` | it reads what all share as it was then, until it is fresh again |
//! | `write FILE "TEXT"`, `write manager-status "TEXT"`, `write lrm-status of NODE "TEXT"` | any text, unchecked; in it `\n`, `\t`, `\\`, `\'` for a double quote, `\u{FEFF}` |
//! | `stop crm on NODE`, `restart lrm on NODE` | asked to |
//! | `start\|kill\|pause\|resume crm\|lrm\|daemons on NODE …` | not asked |
//! | `command LINE` | a line of the command queue: `migrate`, `relocate`, `stop`, `enable-node-maintenance`, …; in quotes it is not checked |
//! | `add\|set\|unset\|remove SID …`, `add\|set\|unset\|remove group ID …`, `add rule TYPE ID …`, `set\|unset\|remove rule ID …`, `set\|unset datacenter …` | edits, with properties as `key value` |
//! | `start SID on NODE`, `crash SID`, `create SID on NODE`, `destroy SID`, `carry SID to NODE` | guests, behind HA's back |
//! | `lock SID [NAME] [for T]`, `unlock SID` | a guest's lock |
//! | `takes SID start\|stop\|migrate\|relocate T …` | how long that takes with this guest from now on |
//! | `fail\|hang start\|stop\|move of SID [N times] [on NODE]`, `mend start\|stop\|move of SID` | what agents do |
//! | `device NAME works\|fails\|hangs\|late` | fence devices, or parts of them (`NAME:N`); one that is late acts at once, and says so as late as it may |
//! | `load SID cores N memory SIZE`, `size SID\|NODE cores N memory SIZE` | measured use, configured size |
//! | `version NODE V` | the software on a node |
//! | `say TEXT` | nothing, but it is shown |
//!
//! # Conditions
//!
//! Each can be turned round by a `not` before it.
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
//! | `event NAME [key=value …] [[at least\|at most] N times] [since T]` | it happened, so often if that is given; a list is written with commas |
//! | `rule ID`, `group ID` | it is configured |

mod action;
mod condition;
mod play;
mod problem;
mod read;
mod words;

pub use play::{Failure, Outcome, Played, play};
pub use problem::{Problem, ScenarioError};
pub use words::duration;

use ha_core::time::Instant;

use crate::cluster::Setup;
use action::Action;
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
    end: Instant,
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
    Act { text: String, action: Box<Action> },
    Now(Condition),
    By { until: Instant, condition: Condition },
    Throughout { until: Instant, condition: Condition },
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
