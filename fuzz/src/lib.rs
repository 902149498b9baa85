//! Fuzz targets: each takes bytes and panics if something is wrong.
//!
//! Reading never fails but with an error, what was read and written reads as the same, and a refused edit changes nothing.

mod c_interface;
mod configuration;
mod records;
mod requests;
pub mod seeds;

/// Something that parses.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its libFuzzer target as well.
    pub name: &'static str,
    /// What is done with some bytes.
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($name:ident: $run:path;)*) => {
        /// All targets.
        pub const TARGETS: &[Target] = &[$(Target { name: stringify!($name), run: $run }),*];
    };
}

targets! {
    resources: configuration::resources;
    groups: configuration::groups;
    rules: configuration::rules;
    nodes: configuration::nodes;
    datacenter: configuration::datacenter;
    fence: configuration::fence;
    edit: configuration::edit;
    manager_status: records::manager_status;
    lrm_status: records::lrm_status;
    command: records::command;
    timings: records::timings;
    recording: records::recording;
    scenario: records::scenario;
    c_interface: c_interface::texts;
    requests: requests::requests;
}

/// Runs a target by its name.
///
/// # Panics
///
/// If the target finds something, or there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("the name is that of a target");
    (target.run)(data);
}

/// Removes what targets have made beside the inputs that they were given. No target must be run afterwards.
pub fn clear() {
    requests::clear();
}
