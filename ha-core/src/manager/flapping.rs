//! Nodes that are fenced again and again take no new services for a time, which grows (M28).

use alloc::string::String;

use super::{
    RoundHost,
    commands::{Given, Refusal},
    round::{Place, Round},
};
use crate::{
    event::{Event, IgnoreReason},
    id::{NodeName, ServiceId},
};

impl<H: RoundHost + ?Sized> Round<'_, H> {
    /// Counts how long ago nodes were fenced, and for how long they still take no new services, as long as that is asked for.
    pub(super) fn watch_fencings(&mut self) {
        if self.status.fenced_nodes.is_empty() {
            return;
        }
        let is_asked_for = self.configuration.datacenter.flapping_hold.is_some();
        for (node, mut fencings) in core::mem::take(&mut self.status.fenced_nodes) {
            if !self.status.nodes.contains_key(&node) {
                continue;
            }
            let was_held = fencings.left.is_some();
            let is_over = fencings.pass(self.seconds, self.status.is_there(&node));
            if is_over || (was_held && !is_asked_for) {
                self.host.event(Event::NodeHoldOver { node: node.clone() });
            }
            if is_asked_for && !fencings.is_over() {
                self.status.fenced_nodes.insert(node, fencings);
            }
        }
        self.placement.note_holds(&self.status.fenced_nodes);
    }

    /// A node was fenced. If it was so again and again, it takes no new services from now on.
    pub(super) fn count_fencing(&mut self, node: &NodeName) {
        let Some(hold) = self.configuration.datacenter.flapping_hold else { return };
        let fencings = self.status.fenced_nodes.entry(node.clone()).or_default();
        if let Some(seconds) = fencings.fenced(hold) {
            let holds = fencings.holds;
            self.host.event(Event::NodeHeld { node: node.clone(), seconds, holds });
        }
    }

    /// Takes up new services on a node at once, though it was fenced again and again.
    pub(super) fn command_clear_fencings(&mut self, given: Given<'_>, node: &NodeName) {
        if self.status.fenced_nodes.remove(node).is_none() {
            self.refuse(given.line, Refusal::Ignored(IgnoreReason::NotFencedLately));
            return;
        }
        self.host.event(given.accepted());
        self.host.event(Event::FencingsCleared { node: node.clone(), by: given.by.map(String::from) });
        self.placement.note_holds(&self.status.fenced_nodes);
    }

    /// Whether a node takes no new services.
    pub(super) fn is_held(&self, node: &NodeName) -> bool {
        self.status.held_for(node).is_some()
    }

    /// Reports that a service takes a node that takes no new services, and whether something draws it there.
    pub(super) fn report_held(&mut self, service: usize, place: &Place) {
        if !self.is_held(&place.node) {
            return;
        }
        let position = self.placement.position(&place.node);
        let partner = position.and_then(|node| self.placement.partner_on(service, node));
        let with: Option<ServiceId> = partner.and_then(|other| self.entry(other)).map(|(sid, _)| sid.clone());
        if let Some((sid, _)) = self.entry(service) {
            let event = Event::HeldNodeTaken { sid: sid.clone(), node: place.node.clone(), with };
            self.host.event(event);
        }
    }

    /// Says so if a move that was asked for goes to a node that takes no new services. It is carried out: people may (M29).
    pub(super) fn report_if_held(&mut self, service: usize, target: &NodeName) {
        let (Some(seconds), Some((sid, _))) = (self.status.held_for(target), self.entry(service)) else { return };
        let event = Event::MoveToHeldNode { sid: sid.clone(), node: target.clone(), seconds };
        self.host.event(event);
    }
}
