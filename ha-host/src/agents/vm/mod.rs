//! Services that are a virtual machine, run by QEMU.

mod definition;
mod moving;
mod qmp;
mod receive;

pub use definition::{DiskFormat, VmDisk, VmGuest};
pub use receive::MoveReceiver;

use std::{collections::BTreeMap, fmt, fs, fs::File, io, path::Path, sync::Arc, thread, time::Duration};

use ha_core::{
    host::{HostError, ProbeProgress},
    id::{NodeName, ServiceId},
};
use serde_json::json;

use super::{
    kind::{Complaints, GuestAgent, Workplace},
    launch::{Holding, Launcher},
    processes::Processes,
};
use crate::{
    os::{
        clock,
        files::{self, Durability},
    },
    store::Store,
};
use qmp::Qmp;

/// Starts, watches, stops and moves virtual machines. They do not depend on the daemon: one that was started again finds them.
///
/// # Why a guest never runs twice while it is moved live
///
/// A live move has two QEMU processes: the *source* with the running guest, and on the target the *destination*, which was started
/// with `-S -incoming` and does not run its guest before it is told to. Let the move's id be *m*.
///
/// 1. The source's node writes `resume: m` into the guest's definition, then asks the target for a destination.
/// 2. QEMU copies the guest. Until the source's own QEMU says that all is done the source may go on by itself at any moment: it does
///    so whenever the move fails, however late. From then on it stands still.
/// 3. The source's node writes the target into the definition as the guest's node, if `resume` is still *m*. Then it quits the source.
/// 4. The target's LRM is told to run the service, as after any move, and lets the destination of *m* run if the definition names
///    this node and *m*; else it kills it and starts the guest again.
///
/// If anything goes wrong before 3, the source's node takes the move back: it removes *m* from the definition, so that a write
/// of step 3 that is still on its way fails, and only then lets the source go on. If that removal is not known to have been made,
/// nothing runs until it is. If the source's node dies and its service is recovered on the target, `resume` still says that the
/// source did not go on after *m*, so a destination that is complete is the guest as it was.
///
/// Both processes are written down on their nodes, so a daemon that is started again goes on where the last one was.
#[derive(Clone)]
pub struct VmAgent {
    store: Arc<dyn Store>,
    node: NodeName,
    /// The address by which other nodes reach this one.
    address: String,
    processes: Processes,
}

impl fmt::Debug for VmAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmAgent").field("node", &self.node).field("address", &self.address).finish_non_exhaustive()
    }
}

/// A file that says what a guest's process is in the middle of; its content is the id of the move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// The process is the source of a move.
    Outgoing,
    /// The process is the destination of a move, and was not let run yet.
    Incoming,
}

impl Mark {
    const fn extension(self) -> &'static str {
        match self {
            Self::Outgoing => "outgoing",
            Self::Incoming => "incoming",
        }
    }
}

/// What a QEMU is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To run the guest.
    Run,
    /// To take in a guest that is moved here, and wait.
    Receive,
}

impl VmAgent {
    /// How long QEMU may take to end once it was told to.
    const QUIT_TIMEOUT: Duration = Duration::from_secs(5);
    /// How long a job waits for what the receiver of moves does with the same guest.
    const GUARD_PATIENCE: Duration = Duration::from_secs(30);
    /// How long a QEMU that was started may take to answer.
    const START_TIMEOUT: Duration = Duration::from_secs(30);
    /// How often it is looked whether something has come about.
    const LOOK_INTERVAL: Duration = Duration::from_millis(50);

    /// An agent that keeps what it must know in `run_directory`. Other nodes reach this one by `address`, a name or number
    /// without a port.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, node: NodeName, address: &str, run_directory: &Path, launcher: Launcher) -> Self {
        let processes = Processes::new(node.clone(), run_directory.join("vm"), launcher, Holding::DIRECT);
        Self { store, node, address: address.to_owned(), processes }
    }

    pub(super) fn at(place: &Workplace) -> Self {
        let Workplace { store, node, address, run_directory, launcher } = place;
        Self::new(store.clone(), node.clone(), address, run_directory, launcher.clone())
    }

    /// Whether the guest runs. A destination that waits does not. A move that was interrupted is taken back first.
    ///
    /// # Errors
    ///
    /// If that can't be told.
    pub fn is_running(&self, sid: &ServiceId) -> Result<bool, HostError> {
        let _guard = self.guard(sid, Self::GUARD_PATIENCE)?;
        self.settle(sid)?;
        self.runs(sid)
    }

    /// Starts the guest, or lets it run where it was moved here.
    ///
    /// # Errors
    ///
    /// If QEMU can't be started.
    pub fn start(&self, sid: &ServiceId, guest: &VmGuest, resume: Option<&str>) -> Result<(), HostError> {
        let _guard = self.guard(sid, Self::GUARD_PATIENCE)?;
        self.settle(sid)?;
        if self.runs(sid)? || self.resume(sid, resume)? {
            return Ok(());
        }
        self.launch(sid, guest, Purpose::Run)?;
        self.connect(sid, Self::START_TIMEOUT).map(drop).map_err(|error| self.failed("start", sid, &error))
    }

    /// Whether the program `qemu-ga` in the guest answers.
    ///
    /// # Errors
    ///
    /// If it does not, or the guest has no port for it.
    pub fn ready(&self, sid: &ServiceId, guest: &VmGuest, timeout: Duration) -> Result<ProbeProgress, HostError> {
        if !guest.guest_agent {
            let message = format!("the definition of {sid} has no 'guest_agent': set that, or another probe");
            return Err(HostError::new(message));
        }
        let path = self.processes.path(sid, GUEST_AGENT);
        let answered = Qmp::of_guest_agent(&path, timeout).and_then(|mut agent| agent.execute("guest-ping", json!({})));
        answered.map(|_| ProbeProgress::Ready).map_err(|error| HostError::new(format!("the guest agent: {error}")))
    }

    /// Stops the guest: by its power button, and after `timeout` seconds (by default those of its definition) by cutting its
    /// power, at once if that is 0.
    ///
    /// # Errors
    ///
    /// If QEMU can't be killed.
    pub fn stop(&self, sid: &ServiceId, guest: &VmGuest, timeout: Option<u32>) -> Result<(), HostError> {
        let _guard = self.guard(sid, Self::GUARD_PATIENCE)?;
        self.settle(sid)?;
        let timeout = Duration::from_secs(timeout.unwrap_or(guest.shutdown_s).into());
        if !timeout.is_zero()
            && self.runs(sid)?
            && self.command(sid, "system_powerdown").is_ok()
            && self.has_ended_within(sid, timeout)?
        {
            self.processes.forget(sid);
            return Ok(());
        }
        self.quit(sid)
    }

    /// Ends a guest's process, whatever it is.
    fn quit(&self, sid: &ServiceId) -> Result<(), HostError> {
        if self.processes.is_running(sid)? && self.command(sid, "quit").is_ok() {
            self.has_ended_within(sid, Self::QUIT_TIMEOUT)?;
        }
        self.processes.kill(sid)?;
        self.unmark(sid, Mark::Incoming)?;
        for socket in ["qmp", GUEST_AGENT] {
            let _ = fs::remove_file(self.processes.path(sid, socket));
        }
        Ok(())
    }

    fn has_ended_within(&self, sid: &ServiceId, timeout: Duration) -> Result<bool, HostError> {
        let Some(record) = self.processes.record(sid)? else { return Ok(true) };
        self.processes.wait_for_end(sid, &record, timeout, || {})
    }

    /// Whether the process runs, and is no destination that waits.
    fn runs(&self, sid: &ServiceId) -> Result<bool, HostError> {
        if !self.processes.is_running(sid)? {
            return Ok(false);
        }
        if self.marked(sid, Mark::Incoming)?.is_none() {
            return Ok(true);
        }
        let state = self.connect(sid, Qmp::PATIENCE).and_then(|mut qmp| qmp.ask("query-status", "status"));
        match state.map_err(|error| self.failed("look at", sid, &error))?.as_str() {
            "running" => {
                // It was let run by a daemon that did not live to take note of that.
                self.unmark(sid, Mark::Incoming)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Lets the destination of a move run, if that is what there is. Says whether it did; if not, there is none any more.
    fn resume(&self, sid: &ServiceId, resume: Option<&str>) -> Result<bool, HostError> {
        let Some(id) = self.marked(sid, Mark::Incoming)? else { return Ok(false) };
        let goes_on = resume == Some(&*id) && self.processes.is_running(sid)?;
        if goes_on && self.is_complete(sid).unwrap_or(false) {
            self.command(sid, "cont").map_err(|error| self.failed("go on with", sid, &error))?;
            self.unmark(sid, Mark::Incoming)?;
            // What is left in the store does no harm: no other move has this id.
            let _ = self.forget_move(sid, &id);
            let _ = self.store.edit_guest(sid, &mut |guest| {
                if let Some(guest) = guest.as_mut().filter(|guest| guest.resume.as_ref() == Some(&id)) {
                    guest.resume = None;
                }
            });
            return Ok(true);
        }
        self.quit(sid)?;
        Ok(false)
    }

    /// Whether all of the guest has come to this destination. The source says so a moment earlier.
    fn is_complete(&self, sid: &ServiceId) -> io::Result<bool> {
        let end = clock::instant().after(Self::QUIT_TIMEOUT);
        let mut qmp = self.connect(sid, Qmp::PATIENCE)?;
        loop {
            if qmp.ask("query-migrate", "status")? == "completed" {
                return Ok(true);
            }
            if clock::instant() >= end {
                return Ok(false);
            }
            thread::sleep(Self::LOOK_INTERVAL);
        }
    }

    /// Starts a QEMU; what the last one has left behind is killed first.
    fn launch(&self, sid: &ServiceId, guest: &VmGuest, purpose: Purpose) -> Result<(), HostError> {
        let qmp = self.processes.path(sid, "qmp");
        let _ = fs::remove_file(&qmp);
        let command = command(sid, guest, &qmp, purpose);
        self.processes.launch(sid, &command, self.processes.directory(), &BTreeMap::new())
    }

    /// A connection to the guest's QEMU, which may just have been started. If that has ended, the error says what it said.
    fn connect(&self, sid: &ServiceId, patience: Duration) -> io::Result<Qmp> {
        let lives = || self.processes.is_running(sid).unwrap_or(false);
        let connection = Qmp::connect(&self.processes.path(sid, "qmp"), patience, lives);
        connection.map_err(|error| {
            if lives() {
                return error;
            }
            let log = fs::read(self.processes.path(sid, "log")).unwrap_or_default();
            let text = String::from_utf8_lossy(&log).into_owned();
            let last = text.lines().next_back().unwrap_or("it says nothing of why").to_owned();
            io::Error::other(format!("QEMU has ended: {last}"))
        })
    }

    fn command(&self, sid: &ServiceId, command: &str) -> io::Result<()> {
        self.connect(sid, Qmp::PATIENCE)?.execute(command, json!({})).map(drop)
    }

    fn failed(&self, doing: &str, sid: &ServiceId, error: &io::Error) -> HostError {
        HostError::new(format!("cannot {doing} {sid}: {error}"))
    }

    /// Keeps all others away who do something with the same guest on this node.
    fn guard(&self, sid: &ServiceId, patience: Duration) -> Result<File, HostError> {
        let made = files::make_private_directory(self.processes.directory());
        let locked = made.and_then(|()| files::lock(&self.processes.path(sid, "guard"), patience));
        locked.map_err(|error| self.failed("take hold of", sid, &error))
    }

    fn marked(&self, sid: &ServiceId, mark: Mark) -> Result<Option<String>, HostError> {
        let content = files::read(&self.processes.path(sid, mark.extension()));
        let content = content.map_err(|error| self.failed("look at", sid, &error))?;
        Ok(content.map(|content| String::from_utf8_lossy(&content).into_owned()))
    }

    fn mark(&self, sid: &ServiceId, mark: Mark, id: &str) -> Result<(), HostError> {
        let path = self.processes.path(sid, mark.extension());
        let written = files::replace(&path, id.as_bytes(), "mark", Durability::Memory);
        written.map_err(|error| self.failed("move", sid, &error))
    }

    fn unmark(&self, sid: &ServiceId, mark: Mark) -> Result<(), HostError> {
        let removed = files::remove(&self.processes.path(sid, mark.extension()), Durability::Memory);
        removed.map_err(|error| self.failed("move", sid, &error))
    }
}

impl GuestAgent for VmAgent {
    const KIND: &'static str = "vm";

    const MAY_MOVE_LIVE: bool = true;

    type Definition = VmGuest;

    fn own_seconds(guest: &VmGuest, stops: bool) -> u32 {
        if stops { guest.shutdown_s } else { 0 }
    }

    fn is_running(&self, sid: &ServiceId, _: &VmGuest) -> Result<bool, HostError> {
        self.is_running(sid)
    }

    fn start(&self, sid: &ServiceId, guest: &VmGuest, resume: Option<&str>) -> Result<(), HostError> {
        self.start(sid, guest, resume)
    }

    fn stop(&self, sid: &ServiceId, guest: &VmGuest, timeout: Option<u32>) -> Result<(), HostError> {
        self.stop(sid, guest, timeout)
    }

    fn migrate(&self, sid: &ServiceId, guest: &VmGuest, target: &NodeName) -> Result<bool, HostError> {
        self.migrate(sid, guest, target).map(|()| true)
    }

    fn has_left(&self, sid: &ServiceId) -> Result<bool, HostError> {
        Ok(self.processes.record(sid)?.is_some() && self.is_running(sid)?)
    }

    fn ready(&self, sid: &ServiceId, guest: &VmGuest, timeout: Duration) -> Result<ProbeProgress, HostError> {
        self.ready(sid, guest, timeout)
    }

    fn end_left(&self, sid: &ServiceId) -> Result<(), HostError> {
        let _guard = self.guard(sid, Self::GUARD_PATIENCE)?;
        self.quit(sid)
    }

    fn attend(&self, interval: Duration, complain: Complaints) -> io::Result<Option<Box<dyn Send>>> {
        Ok(Some(Box::new(MoveReceiver::start(self.clone(), interval, complain)?)))
    }
}

/// The extension of the socket on which the guest agent answers, beside the one of QEMU itself.
const GUEST_AGENT: &str = "qga";

/// How QEMU is called. The guest has no devices but those of its definition: what both ends of a move have must be the same.
fn command(sid: &ServiceId, guest: &VmGuest, qmp: &Path, purpose: Purpose) -> Vec<String> {
    let mut words = vec![guest.program.clone()];
    let mut add = |option: &str, value: String| words.extend([option.to_owned(), value]);
    add("-name", format!("guest={}", escape(sid.as_str())));
    add("-display", "none".into());
    add("-m", guest.memory_mb.to_string());
    add("-smp", guest.cpus.to_string());
    guest.accelerators.iter().for_each(|accelerator| add("-accel", accelerator.clone()));
    for disk in &guest.disks {
        let format = match disk.format {
            DiskFormat::Raw => "raw",
            DiskFormat::Qcow2 => "qcow2",
        };
        add("-drive", format!("file={},format={format},if=virtio,cache=none", escape_path(&disk.file)));
    }
    add("-qmp", format!("unix:{},server=on,wait=off", escape_path(qmp)));
    if guest.guest_agent {
        let socket = escape_path(&qmp.with_extension(GUEST_AGENT));
        add("-chardev", format!("socket,id=guest-agent,path={socket},server=on,wait=off"));
        add("-device", "virtio-serial".into());
        add("-device", "virtserialport,chardev=guest-agent,name=org.qemu.guest_agent.0".into());
    }
    words.extend(["-nodefaults".to_owned(), "-no-user-config".to_owned()]);
    words.extend(guest.arguments.iter().cloned());
    if purpose == Purpose::Receive {
        words.extend(["-S", "-incoming", "defer"].map(str::to_owned));
    }
    words
}

/// QEMU's options are separated by commas.
fn escape(text: &str) -> String {
    text.replace(',', ",,")
}

fn escape_path(path: &Path) -> String {
    escape(&path.display().to_string())
}
