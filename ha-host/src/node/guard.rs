//! What guards this node: what resets it, or turns it off, when it can no longer say that all is well.

use std::{sync::Arc, time::Duration};

use ha_core::{
    config::datacenter::FencingMode,
    event::Severity,
    host::{Configuration, FeedOutcome, HostError, Watchdog},
    id::{NodeName, ServiceTypes},
    time::Instant,
    timing::Timings,
    watchdog::Terms,
};

use super::{NodeError, WatchdogChoice, log::LogSource};
use crate::{
    os::clock,
    store::{ConfigurationReader, DefinitionCheck, SharedStore, StoreError},
    watchdog::{ConnectError, NoWatchdog, ask_multiplexer},
};

/// What a node without a watchdog says of itself where fence devices guard it.
pub const BY_DEVICES: &str = "fence devices alone";
/// What a node without a watchdog says of itself otherwise.
pub const BY_NOTHING: &str = "nothing";

/// Whether fence devices alone carry the safety of these nodes: nothing is recovered before a device has turned its node off,
/// and each node is connected to one.
#[must_use]
pub fn fence_devices_alone_guard(configuration: &Configuration, nodes: &[NodeName]) -> bool {
    let connected = |fence: &ha_core::config::FenceConfig| nodes.iter().all(|node| fence.is_connected(node));
    configuration.datacenter.fencing == FencingMode::Hardware && configuration.fence.as_deref().is_some_and(connected)
}

/// By what a node without a watchdog is guarded.
fn without_watchdog(store: &dyn SharedStore) -> Result<Option<&'static str>, StoreError> {
    let nodes = store.settings()?.nodes;
    if nodes.len() <= 1 {
        return Ok(Some(BY_NOTHING));
    }
    let configuration =
        ConfigurationReader::new(ServiceTypes::default(), DefinitionCheck::none()).read(store)?.configuration;
    Ok(fence_devices_alone_guard(&configuration, &nodes).then_some(BY_DEVICES))
}

/// Finds out what guards this node, and goes on looking.
#[derive(Debug)]
pub(super) struct Guard {
    choice: WatchdogChoice,
    terms: Terms,
    /// What was said last.
    known: Option<String>,
    looked: Instant,
}

impl Guard {
    /// Looks for the first time.
    ///
    /// A multiplexer that is not there yet is waited for, since nothing is worked on without one. One that does not fit is not.
    pub(super) fn begin(
        choice: &WatchdogChoice,
        timings: &Timings,
        store: &dyn SharedStore,
        log: &LogSource,
    ) -> Result<Self, NodeError> {
        let mut guard =
            Self { choice: choice.clone(), terms: Terms::of(timings), known: None, looked: clock::instant() };
        match choice {
            WatchdogChoice::None => {
                let by = without_watchdog(store)?.ok_or(NodeError::Unguarded)?;
                guard.say(log, Severity::Notice, by.to_owned());
            }
            WatchdogChoice::Multiplexer(socket) => match ask_multiplexer(socket, guard.terms) {
                Ok(device) => guard.say(log, Severity::Info, device),
                Err(ConnectError::Refused(refusal)) => {
                    return Err(NodeError::Refused { socket: socket.clone(), refusal });
                }
                Err(error) => guard.say(log, Severity::Warning, nothing_yet(&error)),
            },
        }
        Ok(guard)
    }

    /// What guards this node, for people.
    pub(super) fn known(&self) -> &str {
        self.known.as_deref().unwrap_or(BY_NOTHING)
    }

    /// Looks again from time to time: the multiplexer may have come late, or be another one by now.
    pub(super) fn look(&mut self, log: &LogSource) {
        const INTERVAL: Duration = Duration::from_secs(10);
        let now = clock::instant();
        let WatchdogChoice::Multiplexer(socket) = &self.choice else { return };
        if now.since(self.looked) < INTERVAL {
            return;
        }
        self.looked = now;
        match ask_multiplexer(socket, self.terms) {
            Ok(device) => self.say(log, Severity::Info, device),
            Err(error) => self.say(log, Severity::Error, nothing_yet(&error)),
        }
    }

    fn say(&mut self, log: &LogSource, severity: Severity, what: String) {
        if self.known.as_ref() != Some(&what) {
            log.message(severity, format!("this node is guarded by {what}"));
            self.known = Some(what);
        }
    }
}

fn nothing_yet(error: &ConnectError) -> String {
    format!(
        "{BY_NOTHING}, and works on nothing new: the watchdog multiplexer ('ha watchdog-mux') does not serve it: {error}"
    )
}

/// Instead of a watchdog, where a node has none.
#[derive(Debug)]
pub(super) struct WithoutWatchdog(pub(super) Arc<dyn SharedStore>);

impl Watchdog for WithoutWatchdog {
    /// Looks again whether the node may do without one: the settings may have changed.
    fn open(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        match without_watchdog(&*self.0)? {
            Some(_) => NoWatchdog.open(not_after),
            None => Err(HostError::new(NodeError::Unguarded.to_string())),
        }
    }

    fn feed(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        NoWatchdog.feed(not_after)
    }

    fn close(&mut self) -> Result<(), HostError> {
        NoWatchdog.close()
    }
}
