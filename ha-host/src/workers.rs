//! Workers: they carry out an LRM's jobs, each in a thread of its own.
//!
//! How many run at once is decided by the LRM (`max_workers`). How long one may take is decided by the agents: everything
//! that they wait for has a time limit.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, Sender, channel},
    task::Waker,
    thread,
    time::Duration,
};

use ha_core::{
    host::{Agent, HostError, Job, JobId, JobStart, Workers},
    id::{NodeName, ServiceId, Uid},
    lrm::run_job,
    status::{ExitCode, StateName},
};
use serde::{Deserialize, Serialize};

use crate::os::files::{self, Durability};

/// An agent that knows how long it may take, and whose programs can be ended from outside.
pub trait Interruptible {
    /// How long it may take for a job by itself, beyond the timeout of the job.
    ///
    /// # Errors
    ///
    /// If that can't be told.
    fn own_time(&self, job: &Job) -> Result<Duration, HostError>;

    /// Ends the program that is at work for a guest: what the agent was asked fails then, and looks what came of it. Says whether
    /// there was one.
    ///
    /// # Errors
    ///
    /// If it can't be ended.
    fn interrupt(&self, sid: &ServiceId) -> Result<bool, HostError>;
}

/// Runs jobs with an agent that each of them gets a copy of.
///
/// The result of a move must not be lost with the daemon: the service is elsewhere by then, and the same command would be
/// refused. So every move is noted before it begins and when it has ended, and a job that was noted is not done again. All other jobs
/// look first at what is there, so doing them again does no harm.
#[derive(Debug)]
pub struct JobWorkers<A> {
    node: NodeName,
    agent: A,
    directory: PathBuf,
    report: Sender<Ended>,
    ended: Receiver<Ended>,
    waker: Waker,
    running: BTreeMap<JobId, ServiceId>,
}

/// How a job ended.
type Ended = (JobId, ExitCode);

/// A move that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    uid: Uid,
    target: NodeName,
    /// How it ended, once it has.
    exit_code: Option<i32>,
}

impl<A: Agent + Clone + Send + 'static> JobWorkers<A> {
    /// Workers that keep their notes in `run_directory`.
    #[must_use]
    pub fn new(node: NodeName, agent: A, run_directory: &Path) -> Self {
        let (report, ended) = channel();
        let directory = run_directory.join("jobs");
        Self { node, agent, directory, report, ended, waker: Waker::noop().clone(), running: BTreeMap::new() }
    }

    /// Whom to wake when a job has ended, so that the LRM gives its place to another one at once.
    pub fn wake_when_a_job_ends(&mut self, waker: Waker) {
        self.waker = waker;
    }

    fn note_path(&self, sid: &ServiceId) -> PathBuf {
        self.directory.join(files::encode_name(sid.as_str())).with_added_extension("json")
    }

    /// The result of a job that a former daemon has carried out.
    fn known_result(&mut self, job: &Job, note: &Note) -> Result<Option<ExitCode>, HostError> {
        let text = files::read(&self.note_path(&job.sid)).map_err(|error| HostError::new(error.to_string()))?;
        let known: Option<Note> = text.and_then(|text| serde_json::from_slice(&text).ok());
        match known {
            Some(known) if known.uid == note.uid => match known.exit_code {
                Some(code) => Ok(Some(ExitCode(code))),
                // It was interrupted. The last thing that a move does is to change where the guest is.
                None => {
                    Ok((self.agent.guest_node(&job.sid)?.as_ref() == Some(&note.target)).then_some(ExitCode::SUCCESS))
                }
            },
            Some(_) | None => Ok(None),
        }
    }

    fn run_in_thread(&self, job: Job, note: Option<(PathBuf, Note)>) -> io::Result<()> {
        let (id, node, mut agent) = (job.id, self.node.clone(), self.agent.clone());
        let (to, waker) = (self.report.clone(), self.waker.clone());
        let mut report = Report { id, to, waker, exit_code: ExitCode::KILLED };
        thread::Builder::new().name(format!("job-{}", job.sid)).spawn(move || {
            let exit_code = run_job(job, node, &mut agent);
            if let Some((path, note)) = note {
                // If it can't be written the result holds as long as this daemon lives.
                let _ = write_note(&path, &Note { exit_code: Some(exit_code.0), ..note });
            }
            report.ended_with(exit_code);
        })?;
        Ok(())
    }
}

/// Reports the end of a job, however it ends.
struct Report {
    id: JobId,
    to: Sender<Ended>,
    waker: Waker,
    exit_code: ExitCode,
}

impl Report {
    fn ended_with(&mut self, exit_code: ExitCode) {
        self.exit_code = exit_code;
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        // Nobody is there to hear it only if the LRM has ended.
        let _ = self.to.send((self.id, self.exit_code));
        self.waker.wake_by_ref();
    }
}

fn write_note(path: &Path, note: &Note) -> io::Result<()> {
    files::replace(path, &serde_json::to_vec(note)?, "note", Durability::Memory)
}

/// The note of a job that is a move.
fn note_of(job: &Job) -> Option<Note> {
    let is_move = matches!(job.command, StateName::Migrate | StateName::Relocate | StateName::RequestStartBalance);
    let (uid, target) = (job.uid.clone()?, job.target.clone()?);
    is_move.then_some(Note { uid, target, exit_code: None })
}

impl<A: Agent + Interruptible + Clone + Send + 'static> Workers for JobWorkers<A> {
    fn start(&mut self, job: &Job) -> Result<JobStart, HostError> {
        let fail = |error: io::Error| HostError::new(format!("cannot begin a job for {}: {error}", job.sid));
        let note = match note_of(job) {
            Some(note) => {
                if let Some(exit_code) = self.known_result(job, &note)? {
                    return Ok(JobStart::Finished(exit_code));
                }
                fs::create_dir_all(&self.directory).map_err(fail)?;
                let path = self.note_path(&job.sid);
                write_note(&path, &note).map_err(fail)?;
                Some((path, note))
            }
            None => None,
        };
        self.run_in_thread(job.clone(), note).map_err(fail)?;
        self.running.insert(job.id, job.sid.clone());
        Ok(JobStart::Running)
    }

    fn finished(&mut self) -> Result<Vec<(JobId, ExitCode)>, HostError> {
        let ended: Vec<Ended> = self.ended.try_iter().collect();
        for (id, _) in &ended {
            self.running.remove(id);
        }
        Ok(ended)
    }

    fn time_limit(&mut self, job: &Job) -> Result<Option<Duration>, HostError> {
        let Some(usual) = job.usual_time_limit() else { return Ok(None) };
        Ok(Some(usual.saturating_add(self.agent.own_time(job)?)))
    }

    /// A thread can't be ended, but the program that it waits for can. All that agents wait for has a time limit of its own as well: a
    /// job that goes on beyond both is stuck in the kernel, and is gone when that lets go of it.
    fn end(&mut self, id: JobId) -> Result<(), HostError> {
        let interrupted = self.running.get(&id).map_or(Ok(false), |sid| self.agent.interrupt(sid))?;
        if interrupted {
            return Ok(());
        }
        let JobId(id) = id;
        Err(HostError::new(format!(
            "job {id} hangs in a call to the system and can't be ended: look for storage or devices that do not answer"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ha_core::{event::Event, host::EventSink, status::Motion};
    use std::{
        sync::{Arc, Mutex},
        task::Wake,
        time::Duration,
    };

    /// A guest that is on a node, and notes what is done with it.
    #[derive(Clone)]
    struct Fake {
        node: Arc<Mutex<NodeName>>,
        done: Arc<Mutex<Vec<&'static str>>>,
        panics: bool,
    }

    impl Fake {
        fn new(panics: bool) -> Self {
            Self { node: Arc::new(Mutex::new(node("node1"))), done: Arc::default(), panics }
        }
    }

    impl EventSink for Fake {
        fn event(&mut self, _: Event) {}
    }

    impl Interruptible for Fake {
        fn own_time(&self, _: &Job) -> Result<Duration, HostError> {
            Ok(Duration::from_secs(7))
        }

        fn interrupt(&self, sid: &ServiceId) -> Result<bool, HostError> {
            self.done.lock().unwrap().push("interrupted");
            Ok(sid.as_str() == "vm:100")
        }
    }

    impl Agent for Fake {
        fn knows_type(&mut self, _: &str) -> bool {
            assert!(!self.panics, "on purpose");
            true
        }
        fn guest_node(&mut self, _: &ServiceId) -> Result<Option<NodeName>, HostError> {
            Ok(Some(self.node.lock().unwrap().clone()))
        }
        fn is_running(&mut self, _: &ServiceId) -> Result<bool, HostError> {
            Ok(false)
        }
        fn start(&mut self, _: &ServiceId) -> Result<(), HostError> {
            Ok(())
        }
        fn stop(&mut self, _: &ServiceId, _: Option<u32>) -> Result<(), HostError> {
            Ok(())
        }
        fn move_to(&mut self, _: &ServiceId, target: &NodeName, _: Motion) -> Result<(), HostError> {
            self.done.lock().unwrap().push("move");
            *self.node.lock().unwrap() = target.clone();
            Ok(())
        }
    }

    fn node(name: &str) -> NodeName {
        NodeName::new(name).unwrap()
    }

    fn job(id: u64, uid: &str) -> Job {
        Job {
            id: JobId(id),
            sid: "vm:100".parse().unwrap(),
            uid: Some(uid.parse().unwrap()),
            command: StateName::Migrate,
            target: Some(node("node2")),
            timeout: None,
            only_look: false,
        }
    }

    #[test]
    fn the_program_of_a_job_that_is_known_is_interrupted_and_of_no_other() {
        let directory = std::env::temp_dir().join(format!("ha-workers-interrupted-{}", std::process::id()));
        let fake = Fake::new(false);
        let mut workers = JobWorkers::new(node("node1"), fake.clone(), &directory);
        assert!(workers.end(JobId(1)).is_err(), "nobody knows it");
        let start = Job { command: StateName::Started, target: None, ..job(1, "a") };
        assert_eq!(workers.time_limit(&start).unwrap(), Some(Duration::from_secs(607)));
        assert_eq!(workers.time_limit(&job(1, "a")).unwrap(), None, "a move takes as long as it needs");
        workers.start(&start).unwrap();
        assert!(workers.end(JobId(1)).is_ok());
        while workers.finished().unwrap().is_empty() {
            std::thread::yield_now();
        }
        assert!(workers.end(JobId(1)).is_err(), "it has ended");
        assert_eq!(*fake.done.lock().unwrap(), ["interrupted"]);
        std::fs::remove_dir_all(&directory).ok();
    }

    fn end(workers: &JobWorkers<Fake>) -> (JobId, ExitCode) {
        workers.ended.recv_timeout(Duration::from_secs(10)).unwrap()
    }

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("ha-workers-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    #[test]
    fn the_result_of_a_move_outlives_the_daemon() {
        let directory = directory("result");
        let agent = Fake::new(false);
        let mut workers = JobWorkers::new(node("node1"), agent.clone(), &directory);
        assert_eq!(workers.start(&job(1, "a")), Ok(JobStart::Running));
        assert_eq!(end(&workers), (JobId(1), ExitCode::SUCCESS));

        let mut next_daemon = JobWorkers::new(node("node1"), agent.clone(), &directory);
        assert_eq!(next_daemon.start(&job(1, "a")), Ok(JobStart::Finished(ExitCode::SUCCESS)));
        assert_eq!(*agent.done.lock().unwrap(), ["move"]);
        assert_eq!(next_daemon.start(&job(2, "b")), Ok(JobStart::Running), "another request is another job");
        assert_eq!(end(&next_daemon).1, ExitCode::WRONG_NODE);
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_move_that_was_interrupted_after_its_last_step_has_succeeded() {
        let directory = directory("interrupted");
        let agent = Fake::new(false);
        let mut workers = JobWorkers::new(node("node1"), agent.clone(), &directory);
        fs::create_dir_all(&workers.directory).unwrap();
        let begun = note_of(&job(1, "a")).unwrap();
        write_note(&workers.note_path(&job(1, "a").sid), &begun).unwrap();
        *agent.node.lock().unwrap() = node("node2");
        assert_eq!(workers.start(&job(1, "a")), Ok(JobStart::Finished(ExitCode::SUCCESS)));

        *agent.node.lock().unwrap() = node("node1");
        assert_eq!(workers.start(&job(1, "a")), Ok(JobStart::Running), "it had not come so far");
        end(&workers);
        fs::remove_dir_all(&directory).unwrap();
    }

    /// Tells a thread that waits for it.
    struct Bell(Sender<()>);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.send(()).unwrap();
        }
    }

    #[test]
    fn whoever_waits_for_the_end_of_a_job_is_woken_when_it_can_be_collected_also_if_it_dies() {
        for panics in [false, true] {
            let directory = directory("woken");
            let (ring, rung) = channel();
            let mut workers = JobWorkers::new(node("node1"), Fake::new(panics), &directory);
            workers.wake_when_a_job_ends(Waker::from(Arc::new(Bell(ring))));
            workers.start(&job(7, "a")).unwrap();
            rung.recv_timeout(Duration::from_secs(10)).unwrap();
            assert_eq!(workers.finished().unwrap().len(), 1);
            fs::remove_dir_all(&directory).unwrap();
        }
    }

    #[test]
    fn a_job_that_dies_is_reported() {
        let directory = directory("dies");
        let mut workers = JobWorkers::new(node("node1"), Fake::new(true), &directory);
        workers.start(&job(7, "a")).unwrap();
        assert_eq!(end(&workers), (JobId(7), ExitCode::KILLED));
        fs::remove_dir_all(&directory).unwrap();
    }
}
