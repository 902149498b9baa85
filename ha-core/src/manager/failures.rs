//! Failed starts that count no more after a time.

use core::time::Duration;

use super::{
    RoundHost,
    round::{Brings, Round},
};
use crate::{config::RequestedState, event::Event, id::ServiceId, status::ServiceState, time::Instant};

/// Counts the seconds of this master. Its wall clock may jump, and that of another one may be wrong: so what is recorded is how much
/// time has passed, not when something was.
#[derive(Debug, Clone, Default)]
pub(super) struct Stopwatch {
    counted_until: Option<Instant>,
}

impl Stopwatch {
    /// The whole seconds since this was last asked.
    pub(super) fn seconds(&mut self, now: Instant) -> u32 {
        let since = self.counted_until.unwrap_or(now);
        let seconds = now.since(since).as_secs();
        self.counted_until = Some(since.after(Duration::from_secs(seconds)));
        u32::try_from(seconds).unwrap_or(u32::MAX)
    }
}

impl<H: RoundHost + ?Sized> Round<'_, H> {
    /// Takes note that a start has failed now, if such failures expire.
    pub(super) fn begin_counting_failure(&mut self, service: usize) {
        if self.facts(service).failure_timeout.is_some()
            && let Some((sid, _)) = self.status.services.at(service)
        {
            self.status.start_failures.insert(sid.clone(), 0);
        }
    }

    /// Forgets the failed starts of services that had no other one for the time that is configured, and tries those again that are
    /// in `error` for them (M23).
    pub(super) fn expire_failures(&mut self) {
        for (sid, before) in core::mem::take(&mut self.status.start_failures) {
            let Some(service) = self.status.services.position(&sid) else { continue };
            let Some(timeout) = self.facts(service).failure_timeout else { continue };
            let has_failed = self.entry(service).is_some_and(|(_, entry)| !entry.failed_nodes.is_empty());
            let age = before.saturating_add(self.seconds);
            if has_failed && (age < timeout || !self.forget_failures(service, &sid)) {
                self.status.start_failures.insert(sid, age);
            }
        }
    }

    /// Says whether they were forgotten: while a service that is in `error` for them can't be tried again they are not.
    fn forget_failures(&mut self, service: usize, sid: &ServiceId) -> bool {
        let Some((_, entry)) = self.entry(service) else { return true };
        let (in_error, node) = (entry.state == ServiceState::Error, entry.node.clone());
        let is_wanted = self.facts(service).requested == RequestedState::Started;
        // What may run is left to people.
        if in_error && !(is_wanted && self.is_online(&node) && !self.status.may_run.contains(sid)) {
            return false;
        }
        let Some(entry) = self.entry_mut(service) else { return true };
        let failed_nodes = core::mem::take(&mut entry.failed_nodes);
        self.host.event(Event::StartFailuresExpired { sid: sid.clone(), failed_nodes, tried_again: in_error });
        if in_error {
            self.change(service, ServiceState::RequestStart, Brings::Node(node));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopwatch_loses_no_part_of_a_second() {
        let mut stopwatch = Stopwatch::default();
        let asked = [5_000, 5_900, 6_100, 9_000, 8_000]
            .map(|milliseconds| stopwatch.seconds(Instant::after_start(Duration::from_millis(milliseconds))));
        assert_eq!(asked, [0, 0, 1, 3, 0], "it counts from when it was first asked");
    }
}
