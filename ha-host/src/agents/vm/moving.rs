//! The source's part in a live move.

use std::{thread, time::Duration};

use ha_core::{
    host::HostError,
    id::{NodeName, ServiceId},
};
use serde_json::json;

use super::{Mark, VmAgent, VmGuest, qmp::Qmp};
use crate::{
    os::clock,
    store::{GuestDefinition, LiveMove, MoveAnswer, StoreError},
};

impl VmAgent {
    /// How long the target may take to have a destination ready; after that there is none.
    const DESTINATION_TIMEOUT: Duration = Duration::from_secs(60);
    /// For how long a store that fails is asked again whether the guest is the target's.
    const HANDOVER_PATIENCE: Duration = Duration::from_secs(20);

    /// Moves a running guest live. When it returns, the target is the guest's node, or the guest goes on here.
    ///
    /// # Errors
    ///
    /// If it was not moved, and why.
    pub fn migrate(&self, sid: &ServiceId, guest: &VmGuest, target: &NodeName) -> Result<(), HostError> {
        let _guard = self.guard(sid, Self::GUARD_PATIENCE)?;
        self.settle(sid)?;
        let id = format!("{}-{}-{}", self.node, std::process::id(), clock::instant().since_start().as_nanos());
        self.mark(sid, Mark::Outgoing, &id)?;
        let moved = self.copy(sid, guest, target, &id).and_then(|()| self.hand_over(sid, target, &id));
        // Says by the definition what became of it: the guest goes on here, or there is nothing of it here any more.
        self.settle(sid)?;
        moved
    }

    /// Steps 1 and 2: afterwards all of the guest is at the destination, and the source stands still.
    fn copy(&self, sid: &ServiceId, guest: &VmGuest, target: &NodeName, id: &str) -> Result<(), HostError> {
        let mut prepared = false;
        self.store.edit_guest(sid, &mut |guest| {
            prepared = guest.as_mut().filter(|guest| guest.node == self.node).is_some_and(|guest| {
                guest.resume = Some(id.to_owned());
                true
            });
        })?;
        if !prepared {
            return Err(HostError::new(format!("guest {sid} was moved or removed by somebody else")));
        }
        let request = LiveMove { id: id.into(), source: self.node.clone(), target: target.clone(), answer: None };
        self.store.edit_move(sid, &mut |asked| *asked = Some(request.clone()))?;
        let destination = self.destination(sid, target, id)?;
        let limit = Duration::from_secs(guest.move_s.into());
        self.transfer(sid, &destination, limit).map_err(|error| self.failed("move", sid, &error))
    }

    /// Waits for the target's answer.
    fn destination(&self, sid: &ServiceId, target: &NodeName, id: &str) -> Result<String, HostError> {
        let end = clock::instant().after(Self::DESTINATION_TIMEOUT);
        while clock::instant() < end {
            let answer = self.store.moves()?.remove(sid).filter(|asked| asked.id == id).and_then(|asked| asked.answer);
            match answer {
                Some(MoveAnswer::Ready(destination)) => return Ok(destination),
                Some(MoveAnswer::Refused(why)) => {
                    return Err(HostError::new(format!("cannot move {sid}: {target} says: {why}")));
                }
                None => thread::sleep(Self::LOOK_INTERVAL),
            }
        }
        let seconds = Self::DESTINATION_TIMEOUT.as_secs();
        Err(HostError::new(format!("cannot move {sid}: {target} did not answer within {seconds} s")))
    }

    /// Has QEMU copy the guest, and waits for the end of that.
    fn transfer(&self, sid: &ServiceId, destination: &str, limit: Duration) -> std::io::Result<()> {
        let end = clock::instant().after(limit);
        let mut qmp = self.connect(sid, Qmp::PATIENCE)?;
        // A guest that changes its memory faster than it is copied is slowed down.
        let converge = json!({"capabilities": [{"capability": "auto-converge", "state": true}]});
        qmp.execute("migrate-set-capabilities", converge)?;
        qmp.execute("migrate", json!({"uri": destination}))?;
        loop {
            let progress = qmp.execute("query-migrate", json!({}))?;
            let text = |key| progress.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
            match text("status") {
                "completed" => return Ok(()),
                ended @ ("failed" | "cancelled") => {
                    return Err(std::io::Error::other(format!("QEMU says: {ended} {}", text("error-desc"))));
                }
                _ if clock::instant() >= end => {
                    let message = format!("it took longer than {} s", limit.as_secs());
                    return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, message));
                }
                _ => thread::sleep(Self::LOOK_INTERVAL),
            }
        }
    }

    /// Step 3: makes the target the guest's node. Where it is not known whether that was done, it is tried again, which does no
    /// harm.
    fn hand_over(&self, sid: &ServiceId, target: &NodeName, id: &str) -> Result<(), HostError> {
        let end = clock::instant().after(Self::HANDOVER_PATIENCE);
        loop {
            let mut done = false;
            let edited = self.store.edit_guest(sid, &mut |guest| {
                done = guest.as_mut().filter(|guest| guest.resume.as_deref() == Some(id)).is_some_and(|guest| {
                    let ours = guest.node == self.node || guest.node == *target;
                    if ours {
                        guest.node = target.clone();
                    }
                    ours
                });
            });
            match edited {
                Ok(()) if done => return Ok(()),
                Ok(()) => return Err(HostError::new(format!("guest {sid} was changed by somebody else"))),
                Err(error) if clock::instant() >= end => return Err(error.into()),
                Err(_) => thread::sleep(Self::LOOK_INTERVAL),
            }
        }
    }

    /// Puts an end to a move from here, however far it has come: quits a source whose guest is another node's, and lets one go
    /// on whose guest is still this node's.
    pub(super) fn settle(&self, sid: &ServiceId) -> Result<(), HostError> {
        let Some(id) = self.marked(sid, Mark::Outgoing)? else { return Ok(()) };
        if self.take_back(sid)? {
            self.go_on(sid).map_err(|error| self.failed("go on with", sid, &error))?;
        } else {
            self.quit(sid)?;
        }
        self.forget_move(sid, &id)?;
        self.unmark(sid, Mark::Outgoing)
    }

    /// Takes a request for a destination out of the store.
    pub(super) fn forget_move(&self, sid: &ServiceId, id: &str) -> Result<(), StoreError> {
        self.store.edit_move(sid, &mut |asked| {
            if asked.as_ref().is_some_and(|asked| asked.id == id) {
                *asked = None;
            }
        })
    }

    /// Makes sure that a move is not carried out any more. Says whether the guest is still this node's.
    ///
    /// The definition changes by that, so a handover that is still on its way fails: it is made only to the definition
    /// that it was judged by.
    fn take_back(&self, sid: &ServiceId) -> Result<bool, StoreError> {
        let mut is_ours = false;
        let node = &self.node;
        self.store.edit_guest(sid, &mut |guest: &mut Option<GuestDefinition>| {
            is_ours = guest.as_mut().filter(|guest| guest.node == *node).is_some_and(|guest| {
                guest.resume = None;
                true
            });
        })?;
        Ok(is_ours)
    }

    /// Has a source go on, if it stands still because of a move.
    fn go_on(&self, sid: &ServiceId) -> std::io::Result<()> {
        if !self.processes.is_running(sid).unwrap_or(true) {
            return Ok(());
        }
        let end = clock::instant().after(Qmp::PATIENCE);
        let mut qmp = self.connect(sid, Qmp::PATIENCE)?;
        loop {
            match qmp.ask("query-migrate", "status")?.as_str() {
                "" | "none" | "completed" | "failed" | "cancelled" => break,
                _ if clock::instant() >= end => {
                    let message = "its move can't be cancelled";
                    return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, message));
                }
                "cancelling" => thread::sleep(Self::LOOK_INTERVAL),
                _ => {
                    qmp.execute("migrate_cancel", json!({}))?;
                    thread::sleep(Self::LOOK_INTERVAL);
                }
            }
        }
        if matches!(qmp.ask("query-status", "status")?.as_str(), "postmigrate" | "finish-migrate") {
            qmp.execute("cont", json!({}))?;
        }
        Ok(())
    }
}
