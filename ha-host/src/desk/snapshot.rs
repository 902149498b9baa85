//! The cluster as a document, for a virtual one to go on from there.

use std::collections::BTreeMap;

use ha_core::{
    config::FenceConfig,
    id::{NodeName, ServiceId},
    plan::{ClusterSnapshot, GuestInSnapshot, NodeInSnapshot},
    status::CommandLine,
};

use super::{Broken, Desk, Present};
use crate::{
    VERSION,
    store::{Beat, ConfigFile, StoreError},
};

/// The cluster now, without secrets, and without what runs guests.
///
/// # Errors
///
/// If the store as a whole gives no answer. What can't be read or understood is said in [`ClusterSnapshot::left_out`].
pub fn snapshot(desk: &Desk) -> Result<ClusterSnapshot, StoreError> {
    let present = desk.present()?;
    let mut snapshot = ClusterSnapshot {
        version: ClusterSnapshot::VERSION,
        time: present.now.wall,
        software: VERSION.to_owned(),
        timings: present.settings.timings,
        needs_majority: present.needs_majority,
        nodes: present.settings.nodes.iter().map(|node| (node.clone(), of_node(&present, node))).collect(),
        service_types: desk.types().names().map(str::to_owned).collect(),
        configuration: [].into(),
        lrm_status: present.lrms.iter().map(|(node, record)| (node.clone(), (**record).clone())).collect(),
        guests: guests(desk, &present),
        commands: commands(desk)?,
        left_out: present.broken.iter().map(left_out).collect(),
        manager_status: present.status,
    };
    for (file, text) in desk.store().config_texts()? {
        let text = shown(file, &text, &mut snapshot.left_out);
        snapshot.configuration.extend(text.map(|text| (file.name().to_owned(), text)));
    }
    Ok(snapshot)
}

fn left_out(broken: &Broken) -> String {
    let Broken { part, problem } = broken;
    if problem.starts_with(part.as_str()) { problem.clone() } else { format!("{part}: {problem}") }
}

fn of_node(present: &Present, node: &NodeName) -> NodeInSnapshot {
    let beat = present.beats.get(node);
    NodeInSnapshot {
        online: present.is_there(node),
        version: beat.map(|beat| beat.version.clone()),
        figures: beat.map(Beat::figures),
    }
}

fn guests(desk: &Desk, present: &Present) -> BTreeMap<ServiceId, GuestInSnapshot> {
    let figures = |sid| present.usage.as_ref().and_then(|usage| usage.services.get(sid)).copied().unwrap_or_default();
    let guests = present.stored.guests.iter().map(|(sid, guest)| {
        let in_snapshot = GuestInSnapshot {
            node: guest.node.clone(),
            moves_live: desk.kinds().may_move_live(&guest.agent),
            lock: guest.lock.clone(),
            figures: figures(sid),
        };
        (sid.clone(), in_snapshot)
    });
    guests.collect()
}

/// The commands that wait, without who gave them.
fn commands(desk: &Desk) -> Result<Vec<String>, StoreError> {
    let lines = desk.store().commands()?;
    let commands = lines.into_iter().filter_map(|line| line.parse::<CommandLine>().ok());
    Ok(commands.map(|line| line.command.to_string()).collect())
}

/// What everybody may read of a configuration file.
fn shown(file: ConfigFile, text: &[u8], left_out: &mut Vec<String>) -> Option<String> {
    match file {
        ConfigFile::Fence => match FenceConfig::read(text).config {
            Ok(config) => Some(config.without_arguments()),
            Err(errors) => {
                left_out.push(format!("{}: {errors}", file.name()));
                None
            }
        },
        ConfigFile::Resources | ConfigFile::Groups | ConfigFile::Rules | ConfigFile::Datacenter | ConfigFile::Nodes => {
            if std::str::from_utf8(text).is_err() {
                left_out.push(format!("{}: characters that are not UTF-8", file.name()));
            }
            Some(without_secrets(&String::from_utf8_lossy(text)))
        }
    }
}

/// What stands for a secret.
const HIDDEN: &str = "left-out";

/// A file in which nothing is a secret that we know of. Somebody may have written one into it for another program.
fn without_secrets(text: &str) -> String {
    text.split_inclusive('\n').map(|line| without_login(&without_secret_value(line))).collect()
}

/// Replaces the value of a key that says that it is one: `password x`, `api-token: y`.
fn without_secret_value(line: &str) -> String {
    const WORDS: [&str; 4] = ["pass", "secret", "token", "credential"];
    let content = line.trim_start();
    let key: String = content.chars().take_while(|letter| !letter.is_whitespace() && *letter != ':').collect();
    let word = key.to_ascii_lowercase();
    let is_secret = WORDS.iter().any(|part| word.contains(part)) || word.ends_with("key");
    let Some((before, value)) = is_secret.then(|| line.split_once(key.as_str())).flatten() else {
        return line.to_owned();
    };
    let colon = if value.starts_with(':') { ":" } else { "" };
    let end = if line.ends_with('\n') { "\n" } else { "" };
    format!("{before}{key}{colon} {HIDDEN}{end}")
}

/// Takes out of addresses who asks, and by which password: `http://name:password@host` becomes `http://host`.
fn without_login(line: &str) -> String {
    const SCHEME: &str = "://";
    let mut left = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once(SCHEME) {
        let authority = after.split(|letter: char| letter.is_whitespace() || "/?#,".contains(letter)).next();
        let login = authority.and_then(|authority| authority.rsplit_once('@')).map_or("", |(login, _)| login);
        left.extend([before, SCHEME]);
        rest = after.strip_prefix(login).map_or(after, |host| host.strip_prefix('@').unwrap_or(host));
    }
    left + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_left_out_and_nothing_else() {
        for (line, shown) in [
            ("vm: 100\n", "vm: 100\n"),
            ("\tcomment the token ring\n", "\tcomment the token ring\n"),
            ("\tapi-token abc\n", "\tapi-token left-out\n"),
            ("smtp_password: a b", "smtp_password: left-out"),
            ("private-key abc\n", "private-key left-out\n"),
            ("http_proxy: http://ann:s3@proxy:3128/a@b\n", "http_proxy: http://proxy:3128/a@b\n"),
            ("\tprobe http://ann:a@b@[::1]:80/x, https://h\r\n", "\tprobe http://[::1]:80/x, https://h\r\n"),
            ("keyboard: en\n", "keyboard: en\n"),
        ] {
            assert_eq!(without_secrets(line), shown);
        }
    }

    #[test]
    fn a_fence_file_that_is_not_used_is_left_out_and_said() {
        let mut left_out = Vec::new();
        let text = b"device a fence_x password=hidden\nconnect b node=node1\n";
        assert_eq!(shown(ConfigFile::Fence, text, &mut left_out), None);
        assert!(left_out[0].contains("'b' is not declared") && !left_out[0].contains("hidden"), "{left_out:?}");
    }
}
