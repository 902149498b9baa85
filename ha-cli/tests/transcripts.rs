//! What each verb prints, whole: `transcripts/NAME.txt` has commands, behind `$ `, and beside them all that they print and the exit
//! code if it is not 0. A change of wording is seen in review.
//!
//! Each file is played in a directory of its own, with a store that it makes itself. With `HA_TRANSCRIPTS=write` the files are
//! written again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use common::Sandbox;

/// What the shell knows beside `ha`.
const SHELL: &str = r#"
# A guest that is a process: guest SID NODE
guest() { printf '{"node":"%s","agent":{"proc":{"command":["/bin/sleep","1000"]}}}' "$2" | ha guest set "$1" -; }
# The manager status of a master on node1 that works right now, with these fields.
recorded() { mkdir -p store/status && printf '{"master_node":"node1","timestamp":%s,%s}' $(($(date +%s) + 2)) "$1" > store/status/new && mv store/status/new store/status/manager.json; }
# The status of a cluster whose master has just recorded $fields: a machine may be slow.
status() { recorded "$fields"; ha status "$@"; }
# The LRM status of a node, written so many seconds ago, with these fields: lrm NODE AGE FIELDS
lrm() { mkdir -p store/status/lrm && printf '{"timestamp":%s,%s}' $(($(date +%s) - $2)) "$3" > "store/status/lrm/$1.json"; }
# An entry of the history: entry NUMBER MILLISECONDS NODE SOURCE SEVERITY WHAT [MORE]
entry() {
    mkdir -p store/history
    printf '{"id":"%s.1.%s","time_ms":%s,"node":"%s","source":"%s","severity":"%s","what":%s%s}\n' \
        "$3" "$1" $((1795959783000 + $2)) "$3" "$4" "$5" "$6" "$7" >> store/history/00000000000000000001.jsonl
}
# What 'ha watch' tells while something is done, until it tells this: watched TEXT COMMAND…
watched() {
    text=$1; shift; : >told; ha watch >told & watch=$!
    until grep -q "service" told; do sleep 0.02; done
    "$@"
    until grep -q "$text" told; do sleep 0.02; done
    kill -TERM $watch; wait $watch; cat told
}
online='"node_status":{"node1":"online","node2":"online","node3":"online"}'
"#;

#[test]
fn what_verbs_print_is_what_the_transcripts_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let write = std::env::var("HA_TRANSCRIPTS").is_ok_and(|word| word == "write");
    let played: Vec<(PathBuf, String, String)> = thread::scope(|scope| {
        let plays: Vec<_> = files.iter().map(|file| scope.spawn(|| play(file))).collect();
        plays.into_iter().map(|play| play.join().unwrap()).collect()
    });
    let mut different = Vec::new();
    for (file, expected, printed) in played {
        if expected == printed {
            continue;
        }
        if write {
            fs::write(&file, &printed).unwrap();
        }
        different.push(format!("{}:\n{}", file.display(), first_difference(&expected, &printed)));
    }
    assert!(write || different.is_empty(), "HA_TRANSCRIPTS=write takes what is printed now:\n{}", different.join("\n"));
}

/// What is printed must not depend on who reads.
#[test]
fn no_colour_goes_to_what_is_no_terminal() {
    let sandbox = Sandbox::new("colour", "node1", "fast");
    let output = sandbox.ha(&["status"]);
    assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b));
}

/// Plays a file. Gives what it says and what it should say.
fn play(file: &Path) -> (PathBuf, String, String) {
    let sandbox = Sandbox::with_room("transcript");
    let text = fs::read_to_string(file).unwrap();
    let mut printed = String::new();
    for line in text.lines() {
        if line.starts_with('#') {
            printed += &format!("{line}\n");
        }
        let Some(command) = line.strip_prefix("$ ") else { continue };
        printed += &format!("\n{line}\n");
        printed += &run(&sandbox, command);
    }
    (file.to_owned(), text, printed.trim_start().to_owned())
}

fn run(sandbox: &Sandbox, command: &str) -> String {
    let folder = sandbox.program.parent().unwrap().display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let script = format!("exec 2>&1\n{SHELL}\n{command}");
    let output = Command::new("/bin/sh")
        .args(["-c", &script])
        .current_dir(&sandbox.directory)
        .env("PATH", path)
        .env("HA_STORE", "file:store")
        .env("HA_NODE", "node1")
        .env("HA_STATE_DIR", sandbox.directory.join("state"))
        .env("LOGNAME", "somebody")
        .env_remove("SUDO_USER")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let mut printed = steady(&String::from_utf8_lossy(&output.stdout), sandbox);
    if let Some(code) = output.status.code().filter(|code| *code != 0) {
        printed += &format!("[{code}]\n");
    }
    printed
}

/// Replaces what is different each time with what stands for it.
fn steady(text: &str, sandbox: &Sandbox) -> String {
    let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
    let text = text.replace(&sandbox.directory.display().to_string(), "DIR").replace(&format!("@{host}"), "@HOST");
    let mut lines: Vec<String> = text.lines().map(without_times).collect();
    lines.push(String::new());
    if text.is_empty() { text } else { lines.join("\n") }
}

/// `2026-11-29 13:43:03 UTC` is TIME; a number of seconds in JSON that is a time is too.
fn without_times(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let is_date = |word: &str| {
        let word = word.trim_start_matches('(');
        word.len() == 10
            && word.split('-').count() == 3
            && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    let mut steady = Vec::new();
    let mut index = 0;
    while index < words.len() {
        if is_date(words[index]) && words.get(index + 2).is_some_and(|word| word.starts_with("UTC")) {
            let before = if words[index].starts_with('(') { "(" } else { "" };
            let after = words[index + 2].strip_prefix("UTC").unwrap();
            steady.push(format!("{before}TIME{after}"));
            index += 3;
        } else {
            // Each command has an id of its own.
            let is_id = words[index].starts_with("id=ha@");
            steady.push(if is_id { "id=ID".to_owned() } else { words[index].to_owned() });
            index += 1;
        }
    }
    let line = steady.join(" ");
    match line.split_once(": ") {
        Some((key, number)) if ["\"timestamp\"", "\"last_seen\"", "\"time\""].contains(&key.trim()) => {
            let comma = if number.ends_with(',') { "," } else { "" };
            if number.trim_end_matches(',').parse::<u64>().is_ok() { format!("{key}: TIME{comma}") } else { line }
        }
        _ => line,
    }
}

fn first_difference(expected: &str, printed: &str) -> String {
    let mut command = "";
    let mut expected = expected.lines();
    for line in printed.lines() {
        if line.starts_with("$ ") {
            command = line;
        }
        let wanted = expected.next();
        if wanted != Some(line) {
            return format!("{command}\n- {}\n+ {line}", wanted.unwrap_or("(nothing)"));
        }
    }
    format!("{command}\n- {}\n+ (nothing)", expected.next().unwrap_or_default())
}
