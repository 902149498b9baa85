//! What a person is told of an entry who does not watch.

use alloc::{
    format,
    string::{String, ToString},
};

use serde::{Deserialize, Serialize};

use super::{Entry, EntryId};
use crate::{
    config::resources::OnFailure,
    event::{Event, Severity},
    id::NodeName,
    status::{NodeState, StateName},
};

/// What a person is told of an entry: what happened, where, since when, what HA does, and what is left to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The entry. One who is told the same twice knows it by this.
    pub id: EntryId,
    /// Its place in the history of the cluster.
    pub position: Option<u64>,
    /// The name of the event.
    pub event: String,
    /// How much it matters.
    pub severity: Severity,
    /// What happened.
    pub what: String,
    /// The node that says so.
    pub node: NodeName,
    /// The service that it is about, if it is about one.
    pub sid: Option<String>,
    /// Since when it is so, in milliseconds since 1970-01-01 UTC.
    pub since_ms: i64,
    /// What HA does about it.
    pub ha_does: String,
    /// What a person should do.
    pub person_does: String,
}

/// What goes on without anybody.
const GOES_ON: &str = "HA goes on as ever.";
const NOTHING: &str = "Nothing.";
const SEE_STATUS: &str = "See 'ha status', and 'ha history' for what led to it.";

impl Notice {
    /// What is told of an entry.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        let (ha_does, person_does) = entry.event().map_or_else(|| of_severity(entry.severity), of_event);
        let silent = entry.silent_ms.and_then(|silent| i64::try_from(silent).ok()).unwrap_or(0);
        Self {
            id: entry.id.clone(),
            position: entry.position,
            event: entry.what.name(),
            severity: entry.severity,
            what: entry.what.to_string(),
            node: entry.node.clone(),
            sid: entry.service().map(|sid| sid.to_string()),
            since_ms: entry.time_ms.saturating_sub(silent),
            ha_does,
            person_does,
        }
    }
}

fn of_severity(severity: Severity) -> (String, String) {
    let (ha_does, person_does) = match severity {
        Severity::Info | Severity::Notice => (GOES_ON, NOTHING),
        Severity::Warning => ("HA goes on, and deals with it as far as it can.", SEE_STATUS),
        Severity::Error => ("HA can do no more about it by itself.", SEE_STATUS),
    };
    (ha_does.into(), person_does.into())
}

#[expect(clippy::wildcard_enum_match_arm, reason = "for the others their severity says enough")]
// tidy: table
fn of_event(event: &Event) -> (String, String) {
    let told = |ha_does: &str, person_does: &str| (ha_does.to_string(), person_does.to_string());
    match event {
        Event::NodeState { node, to: NodeState::Unknown, .. } => told(
            "HA waits whether it comes back; if not, the node is fenced.",
            &format!("Look after {node}: is it on, and does it reach the others?"),
        ),
        Event::NodeState { node, to: NodeState::Fence, .. } | Event::NotifyFenceStarted { node } => (
            format!("HA makes sure that {node} is down, then starts its services on other nodes."),
            format!("Look after {node}. If it is known to be off and HA waits for it: 'ha confirm-fenced {node}'."),
        ),
        Event::FenceAcknowledged { node } | Event::NotifyFenceSucceeded { node } => (
            format!("{node} is down for certain. HA starts its services on other nodes."),
            format!("Find out why {node} failed, and bring it back."),
        ),
        Event::NodeNotFenced { node, .. } => (
            format!("HA can't prove that {node} is down, and so recovers nothing of it."),
            format!("Pull its plug, and only then say 'ha confirm-fenced {node}'."),
        ),
        Event::FenceDevicesExhausted { node, .. } => (
            format!(
                "No fence device has turned {node} off. HA tries again, and recovers nothing of it until it is down."
            ),
            format!("See to the devices in fence.cfg; or pull its plug, and only then say 'ha confirm-fenced {node}'."),
        ),
        Event::ServiceState { sid, to: StateName::Fence, .. } => told(
            "HA waits until the node of the service is known to be down, then starts it elsewhere.",
            &format!("Nothing for {sid} itself: see 'ha status' for its node."),
        ),
        Event::ServiceState { sid, to: StateName::Error, .. } | Event::ServiceInError { sid } => (
            "HA leaves the service alone, wherever it may run.".into(),
            format!("See 'ha status' for the reason; once it is mended: 'ha cleanup {sid}'."),
        ),
        Event::ServiceRecovered { to, .. } => (format!("HA starts it on {to}."), NOTHING.into()),
        Event::RecoveryFailed { sid, .. } => (
            "HA tries again in each round, until a node can take it.".into(),
            format!("Bring a node back, or see with 'ha explain {sid}' what stands against those that are there."),
        ),
        Event::RelocationExhausted { sid, .. } | Event::ServiceUnrecoverable { sid, .. } => (
            "HA starts it no more, unless it has a 'failure-timeout': then again once that is over.".into(),
            format!("See 'ha logs {sid}' on its node; once it is mended: 'ha cleanup {sid}'."),
        ),
        Event::StopFailed { sid, .. } => (
            "HA leaves the service alone: it may still run.".into(),
            format!("Stop it by hand on its node, then 'ha cleanup {sid}'."),
        ),
        Event::ServiceNotFound { sid } => (
            "HA leaves it alone: there is no guest of that name.".into(),
            format!("Make the guest again ('ha guest set {sid}'), or 'ha remove {sid}'."),
        ),
        Event::ServiceNotReady { sid, on_failure, .. } => (
            match on_failure {
                OnFailure::Report => "HA leaves it running.".into(),
                OnFailure::Restart => "HA stops it, and starts it again on the same node.".into(),
                OnFailure::Relocate => "HA stops it, and tries another node.".into(),
            },
            format!("See 'ha logs {sid}' on its node."),
        ),
        Event::UnplannedRestart { sid, .. } | Event::StartRetry { sid, .. } => (
            "HA has it started again on the same node.".into(),
            format!("If that happens again: see 'ha logs {sid}' on its node."),
        ),
        Event::StartFailedRelocating { sid, .. } | Event::StartRetriesExhausted { sid, .. } => {
            ("HA tries another node.".into(), format!("See 'ha logs {sid}' on the node where it failed."))
        }
        Event::MoveFailed { sid, .. } | Event::AgentMoveFailed { sid } => {
            ("HA leaves it where it was.".into(), format!("See 'ha history {sid}' for the reason, and try again."))
        }
        Event::TwinSeen { .. } => told(
            "HA lets only one of the two machines work under that name.",
            "Turn off the one that is too many, then see 'ha node clear-twin --help'.",
        ),
        Event::StoreSpaceLow { .. } => {
            told("HA goes on as long as it can write.", "Make room where the store is, before nothing can be written.")
        }
        Event::HistoryIncomplete { .. } => told("HA goes on; only its history has a gap.", NOTHING),
        Event::CommandRejected { .. }
        | Event::CommandIgnored { .. }
        | Event::CommandUnknown { .. }
        | Event::CommandBlockedByAffinity { .. }
        | Event::CommandWithoutEffect { .. } => {
            told("HA has not done it.", "Who gave the command may try again, once nothing stands against it.")
        }
        Event::HostCallFailed { .. } => {
            told("HA tries again in the next round.", "If it goes on: see to the store and the disk of that node.")
        }
        Event::WatchdogFeedTooLate => told(
            "The node stops working, and its watchdog may reset it.",
            "Find out what holds it up: its disk, its store, or its load.",
        ),
        _ => of_severity(event.severity()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{history::Source, id::ServiceId};

    fn notice(event: Event) -> Notice {
        let node = NodeName::new("node1").unwrap();
        let entry = Entry::new(EntryId::of_node(&node, 1, 1), 5_000, node, Source::Crm, event.into());
        Notice::of(&entry.after_silence(2_000))
    }

    #[test]
    fn a_person_is_told_what_to_do() {
        let node3 = NodeName::new("node3").unwrap();
        let lost = notice(Event::NotifyFenceStarted { node: node3 });
        assert_eq!((lost.severity, lost.since_ms, lost.sid.as_deref()), (Severity::Error, 3_000, None));
        assert!(lost.ha_does.contains("starts its services on other nodes"), "{lost:?}");
        assert!(lost.person_does.contains("ha confirm-fenced node3"), "{lost:?}");
        let sid = ServiceId::new("vm:100").unwrap();
        let failed = notice(Event::ServiceInError { sid });
        assert_eq!(failed.sid.as_deref(), Some("vm:100"));
        assert!(failed.person_does.contains("ha cleanup vm:100"), "{failed:?}");
        let quiet = notice(Event::Rearmed);
        assert_eq!((quiet.ha_does.as_str(), quiet.person_does.as_str()), (GOES_ON, NOTHING));
        assert_eq!(quiet.event, "rearmed");
    }
}
