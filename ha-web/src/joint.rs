//! What the store says of the cluster, read once for all who ask at the same time.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Reads something for all who ask for it while it is being read. Nobody gets what was read before they asked: a change that was made
/// before is always seen.
#[derive(Debug)]
pub(crate) struct Joint<T> {
    turn: Mutex<Turn<T>>,
    over: Condvar,
}

#[derive(Debug)]
struct Turn<T> {
    /// Who reads, if somebody does: a number that nobody else has.
    reader: Option<u64>,
    readers: u64,
    /// What was read last, and when that began.
    last: Option<(Instant, Arc<T>)>,
}

impl<T> Default for Joint<T> {
    fn default() -> Self {
        Self { turn: Mutex::new(Turn { reader: None, readers: 0, last: None }), over: Condvar::new() }
    }
}

impl<T> Joint<T> {
    /// Who waits longer than that for somebody else takes the turn from it: a reader that hangs holds up nobody for longer.
    const PATIENCE: Duration = Duration::from_millis(500);

    /// What `read` gives, or gave to somebody who began to read after this was called.
    pub(crate) fn read<E>(&self, read: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        self.read_within(Self::PATIENCE, read)
    }

    fn read_within<E>(&self, patience: Duration, read: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let asked = Instant::now();
        let mut turn = self.turn();
        while turn.reader.is_some() {
            let left = patience.saturating_sub(asked.elapsed());
            if left.is_zero() {
                break;
            }
            turn = self.over.wait_timeout(turn, left).unwrap_or_else(PoisonError::into_inner).0;
            if let Some((_, read)) = turn.last.as_ref().filter(|(began, _)| *began >= asked) {
                return Ok(read.clone());
            }
        }
        turn.readers = turn.readers.wrapping_add(1);
        let reader = turn.readers;
        turn.reader = Some(reader);
        drop(turn);
        let mut taken = Taken { joint: self, reader, read: None };
        let began = Instant::now();
        let read = Arc::new(read()?);
        taken.read = Some((began, read.clone()));
        Ok(read)
    }

    fn turn(&self) -> MutexGuard<'_, Turn<T>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody reads. However that ends, the next one may then, unless the turn was taken away.
struct Taken<'a, T> {
    joint: &'a Joint<T>,
    reader: u64,
    read: Option<(Instant, Arc<T>)>,
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        let mut turn = self.joint.turn();
        if turn.reader != Some(self.reader) {
            return;
        }
        turn.reader = None;
        turn.last = self.read.take();
        drop(turn);
        self.joint.over.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            atomic::{AtomicUsize, Ordering},
            mpsc::channel,
        },
        thread,
    };

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn who_asks_while_somebody_reads_shares_the_next_reading_and_gets_nothing_older() {
        let joint = Joint::default();
        let value = AtomicUsize::new(1);
        let readings = AtomicUsize::new(0);
        let read = || {
            readings.fetch_add(1, Ordering::SeqCst);
            Ok::<_, ()>(value.load(Ordering::SeqCst))
        };
        let (begins, begun) = channel();
        let (ends, end) = channel::<()>();
        thread::scope(|scope| {
            let joint = &joint;
            let first = scope.spawn(move || {
                let hangs = || {
                    begins.send(()).unwrap();
                    end.recv().unwrap();
                    Ok::<_, ()>(0)
                };
                *joint.read_within(LONG, hangs).unwrap()
            });
            begun.recv().unwrap();
            // The change is made while the first one reads: those who ask from now on must see it.
            value.store(2, Ordering::SeqCst);
            let later: Vec<_> = (0..8).map(|_| scope.spawn(|| *joint.read_within(LONG, read).unwrap())).collect();
            ends.send(()).unwrap();
            assert_eq!(first.join().unwrap(), 0);
            assert!(later.into_iter().all(|asked| asked.join().unwrap() == 2));
        });
        assert!(readings.load(Ordering::SeqCst) <= 8);
        value.store(3, Ordering::SeqCst);
        assert_eq!(joint.read(read).map(|read| *read), Ok(3), "what was read before is not given");
    }

    #[test]
    fn one_that_hangs_or_dies_or_fails_holds_up_nobody() {
        let joint = Joint::default();
        let (begins, begun) = channel();
        let (ends, end) = channel::<()>();
        thread::scope(|scope| {
            let joint = &joint;
            scope.spawn(move || {
                joint.read_within(LONG, || {
                    begins.send(()).unwrap();
                    end.recv().unwrap();
                    Ok::<_, ()>(1)
                })
            });
            begun.recv().unwrap();
            let own = joint.read_within(Duration::ZERO, || Ok::<_, ()>(2));
            assert_eq!(own.map(|read| *read), Ok(2), "it takes the turn");
            let next = joint.read_within(LONG, || Ok::<_, ()>(3));
            assert_eq!(next.map(|read| *read), Ok(3), "and the next one need not wait for who hangs");
            ends.send(()).unwrap();
        });
        thread::scope(|scope| {
            let died = scope.spawn(|| joint.read_within::<()>(LONG, || panic!("a defect")).is_ok());
            assert!(died.join().is_err());
        });
        assert_eq!(joint.read_within(LONG, || Err(3)).map(|read| *read), Err(3));
        assert_eq!(joint.read_within(LONG, || Ok::<_, ()>(4)).map(|read| *read), Ok(4));
    }
}
