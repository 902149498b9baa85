//! Tries a command out: a manager of our own begins from the recorded status and takes the command in a round of which
//! nothing is written.

use std::{collections::BTreeMap, sync::Arc};

use ha_core::{
    event::Event,
    host::Rehearsal,
    id::NodeName,
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
    let mut trial = Rehearsal { commands: vec![command.to_string()], ..Rehearsal::refusing() };
    let mode = input.configuration.datacenter.scheduler.mode;
    let mut manager = Manager::begin(master, settings.timings, status, mode, &[0; 16], &mut trial);
    trial.events.clear();
    manager.round(&input, &mut trial);
    let line = command.to_string();
    let answers = |event: &Event| {
        // Another service's command may wait since before.
        matches!(event, Event::CommandWithoutEffect { command, .. } if *command == line)
            || matches!(
                event,
                Event::CommandAccepted { .. }
                    | Event::ComoveQueued { .. }
                    | Event::CommandBlockedByAffinity { .. }
                    | Event::CommandRejected { .. }
                    | Event::CommandIgnored { .. }
                    | Event::CommandUnknown { .. }
                    | Event::MoveWillNotLast { .. }
                    | Event::MaintenanceClearUnexpectedState { .. }
            )
    };
    trial.events.retain(answers);
    Ok(Some(trial.events))
}

fn is_there(status: &ManagerStatus, node: &NodeName) -> bool {
    matches!(status.node_state(node), NodeState::Online | NodeState::Maintenance)
}
