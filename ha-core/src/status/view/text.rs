//! The view as lines of text.

use alloc::{
    format,
    string::{String, ToString},
};
use core::{fmt, iter};

use serde::Serialize;

use super::{ClusterView, DisarmView, FencingView, LrmView, MasterView, NodeHold, QuorumView, ServiceView};
use crate::{
    config::datacenter::SchedulerMode,
    id::ServiceId,
    status::{Readiness, StateName, UtcTime},
    text_enum::text_enum,
};

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineKind {
    /// [`QuorumView`].
    Quorum,
    /// [`MasterView`].
    Master,
    /// [`FencingView`].
    Fencing,
    /// [`LrmView`].
    Lrm,
    /// [`ServiceView`].
    Service,
}

text_enum! {
    LineKind: "a kind of status line",
    Quorum = "quorum",
    Master = "master",
    Fencing = "fencing",
    Lrm = "lrm",
    Service = "service",
}

/// One line of the status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusLine {
    /// What it is about.
    pub kind: LineKind,
    /// What it says.
    pub text: String,
}

impl StatusLine {
    fn new(kind: LineKind, text: &impl ToString) -> Self {
        Self { kind, text: text.to_string() }
    }
}

impl fmt::Display for StatusLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.text)
    }
}

impl ClusterView {
    /// The view as lines: quorum, master, fencing, one for each LRM and one for each service.
    pub fn lines(&self) -> impl Iterator<Item = StatusLine> {
        iter::once(StatusLine::new(LineKind::Quorum, &self.quorum))
            .chain(iter::once_with(|| StatusLine::new(LineKind::Master, &self.master)))
            .chain(iter::once_with(|| StatusLine::new(LineKind::Fencing, &self.fencing)))
            .chain(self.lrms.iter().map(|lrm| StatusLine::new(LineKind::Lrm, lrm)))
            .chain(self.services.iter().map(|service| StatusLine::new(LineKind::Service, service)))
    }
}

/// All [`lines`](ClusterView::lines), each with an end of line.
impl fmt::Display for ClusterView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl fmt::Display for QuorumView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quorate { f.write_str("OK") } else { write!(f, "no quorum on {}", self.node) }
    }
}

impl fmt::Display for MasterView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Some(node) => write!(f, "{node} ({}", self.liveness)?,
            None => write!(f, "none ({}", self.liveness)?,
        }
        if let Some(timestamp) = self.timestamp {
            write!(f, ", {}", UtcTime(timestamp))?;
        }
        f.write_str(")")?;
        if let Some(DisarmView { state, mode }) = self.disarm {
            write!(f, ", {state}, mode {mode}")?;
        }
        match self.scheduler {
            SchedulerMode::Basic => Ok(()),
            SchedulerMode::Static | SchedulerMode::Dynamic => write!(f, ", scheduler {}", self.scheduler),
        }
    }
}

impl fmt::Display for FencingView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (", self.state)?;
        if let Some(mode) = self.mode {
            write!(f, "mode {mode}, ")?;
        }
        write!(f, "CRM watchdog {})", self.watchdog)
    }
}

impl fmt::Display for LrmView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, watchdog {}", self.node, self.shown, self.watchdog)?;
        if let Some(timestamp) = self.timestamp {
            write!(f, ", {}", UtcTime(timestamp))?;
        }
        f.write_str(")")?;
        self.hold.map_or(Ok(()), |hold| write!(f, ", {hold}"))
    }
}

impl fmt::Display for NodeHold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("takes no new services ")?;
        match self.until {
            Some(until) => write!(f, "until {}", UtcTime(until))?,
            None => write!(f, "for {} s once it is back", self.left)?,
        }
        f.write_str(": it was fenced again and again (flapping_hold)")
    }
}

/// Services, of many only the first few.
struct Few<'a>(&'a [ServiceId]);

impl fmt::Display for Few<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        for (index, sid) in self.0.iter().take(SHOWN).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{sid}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl ServiceView {
    /// What it waits for because too much starts or moves at once, in words.
    #[must_use]
    pub fn waits_for_turn(&self) -> Option<String> {
        match (self.starts_after.as_slice(), self.moves_after.as_slice()) {
            ([], []) => None,
            ([], moving) => Some(format!("waits to be moved until {} has been (max_moves)", Few(moving))),
            (starting, _) => Some(format!("waits to be started until {} has been (max_starts)", Few(starting))),
        }
    }

    /// With whom it shares its node though a rule would have them apart, in words.
    #[must_use]
    pub fn shares_node(&self) -> Option<String> {
        (!self.shares_with.is_empty()).then(|| format!("shares its node with {}", Few(&self.shares_with)))
    }

    fn fmt_readiness(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.readiness, self.readiness_since) {
            (Some(Readiness::NotReady), Some(since)) => write!(f, " since {}", UtcTime(since))?,
            (Some(Readiness::Starting), Some(since)) => write!(f, ", runs since {}", UtcTime(since))?,
            (_, _) => {}
        }
        self.not_ready.as_ref().map_or(Ok(()), |reason| write!(f, ", its probe failed: {reason}"))
    }

    fn fmt_restarts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(last) = self.restart_times.last() else { return Ok(()) };
        match self.restarts {
            1 => write!(f, ", ended by itself once, at {}", UtcTime(*last))?,
            count => write!(f, ", ended by itself {count} times, last at {}", UtcTime(*last))?,
        }
        self.next_restart.map_or(Ok(()), |at| write!(f, ", is started again at {}", UtcTime(at)))
    }
}

impl fmt::Display for ServiceView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (", self.sid)?;
        if let Some(node) = &self.node {
            write!(f, "{node}, ")?;
        }
        let balancing = if self.balancing_off { ", not balanced" } else { "" };
        write!(f, "{}", self.shown)?;
        self.waits.as_ref().map_or(Ok(()), |wait| write!(f, " {wait}"))?;
        f.write_str(balancing)?;
        match (&self.lock, self.locked_since) {
            (Some(lock), Some(since)) => write!(f, ", waits for the lock '{lock}' since {}", UtcTime(since))?,
            (None, Some(since)) => write!(f, ", waits for a lock since {}", UtcTime(since))?,
            (_, None) => {}
        }
        if let Some(job) = self.hangs {
            write!(f, ", its job '{job}' hangs")?;
            self.hangs_since.map_or(Ok(()), |since| write!(f, ", begun {}", UtcTime(since)))?;
        }
        self.fmt_readiness(f)?;
        self.fmt_restarts(f)?;
        if let Some(wait) = self.waits_for_turn() {
            write!(f, ", {wait}")?;
        }
        if let Some(sharing) = self.shares_node() {
            write!(f, ", {sharing}")?;
        }
        if let Some(going) = &self.goes_back {
            write!(f, ", {going}")?;
        }
        match (self.failures_expire, self.state) {
            (Some(at), Some(StateName::Error)) => write!(f, ", is tried again at {}", UtcTime(at))?,
            (Some(at), _) => write!(f, ", its failed starts count until {}", UtcTime(at))?,
            (None, _) => {}
        }
        f.write_str(")")?;
        if let Some(problem) = &self.problem {
            write!(f, ": {problem}")?;
            return self.advice.map_or(Ok(()), |advice| write!(f, ". {advice}"));
        }
        match self.advice {
            Some(advice) => write!(f, ": {advice}"),
            None => Ok(()),
        }
    }
}
