//! The command line: what it understands, and where it goes from there.

mod chaos;
mod check;
mod check_config;
mod explain;
mod recording;
mod report;
mod resume;
mod run;
mod summary;
mod terminal;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anstream::ColorChoice;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use ha_core::id::NodeName;
use ha_sim::scenario::ScenarioError;

/// Plays scenarios on a virtual cluster, and shows every step of what a high availability manager does.
#[derive(Debug, Parser)]
#[command(name = "ha-sim", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Arguments {
    /// When to use colours
    #[arg(long, value_enum, global = true, default_value_t = Color::Auto, value_name = "WHEN")]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  ha-sim run examples/clusters/failover            play a node failure and watch it
  ha-sim run --format jsonl FOLDER | jq .event     the same for programs, an object an event
  ha-sim check recorded/*                          replay recorded scenarios and compare
  ha snapshot | ha-sim run --from - --scenario 'at 1m power off node2'
                                                   what if the live cluster lost that node
  ha-sim explain FOLDER --service vm:104 --at 2m   why it goes where it goes
  ha-sim rules rules.cfg --nodes n1,n2,n3          what rules come to
  ha-sim chaos --runs 1000                         look for what breaks the safety rules
  ha-sim run chaos-1234                            see what it found, step by step
  ha-sim replay crm-1767225600.jsonl               decide again what was recorded
  ha-sim check-config /etc/ha/*.cfg                problems of configuration files

Exit codes:
  0  all is well
  1  an expectation failed, a replay differs, or a configuration file has problems
  2  a scenario or file can't be read, or the command line is wrong";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays the scenario in a folder and prints what happens
    ///
    /// The folder holds ordinary configuration files and a text `scenario`. A recorded folder (with a `cmdlist`) is
    /// replayed. Ends with a summary of each service; exits with 1 if an expectation failed.
    ///
    /// With --from it is a live cluster that goes on, from what 'ha snapshot' wrote: the lines of --scenario say what
    /// happens to it, as in a scenario. What is otherwise than it was there, or may be, is said at the beginning. Without an
    /// 'until' it goes on for sixty rounds after the last line, ten minutes with the customary timings.
    Run {
        /// The folder of the scenario
        #[arg(required_unless_present = "from", conflicts_with = "from")]
        folder: Option<PathBuf>,
        /// Go on from this snapshot of a live cluster; '-' reads it from the standard input
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        /// What happens to it, such as 'at 1m power off node2'; '@FILE' reads that file. Several times, for several lines
        #[arg(long, value_name = "TEXT", requires = "from", conflicts_with = "folder")]
        scenario: Vec<String>,
        /// How to print what happens
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// Leave out what matters little: states of daemons, locks, renewed looks
        #[arg(long, short)]
        quiet: bool,
    },
    /// Replays recorded folders and compares what happens with their trace.jsonl
    ///
    /// Prints a line for each folder. A folder with a scenario is played; it passes if its expectations hold.
    Check {
        /// The folders
        #[arg(required = true, value_name = "FOLDER")]
        folders: Vec<PathBuf>,
    },
    /// Explains where a service would be placed, or what balancing would do, at some moment of a scenario
    ///
    /// Every node is shown with what keeps the service from it, or how well it suits; with --node also what would have to
    /// be different for the service to go there.
    Explain {
        /// The folder of the scenario, of either form
        folder: PathBuf,
        #[command(flatten)]
        what: explain::What,
        /// The moment, such as 90s or 2m; the end if it is not given
        #[arg(long, value_name = "TIME", value_parser = explain::time)]
        at: Option<std::time::Duration>,
        /// How to print it
        #[arg(long, value_enum, default_value_t = explain::Format::Text)]
        format: explain::Format,
    },
    /// Prints what a rules.cfg comes to: rules left out, completed and compiled, as JSON
    ///
    /// Problems of the file go to standard error.
    Rules {
        /// The file
        file: PathBuf,
        /// All nodes of the cluster
        #[arg(long, value_delimiter = ',', required = true, value_name = "NODE,…")]
        nodes: Vec<NodeName>,
    },
    /// Prints the commands that a fence.cfg comes to, for each try and node, as JSON
    ///
    /// Warnings go to standard error.
    Fence {
        /// The file
        file: PathBuf,
        /// All nodes of the cluster
        #[arg(long, value_delimiter = ',', required = true, value_name = "NODE,…")]
        nodes: Vec<NodeName>,
    },
    /// Reports the problems of configuration files, as `file:line: message`
    ///
    /// What a file is, is told by its name: one that ends in resources.cfg, groups.cfg, rules.cfg, nodes.cfg,
    /// datacenter.cfg or fence.cfg.
    CheckConfig {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// What the files are, whatever their names
        #[arg(long = "type", value_enum, value_name = "TYPE")]
        kind: Option<check_config::Kind>,
        /// How to print problems
        #[arg(long, value_enum, default_value_t = check_config::Format::Text)]
        format: check_config::Format,
    },
    /// Plays random histories of random clusters, and looks for something that must never happen
    ///
    /// Everything follows from the seed. A failure is shortened and written to a folder, as a scenario that 'run' and 'check' play; exits with 1 then.
    Chaos(chaos::Arguments),
    /// Decides again what was recorded; with the folder of a scenario, the same as 'run'
    ///
    /// A recording, as 'ha node run --record' makes it, holds all that a daemon asked and got. The same calls are made
    /// with the same answers; where the daemon decides otherwise now, that is shown, and the exit code is 1.
    Replay {
        /// The recording, or the folder of a scenario
        file: PathBuf,
        /// How to print what happens in a scenario
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// Leave out what matters little in a scenario
        #[arg(long, short)]
        quiet: bool,
    },
    /// Prints a script that completes this command in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Writes the man pages, one for each command, for a package
    #[command(hide = true)]
    ManPages {
        /// Where to; it must be there
        directory: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs: a JSON object a line
    Jsonl,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Well,
    Failed,
}

/// Something that keeps a command from being carried out.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    #[error(transparent)]
    Recorded(#[from] ha_sim::recorded::CaseError),
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: there is neither a 'scenario' nor a 'cmdlist' in this folder", .0.display())]
    NoScenario(PathBuf),
    #[error(
        "{}: it can't be told by its name what this file is: expected a name that ends in 'resources.cfg', 'groups.cfg', \
         'rules.cfg', 'nodes.cfg', 'datacenter.cfg' or 'fence.cfg', or the option --type", .0.display()
    )]
    UnknownKind(PathBuf),
    #[error(transparent)]
    Placement(#[from] ha_core::placement::PlacementError),
    #[error("{}: {source}", path.display())]
    Recording { path: PathBuf, source: ha_core::record::ReplayError },
    #[error("{}: {source}", path.display())]
    Snapshot { path: PathBuf, source: ha_core::plan::SnapshotError },
    #[error("man pages can't be written to {}: {source}", directory.display())]
    ManPages { directory: PathBuf, source: io::Error },
    #[error("the output can't be written: {0}")]
    Write(#[from] io::Error),
}

/// Carries out what the command line says.
pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let choice = match arguments.color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    choice.write_global();
    match carry_out(arguments.command) {
        Ok(Verdict::Well) => ExitCode::SUCCESS,
        Ok(Verdict::Failed) => ExitCode::from(1),
        // Nobody reads on: there is nothing to say and nobody to say it to.
        Err(Error::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let style = terminal::ERROR;
            // Problems are lines of their own, each with its place.
            let problems = matches!(error, Error::Scenario(ScenarioError::Problems(_)));
            let separator = if problems { " the scenario has problems\n" } else { " " };
            anstream::eprintln!("{style}error:{style:#}{separator}{error}");
            ExitCode::from(2)
        }
    }
}

fn carry_out(command: Command) -> Result<Verdict, Error> {
    let mut out = anstream::AutoStream::auto(io::stdout().lock());
    match command {
        Command::Run { from: Some(from), scenario, format, quiet, .. } => {
            run::run_scenario(resume::scenario(&from, &scenario)?, format, quiet, &mut out)
        }
        Command::Run { folder, format, quiet, .. } => run::run(&folder.unwrap_or_default(), format, quiet, &mut out),
        Command::Check { folders } => check::check(&folders, &mut out),
        Command::Explain { folder, what, at, format } => explain::explain(&folder, &what, at, format, &mut out),
        Command::Rules { file, nodes } => report::rules(&file, &nodes, &mut out),
        Command::Fence { file, nodes } => report::fence(&file, &nodes, &mut out),
        Command::CheckConfig { files, kind, format } => check_config::check(&files, kind, format, &mut out),
        Command::Chaos(arguments) => chaos::chaos(&arguments, &mut out),
        Command::Replay { file, format, quiet } if file.is_dir() => run::run(&file, format, quiet, &mut out),
        Command::Replay { file, .. } => recording::decide_again(&file, &mut out),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "ha-sim", &mut script);
            out.write_all(&script)?;
            Ok(Verdict::Well)
        }
        Command::ManPages { directory } => match clap_mangen::generate_to(Arguments::command(), &directory) {
            Ok(()) => Ok(Verdict::Well),
            Err(source) => Err(Error::ManPages { directory, source }),
        },
    }
}
