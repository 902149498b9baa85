//! What a shell offers at the TAB key: verbs and options, and the services, nodes, groups and rules that the cluster has at that moment.

use std::{
    collections::BTreeSet,
    env,
    ffi::{OsStr, OsString},
    io::{self, Write},
    sync::mpsc,
    thread,
    time::Duration,
};

use clap::{Arg, Command, CommandFactory};
use clap_complete::{
    Shell,
    engine::{ArgValueCompleter, CompletionCandidate, PathCompleter},
    env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Shells, Zsh},
};
use ha_core::{
    config::{
        Affinity, RequestedState, RuleType, Spread, groups::GroupProperty, nodes::NodeProperty, probe::OnFailure,
        resources::ResourceProperty, rules::RuleProperty,
    },
    event::Severity,
    id::ServiceId,
    status::DisarmMode,
};
use ha_host::{
    agents::{installed_ocf, ocf_root},
    desk::Desk,
};

use super::{
    arguments::Cli,
    context::{Failure, store_address},
};

/// By this variable a shell asks; its value is the name of the shell.
const ASKED_BY: &str = "HA_COMPLETE";

/// A store that does not answer within that is not waited for: nothing is offered then.
const PATIENCE: Duration = Duration::from_millis(200);

const SHELLS: Shells<'static> = Shells(&[&BashWithColons, &Elvish, &Fish, &Powershell, &Zsh]);

/// What a word on the command line can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Service,
    /// A guest that is no service yet.
    Unmanaged,
    Guest,
    Node,
    ServiceOrNode,
    Group,
    Rule,
    ResourceAgent,
    OneOf(&'static [&'static str]),
    File,
    /// Nothing that could be offered: a number, a text, a new name.
    Free,
}

/// What an argument takes, by its name, and whether it takes several of them between commas.
///
/// A name means one thing in all verbs; where it does not, the verb comes first. A test demands that each argument has its line.
// tidy: table
fn word(verb: &str, argument: &str) -> Option<(Word, bool)> {
    const BOOLEAN: Word = Word::OneOf(&["0", "1"]);
    let one = |word| Some((word, false));
    let several = |word| Some((word, true));
    match (verb, argument) {
        ("add", "sid") => one(Word::Unmanaged),
        ("guest set" | "guest remove", "sid") => one(Word::Guest),
        (_, "sid" | "sids") => one(Word::Service),
        (_, "resources" | "first" | "then" | "add" | "remove") => several(Word::Service),
        ("node add", "node") | ("init", "nodes") | ("groupadd", "group") | ("rules add", "rule") => one(Word::Free),
        ("plan evacuate" | "rolling", "nodes") => one(Word::Node),
        (_, "nodes" | "without") => several(Word::Node),
        (_, "node" | "name" | "on" | "repeat" | "lost") => one(Word::Node),
        (_, "about") => one(Word::ServiceOrNode),
        (_, "group") => one(Word::Group),
        (_, "rule" | "names") => one(Word::Rule),
        (_, "rule_type") => one(Word::OneOf(RuleType::WORDS)),
        (_, "spread" | "by") => one(Word::OneOf(Spread::WORDS)),
        (_, "affinity") => one(Word::OneOf(Affinity::WORDS)),
        (_, "state") => one(Word::OneOf(RequestedState::WORDS)),
        (_, "on_failure") => one(Word::OneOf(OnFailure::WORDS)),
        (_, "mode") => one(Word::OneOf(DisarmMode::WORDS)),
        (_, "severity") => one(Word::OneOf(Severity::WORDS)),
        ("set", "delete") => several(Word::OneOf(ResourceProperty::WORDS)),
        ("node set", "delete") => several(Word::OneOf(NodeProperty::WORDS)),
        ("groupset", "delete") => several(Word::OneOf(GroupProperty::WORDS)),
        ("rules set", "delete") => several(Word::OneOf(RuleProperty::WORDS)),
        (_, "failback" | "auto_rebalance" | "purge" | "restricted" | "nofailback" | "strict" | "disable") => {
            one(BOOLEAN)
        }
        (_, "timings") => one(Word::OneOf(&["customary", "fast"])),
        (_, "store") => one(Word::OneOf(&["file:", "etcd://"])),
        ("agents describe" | "agents new", "agent") => one(Word::ResourceAgent),
        (_, "file" | "directory" | "state_dir" | "run_dir" | "log" | "probes" | "record" | "socket" | "device") => {
            one(Word::File)
        }
        (_, "to" | "marker" | "environment_file" | "disk" | "command") => one(Word::File),
        (_, "max_restart" | "max_relocate" | "priority" | "failback_delay" | "failure_timeout") => one(Word::Free),
        (_, "probe" | "probe_interval" | "probe_timeout" | "probe_failures" | "ready_timeout") => one(Word::Free),
        (_, "delay" | "timeout" | "wait" | "lines" | "since" | "losses" | "history_mb" | "history_days") => {
            one(Word::Free)
        }
        (_, "memory" | "cpu" | "steps" | "at_once" | "moves" | "run") => one(Word::Free),
        (
            _,
            "failure_domain" | "comment" | "digest" | "id" | "rest" | "parameters" | "watchdog" | "address" | "require"
            | "web",
        ) => one(Word::Free),
        _ => None,
    }
}

/// Answers a shell that asks for completions; false if none does.
pub(super) fn answered(arguments: &[OsString]) -> bool {
    let Some(shell) = env::var(ASKED_BY).ok().filter(|name| !name.is_empty()) else { return false };
    let Some(shell) = SHELLS.completer(&shell) else { return false };
    let line = arguments.iter().skip_while(|word| *word != "--").skip(1).cloned().collect::<Vec<_>>();
    let mut answer = Vec::new();
    let store = named_store(&line);
    let mut command = with_words(Cli::command(), "", &store);
    // Whatever goes wrong: at the TAB key nothing is said of it.
    if shell.write_complete(&mut command, line, env::current_dir().ok().as_deref(), &mut answer).is_ok() {
        let _ = io::stdout().write_all(&answer);
    }
    true
}

/// Writes what a shell reads when it starts, so that it asks.
pub(super) fn write_script(shell: Shell) -> Result<(), Failure> {
    let name = shell.to_string();
    let shell = SHELLS.completer(&name).ok_or_else(|| Failure::Usage(format!("no completions for '{name}'")))?;
    let mut script = Vec::new();
    // What writes to the output by itself panics where nobody reads any more.
    shell.write_registration(ASKED_BY, "ha", "ha", "ha", &mut script)?;
    Ok(io::stdout().write_all(&script)?)
}

/// The store that a command line names, or the environment.
fn named_store(line: &[OsString]) -> Option<String> {
    let words: Vec<&str> = line.iter().filter_map(|word| word.to_str()).collect();
    let after = words.iter().skip_while(|word| **word != "--store").nth(1).copied();
    let joined = words.iter().find_map(|word| word.strip_prefix("--store="));
    after.or(joined).map(str::to_owned).or_else(|| env::var("HA_STORE").ok())
}

/// The command with, at each argument of each verb, what can stand there.
fn with_words(command: Command, verb: &str, store: &Option<String>) -> Command {
    let command = command.mut_args(|argument| match word(verb, argument.get_id().as_str()) {
        Some((word, is_list)) if word != Word::Free => offering(argument, word, is_list, store.clone()),
        _ => argument,
    });
    command.mut_subcommands(|sub| {
        let verb = format!("{verb} {}", sub.get_name());
        with_words(sub, verb.trim_start(), store)
    })
}

fn offering(argument: Arg, word: Word, is_list: bool, store: Option<String>) -> Arg {
    if word == Word::File {
        return argument.add(ArgValueCompleter::new(PathCompleter::any()));
    }
    argument.add(ArgValueCompleter::new(move |typed: &OsStr| {
        let Some(typed) = typed.to_str() else { return Vec::new() };
        let before = if is_list { typed.rfind(',').map_or(0, |comma| comma.saturating_add(1)) } else { 0 };
        let (before, last) = typed.split_at(before);
        let taken: BTreeSet<&str> = before.split(',').collect();
        let words = candidates(word, store.clone());
        let fitting = words.into_iter().filter(|word| word.starts_with(last) && !taken.contains(word.as_str()));
        fitting.map(|word| CompletionCandidate::new(format!("{before}{word}"))).collect()
    }))
}

fn candidates(word: Word, store: Option<String>) -> Vec<String> {
    match word {
        Word::OneOf(words) => words.iter().map(|word| (*word).to_owned()).collect(),
        Word::ResourceAgent => installed_ocf(&ocf_root()).iter().map(ToString::to_string).collect(),
        Word::File | Word::Free => Vec::new(),
        Word::Service | Word::Unmanaged | Word::Guest | Word::Node | Word::ServiceOrNode | Word::Group | Word::Rule => {
            let (sender, answer) = mpsc::channel();
            // Without a thread nobody answers: nothing is offered.
            let _ =
                thread::Builder::new().spawn(move || sender.send(stored(word, store.as_deref()).unwrap_or_default()));
            answer.recv_timeout(PATIENCE).unwrap_or_default()
        }
    }
}

/// What the store has of a kind, in its order.
fn stored(word: Word, store: Option<&str>) -> Result<Vec<String>, Failure> {
    fn texts(all: impl IntoIterator<Item: ToString>) -> Vec<String> {
        all.into_iter().map(|one| one.to_string()).collect()
    }
    let store = store_address(store)?.open(PATIENCE)?;
    let nodes =
        if matches!(word, Word::Node | Word::ServiceOrNode) { texts(store.settings()?.nodes) } else { Vec::new() };
    let stored = Desk::new(store).stored()?;
    let configuration = &stored.configuration;
    let is_service = |sid: &ServiceId| configuration.resources.resources.contains_key(sid);
    Ok(match word {
        Word::Node => nodes,
        Word::ServiceOrNode => [texts(configuration.resources.resources.keys()), nodes].concat(),
        Word::Service => texts(configuration.resources.resources.keys()),
        Word::Unmanaged => texts(stored.guests.keys().filter(|sid| !is_service(sid))),
        Word::Guest => texts(stored.guests.keys()),
        Word::Group => texts(configuration.groups.groups.keys()),
        Word::Rule => texts(configuration.rules.rules.keys()),
        Word::ResourceAgent | Word::OneOf(_) | Word::File | Word::Free => Vec::new(),
    })
}

/// Bash, for which a colon ends a word, so that ids come in pieces: they are put together before it is asked, and what stands
/// before the last piece is taken off the answers. Its own list of what ends a word is that of all commands, and left alone.
struct BashWithColons;

const BASH_SCRIPT: &str = r#"_ha() {
    local words=() index=0 rest=$COMP_LINE i piece
    for i in "${!COMP_WORDS[@]}"; do
        piece=${COMP_WORDS[i]}
        if ((i == 0)) || [[ $rest == [[:space:]]* ]]; then
            words+=("$piece")
        else
            words[-1]+=$piece
        fi
        rest=${rest#"${rest%%[![:space:]]*}"}
        rest=${rest#"$piece"}
        ((i == COMP_CWORD)) && index=$((${#words[@]} - 1))
    done
    local IFS=$'
' current=${words[index]} breaks=${COMP_WORDBREAKS//[^:=]/} cut=
    [[ -n $breaks && $current == *[$breaks]* ]] && cut=${current%"${current##*[$breaks]}"}
    COMPREPLY=($(_CLAP_IFS=$'
' _CLAP_COMPLETE_INDEX=$index HA_COMPLETE=bash command ha -- "${words[@]}" 2>/dev/null))
    COMPREPLY=("${COMPREPLY[@]#"$cut"}")
    if [[ ${COMPREPLY[0]} == *[=/:,] ]]; then
        compopt -o nospace
    fi
}
complete -o bashdefault -o default -F _ha ha
"#;

impl EnvCompleter for BashWithColons {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        Bash.is(name)
    }

    fn write_registration(
        &self,
        _var: &str,
        _name: &str,
        _bin: &str,
        _completer: &str,
        buf: &mut dyn Write,
    ) -> Result<(), io::Error> {
        buf.write_all(BASH_SCRIPT.as_bytes())
    }

    fn write_complete(
        &self,
        cmd: &mut Command,
        args: Vec<OsString>,
        current_dir: Option<&std::path::Path>,
        buf: &mut dyn Write,
    ) -> Result<(), io::Error> {
        let mut answer = Vec::new();
        Bash.write_complete(cmd, args, current_dir, &mut answer)?;
        // Options are offered where nothing else can stand, or where one was begun: bash shows all of it in one heap.
        let answer = String::from_utf8_lossy(&answer);
        let (options, words): (Vec<&str>, Vec<&str>) = answer.split('\n').partition(|word| word.starts_with('-'));
        buf.write_all(if words.is_empty() { options } else { words }.join("\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(command: &Command, verb: &str, unknown: &mut Vec<String>) {
        for argument in command.get_arguments().filter(|argument| argument.get_action().takes_values()) {
            let name = argument.get_id().as_str();
            let has_words = !argument.get_possible_values().is_empty();
            if !has_words && word(verb, name).is_none() {
                unknown.push(format!("{verb} {name}"));
            }
        }
        for sub in command.get_subcommands() {
            check(sub, format!("{verb} {}", sub.get_name()).trim_start(), unknown);
        }
    }

    #[test]
    fn each_argument_is_known() {
        let mut unknown = Vec::new();
        check(&Cli::command(), "", &mut unknown);
        assert_eq!(unknown, Vec::<String>::new(), "arguments that completion knows nothing of: a line in 'word'");
    }
}
