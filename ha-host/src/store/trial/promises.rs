//! How each promise is tried.

use std::{
    io,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{
    Finding, Partner, Promise, Trial, TrialError,
    partner::{Answer, Order, SIZES},
};
use crate::os::files::{self, Durability};

/// What was seen instead of what is promised; nothing if it was kept.
type Seen = Result<Option<String>, TrialError>;

struct Tester<'a> {
    place: &'a Path,
    partner: &'a mut dyn Partner,
    slowest_edit: Duration,
}

pub(super) fn test(place: &Path, host: &str, partner: &mut dyn Partner) -> Result<Trial, TrialError> {
    let mut tester = Tester { place, partner, slowest_edit: Duration::ZERO };
    let Answer::Content(partner_host) = tester.ask(&Order::Greet)? else { return Err(unexpected()) };
    let mut findings = Vec::new();
    for promise in Promise::ALL {
        findings.push(Finding { promise, broken: tester.seen_of(promise)? });
    }
    Ok(Trial {
        findings,
        slowest_edit_ms: u64::try_from(tester.slowest_edit.as_millis()).unwrap_or(u64::MAX),
        partner_host: partner_host.unwrap_or_default(),
        host: host.to_owned(),
    })
}

fn unexpected() -> TrialError {
    TrialError::System { action: "understand the second process".into(), source: io::ErrorKind::InvalidData.into() }
}

const LOCK: &str = "lock";

impl Tester<'_> {
    fn ask(&mut self, order: &Order) -> Result<Answer, TrialError> {
        let order = serde_json::to_string(order).map_err(|_| unexpected())?;
        self.partner.ask(&order)
    }

    fn replace(&self, file: &str, content: &[u8], durability: Durability) -> Result<(), TrialError> {
        let path = self.place.join(file);
        files::replace(&path, content, "test", durability).map_err(TrialError::system("write", &path))
    }

    /// Whether this process gets the lock; or why not even that can be told.
    fn takes_lock(&self, patience: Duration) -> Result<Option<std::fs::File>, String> {
        match files::lock(&self.place.join(LOCK), patience) {
            Ok(lock) => Ok(Some(lock)),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(None),
            Err(error) => Err(format!("the file system gives no lock: {error}")),
        }
    }

    fn seen_of(&mut self, promise: Promise) -> Seen {
        match promise {
            Promise::Names => self.names(),
            Promise::OneHolder => self.one_holder(),
            Promise::SeenUnderLock => self.seen_under_lock(),
            Promise::SeenAgain => self.seen_again(),
            Promise::ReplacedWhole => self.replaced_whole(),
            Promise::Durable => self.durable(),
            Promise::FreeAfterDeath => self.free_after_death(),
        }
    }

    fn names(&mut self) -> Seen {
        let name = "vm:100.a_b-c%20.json";
        if let Err(error) = self.replace(name, b"named", Durability::Memory) {
            return Ok(Some(error.to_string()));
        }
        let listed = std::fs::read_dir(self.place).map_err(TrialError::system("list", self.place))?;
        let is_listed = listed.flatten().any(|entry| entry.file_name() == name);
        Ok((!is_listed).then(|| format!("'{name}' was written and is not listed")))
    }

    fn one_holder(&mut self) -> Seen {
        let take = Order::Take(LOCK.into());
        let own = match self.takes_lock(Duration::ZERO) {
            Ok(Some(own)) => own,
            Ok(None) => return Ok(Some("a lock that nobody holds can't be had".into())),
            Err(why) => return Ok(Some(why)),
        };
        match self.ask(&take)? {
            Answer::Taken => {}
            Answer::Failed(why) => return Ok(Some(format!("the second process gets no answer about a lock: {why}"))),
            Answer::Done | Answer::Content(_) => {
                return Ok(Some("two processes hold the same lock: locks do not hold between them".into()));
            }
        }
        drop(own);
        if self.ask(&take)? != Answer::Done {
            return Ok(Some("a lock that was let go can't be had by the second process".into()));
        }
        let seen = match self.takes_lock(Duration::ZERO) {
            Ok(None) => None,
            Ok(Some(_)) => Some("two processes hold the same lock: locks do not hold between them".into()),
            Err(why) => Some(why),
        };
        self.ask(&Order::LetGo)?;
        Ok(seen)
    }

    fn seen_under_lock(&mut self) -> Seen {
        const TIMES: u32 = 50;
        let order = Order::ReadUnderLock { lock: LOCK.into(), file: "record".into() };
        for number in 0..TIMES {
            let text = number.to_string();
            let began = Instant::now();
            match self.takes_lock(Duration::from_secs(10)) {
                Ok(Some(lock)) => {
                    files::read(&self.place.join("record")).map_err(TrialError::system("read", self.place))?;
                    self.replace("record", text.as_bytes(), Durability::Memory)?;
                    drop(lock);
                }
                Ok(None) => return Ok(Some("a lock that nobody holds can't be had".into())),
                Err(why) => return Ok(Some(why)),
            }
            self.slowest_edit = self.slowest_edit.max(began.elapsed());
            let answer = self.ask(&order)?;
            if answer != Answer::Content(Some(text.clone())) {
                return Ok(Some(format!("where '{text}' had been written, the second process says: {answer}")));
            }
        }
        Ok(None)
    }

    fn seen_again(&mut self) -> Seen {
        const TIMES: u32 = 50;
        for number in 0..TIMES {
            // Always of the same size, one right after the other.
            let text = format!("{number:08}");
            self.replace("again", text.as_bytes(), Durability::Memory)?;
            let answer = self.ask(&Order::ReadAgain("again".into()))?;
            if answer != Answer::Content(Some(text.clone())) {
                return Ok(Some(format!("after '{text}' was written, the second process says: {answer}")));
            }
        }
        Ok(None)
    }

    fn replaced_whole(&mut self) -> Seen {
        let path = self.place.join("whole");
        self.replace("whole", &vec![b'a'; SIZES[0]], Durability::Memory)?;
        let order = Order::Replace { file: "whole".into(), milliseconds: 1000 };
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                loop {
                    // It is read once more after the last change.
                    let is_over = is_over.load(Ordering::Acquire);
                    match files::read(&path) {
                        Ok(Some(content)) if is_whole(&content) && is_over => return None,
                        Ok(Some(content)) if is_whole(&content) => {}
                        Ok(Some(content)) => {
                            return Some(format!(
                                "{} bytes of a file were read, which are not all of one content",
                                content.len()
                            ));
                        }
                        Ok(None) => return Some("a file was missing while it was replaced".into()),
                        Err(error) => return Some(format!("a file could not be read while it was replaced: {error}")),
                    }
                }
            });
            let answer = self.ask(&order);
            is_over.store(true, Ordering::Release);
            let seen = reader.join().unwrap_or_else(|_| Some("the reader died of a defect".into()));
            let answer = answer?;
            Ok(if answer == Answer::Done { seen } else { Some(format!("the second process says: {answer}")) })
        })
    }

    fn durable(&mut self) -> Seen {
        Ok(self.replace("durable", b"kept", Durability::Disk).err().map(|error| error.to_string()))
    }

    fn free_after_death(&mut self) -> Seen {
        /// A file server may take a moment to see that a process is gone.
        const PATIENCE: Duration = Duration::from_secs(5);
        if self.ask(&Order::Take(LOCK.into()))? != Answer::Done {
            return Ok(Some("a lock that nobody holds can't be had by the second process".into()));
        }
        self.ask(&Order::Die)?;
        Ok(match self.takes_lock(PATIENCE) {
            Ok(Some(_)) => None,
            Ok(None) => Some(format!("it is still held {} s after the process has ended", PATIENCE.as_secs())),
            Err(why) => Some(why),
        })
    }
}

/// Whether this is all of one content that was written: see [`Order::Replace`].
fn is_whole(content: &[u8]) -> bool {
    [b'a', b'b']
        .into_iter()
        .zip(SIZES)
        .any(|(letter, size)| content.len() == size && content.iter().all(|byte| *byte == letter))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::store::trial::{MeetingPlace, RemotePartner, serve};

    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("ha-trial-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// A second process, and what a bad file system makes of what it does and says.
    struct Deceived<'a> {
        partner: RemotePartner,
        place: &'a Path,
        deceit: &'a mut dyn FnMut(&Path, &Order, Answer) -> Answer,
    }

    impl Partner for Deceived<'_> {
        fn ask(&mut self, order: &str) -> Result<Answer, TrialError> {
            let answer = self.partner.ask(order)?;
            Ok((self.deceit)(self.place, &serde_json::from_str(order).unwrap(), answer))
        }
    }

    /// Which promises are found to be broken.
    fn broken_by(name: &str, deceit: &mut dyn FnMut(&Path, &Order, Answer) -> Answer) -> Vec<Promise> {
        const PATIENCE: Duration = Duration::from_secs(60);
        let directory = Directory::new(name);
        let place = MeetingPlace::make(&directory.0).unwrap();
        assert!(matches!(MeetingPlace::make(&directory.0), Err(TrialError::Occupied(_))));
        let root = directory.0.clone();
        let partner = thread::spawn(move || serve(&root, "other", PATIENCE));
        let partner_of_test = RemotePartner::at(place.path(), PATIENCE);
        let trial = place.test("own", &mut Deceived { partner: partner_of_test, place: place.path(), deceit }).unwrap();
        partner.join().unwrap().unwrap();
        assert_eq!((trial.partner_host.as_str(), trial.is_of_two_machines()), ("other", true));
        let broken = trial.findings.iter().filter(|finding| finding.broken.is_some());
        broken.map(|finding| finding.promise).collect()
    }

    #[test]
    fn a_local_file_system_keeps_all() {
        assert_eq!(broken_by("kept", &mut |_, _, answer| answer), []);
    }

    #[test]
    fn locks_that_do_not_hold_between_machines_are_seen() {
        let broken = broken_by("locks", &mut |_, order, answer| match (order, answer) {
            (Order::Take(_), Answer::Taken) => Answer::Done,
            (_, answer) => answer,
        });
        assert_eq!(broken, [Promise::OneHolder]);
    }

    #[test]
    fn what_is_shown_late_is_seen() {
        let mut before = Answer::Content(None);
        let broken = broken_by("late", &mut |_, order, answer| {
            if matches!(order, Order::ReadUnderLock { .. }) { std::mem::replace(&mut before, answer) } else { answer }
        });
        assert_eq!(broken, [Promise::SeenUnderLock]);
        let mut first = None;
        let broken = broken_by("unseen", &mut |_, order, answer| {
            if matches!(order, Order::ReadAgain(_)) { first.get_or_insert(answer).clone() } else { answer }
        });
        assert_eq!(broken, [Promise::SeenAgain]);
    }

    #[test]
    fn a_file_that_is_half_there_is_seen() {
        let broken = broken_by("torn", &mut |place, order, answer| {
            if matches!(order, Order::Replace { .. }) {
                std::fs::write(place.join("whole"), "half").unwrap();
            }
            answer
        });
        assert_eq!(broken, [Promise::ReplacedWhole]);
    }

    #[test]
    fn a_lock_that_outlives_its_holder_is_seen() {
        let mut held = None;
        let broken = broken_by("held", &mut |place, order, answer| {
            if *order == Order::Die {
                held = Some(files::lock(&place.join(LOCK), Duration::from_secs(60)).unwrap());
            }
            answer
        });
        assert_eq!(broken, [Promise::FreeAfterDeath]);
    }
}
