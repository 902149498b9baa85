//! The command line: `ha-web web`, `ha-web token`, `ha-web user` and `ha-web notify`, which `ha` runs under its own name.

mod access;
mod notify;
mod play;
mod serve;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{CommandFactory, Parser, Subcommand};
use ha_core::id::NodeName;
use ha_host::{
    node::StateDirectory,
    store::{SharedStore, StoreAddress, StoreError},
};
use ha_web::server::PATIENCE;

/// Serves a cluster's HTTP API, keeps who may use it, and notifies people and programs.
///
/// Exit codes: 0 if it was done, 1 if it could not be done, 2 if the arguments make no sense.
#[derive(Debug, Parser)]
#[command(name = "ha", bin_name = "ha", version, max_term_width = 100)]
struct Arguments {
    /// Where the cluster's data is: 'file:DIRECTORY' or 'etcd://HOST:PORT,HOST:PORT/PREFIX'.
    #[arg(long, global = true, env = "HA_STORE", value_name = "ADDRESS")]
    store: Option<String>,
    /// The node that counts as this one; by default the master.
    #[arg(long, global = true, env = "HA_NODE", value_name = "NODE")]
    node: Option<NodeName>,
    /// Where this node keeps what must survive a reboot, such as which cluster it is in.
    #[arg(long, alias = "state_dir", global = true, env = "HA_STATE_DIR", value_name = "DIRECTORY")]
    state_dir: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve the API until it is asked to end (SIGTERM).
    Web(serve::WebArguments),
    /// Add, list and remove tokens, by which programs are known.
    Token {
        #[command(subcommand)]
        verb: access::TokenVerb,
    },
    /// Add, list, change and remove users, who log in by password.
    User {
        #[command(subcommand)]
        verb: access::UserVerb,
    },
    /// Notify people and programs of what happens.
    Notify {
        #[command(subcommand)]
        verb: notify::NotifyVerb,
    },
    /// Write the man pages, one for each verb, for a package.
    #[command(hide = true)]
    ManPages {
        /// Where to; it must be there.
        directory: PathBuf,
    },
}

/// Why a verb was not carried out.
#[derive(Debug)]
enum Failure {
    /// The arguments make no sense.
    Usage(String),
    /// It could not be done.
    Failed(String),
}

impl Failure {
    fn failed(what: impl fmt::Display) -> Self {
        Self::Failed(what.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        let of_the_arguments = matches!(error, StoreError::BadAddress(_) | StoreError::BadAddressOption { .. });
        if of_the_arguments { Self::Usage(message) } else { Self::Failed(message) }
    }
}

/// Runs the command line of this process.
pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let (message, code) = match run(arguments) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => (message, 2),
        Err(Failure::Failed(message)) => (message, 1),
    };
    anstream::eprintln!("{STYLE}error:{STYLE:#} {message}");
    ExitCode::from(code)
}

const STYLE: anstyle::Style =
    anstyle::Style::new().bold().fg_color(Some(anstyle::Color::Ansi(anstyle::AnsiColor::Red)));

fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { store: address, node, state_dir, verb } = arguments;
    if let Verb::Web(arguments) = &verb
        && let Some(folder) = arguments.play()
    {
        return play::play(folder, arguments);
    }
    let state = StateDirectory::at(state_dir.unwrap_or_else(|| StateDirectory::USUAL.into()));
    let open = || open(address.as_deref(), &state);
    match verb {
        Verb::Web(arguments) => {
            // What notifies has a store of its own: it waits for nobody else.
            serve::serve((open()?, open()?), node, &arguments)
        }
        Verb::Token { verb } => access::token(&*open()?, &verb),
        Verb::User { verb } => access::user(&*open()?, &verb),
        Verb::Notify { verb } => notify::notify(open()?, node, &verb),
        Verb::ManPages { directory } => write_man_pages(&directory)
            .map_err(|error| Failure::failed(format!("cannot write man pages to {}: {error}", directory.display()))),
    }
}

/// Writes a page for each verb, and none for `ha` itself: that one comes from `ha`.
fn write_man_pages(directory: &Path) -> io::Result<()> {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        clap_mangen::generate_to(verb.clone(), directory)?;
    }
    Ok(())
}

/// Opens the store, and checks that it belongs to the cluster that this node is in.
fn open(store: Option<&str>, state: &StateDirectory) -> Result<Arc<dyn SharedStore>, Failure> {
    let address = store.ok_or_else(|| {
        Failure::Usage(
            "no store is named: use --store file:DIRECTORY or --store etcd://HOST:PORT/PREFIX, or set HA_STORE".into(),
        )
    })?;
    let address: StoreAddress = address.parse()?;
    let store = address.open(PATIENCE).map_err(|error| state.explain(error))?;
    match state.check(&*store) {
        // Whoever may not read that is no node.
        Err(StoreError::File { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {}
        checked => drop(checked?),
    }
    Ok(store)
}
