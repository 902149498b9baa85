//! How the cluster is, as it changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
    time::Duration,
};

use axum::body::Bytes;
use serde_json::{Map, Value, json};

use super::Told;
use crate::{
    access::{Caller, Means, Role},
    call::{Call, Site},
    own,
    server::{events::block, unsent::Unsent},
    wire::Parameters,
};

/// A status, and how it differs from the one that was told before.
#[derive(Debug)]
pub(in crate::server) struct StatusNews {
    status: Value,
    pub(in crate::server) digest: String,
    /// The status as a whole, made when somebody needs it.
    whole: OnceLock<Bytes>,
    /// After which status what is told.
    change: Option<(String, Bytes)>,
}

impl StatusNews {
    fn new(before: Option<&Self>, status: Value, digest: String) -> Self {
        let change = before.map(|before| {
            let change = change(&before.status, &status);
            let data = json!({"from": before.digest, "digest": digest, "status": change.changed, "gone": change.gone});
            (before.digest.clone(), block(None, "status_change", &data).into())
        });
        Self { status, digest, whole: OnceLock::new(), change }
    }

    /// What is told to somebody who knows the status with this digest, if any: what has changed since, or else the whole, which is nothing
    /// where there is no room for it now.
    pub(in crate::server) fn to(&self, known: Option<&str>, unsent: &Unsent) -> Option<Bytes> {
        if let Some((_, change)) = self.change.as_ref().filter(|(from, _)| known == Some(from)) {
            return Some(change.clone());
        }
        if let Some(whole) = self.whole.get() {
            return Some(whole.clone());
        }
        let whole = block(None, "status", &json!({"digest": self.digest, "status": self.status}));
        let whole = unsent.hold(whole.into_bytes())?;
        Some(self.whole.get_or_init(|| whole).clone())
    }
}

impl Told for StatusNews {
    const LOOK_INTERVAL: Duration = Duration::from_millis(400);

    fn after(before: Option<&Self>, site: &Site) -> Option<Self> {
        // Each of those who listen may see it.
        let nobody = Caller { name: "nobody".into(), role: Role::Audit, means: Means::Peer };
        let call = Call::new(site, &nobody, Vec::new(), Parameters::default());
        let (status, digest) = own::whole_status(&call).ok()?;
        before.is_none_or(|before| before.digest != digest).then(|| Self::new(before, status, digest))
    }
}

/// The lists of a status whose entries are told one by one, each with what names an entry.
const LISTS: [(&str, &str); 2] = [("nodes", "node"), ("services", "sid")];

/// How one status differs from another.
#[derive(Debug, PartialEq)]
struct Change {
    /// What is otherwise; `null` for what is there no more. Of the lists only those entries that are new or otherwise.
    changed: Map<String, Value>,
    /// The names of the entries that are gone, by list.
    gone: BTreeMap<&'static str, BTreeSet<String>>,
}

fn change(before: &Value, after: &Value) -> Change {
    let none = Map::new();
    let (before, after) = (before.as_object().unwrap_or(&none), after.as_object().unwrap_or(&none));
    let mut changed = Map::new();
    let mut gone = BTreeMap::new();
    for (key, value) in after.iter().filter(|(key, value)| before.get(*key) != Some(*value)) {
        let list = LISTS.into_iter().find(|(list, _)| list == key);
        let Some((list, name)) = list else {
            changed.insert(key.clone(), value.clone());
            continue;
        };
        let (old, new) = (by_name(before.get(key), name), by_name(Some(value), name));
        let other = new.iter().filter(|(name, entry)| old.get(*name) != Some(entry));
        changed.insert(key.clone(), other.map(|(_, entry)| (*entry).clone()).collect());
        let lost: BTreeSet<String> =
            old.keys().filter(|name| !new.contains_key(*name)).map(|&name| name.to_owned()).collect();
        if !lost.is_empty() {
            gone.insert(list, lost);
        }
    }
    changed.extend(before.keys().filter(|key| !after.contains_key(*key)).map(|key| (key.clone(), Value::Null)));
    Change { changed, gone }
}

fn by_name<'a>(list: Option<&'a Value>, name: &str) -> BTreeMap<&'a str, &'a Value> {
    let entries = list.and_then(Value::as_array).into_iter().flatten();
    entries.filter_map(|entry| Some((entry.get(name)?.as_str()?, entry))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news(before: Option<&StatusNews>, status: Value, digest: &str) -> StatusNews {
        StatusNews::new(before, status, digest.into())
    }

    #[test]
    fn only_what_has_changed_is_told_to_who_knows_the_rest() {
        let service = |sid: &str, state: &str| json!({"sid": sid, "state": state});
        let services =
            |list: &[(&str, &str)]| -> Value { list.iter().map(|(sid, state)| service(sid, state)).collect() };
        let first = news(
            None,
            json!({"time": "1", "play": 1, "nodes": [{"node": "node1"}],
                "services": services(&[("vm:1", "started"), ("vm:2", "started"), ("vm:3", "started")])}),
            "a",
        );
        let second = news(
            Some(&first),
            json!({"time": "2", "nodes": [{"node": "node1"}],
                "services": services(&[("vm:1", "started"), ("vm:3", "error"), ("vm:4", "queued")])}),
            "b",
        );
        let data = |bytes: Bytes| -> Value {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            serde_json::from_str(text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap()).unwrap()
        };
        let told = data(second.to(Some("a"), &Unsent::new(0)).unwrap());
        let changed =
            json!({"time": "2", "play": null, "services": services(&[("vm:3", "error"), ("vm:4", "queued")])});
        assert_eq!(told, json!({"from": "a", "digest": "b", "status": changed, "gone": {"services": ["vm:2"]}}));
        for unknown in [None, Some("c")] {
            assert_eq!(data(second.to(unknown, &Unsent::new(0)).unwrap())["status"], second.status, "else all is told");
        }
    }
}
