//! The demonstration, as a person runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{process::Stdio, thread, time::Duration};

use common::{Sandbox, processes_below, signal, stderr, wait_for};

#[test]
fn it_shows_that_nothing_ran_twice_and_leaves_nothing_behind() {
    let sandbox = Sandbox::empty("demo");
    let directory = sandbox.directory.join("files");
    let output = sandbox.command().arg("demo").arg("--directory").arg(&directory).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}\n{}", stderr(&output));
    assert!(told.contains("No second writer, no lost write, every failover within its bound."), "{told}");
    assert!(processes_below(&directory).is_empty());
}

#[test]
fn an_interruption_cleans_up() {
    for (name, exits) in [("INT", true), ("KILL", false)] {
        let sandbox = Sandbox::empty("demo-interrupted");
        let directory = sandbox.directory.join("files");
        let mut demo = sandbox.command();
        demo.arg("demo").arg("--directory").arg(&directory).stdout(Stdio::null()).stderr(Stdio::null());
        let mut demo = demo.spawn().unwrap();
        wait_for("services write", 20, || directory.join("disks/disk3").exists());
        thread::sleep(Duration::from_millis(300));
        signal(&demo, name);
        assert_eq!(demo.wait().unwrap().code().is_some(), exits);
        wait_for("all processes are gone", 10, || processes_below(&directory).is_empty());
    }
}
