//! How long nodes that came back have been well, for services that go back to them only after a delay (M27).

use super::{RoundHost, round::Round};
use crate::{config::RequestedState, event::Event, status::FailbackWait};

impl<H: RoundHost + ?Sized> Round<'_, H> {
    /// Counts for how long nodes have been well since they came back, as long as a service asks for that.
    pub(super) fn watch_returns(&mut self) {
        self.waited_to_go_back = core::mem::take(&mut self.status.waiting_failbacks);
        let Some(longest) = self.longest_failback_delay else {
            self.status.returned_nodes.clear();
            return;
        };
        let mut before = core::mem::take(&mut self.status.returned_nodes);
        let nodes: alloc::vec::Vec<_> = self.status.nodes.keys().cloned().collect();
        for node in nodes {
            let known = before.remove(&node);
            let now = match (self.status.is_there(&node), known) {
                // No master has seen it fail.
                (true, None) => continue,
                (true, Some(known)) => known.there(self.seconds),
                (false, known) => known.unwrap_or_default().away(),
            };
            if !now.is_over(longest) {
                self.status.returned_nodes.insert(node, now);
            }
        }
        if self.status.returned_nodes.is_empty() {
            return;
        }
        let facts = &self.facts;
        let delay = |service: usize| {
            let facts = facts.get(service).filter(|facts| facts.requested == RequestedState::Started)?;
            facts.failback_delay
        };
        self.placement.note_returns(&self.status.returned_nodes, delay);
    }

    /// A service stays where it is, since the node at this position, which it would go back to, has not been well for long enough. That
    /// is told once for each wait.
    pub(super) fn wait_to_go_back(&mut self, service: usize, back_to: usize, left: u32) {
        let Some((sid, _)) = self.status.services.at(service) else { return };
        let Some(node) = self.placement.node(back_to).cloned() else { return };
        let sid = sid.clone();
        let waited = self.waited_to_go_back.get(&sid).is_some_and(|before| before.node == node);
        if !waited && !self.status.waiting_failbacks.contains_key(&sid) {
            self.host.event(Event::FailbackDelayed { sid: sid.clone(), node: node.clone(), seconds: left });
        }
        self.status.waiting_failbacks.insert(sid, FailbackWait { node, left, unknown: None });
    }
}
