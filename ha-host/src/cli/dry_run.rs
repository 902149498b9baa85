//! Tries a command out: a manager of our own begins from the recorded status and takes the command in a round of which
//! nothing is written.

use std::{collections::BTreeMap, sync::Arc};

use ha_core::{
    config::{GroupsConfig, RequestedState, ResourcesConfig, RulesConfig, fence::FenceCommand},
    event::Event,
    host::{
        ClusterLock, EventSink, FenceDevices, FenceProgress, GuestControl, HostError, Lock, LockAnswer, ManagerStore,
    },
    id::{NodeName, ServiceId},
    manager::{Manager, RoundInput},
    status::{Command, LrmStatus, ManagerStatus, NodeState},
};
use ha_host::{
    clock,
    store::{Record, usage},
};

use super::{Failure, context::Context};

/// The events by which the master would answer the command; nothing if there is no master.
pub(super) fn try_out(context: &Context, command: &Command) -> Result<Option<Vec<Event>>, Failure> {
    let settings = context.store.settings()?;
    let status = context.manager_status()?;
    let Some(master) = status.master_node.clone().filter(|master| is_there(&status, master)) else { return Ok(None) };
    let mut lrms = BTreeMap::new();
    for node in status.nodes.keys() {
        let record = context.store.record(&Record::Lrm(node.clone()))?;
        let record = record.and_then(|content| LrmStatus::from_json(&String::from_utf8_lossy(&content)).ok());
        lrms.extend(record.map(|record| (node.clone(), Arc::new(record))));
    }
    let configuration = context.stored()?.configuration;
    let input = RoundInput {
        now: clock::now(),
        members: settings.nodes.iter().map(|node| (node.clone(), is_there(&status, node))).collect(),
        lrms,
        configuration,
        unmanaged: Vec::new(),
        usage: Some(Arc::new(usage(&*context.store)?)),
    };
    let mut trial = Trial { command: Some(command.to_string()), events: Vec::new() };
    let mode = input.configuration.datacenter.scheduler.mode;
    let mut manager = Manager::begin(master, settings.timings, status, mode, &[0; 16], &mut trial);
    trial.events.clear();
    manager.round(&input, &mut trial);
    let answers = |event: &Event| {
        matches!(
            event,
            Event::CommandAccepted { .. }
                | Event::ComoveQueued { .. }
                | Event::CommandBlockedByAffinity { .. }
                | Event::CommandRejected { .. }
                | Event::CommandIgnored { .. }
                | Event::CommandUnknown { .. }
                | Event::MaintenanceClearUnexpectedState { .. }
        )
    };
    trial.events.retain(answers);
    Ok(Some(trial.events))
}

fn is_there(status: &ManagerStatus, node: &NodeName) -> bool {
    matches!(status.node_state(node), NodeState::Online | NodeState::Maintenance)
}

/// A host on which nothing happens.
struct Trial {
    command: Option<String>,
    events: Vec<Event>,
}

impl EventSink for Trial {
    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

impl ClusterLock for Trial {
    fn take(&mut self, _: &Lock) -> Result<LockAnswer, HostError> {
        Ok(LockAnswer::Refused)
    }

    fn release(&mut self, _: &Lock) -> Result<(), HostError> {
        Ok(())
    }
}

impl ManagerStore for Trial {
    fn write_manager_status(&mut self, _: &ManagerStatus) -> Result<(), HostError> {
        Ok(())
    }

    fn lrm_status(&mut self, _: &NodeName) -> Result<Option<Arc<LrmStatus>>, HostError> {
        Ok(None)
    }

    fn commands_waiting(&mut self) -> Result<bool, HostError> {
        Ok(self.command.is_some())
    }

    fn take_commands(&mut self) -> Result<Vec<String>, HostError> {
        Ok(self.command.take().into_iter().collect())
    }
}

impl GuestControl for Trial {
    fn move_configuration(&mut self, _: &ServiceId, _: &NodeName, _: &NodeName) -> Result<(), HostError> {
        Ok(())
    }

    fn remove_leftover_locks(&mut self, _: &ServiceId, _: &NodeName) -> Result<Option<String>, HostError> {
        Ok(None)
    }

    fn set_requested_state(&mut self, _: &ServiceId, _: RequestedState) -> Result<(), HostError> {
        Ok(())
    }

    fn write_group_migration(&mut self, _: &RulesConfig, _: &ResourcesConfig) -> Result<(), HostError> {
        Ok(())
    }

    fn remove_groups(&mut self, _: &GroupsConfig) -> Result<(), HostError> {
        Ok(())
    }

    fn software_version(&mut self, _: &NodeName) -> Result<Option<String>, HostError> {
        Ok(None)
    }
}

impl FenceDevices for Trial {
    fn run(&mut self, _: &NodeName, _: u32, _: &[FenceCommand]) -> Result<FenceProgress, HostError> {
        Ok(FenceProgress::Running)
    }
}
