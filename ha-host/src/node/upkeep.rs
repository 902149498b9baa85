//! Looks after the store, beside the daemons, which never wait for it.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use ha_core::{event::Severity, id::NodeName, status::ManagerStatus, time::Instant};

use super::log::LogSource;
use crate::{
    os::clock,
    store::{RecordName, SharedStore, StoreProblem},
};

/// Begins; it ends when what is given is dropped, after what it is doing.
pub(super) fn begin(store: Arc<dyn SharedStore>, node: NodeName, log: LogSource) -> io::Result<Arc<()>> {
    const INTERVAL: Duration = Duration::from_millis(250);
    let alive = Arc::new(());
    let mut caretaker = Caretaker { store, node, log, looked: None, told: BTreeSet::new(), failure: None };
    let keeps_on = Arc::downgrade(&alive);
    thread::Builder::new().name("upkeep".into()).spawn(move || {
        while Weak::strong_count(&keeps_on) > 0 {
            caretaker.turn(clock::instant());
            thread::sleep(INTERVAL);
        }
    })?;
    Ok(alive)
}

struct Caretaker {
    store: Arc<dyn SharedStore>,
    node: NodeName,
    log: LogSource,
    /// When problems were last looked for.
    looked: Option<Instant>,
    /// The names of those that were told.
    told: BTreeSet<String>,
    /// Why upkeep failed the last time.
    failure: Option<String>,
}

impl Caretaker {
    const LOOK_INTERVAL: Duration = Duration::from_secs(30);

    fn turn(&mut self, now: Instant) {
        match self.store.upkeep(&|| self.is_master()) {
            Ok(done) => {
                done.into_iter().for_each(|what| self.log.message(Severity::Notice, what));
                self.failure = None;
            }
            Err(error) => {
                let failure = error.to_string();
                if self.failure.as_ref() != Some(&failure) {
                    self.log.message(Severity::Warning, format!("looking after the store: {failure}"));
                }
                self.failure = Some(failure);
            }
        }
        if self.looked.is_none_or(|looked| now.since(looked) >= Self::LOOK_INTERVAL) {
            self.looked = Some(now);
            // A store that can't be asked is what the daemons themselves complain about.
            if let Ok(problems) = self.store.problems() {
                self.tell(&problems);
            }
        }
    }

    fn tell(&mut self, problems: &[StoreProblem]) {
        for problem in problems.iter().filter(|problem| !self.told.contains(&problem.name)) {
            self.log.message(Severity::Warning, problem.text.clone());
        }
        if problems.is_empty() && !self.told.is_empty() {
            self.log.message(Severity::Info, "the store is without fault again");
        }
        self.told = problems.iter().map(|problem| problem.name.clone()).collect();
    }

    /// By the manager's record, which stays when nothing can be written.
    fn is_master(&self) -> bool {
        let status = self.store.record(&RecordName::Manager).ok().flatten();
        let status = status.and_then(|content| ManagerStatus::from_json(&String::from_utf8_lossy(&content)).ok());
        status.is_some_and(|status| status.master_node.as_ref() == Some(&self.node))
    }
}
