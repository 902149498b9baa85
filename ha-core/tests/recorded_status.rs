//! Reads the manager status that each recorded scenario begins with.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{fs, path::Path};

use ha_core::status::ManagerStatus;
use serde_json::Value;

#[test]
#[ignore = "needs the recorded data beside the checkout, in ../shared/conformance"]
fn recorded_manager_status_is_read_and_written_without_loss() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/conformance/scenarios");
    let folders = fs::read_dir(&scenarios).unwrap();
    let mut count = 0_u32;
    for folder in folders {
        let file = folder.unwrap().path().join("manager_status");
        let text = fs::read_to_string(&file).unwrap();
        let status = ManagerStatus::from_json(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let written: Value = serde_json::from_str(&status.to_json()).unwrap();
        let mut expected: Value = serde_json::from_str(&text).unwrap();
        for field in ["node_status", "service_status"] {
            let fields = expected.as_object_mut().unwrap();
            fields.entry(field).or_insert_with(|| Value::Object(serde_json::Map::new()));
        }
        assert_eq!(written, expected, "{}", file.display());
        count = count.saturating_add(1);
    }
    assert!(count > 0, "no scenario in {}", scenarios.display());
}
