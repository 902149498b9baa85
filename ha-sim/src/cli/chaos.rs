//! `ha-sim chaos`: random histories.

use std::{
    io::{self, Write},
    path::PathBuf,
    thread,
};

use clap::Args;
use ha_sim::{
    chaos::{self, Found, Hunt, Profile, Progress, Tally},
    cluster::PlantedBug,
    scenario::save,
};

use super::{Error, Verdict, terminal};

/// What `ha-sim chaos` understands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The seed of the first history; by default a fresh one, which is printed
    #[arg(long)]
    seed: Option<u64>,
    /// How many histories are played; by default 1000, or all of the matrix
    #[arg(long)]
    runs: Option<u64>,
    /// What may happen in them: mixed, calm, network, calls or people; or matrix, which is not random
    #[arg(long, default_value = "mixed", value_parser = profile)]
    profile: Profile,
    /// How many threads play them; by default one for each processor
    #[arg(long)]
    threads: Option<usize>,
    /// Plants a bug, to see that it is found
    #[arg(long, value_name = "BUG", value_parser = bug)]
    plant: Option<PlantedBug>,
    /// Stops after so many failures
    #[arg(long, default_value_t = 1, value_name = "N")]
    failures: usize,
    /// Where failures are written, as a scenario each
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    out: PathBuf,
    /// Prints failures without shortening them
    #[arg(long)]
    no_shrink: bool,
    /// Prints each change of state with how often it was taken
    #[arg(long)]
    coverage: bool,
}

fn profile(text: &str) -> Result<Profile, String> {
    let all = Profile::ALL.iter().copied();
    let names: Vec<&str> = all.clone().map(Profile::as_str).collect();
    all.clone().find(|profile| profile.as_str() == text).ok_or_else(|| format!("expected {}", names.join(", ")))
}

fn bug(text: &str) -> Result<PlantedBug, String> {
    let all = PlantedBug::ALL.iter().copied();
    let names: Vec<&str> = all.clone().map(PlantedBug::as_str).collect();
    all.clone().find(|bug| bug.as_str() == text).ok_or_else(|| format!("expected one of {}", names.join(", ")))
}

pub(super) fn chaos(arguments: &Arguments, out: &mut impl Write) -> Result<Verdict, Error> {
    let is_matrix = arguments.profile == Profile::Matrix;
    let seed = arguments.seed.unwrap_or_else(|| if is_matrix { 0 } else { fresh_seed() });
    let all = if is_matrix { u64::try_from(chaos::cells().len()).unwrap_or(u64::MAX) } else { 1000 };
    let hunt = Hunt {
        seed,
        runs: arguments.runs.unwrap_or(all),
        profile: arguments.profile,
        threads: arguments.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)),
        planted: arguments.plant,
        most_failures: arguments.failures,
    };
    let (runs, profile) = (hunt.runs, hunt.profile.as_str());
    writeln!(out, "{runs} histories from seed {seed}, profile {profile}, {} threads", hunt.threads)?;
    let began = std::time::Instant::now();
    let on_terminal = terminal::width().is_some();
    let tally = chaos::hunt(&hunt, &|progress| {
        if on_terminal {
            anstream::eprint!("\r\x1b[K{}", report(progress, runs));
        } else if progress.elapsed.as_secs().is_multiple_of(SECONDS_BETWEEN_LINES) {
            anstream::eprintln!("{}", report(progress, runs));
        }
    });
    if on_terminal {
        anstream::eprint!("\r\x1b[K");
    }
    summary(&tally, began.elapsed().as_secs_f64(), arguments.coverage, out)?;
    for failure in &tally.failures {
        print_failure(failure, arguments, out)?;
    }
    let is_well = tally.failures.is_empty() && !tally.missed_cells();
    Ok(if is_well { Verdict::Well } else { Verdict::Failed })
}

fn fresh_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    now.as_secs().wrapping_mul(1_000_000)
}

/// How often progress is told where it can't be shown in one place.
const SECONDS_BETWEEN_LINES: u64 = 60;

fn report(progress: Progress, runs: u64) -> String {
    let Progress { runs: done, failures, elapsed } = progress;
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = done as f64 / elapsed.as_secs_f64();
    format!("{done} of {runs}, {rate:.0} a second, {failures} failed")
}

fn summary(tally: &Tally, seconds: f64, coverage: bool, out: &mut impl Write) -> io::Result<()> {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = tally.runs as f64 / seconds;
    let hours = tally.cluster_time.as_secs_f64() / 3600.0;
    let (runs, failed) = (tally.runs, tally.failures.len());
    writeln!(out, "{runs} histories in {seconds:.1} s, {rate:.1} a second, {hours:.1} hours of cluster time")?;
    writeln!(out, "the slowest one took {:.0} % of its time to settle", tally.slowest * 100.0)?;
    writeln!(out, "{failed} failed")?;
    let faults: Vec<String> = tally.faults.iter().map(|(kind, times)| format!("{kind} {times}")).collect();
    writeln!(out, "what happened: {}", faults.join(", "))?;
    for (window, (visited, all)) in &tally.windows {
        let missed = if visited < all { ": THE OTHERS WERE MISSED" } else { "" };
        writeln!(out, "window {window}: {visited} of {all} cells visited{missed}")?;
    }
    let missing: Vec<String> = tally.coverage.missing().map(transition).collect();
    let specified = chaos::SPECIFIED.len();
    let taken = specified.saturating_sub(missing.len());
    writeln!(out, "changes of state: {taken} of {specified} were taken")?;
    if !missing.is_empty() {
        writeln!(out, "  not taken: {}", missing.join(", "))?;
    }
    let more: Vec<String> = tally.coverage.unspecified().map(|(taken, _)| transition(taken)).collect();
    if !more.is_empty() {
        writeln!(out, "  beside those: {}", more.join(", "))?;
    }
    if coverage {
        for (taken, times) in tally.coverage.taken() {
            writeln!(out, "  {times:>12}  {}", transition(taken))?;
        }
    }
    Ok(())
}

fn transition((whose, from, to): (&str, &str, &str)) -> String {
    format!("{whose} {from} → {to}")
}

fn print_failure(failure: &Found, arguments: &Arguments, out: &mut impl Write) -> Result<(), Error> {
    let Found { history, breach } = failure;
    let bad = terminal::ERROR;
    writeln!(out, "\n{bad}seed {}:{bad:#} {breach}", history.seed)?;
    let (shrunk, breach) =
        if arguments.no_shrink { (history.clone(), breach.clone()) } else { chaos::shrink(history, breach) };
    if !arguments.no_shrink {
        let (before, after) = (history.actions.len(), shrunk.actions.len());
        writeln!(out, "shortened from {before} to {after} actions: {breach}")?;
        for due in &shrunk.actions {
            let at = std::time::Duration::from_millis(due.at_ms).as_secs_f64();
            writeln!(out, "  {at:>9.3} s  {}", due.action)?;
        }
    }
    let folder = arguments.out.join(format!("chaos-{}", history.seed));
    let title = format!("Found by 'ha-sim chaos': {breach}");
    save(&shrunk, &title, &folder).map_err(|source| Error::Read { path: folder.clone(), source })?;
    writeln!(out, "see it with: ha-sim run {}", folder.display())?;
    Ok(())
}
