//! What events, and the values in them, are as JSON: names and fields are promises to whoever reads them.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use ha_core::{
    config::Digest,
    event::Event,
    host::{EventSink, Lock},
    id::{NodeName, ServiceId},
    status::Motion,
};
use serde_json::{Value, json};

fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

fn sid() -> ServiceId {
    ServiceId::new("vm:101").unwrap()
}

/// An event as JSON, which reads as the same event.
fn written(event: &Event) -> Value {
    let json = serde_json::to_value(event).unwrap();
    assert_eq!(serde_json::from_value::<Event>(json.clone()).unwrap(), *event);
    json
}

#[test]
fn an_imbalance_has_two_decimals() {
    let event = Event::AutoRebalance {
        task: Motion::Migrate,
        sid: sid(),
        target: node("node2"),
        imbalance: 0.4893,
        expected_imbalance: 0.346,
    };
    let json = serde_json::to_value(event).unwrap();
    assert_eq!((&json["imbalance"], &json["expected_imbalance"]), (&json!(0.49), &json!(0.35)));
}

#[test]
fn a_flag_is_written_where_it_is_set_only() {
    let plain = written(&Event::LrmDisarmed { during_maintenance: false });
    assert_eq!(plain, json!({"event": "lrm_disarmed"}));
    let set = written(&Event::LrmDisarmed { during_maintenance: true });
    assert_eq!(set, json!({"event": "lrm_disarmed", "during_maintenance": true}));
}

#[test]
fn a_lock_has_the_name_that_it_has_in_the_store() {
    for (lock, name) in [(Lock::Manager, "ha_manager_lock"), (Lock::Agent(node("node1")), "ha_agent_node1_lock")] {
        let json = written(&Event::LockAcquired { lock: lock.clone() });
        assert_eq!(json, json!({"event": "lock_acquired", "lock": name}));
        assert_eq!(name.parse::<Lock>().unwrap(), lock);
    }
}

#[test]
fn events_that_recorded_scenarios_do_not_have_are_told_apart() {
    assert!(Event::LockAcquired { lock: Lock::Manager }.is_recorded());
    assert!(!Event::NodeForgotten { node: node("node1") }.is_recorded());
}

#[test]
fn a_list_takes_events_in_their_order() {
    let mut list = Vec::new();
    list.event(Event::Rearmed);
    list.event(Event::DisarmedTakeover);
    assert_eq!(list, [Event::Rearmed, Event::DisarmedTakeover]);
}

#[test]
fn a_digest_is_forty_hexadecimal_digits() {
    let digest = Digest::of(b"abc");
    let json = json!("a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_eq!(serde_json::to_value(digest).unwrap(), json);
    assert_eq!(serde_json::from_value::<Digest>(json).unwrap(), digest);
    assert!(serde_json::from_value::<Digest>(json!("a9")).is_err());
}
