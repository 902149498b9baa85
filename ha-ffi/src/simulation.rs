//! The virtual cluster: plays scenarios to their end, for tests.

use std::{ffi::c_char, path::Path};

use ha_core::{
    id::NodeName,
    status::{ClusterView, ManagerStatus},
};
use ha_sim::{
    cluster::Cluster,
    recorded::{self, Case, CaseError, Replay},
    scenario::{self, Scenario, ScenarioError},
    world::{Happening, What, World},
};
use serde_json::json;

use crate::{
    boundary::{self, Call, call},
    error::{ErrorHandle, ha_error},
    event::{EventHandle, ha_event},
    failure::{Failure, ha_status},
    handles::{self, Handle},
    manager_status::ha_manager_status,
    records::Record,
    text::{ha_str, ha_text},
};

/// A scenario that was played to its end.
pub struct ha_simulation {
    _private: [u8; 0],
}

/// Behind a `ha_simulation`.
struct Simulation {
    played: Played,
    /// The sources of the happenings as texts, to be lent.
    sources: Vec<String>,
    failures: Vec<Failure>,
}

enum Played {
    Recorded(Box<Replay>),
    Scenario(Box<Cluster>),
}

impl Handle for Simulation {
    const NAME: &'static str = "ha_simulation";
}

impl Played {
    fn world(&self) -> &World {
        match self {
            Self::Recorded(replay) => &replay.world,
            Self::Scenario(cluster) => cluster.world(),
        }
    }

    fn view(&self, node: &NodeName) -> Option<ClusterView> {
        match self {
            Self::Recorded(_) => None,
            Self::Scenario(cluster) => Some(cluster.view(node)),
        }
    }
}

impl Simulation {
    fn new(played: Played, failures: Vec<Failure>) -> Self {
        let sources = played.world().happenings.iter().map(|happening| happening.src.to_string()).collect();
        Self { played, sources, failures }
    }

    fn happening(&self, index: usize) -> Result<&Happening, Failure> {
        let found = self.played.world().happenings.get(index);
        found.ok_or_else(|| Failure::not_found(format!("there is no happening {index}")))
    }

    fn play(scenario: Scenario) -> Self {
        let outcome = scenario::play(scenario, &mut |_| {});
        let failed = |failure: &scenario::Failure| Failure::content(failure).kind("not_as_expected").line(failure.line);
        let mut failures: Vec<Failure> = outcome.failures.iter().map(failed).collect();
        failures.extend(outcome.ran_twice.iter().map(|ran_twice| Failure::content(ran_twice).kind("ran_twice")));
        Self::new(Played::Scenario(Box::new(outcome.cluster)), failures)
    }

    /// Replays a recorded scenario; with a trace beside it, compares with it.
    fn replay(folder: &Path) -> Result<Self, Failure> {
        let mut replay = Replay::new(Case::read(folder).map_err(|error| unreadable_case(&error))?);
        replay.run();
        let mut failures: Vec<Failure> =
            replay.errors.iter().map(|error| Failure::content(error).kind("bad_command")).collect();
        if failures.is_empty() && folder.join("trace.jsonl").is_file() {
            let outcome = recorded::check(folder).map_err(|error| unreadable_case(&error))?;
            if let recorded::Compared::Differs { event, expected, got } = outcome {
                let details = json!({ "event": event, "expected": expected, "got": got });
                let text = format!("event {event} is not the one that was recorded");
                failures.push(Failure::content(text).kind("differs").line(event).details(Some(details)));
            }
        }
        Ok(Self::new(Played::Recorded(Box::new(replay)), failures))
    }
}

fn unreadable_case(error: &CaseError) -> Failure {
    match error {
        CaseError::Read { .. } => Failure::new(ha_status::HA_ERROR_READ, error),
        CaseError::Content { .. } => Failure::content(error),
    }
}

fn unreadable_scenario(error: &ScenarioError) -> Failure {
    match error {
        ScenarioError::Read { .. } => Failure::new(ha_status::HA_ERROR_READ, error),
        ScenarioError::Problems(problems) => {
            let all: Vec<_> = problems
                .iter()
                .map(|problem| {
                    json!({
                        "file": problem.file, "line": problem.line, "column": problem.column, "message": problem.message,
                    })
                })
                .collect();
            Failure::content(error)
                .kind("bad_scenario")
                .line(problems.first().map_or(0, |problem| problem.line))
                .section(problems.first().map(|problem| problem.file.clone()))
                .details(Some(json!(all)))
        }
        _ => Failure::content(error),
    }
}

/// Plays the scenario in a folder to its end. Both forms are known: a text "scenario" with configuration files beside it, and
/// the recorded form ("cmdlist", "hardware_status", …), which is compared with its "trace.jsonl" if that is there.
///
/// That something did not go as expected is no failure of this call: ask ha_simulation_failure_count().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_simulation_play_folder(
    folder: *const c_char,
    folder_length: usize,
    simulation: *mut *mut ha_simulation,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let folder = Path::new(call.text(folder, folder_length)?);
        let played = if Scenario::is_in(folder) {
            Simulation::play(Scenario::read(folder).map_err(|error| unreadable_scenario(&error))?)
        } else {
            Simulation::replay(folder)?
        };
        call.new_handle(simulation, played)
    })
}

/// Plays a scenario that is given as text, with the configuration files that it needs.
///
/// file_names, file_texts: file_count names ("resources.cfg") and their contents.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_simulation_play_text(
    scenario: *const c_char,
    scenario_length: usize,
    file_names: *const ha_str,
    file_texts: *const ha_str,
    file_count: usize,
    simulation: *mut *mut ha_simulation,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let text = call.text(scenario, scenario_length)?;
        let names = call.texts(file_names, file_count)?;
        let files: Vec<(&str, &str)> = names.into_iter().zip(call.texts(file_texts, file_count)?).collect();
        let scenario = Scenario::parse("scenario", text, &files).map_err(|error| unreadable_scenario(&error))?;
        call.new_handle(simulation, Simulation::play(scenario))
    })
}

/// Frees a simulation. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_simulation_free(simulation: *mut ha_simulation) -> ha_status {
    boundary::free::<_, Simulation>(simulation)
}

/// How much did not go as it should: expectations that did not hold, an event that is not the recorded one, a service that
/// ran on two nodes. 0 if all is well.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_simulation_failure_count(
    simulation: *const ha_simulation,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| { call.must_write(count, handles::read::<_, Simulation>(simulation)?.failures.len()) })
}

/// What did not go as it should, as an error object: message, kind ("not_as_expected", "ran_twice", "differs", "bad_command"),
/// and line, which for "differs" is the number of the event. Free it with ha_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_simulation_failure(
    simulation: *const ha_simulation,
    index: usize,
    failure: *mut *mut ha_error,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let found = handles::read::<_, Simulation>(simulation)?.failures.get(index).cloned();
        let found = found.ok_or_else(|| Failure::not_found(format!("there is no failure {index}")))?;
        call.new_handle(failure, ErrorHandle::from(found))
    })
}

/// How much happened.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_simulation_happening_count(
    simulation: *const ha_simulation,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let simulation = handles::read::<_, Simulation>(simulation)?;
        call.must_write(count, simulation.played.world().happenings.len())
    })
}

/// Something that happened: when (nanoseconds of virtual time), who says so ("node1/crm", "hardware", …; lent), and whether the
/// recorded scenarios have a word for it (1 or 0). Any pointer may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_simulation_happening(
    simulation: *const ha_simulation,
    index: usize,
    at: *mut u64,
    source: *mut ha_str,
    is_recorded: *mut i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let simulation = handles::read::<_, Simulation>(simulation)?;
        let happening = simulation.happening(index)?;
        call.write(at, crate::timings::nanoseconds(happening.at.since_start()));
        call.lend(source, simulation.sources.get(index).map(String::as_str));
        let recorded = match &happening.what {
            What::Core(event) => event.is_recorded(),
            What::Cluster(_) => true,
        };
        call.write(is_recorded, i32::from(recorded));
        Call::done()
    })
}

/// Something that happened as JSON: "t" (seconds), "src", "event", and its fields.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_simulation_happening_json(
    simulation: *const ha_simulation,
    index: usize,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let simulation = handles::read::<_, Simulation>(simulation)?;
        let text = serde_json::to_string(simulation.happening(index)?).map_err(Failure::content)?;
        call.own_text(json, text)
    })
}

/// Something that happened as an event to keep. HA_NONE if it is no event of the core but one of the virtual hardware.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_simulation_event(
    simulation: *const ha_simulation,
    index: usize,
    event: *mut *mut ha_event,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let simulation = handles::read::<_, Simulation>(simulation)?;
        match &simulation.happening(index)?.what {
            What::Core(found) => call.new_handle(event, EventHandle::owned(found.clone())),
            What::Cluster(_) => Ok(ha_status::HA_NONE),
        }
    })
}

/// The nodes on which a service runs at the end, as a JSON list: at most one, if all is well.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_simulation_places(
    simulation: *const ha_simulation,
    sid: *const c_char,
    sid_length: usize,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let sid = call.sid(sid, sid_length)?;
        let simulation = handles::read::<_, Simulation>(simulation)?;
        let places: Vec<&NodeName> = simulation.played.world().places(&sid).collect();
        call.own_text(json, json!(places).to_string())
    })
}

/// The manager status at the end, to keep. HA_NONE if none was written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_simulation_manager_status(
    simulation: *const ha_simulation,
    status: *mut *mut ha_manager_status,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let simulation = handles::read::<_, Simulation>(simulation)?;
        match &simulation.played.world().store.manager_status {
            Some(found) => call.new_handle(status, Record::<ManagerStatus>::Shared(found.clone())),
            None => Ok(ha_status::HA_NONE),
        }
    })
}

/// What a person who looks on a node sees at the end, as lines. HA_NONE for a recorded scenario.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_simulation_view(
    simulation: *const ha_simulation,
    node: *const c_char,
    node_length: usize,
    lines: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let node = call.node(node, node_length)?;
        let simulation = handles::read::<_, Simulation>(simulation)?;
        call.own_text_if_any(lines, simulation.played.view(&node).map(|view| view.to_string()))
    })
}
