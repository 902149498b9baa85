//! `ha logs`: what a service wrote on this node.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

use ha_core::id::{NodeName, ServiceId};
use ha_host::{
    os::{files, signals::StopSignals},
    store::GuestDefinition,
};

use super::context::{Context, Failure, note};

pub(super) fn logs(
    context: &Context,
    sid: &str,
    follow: bool,
    lines: usize,
    run_dir: &Path,
) -> Result<ExitCode, Failure> {
    let sid = context.sid(sid)?;
    let guest = context.store.guest(&sid)?;
    let guest = guest.ok_or_else(|| Failure::Failed(format!("there is no guest '{sid}'")))?;
    if let Some(unit) = context.kinds().journal(&guest.agent) {
        return journal(&unit, follow, lines);
    }
    let path = log_of(&sid, &guest, run_dir);
    let node = responsible(context, &sid, &guest)?;
    let own = context.node()?;
    let Some(file) = open(&path)? else {
        return Err(Failure::Failed(missing(&sid, &path, &node, &own)));
    };
    if node != own {
        note(format_args!("{sid} is on {node}: this is what it wrote on {own} before; call this there for the rest"));
    }
    show(file, &path, follow, lines)?;
    Ok(ExitCode::SUCCESS)
}

fn log_of(sid: &ServiceId, guest: &GuestDefinition, run_dir: &Path) -> PathBuf {
    run_dir.join(&guest.agent.kind).join(format!("{}.log", files::encode_name(sid.as_str())))
}

fn responsible(context: &Context, sid: &ServiceId, guest: &GuestDefinition) -> Result<NodeName, Failure> {
    let status = context.manager_status().unwrap_or_default();
    Ok(status.services.get(sid).map_or_else(|| guest.node.clone(), |entry| entry.node.clone()))
}

fn missing(sid: &ServiceId, path: &Path, node: &NodeName, own: &NodeName) -> String {
    let path = path.display();
    match node == own {
        true => format!(
            "{sid} has written nothing on {own} yet: there is no {path}. If its daemon has another run directory, name that with --run-dir"
        ),
        false => format!("{sid} is on {node}, and has written nothing on {own}: call this on {node}"),
    }
}

fn open(path: &Path) -> Result<Option<File>, Failure> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::Failed(format!("cannot read {}: {error}", path.display()))),
    }
}

/// The last lines, and then what comes, if that is wanted. A log that was turned over begins again.
fn show(mut file: File, path: &Path, follow: bool, lines: usize) -> Result<(), Failure> {
    const LOOK_INTERVAL: Duration = Duration::from_millis(200);
    let cannot_read = |error: io::Error| Failure::Failed(format!("cannot read {}: {error}", path.display()));
    let mut last = VecDeque::new();
    let mut reader = BufReader::new(&mut file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).map_err(cannot_read)? > 0 {
        last.push_back(std::mem::take(&mut line));
        if last.len() > lines {
            last.pop_front();
        }
    }
    let mut out = anstream::stdout();
    for line in last {
        out.write_all(&line)?;
    }
    out.flush()?;
    if !follow {
        return Ok(());
    }
    let signals = StopSignals::catch()?;
    while !signals.wait(LOOK_INTERVAL) {
        let read_to = file.stream_position().map_err(cannot_read)?;
        if file.metadata().map_err(cannot_read)?.len() < read_to {
            file.seek(SeekFrom::Start(0)).map_err(cannot_read)?;
        }
        let mut more = Vec::new();
        file.read_to_end(&mut more).map_err(cannot_read)?;
        out.write_all(&more)?;
        out.flush()?;
    }
    Ok(())
}

/// What a systemd unit wrote is in the journal.
fn journal(unit: &str, follow: bool, lines: usize) -> Result<ExitCode, Failure> {
    let mut command = Command::new("journalctl");
    command.args(["--unit", unit, "--lines", &lines.to_string()]);
    command.args(follow.then_some("--follow"));
    let ended = command.status().map_err(|error| {
        Failure::Failed(format!("what the unit {unit} wrote is in the journal, and journalctl can't be run: {error}"))
    })?;
    Ok(ExitCode::from(if ended.success() { 0 } else { 1 }))
}
