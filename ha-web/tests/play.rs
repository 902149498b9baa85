//! A virtual cluster behind the store and the desk that serve a real one.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use ha_core::{
    config::{Changes, RequestedState},
    event::Event,
    history::{CommandOutcome, Entry, EntryId, Failovers},
    id::ServiceId,
    status::{Command, Motion, StateName},
};
use ha_host::{
    desk::{Desk, tolerance},
    history::Reader,
    store::ConfigFile,
};
use ha_web::{play::Play, stage::Direction};

const SCENARIO: &str = "\
# Nothing happens by itself until node3 dies.
nodes node1 node2 node3
guest vm:100 on node1
guest vm:101 on node3
at 10m power off node3
until 20m
";

/// A play, and the desk at which people sit.
struct Stage {
    folder: PathBuf,
    play: Play,
    desk: Desk,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Stage {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("ha-play-test-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("scenario")).unwrap();
        fs::write(folder.join("scenario/scenario"), SCENARIO).unwrap();
        fs::write(folder.join("scenario/resources.cfg"), "vm: 100\n\nvm: 101\n").unwrap();
        let play = Play::begin(&folder.join("scenario"), &folder.join("store")).unwrap();
        let desk = Desk::new(play.store()).with_clock(play.stage()).of_majority();
        Self { folder, play, desk }
    }

    fn pass(&self, seconds: u64) {
        self.play.pass(Duration::from_secs(seconds)).unwrap();
    }

    fn is(&self, sid: &str) -> (String, StateName) {
        let present = self.desk.present().unwrap();
        assert!(present.broken.is_empty(), "{:?}", present.broken);
        let entry = present.status.services.get(&service(sid)).unwrap();
        (entry.node.to_string(), entry.state.name())
    }

    fn act(&self, line: &str) -> Result<(), String> {
        self.play.stage().direct(&Direction { action: Some(line.into()), ..Direction::default() })
    }
}

#[test]
fn its_nodes_need_a_majority() {
    let stage = Stage::new();
    stage.pass(120);
    assert_eq!(tolerance(&stage.desk.present().unwrap(), usize::MAX).survives, 1, "of three");
    stage.act("power off node2").unwrap();
    stage.act("power off node3").unwrap();
    stage.pass(600);
    assert_eq!(stage.is("vm:101").0, "node3", "nobody acts");
}

fn service(sid: &str) -> ServiceId {
    sid.parse().unwrap()
}

#[test]
fn a_failover_stands_in_the_store_as_that_of_a_real_cluster_would() {
    let stage = Stage::new();
    stage.pass(120);
    assert_eq!(stage.is("vm:101"), ("node3".into(), StateName::Started));
    let before = stage.desk.clock().wall_ms();
    stage.pass(1000);
    assert_eq!(stage.desk.clock().wall_ms() - before, 1_000_000, "the time is that of the play");
    let (node, state) = stage.is("vm:101");
    assert!(node != "node3" && state == StateName::Started, "{node} {state:?}");
    assert_eq!(stage.desk.present().unwrap().locations().get(&service("vm:101")).unwrap().as_str(), node);
    let kept = Reader::after(&*stage.play.store(), 0).unwrap();
    let mut failovers = Failovers::default();
    kept.entries.iter().for_each(|entry| failovers.take(entry));
    let failover = failovers.all().first().expect("the history tells of a failover");
    assert_eq!((failover.node.as_str(), failovers.all().len()), ("node3", 1));
    assert!(failover.ended_ms.is_some_and(|ended| ended > before), "{failover:?}");
}

#[test]
fn the_history_says_why_a_service_went_where_it_went() {
    let stage = Stage::new();
    stage.pass(1200);
    let kept = Reader::after(&*stage.play.store(), 0).unwrap();
    let is_of = |entry: &&Entry| matches!(entry.event(), Some(Event::ServiceRecovered { .. }));
    let entry = kept.entries.iter().find(is_of).expect("vm:101 was recovered");
    let why = entry.why.as_ref().expect("it was decided where it goes");
    assert!(why.text.starts_with("vm:101 goes from node3 to node2"), "{}", why.text);
    let nodes = why.explanation["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 3, "what became of each node is told: {}", why.explanation);
}

#[test]
fn what_the_scenario_writes_over_files_and_records_is_seen_as_it_was_written() {
    let stage = Stage::new();
    stage.pass(120);
    let text = |file| {
        let texts = stage.play.store().config_texts().unwrap();
        texts.get(&file).map(|text| String::from_utf8_lossy(text).into_owned())
    };
    assert_eq!(text(ConfigFile::Fence), None);
    stage.act(r##"write fence.cfg "# in the cellar\ndevice pdu fence_apc\n""##).unwrap();
    assert_eq!(text(ConfigFile::Fence).as_deref(), Some("# in the cellar\ndevice pdu fence_apc\n"));
    stage.act(r#"write lrm-status of node2 "no record""#).unwrap();
    let broken = stage.desk.present().unwrap().broken;
    assert!(broken.iter().any(|one| one.part.contains("node2")), "{broken:?}");
    stage.pass(60);
    assert_eq!(stage.desk.present().unwrap().broken, [], "its LRM has written a new one");
    // A line that waits for a master is in the queue, whoever queued it.
    stage.act("command migrate vm:100 node2").unwrap();
    assert_eq!(stage.play.store().commands().unwrap(), ["migrate vm:100 node2"]);
    stage.pass(120);
    assert_eq!(stage.is("vm:100").0, "node2");
    assert!(stage.play.store().commands().unwrap().is_empty());
}

#[test]
fn what_is_commanded_is_done_and_told_by_its_id() {
    let stage = Stage::new();
    stage.pass(120);
    let id = EntryId::of_person(&"node1".parse().unwrap(), 1, 1);
    let command = Command::Move { motion: Motion::Relocate, sid: service("vm:100"), node: "node2".parse().unwrap() };
    stage.desk.give(&command, "alice@local", &id).unwrap();
    stage.pass(0);
    let fate = || stage.desk.fate_of_command(&id.to_string()).unwrap().expect("it is known all the while");
    assert_eq!(fate().outcome, CommandOutcome::Queued, "its master has not looked yet");
    stage.pass(120);
    assert_eq!(stage.is("vm:100"), ("node2".into(), StateName::Started));
    assert_eq!(fate().outcome, CommandOutcome::Done);
    assert!(stage.play.store().commands().unwrap().is_empty());
}

#[test]
fn what_people_edit_holds_in_the_play_and_what_the_play_edits_is_seen() {
    let stage = Stage::new();
    stage.pass(120);
    let set = |changes: &[(&str, &str)]| {
        let edited = stage.desk.edit(None, false, &mut |editor, files| {
            editor.set_resource(files, "vm:100", Changes { set: changes, unset: &[] })
        });
        drop(edited.unwrap().unwrap());
    };
    set(&[("state", "stopped"), ("comment", "by hand")]);
    stage.pass(60);
    assert_eq!(stage.is("vm:100").1, StateName::Stopped);
    stage.act("set vm:100 state started").unwrap();
    stage.pass(60);
    assert_eq!(stage.is("vm:100").1, StateName::Started);
    let present = stage.desk.present().unwrap();
    let resource = present.configuration().resources.resources.get(&service("vm:100")).unwrap();
    assert_eq!(resource.state, Some(RequestedState::Started));
    assert_eq!(resource.text(ha_core::config::resources::ResourceProperty::Comment), Some("by hand".into()));
}

#[test]
fn whoever_reaches_in_is_told_what_can_not_be_done() {
    let stage = Stage::new();
    let why = stage.act("power of node1").unwrap_err();
    assert!(why.starts_with("column 7: "), "{why}");
    stage.act("power off node3").unwrap();
    stage.pass(400);
    assert_ne!(stage.is("vm:101").0, "node3");
    // The scenario's own line finds it off already.
    stage.pass(1000);
}

#[test]
fn time_passes_at_once_up_to_a_moment() {
    let stage = Stage::new();
    let leap = |to_s| stage.play.stage().direct(&Direction { to_s: Some(to_s), ..Direction::default() });
    leap(700).unwrap();
    assert_eq!(stage.play.stage().look()["time_s"], 700.0);
    assert_eq!(leap(699).unwrap_err(), "it is later already: 700 s");
    assert_eq!(leap(4301).unwrap_err(), "no more than 3600 s pass at once");
    assert_eq!(stage.play.stage().look()["time_s"], 700.0);
}

#[test]
fn time_stands_still_until_somebody_lets_it_pass() {
    let stage = Stage::new();
    assert_eq!(stage.play.stage().rate(), 0);
    stage.play.stage().direct(&Direction { paused: Some(false), rate: Some(60), ..Direction::default() }).unwrap();
    assert_eq!(stage.play.stage().rate(), 60);
    let began = stage.desk.clock().wall_ms();
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while stage.desk.clock().wall_ms() < began + 5000 {
        assert!(std::time::Instant::now() < end, "it does not pass");
        std::thread::yield_now();
    }
}
