//! Runs the vectors of `tests/vectors/status`. Their form is described in `tests/vectors/README.md`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use ha_core::{
    config::{Resource, ResourcesConfig},
    id::NodeName,
    status::{ClusterView, Command, LrmStatus, ManagerStatus, NotUnderstood, StatusError, ViewInput},
};
use serde_json::Value;

fn vector_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/status");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files
}

#[test]
fn every_vector_holds() {
    let files = vector_files();
    assert!(files.len() >= 25, "only {} vectors found", files.len());
    let failures: Vec<_> = files.iter().filter_map(|file| Some((file.file_name()?, run(file).err()?))).collect();
    for (file, failure) in &failures {
        eprintln!("{}: {failure}", file.display());
    }
    assert!(failures.is_empty(), "{} of {} vectors failed", failures.len(), files.len());
}

fn run(file: &Path) -> Result<(), String> {
    let vector: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let expect = &vector["expect"];
    match text(&vector["kind"]) {
        "manager_status" => {
            let read = ManagerStatus::from_json(&record(&vector));
            check_not_understood(read.as_ref().map_or(&[], |status| status.not_understood.as_slice()), expect)?;
            check_record(read.map(|status| status.to_json()), expect)
        }
        "lrm_status" => check_record(LrmStatus::from_json(&record(&vector)).map(|status| status.to_json()), expect),
        "view" => check_view(&vector["input"], expect),
        "command" => check_command(text(&vector["line"]), expect),
        kind => Err(format!("unknown kind '{kind}'")),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The record as text: given as such, or as JSON.
fn record(vector: &Value) -> String {
    vector["text"].as_str().map_or_else(|| vector["record"].to_string(), str::to_owned)
}

fn equal<T: PartialEq + fmt::Debug + ?Sized>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}:\n   found    {found:?}\n   expected {expected:?}")) }
}

fn check_record(found: Result<String, StatusError>, expect: &Value) -> Result<(), String> {
    match (found, expect.get("error")) {
        (Ok(written), None) => match expect["text"].as_str() {
            Some(exact) => equal("text", written.as_str(), exact),
            None => equal("record", &serde_json::from_str(&written).unwrap(), &expect["record"]),
        },
        (Err(error), Some(expected)) => {
            check_place(&error, expected)?;
            check_message(&error.to_string(), expected)
        }
        (Ok(written), Some(_)) => Err(format!("was read, as {written}")),
        (Err(error), None) => Err(error.to_string()),
    }
}

fn check_not_understood(found: &[NotUnderstood], expect: &Value) -> Result<(), String> {
    let expected = expect.get("not_understood").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    equal("number of entries that are not understood", &found.len(), &expected.len())?;
    for (found, expected) in found.iter().zip(expected) {
        equal("sid", found.sid(), text(&expected["sid"]))?;
        equal("field", found.field(), text(&expected["field"]))?;
        check_message(found.reason(), expected)?;
    }
    Ok(())
}

fn check_place(error: &StatusError, expected: &Value) -> Result<(), String> {
    match error {
        StatusError::Content { path, .. } => equal("path", &Value::from(path.as_str()), &expected["path"]),
        StatusError::Json { line, column, .. } => {
            equal("line", &Value::from(*line), &expected["line"])?;
            equal("column", &Value::from(*column), &expected["column"])
        }
        other => Err(format!("unknown error {other:?}")),
    }
}

fn check_message(message: &str, expected: &Value) -> Result<(), String> {
    let mut says = expected["says"].as_array().unwrap().iter().map(text);
    match says.find(|part| !message.contains(part)) {
        Some(part) => Err(format!("'{message}' does not say '{part}'")),
        None => Ok(()),
    }
}

fn check_command(line: &str, expect: &Value) -> Result<(), String> {
    match (line.parse::<Command>(), expect.get("error")) {
        (Ok(command), None) => equal("line", command.to_string().as_str(), text(&expect["line"])),
        (Err(error), Some(expected)) => check_message(&error.to_string(), expected),
        (Ok(command), Some(_)) => Err(format!("was read, as {command:?}")),
        (Err(error), None) => Err(error.to_string()),
    }
}

fn check_view(input: &Value, expect: &Value) -> Result<(), String> {
    let own_node = text(&input["own_node"]).parse().unwrap();
    let manager = serde_json::from_value(input["manager"].clone()).unwrap();
    let lrms: BTreeMap<NodeName, Option<LrmStatus>> = serde_json::from_value(input["lrms"].clone()).unwrap();
    let lrms = lrms.iter().map(|(node, record)| (node.clone(), record.as_ref())).collect();
    let locations = input.get("locations").map(|map| serde_json::from_value(map.clone()).unwrap());
    let view = ClusterView::new(&ViewInput {
        own_node: &own_node,
        quorate: input["quorate"].as_bool().unwrap(),
        now: input["now"].as_i64().unwrap(),
        manager: &manager,
        lrms: &lrms,
        resources: &resources(&input["resources"]),
        locations: locations.as_ref(),
        scheduler: text(&input["scheduler"]).parse().unwrap(),
    });
    let lines: Vec<Value> = view.lines().map(|line| line.to_string().into()).collect();
    equal("lines", &Value::from(lines), &expect["lines"])?;
    match expect.get("view") {
        Some(expected) => equal("view", &serde_json::to_value(&view).unwrap(), expected),
        None => Ok(()),
    }
}

fn resources(states: &Value) -> ResourcesConfig {
    let mut config = ResourcesConfig::default();
    for (sid, state) in states.as_object().unwrap() {
        let mut resource = Resource::new(sid.parse().unwrap());
        resource.state = Some(text(state).parse().unwrap());
        config.resources.insert(resource.sid.clone(), resource);
    }
    config
}
