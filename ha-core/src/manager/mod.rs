//! The manager: what the master decides, round by round.
//!
//! A round is a function of what was read at its start and of the manager's own status. It gives a new status, effects
//! and events. The few effects whose outcome matters inside a round (taking the lock of a node, moving the configuration
//! of a guest, …) go through [`RoundHost`].
//!
//! `docs/behaviour/manager.md` has the rules by number; [`Manager::round`] has the steps in their order.

mod apart;
mod balancing;
mod commands;
mod disarm;
mod failback;
mod failures;
mod fencing;
mod flapping;
mod group_migration;
mod guard;
mod input;
mod nodes;
mod order;
mod round;
mod rules;
mod scope;
mod services;
mod state;
mod storms;
mod traffic;
mod uid;
mod versions;

pub use input::RoundInput;

use alloc::vec::Vec;

use crate::{
    config::datacenter::SchedulerMode,
    event::Event,
    host::{
        self, ClusterLock, Configuration, EventSink, FenceDevices, GuestControl, HostOperation, ManagerStore,
        StatusStore,
    },
    id::NodeName,
    placement::BalanceHold,
    rules::{VERSION_WITH_LOOSELY_APART, VERSION_WITH_SPREAD},
    status::{ManagerStatus, NotUnderstood, ServiceState, Timestamp},
    timing::Timings,
};
use balancing::{FailedMoves, MissingFigures};
use failures::Stopwatch;
use fencing::FenceHistory;
use group_migration::GroupMigration;
use guard::GuardHistory;
use nodes::NodeHistory;
use order::OrderHistory;
use round::Round;
use rules::{KeptApart, RulesCache};
use scope::{Scope, defers_disarm};
use services::ManagedServices;
pub(crate) use traffic::Traffic;
use traffic::TrafficHistory;
use uid::UidSource;
use versions::KnownVersions;

/// What a round does to the world.
pub trait RoundHost: ClusterLock + StatusStore + ManagerStore + GuestControl + FenceDevices + EventSink {}

impl<T> RoundHost for T where
    T: ClusterLock + StatusStore + ManagerStore + GuestControl + FenceDevices + EventSink + ?Sized
{
}

/// The master's mind: the manager status, and what it remembers beside it.
///
/// It is made when a CRM becomes master and dropped when it no longer is: all that must survive a change of master is in
/// the status.
#[derive(Debug, Clone)]
pub struct Manager {
    node: NodeName,
    timings: Timings,
    status: ManagerStatus,
    nodes: NodeHistory,
    fencing: FenceHistory,
    guards: GuardHistory,
    rules: RulesCache,
    orders: OrderHistory,
    loose_versions: KnownVersions,
    spread_versions: KnownVersions,
    scheduler_mode: SchedulerMode,
    balance_hold: BalanceHold,
    group_migration: GroupMigration,
    uids: UidSource,
    stopwatch: Stopwatch,
    traffic: TrafficHistory,
    services: ManagedServices,
    failed_moves: FailedMoves,
    missing_figures: MissingFigures,
    /// The entries that were reported as not understood.
    not_understood: Vec<NotUnderstood>,
    /// Whether the status was written as it is.
    is_written: bool,
}

impl Manager {
    /// Begins from the recorded status, on the node that is master now.
    ///
    /// `scheduler_mode` is the configured one; it is reported where it is not `basic`. `unique` are bytes that nobody had
    /// before ([`Entropy::random_bytes`](crate::host::Entropy::random_bytes)): the ids of requests are made from them.
    pub fn begin(
        node: NodeName,
        timings: Timings,
        recorded: ManagerStatus,
        scheduler_mode: SchedulerMode,
        unique: &[u8; 16],
        sink: &mut (impl EventSink + ?Sized),
    ) -> Self {
        if scheduler_mode != SchedulerMode::Basic {
            sink.event(Event::SchedulerMode { mode: scheduler_mode });
        }
        let mut manager = Self {
            node,
            timings,
            status: ManagerStatus::default(),
            nodes: NodeHistory::default(),
            fencing: FenceHistory::default(),
            guards: GuardHistory::default(),
            rules: RulesCache::default(),
            orders: OrderHistory::default(),
            loose_versions: KnownVersions::default(),
            spread_versions: KnownVersions::default(),
            scheduler_mode,
            balance_hold: BalanceHold::default(),
            group_migration: GroupMigration::default(),
            uids: UidSource::new(unique),
            stopwatch: Stopwatch::default(),
            traffic: TrafficHistory::default(),
            services: ManagedServices::default(),
            failed_moves: FailedMoves::default(),
            missing_figures: MissingFigures::default(),
            not_understood: Vec::new(),
            is_written: false,
        };
        manager.resume(recorded);
        manager
    }

    /// Goes on from what is recorded, instead of what this manager knew: its lock was over for a while, and another
    /// master may have been at work.
    pub fn resume(&mut self, recorded: ManagerStatus) {
        self.status = recorded;
        self.status.master_node = Some(self.node.clone());
        // Positions of services in the old status mean nothing in the new one.
        self.rules = RulesCache::default();
        self.services = ManagedServices::default();
        self.guards = GuardHistory::default();
        // Another master has counted meanwhile.
        self.stopwatch = Stopwatch::default();
        self.orders = OrderHistory::since_request(self.uids.last());
        self.loose_versions = KnownVersions::default();
        self.spread_versions = KnownVersions::default();
        self.traffic = TrafficHistory::default();
        // What a device did was done for another master's incidents, as far as this one can tell.
        self.fencing = FenceHistory::resumed(&self.status.fencing);
    }

    /// The status as this manager knows it: what it wrote last, or would write next.
    #[must_use]
    pub fn status(&self) -> &ManagerStatus {
        &self.status
    }

    /// Whether the status was written at the end of the last round.
    pub(crate) fn is_written(&self) -> bool {
        self.is_written
    }

    /// For how long the imbalance of the nodes has been too high: to explain what balancing does.
    #[must_use]
    pub fn balance_hold(&self) -> BalanceHold {
        self.balance_hold
    }

    /// Plays one round.
    ///
    /// Effects that fail are reported and tried again in a later round. The status is written at the end; if that fails
    /// the manager keeps it and writes it with the next round.
    pub fn round(&mut self, input: &RoundInput, host: &mut (impl RoundHost + ?Sized)) {
        let now = input.now;
        let mode = |node: &NodeName| input.lrm_mode(node);
        let forget_after = self.timings.gone_forgotten_after();
        self.nodes.update(&mut self.status, &input.members, mode, now.instant, forget_after, host);
        // In maintenance it may be cut off and still be recorded as such. Then it sees nobody, and must not judge them.
        let is_online = input.members.get(&self.node) == Some(&true);
        if !is_online || !self.status.is_there(&self.node) {
            return;
        }
        self.guards.update(&mut self.status, input);
        self.take_over_scheduler(&input.configuration, host);
        let migrated = self.migrate_groups_if_due(input, host);
        let configuration = migrated.as_ref().unwrap_or(&input.configuration);
        self.report_not_understood(host);
        let services_changed = self.update_services(input, configuration, host);
        let known = self.known_of_kept_apart(configuration, host);
        let services = &self.status.services;
        let rules = self.rules.placement_rules(configuration, &input.members, services, services_changed, known, host);
        self.orders.take(self.rules.orders(), &self.status, host);
        let mut round = Round::new(self, input, configuration, rules, host);
        round.watch_returns();
        round.watch_fencings();
        round.doubt_unrecorded();
        round.take_commands();
        round.make_room();
        match round.handle_disarm() {
            Scope::Nothing => {}
            Scope::Everything => {
                round.expire_failures();
                round.follow_orders();
                round.balance();
                round.settle(|_| true);
                round.note_sharing();
            }
            Scope::Unfinished => round.settle(defers_disarm),
        }
        self.write(now.wall, host);
    }

    /// What no node is known to read otherwise of the rules that keep services apart: a loose rule as a strict one, one by failure domain
    /// as one by node. What no rule asks for counts as known.
    fn known_of_kept_apart(
        &mut self,
        configuration: &Configuration,
        host: &mut (impl RoundHost + ?Sized),
    ) -> KeptApart {
        let asked = self.rules.kept_apart(&configuration.rules);
        let of_loose = |node, version| Event::ApartRulesNotInForce { node, version };
        let of_spread = |node, version| Event::SpreadRulesNotInForce { node, version };
        let Self { loose_versions, spread_versions, status, .. } = self;
        KeptApart {
            loosely: !asked.loosely || loose_versions.are_at_least(VERSION_WITH_LOOSELY_APART, status, host, of_loose),
            spread: !asked.spread || spread_versions.are_at_least(VERSION_WITH_SPREAD, status, host, of_spread),
        }
    }

    fn take_over_scheduler(&mut self, configuration: &Configuration, host: &mut (impl RoundHost + ?Sized)) {
        let mode = configuration.datacenter.scheduler.mode;
        if mode != self.scheduler_mode {
            host.event(Event::SchedulerModeSwitched { from: self.scheduler_mode, to: mode });
            self.scheduler_mode = mode;
        }
    }

    fn write(&mut self, wall: Timestamp, host: &mut (impl RoundHost + ?Sized)) {
        self.status.timestamp = Some(wall);
        let written = host.write_manager_status(&self.status);
        self.is_written = host::answer(host, HostOperation::WriteManagerStatus, written).is_some();
        if self.is_written {
            self.fencing.note_written(&self.status.fencing);
        } else {
            self.fencing.note_unwritten();
            self.renew_unrecorded_incidents();
            self.doubt_errors();
        }
    }

    /// What a device does for an incident that was not written counts for nothing: it may have done it before that is recorded.
    fn renew_unrecorded_incidents(&mut self) {
        for incident in self.status.fencing.values_mut() {
            if !self.fencing.can_be_proven(&incident.id) {
                incident.id = self.uids.next();
            }
        }
    }

    /// What was not written nobody knows: an LRM may start a service that is in `error` here, by what was written before.
    fn doubt_errors(&mut self) {
        let ManagerStatus { services, may_run, .. } = &mut self.status;
        let in_error = services.iter().filter(|(_, entry)| entry.state == ServiceState::Error);
        may_run.extend(in_error.map(|(sid, _)| sid.clone()));
    }
}
