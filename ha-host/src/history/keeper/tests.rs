use super::*;
use ha_core::{
    history::{EntryId, Source, What},
    id::NodeName,
};
use std::sync::{Condvar, Mutex, PoisonError};

fn entry(number: u64) -> Arc<Entry> {
    let node = NodeName::new("node1").unwrap();
    Arc::new(Entry::new(EntryId::of_node(&node, 1, number), 0, node, Source::Node, What::message("x")))
}

fn say_incomplete() -> SayIncomplete {
    let node = NodeName::new("node1").unwrap();
    Arc::new(move |event| Entry::new(EntryId::of_node(&node, 2, 0), 0, node.clone(), Source::Node, event.into()))
}

/// A place that hangs, fails or works, as it is told, and what was kept in it.
#[derive(Default)]
struct Told {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    hangs: bool,
    fails: bool,
    asked: usize,
    kept: Vec<Entry>,
}

impl Told {
    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    fn wait(&self, until: impl Fn(&State) -> bool) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, timeout) =
            self.changed.wait_timeout_while(state, Duration::from_secs(30), |state| !until(state)).unwrap();
        assert!(!timeout.timed_out(), "asked {} times, kept {}", state.asked, state.kept.len());
    }
}

struct Fake(Arc<Told>);

impl Place for Fake {
    fn keep(&mut self, batch: &[Arc<Entry>]) -> Result<(), String> {
        self.0.set(|state| state.asked += 1);
        let state = self.0.state.lock().unwrap();
        let mut state = self.0.changed.wait_while(state, |state| state.hangs).unwrap();
        if state.fails {
            return Err("it is full".into());
        }
        state.kept.extend(batch.iter().map(|entry| (**entry).clone()));
        drop(state);
        self.0.changed.notify_all();
        Ok(())
    }

    fn words(&self) -> String {
        "a fake".into()
    }
}

fn missing(kept: &[Entry]) -> u64 {
    let incomplete = kept.iter().filter_map(|entry| match entry.event() {
        Some(Event::HistoryIncomplete { events, .. }) => *events,
        _ => None,
    });
    incomplete.sum()
}

fn started(told: &Arc<Told>) -> (Way, Arc<Mutex<Vec<String>>>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let tell: Tell = {
        let said = said.clone();
        Arc::new(move |_, text| said.lock().unwrap().push(text))
    };
    (Keeper::start("test", Fake(told.clone()), say_incomplete(), tell).unwrap(), said)
}

/// Nothing here waits for the place: it hangs all the time, and this test would never end.
#[test]
fn who_reports_never_waits_for_a_place_that_hangs_and_what_is_lost_is_counted() {
    let told = Arc::new(Told::default());
    told.set(|state| state.hangs = true);
    let (way, _) = started(&told);
    way.offer(entry(0));
    told.wait(|state| state.asked > 0);
    let most = 10 * ROOM as u64;
    let firsts = (1..=most).filter(|number| way.offer(entry(*number))).count();
    assert_eq!(firsts, 1, "the first loss is told");
    told.set(|state| state.hangs = false);
    told.wait(|state| state.kept.len() as u64 + missing(&state.kept) == most + 2);
}

#[test]
fn what_can_not_be_kept_now_is_kept_later_as_far_as_there_is_room() {
    let told = Arc::new(Told::default());
    told.set(|state| state.fails = true);
    let (way, said) = started(&told);
    assert!((0..10).all(|number| !way.offer(entry(number))), "nothing is lost");
    told.wait(|state| state.asked > 1);
    told.set(|state| state.fails = false);
    told.wait(|state| state.kept.len() == 10);
    assert!((10..20).all(|number| !way.offer(entry(number))), "nothing is lost");
    let (done, wait) = sync_channel(1);
    way.flush(done);
    wait.recv_timeout(Duration::from_secs(30)).unwrap();
    let state = told.state.lock().unwrap();
    let expected: Vec<EntryId> = (0..20).map(|number| entry(number).id.clone()).collect();
    assert_eq!(state.kept.iter().map(|entry| entry.id.clone()).collect::<Vec<_>>(), expected, "in order, each once");
    assert_eq!(
        *said.lock().unwrap(),
        ["the history is not kept in a fake for now: it is full", "the history is kept in a fake again"]
    );
}
