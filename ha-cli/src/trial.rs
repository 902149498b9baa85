//! `ha store test`: whether a directory keeps what a store counts on.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};

use clap::Args;
use ha_core::timing::Timings;
use ha_host::store::trial::{MeetingPlace, RemotePartner, Trial, serve};
use serde_json::json;

use super::{
    context::{Failure, host_name, note, say, say_json},
    daemon::named_timings,
};

/// What `ha store test` takes.
#[derive(Debug, Args)]
pub(super) struct TestArguments {
    /// A directory on the file system that is to hold the store.
    directory: PathBuf,
    /// Let the second process be one on another machine, where 'ha store test DIRECTORY --partner' is called within five minutes.
    #[arg(long, conflicts_with = "partner")]
    wait_for_partner: bool,
    /// Be the second process, for a test that is or will be begun on another machine within five minutes.
    #[arg(long)]
    partner: bool,
    /// As JSON.
    #[arg(long, conflicts_with = "partner")]
    json: bool,
}

/// How long both processes wait for each other to begin.
const MEETING: Duration = Duration::from_secs(300);
/// How long an answer may take where both are on one machine.
const ANSWER: Duration = Duration::from_secs(60);

pub(super) fn test(arguments: &TestArguments) -> Result<ExitCode, Failure> {
    let TestArguments { directory, wait_for_partner, partner, json } = arguments;
    if !directory.is_dir() {
        return Err(Failure::Usage(format!("{} is no directory", directory.display())));
    }
    if *partner {
        serve(directory, &host_name(), MEETING).map_err(Failure::failed)?;
        return Ok(ExitCode::SUCCESS);
    }
    let place = MeetingPlace::make(directory).map_err(Failure::failed)?;
    let (patience, _second) = if *wait_for_partner {
        note(format_args!(
            "waiting for 'ha store test {} --partner' on another machine, {} s at most",
            directory.display(),
            MEETING.as_secs()
        ));
        (MEETING, None)
    } else {
        (ANSWER, Some(Second::start(directory)?))
    };
    let trial = place.test(&host_name(), &mut RemotePartner::at(place.path(), patience)).map_err(Failure::failed)?;
    let answers = Answers::new()?;
    let is_good = trial.is_kept() && answers.are_possible(&trial);
    if *json {
        say_json(&json!({
            "directory": directory,
            "is_kept": is_good,
            "is_of_two_machines": trial.is_of_two_machines(),
            "trial": trial,
        }))?;
    } else {
        tell(directory, &trial, &answers)?;
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The second process on this machine, which is gone with this.
struct Second(Child);

impl Second {
    fn start(directory: &Path) -> Result<Self, Failure> {
        let program = env::current_exe().map_err(Failure::failed)?;
        let mut second = Command::new(program);
        second.args(["store", "test", "--partner", "--"]).arg(directory).stdin(Stdio::null()).stdout(Stdio::null());
        Ok(Self(second.spawn().map_err(Failure::failed)?))
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        // It has ended by itself unless the test was cut short.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Within what time nodes count on an answer of the store, by the timings.
struct Answers {
    fast: Duration,
    customary: Duration,
}

impl Answers {
    fn new() -> Result<Self, Failure> {
        let of = |name| named_timings(name).map(|timings: Timings| timings.lock_answer());
        Ok(Self { fast: of("fast")?, customary: of("customary")? })
    }

    fn are_possible(&self, trial: &Trial) -> bool {
        Duration::from_millis(trial.slowest_edit_ms) < self.customary
    }
}

fn tell(directory: &Path, trial: &Trial, answers: &Answers) -> Result<(), Failure> {
    for finding in &trial.findings {
        match &finding.broken {
            None => say(format_args!("kept    {}", finding.promise.words()))?,
            Some(seen) => say(format_args!("BROKEN  {}: {seen}", finding.promise.words()))?,
        }
    }
    say(format_args!(
        "the slowest of 50 edits took {} ms; nodes count on an answer within {} ms with timings 'fast', {} ms with 'customary'",
        trial.slowest_edit_ms,
        answers.fast.as_millis(),
        answers.customary.as_millis()
    ))?;
    let machines = match trial.is_of_two_machines() {
        true => format!("between {} and {}", trial.host, trial.partner_host),
        false => format!("between two processes on {}", trial.host),
    };
    match (trial.is_kept(), answers.are_possible(trial)) {
        (true, true) => say(format_args!("{} keeps what a store needs, {machines}", directory.display()))?,
        (true, false) => say(format_args!("{} is too slow for a store, {machines}", directory.display()))?,
        (false, _) => say(format_args!(
            "{} must not be a store: a service could run twice, or its record be lost ({machines})",
            directory.display()
        ))?,
    }
    if !trial.is_of_two_machines() {
        note(
            "whether that holds between machines is known when two have taken part: '--wait-for-partner' here, '--partner' there",
        );
    }
    Ok(())
}
