//! The target's part in a live move.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use ha_core::{host::HostError, id::ServiceId};
use serde_json::{Value, json};

use super::{Mark, Purpose, VmAgent, VmGuest};
use crate::{
    agents::kind::{GuestAgent, read},
    os::files,
    store::{GuestDefinition, LiveMove, MoveAnswer},
};

/// A thread that has destinations ready for the guests that are moved to this node, and does away with what is left of moves
/// that were broken off. It touches no guest that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct MoveReceiver {
    ends: Arc<AtomicBool>,
}

impl MoveReceiver {
    /// Begins to look every `interval`. What goes wrong is given to `complain`, once as long as it stays the same.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn start(
        agent: VmAgent,
        interval: Duration,
        complain: impl Fn(String) + Send + 'static,
    ) -> std::io::Result<Self> {
        let ends = Arc::new(AtomicBool::new(false));
        thread::Builder::new().name("moves".into()).spawn({
            let ends = ends.clone();
            move || {
                let mut known = BTreeSet::new();
                while !ends.load(Ordering::Relaxed) {
                    let problems = agent.tend();
                    problems.difference(&known).cloned().for_each(&complain);
                    known = problems;
                    thread::sleep(interval);
                }
            }
        })?;
        Ok(Self { ends })
    }
}

impl Drop for MoveReceiver {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
    }
}

impl VmAgent {
    /// Looks once after all moves that this node has to do with. Gives what went wrong.
    fn tend(&self) -> BTreeSet<String> {
        let moves = match self.store.moves() {
            Ok(moves) => moves,
            Err(error) => return BTreeSet::from([error.to_string()]),
        };
        let mut results = Vec::new();
        for sid in self.services_with(Mark::Outgoing) {
            results.push(self.clean_source(&sid));
        }
        for sid in self.services_with(Mark::Incoming) {
            results.push(self.clean_destination(&sid, &moves));
        }
        let asked = |request: &LiveMove| request.target == self.node && request.answer.is_none();
        for (sid, request) in moves.iter().filter(|(_, request)| asked(request)) {
            results.push(self.receive(sid, request));
        }
        results.into_iter().filter_map(|result| Some(result.err()?.message)).collect()
    }

    fn services_with(&self, mark: Mark) -> Vec<ServiceId> {
        let entries = fs::read_dir(self.processes.directory()).into_iter().flatten().flatten();
        let sid =
            |name: &str| files::decode_name(name.strip_suffix(mark.extension())?.strip_suffix('.')?)?.parse().ok();
        entries.filter_map(|entry| sid(entry.file_name().to_str()?)).collect()
    }

    /// Answers the request for a destination. While a job is at work with the guest, it is left for the next time.
    fn receive(&self, sid: &ServiceId, request: &LiveMove) -> Result<(), HostError> {
        let Ok(_guard) = self.guard(sid, Duration::ZERO) else { return Ok(()) };
        let is_meant =
            |guest: &GuestDefinition| guest.node == request.source && guest.resume.as_ref() == Some(&request.id);
        let guest = self.store.guest(sid)?.filter(is_meant).map(|guest| guest.agent);
        let Some(guest) = guest.filter(|guest| guest.kind == Self::KIND) else { return Ok(()) };
        let guest = read::<Self>(&guest).map_err(|error| HostError::new(format!("cannot receive {sid}: {error}")));
        let prepared = guest.and_then(|guest| self.prepare(sid, &guest, &request.id));
        let answer = match &prepared {
            Ok(destination) => MoveAnswer::Ready(destination.clone()),
            Err(error) => MoveAnswer::Refused(error.message.clone()),
        };
        self.store.edit_move(sid, &mut |asked| {
            if let Some(asked) = asked.as_mut().filter(|asked| asked.id == request.id) {
                asked.answer = Some(answer.clone());
            }
        })?;
        prepared.map(drop)
    }

    /// Starts a destination. Gives where it waits.
    fn prepare(&self, sid: &ServiceId, guest: &VmGuest, id: &str) -> Result<String, HostError> {
        if self.runs(sid)? {
            return Err(HostError::new(format!("{sid} runs here")));
        }
        self.quit(sid)?;
        self.mark(sid, Mark::Incoming, id)?;
        self.launch(sid, guest, Purpose::Receive)?;
        let waits = self.listen(sid);
        if waits.is_err() {
            self.quit(sid)?;
        }
        waits.map_err(|error| self.failed("receive", sid, &error))
    }

    fn listen(&self, sid: &ServiceId) -> std::io::Result<String> {
        let mut qmp = self.connect(sid, Self::START_TIMEOUT)?;
        // The disks are the source's until the guest runs here.
        let late = json!({"capabilities": [{"capability": "late-block-activate", "state": true}]});
        qmp.execute("migrate-set-capabilities", late)?;
        qmp.execute("migrate-incoming", json!({"uri": format!("tcp:{}:0", self.address)}))?;
        let answer = qmp.execute("query-migrate", json!({}))?;
        let port = answer.pointer("/socket-address/0/port").and_then(Value::as_str);
        let port = port.ok_or_else(|| std::io::Error::other("QEMU does not say where it waits"))?;
        Ok(format!("tcp:{}:{port}", self.address))
    }

    /// Ends a destination that nobody needs any more.
    fn clean_destination(&self, sid: &ServiceId, moves: &BTreeMap<ServiceId, LiveMove>) -> Result<(), HostError> {
        let Ok(_guard) = self.guard(sid, Duration::ZERO) else { return Ok(()) };
        let Some(id) = self.marked(sid, Mark::Incoming)? else { return Ok(()) };
        let is_asked_for = moves.get(sid).is_some_and(|asked| asked.id == id);
        let guest = self.store.guest(sid)?;
        let is_needed = guest.is_some_and(|guest| {
            let is_on_its_way = is_asked_for && moves.get(sid).is_some_and(|asked| asked.source == guest.node);
            is_on_its_way || (guest.node == self.node && guest.resume.as_ref() == Some(&id))
        });
        if is_needed || self.runs(sid)? {
            return Ok(());
        }
        self.quit(sid)?;
        Ok(self.forget_move(sid, &id)?)
    }

    /// Ends a source whose guest is another node's by now.
    fn clean_source(&self, sid: &ServiceId) -> Result<(), HostError> {
        let Ok(_guard) = self.guard(sid, Duration::ZERO) else { return Ok(()) };
        let is_ours = self.store.guest(sid)?.is_some_and(|guest| guest.node == self.node);
        if is_ours { Ok(()) } else { self.settle(sid) }
    }
}
