//! Services that are run by a resource agent of the Open Cluster Framework, such as those of Debian's `resource-agents`.

mod description;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use ha_core::{
    host::{HostError, ProbeProgress},
    id::{NodeName, ServiceId},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::{
    kind::{GuestAgent, Workplace},
    launch::Launcher,
    output::{last_line_of, output_within},
    program::{Call, Programs},
};
use crate::os::files;

pub use description::{OcfAction, OcfDescription, OcfName, OcfParameter, installed};

/// A service that a resource agent runs.
///
/// ```
/// use ha_host::agents::OcfGuest;
///
/// let guest: OcfGuest = serde_json::from_str(
///     r#"{"agent": "heartbeat:IPaddr2", "parameters": {"ip": "192.0.2.9"}, "timeouts": {"start": 20}}"#,
/// )?;
/// assert_eq!((guest.timeouts.start, guest.timeouts.stop), (20, 60));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OcfGuest {
    /// The resource agent.
    pub agent: OcfName,
    /// Its parameters. A name begins with a letter or `_`, and has letters, digits and `_`.
    #[serde(default, deserialize_with = "parameters")]
    pub parameters: BTreeMap<String, String>,
    /// How long its actions may take.
    #[serde(default)]
    pub timeouts: OcfTimeouts,
}

/// Seconds that actions of a resource agent may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OcfTimeouts {
    /// `start`, and `validate-all` before it.
    pub start: u32,
    /// `stop`, where no other time is asked for.
    pub stop: u32,
    /// `monitor`.
    pub monitor: u32,
}

impl Default for OcfTimeouts {
    fn default() -> Self {
        let usual = super::kind::usual_seconds();
        Self { start: usual, stop: usual, monitor: usual }
    }
}

/// They become variables of the environment.
fn parameters<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let parameters = BTreeMap::<String, String>::deserialize(deserializer)?;
    let is_name = |name: &str| {
        let mut bytes = name.bytes();
        let begins = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        begins && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if let Some(name) = parameters.keys().find(|name| !is_name(name)) {
        return Err(D::Error::custom(format!("'{name}' is no name of a parameter: expected letters, digits and '_'")));
    }
    if let Some((name, _)) = parameters.iter().find(|(_, value)| value.contains('\0')) {
        return Err(D::Error::custom(format!("the value of parameter '{name}' has a zero byte")));
    }
    Ok(parameters)
}

/// Runs a resource agent for everything that is done with a service: `ROOT/resource.d/PROVIDER/TYPE ACTION`, with the parameters in its
/// environment, which has nothing of the daemon's.
///
/// | action | exit code |
/// |---|---|
/// | `monitor` | 0 and 8: it runs here; 7: it does not; all others: that can't be told |
/// | `validate-all`, before each start | 0, and 3 if the agent has no such action: it can be started |
/// | `start`, `stop` | 0: it was done; all others: it was not |
///
/// An action that takes too long is killed with all that comes from it. What `start` leaves behind is the service, as with
/// [`ExecAgent`](super::ExecAgent). Services are not moved live. A service whose probe is `agent` is ready when `monitor` says that it
/// runs.
#[derive(Debug, Clone)]
pub struct OcfAgent {
    node: NodeName,
    root: PathBuf,
    programs: Programs,
}

/// What `monitor` says: it runs, and, of an agent with several roles, in which one.
const RUNS: i32 = 0;
const RUNS_PROMOTED: i32 = 8;
const DOES_NOT_RUN: i32 = 7;
/// The agent has no such action.
const NOT_IMPLEMENTED: i32 = 3;

impl OcfAgent {
    /// An agent that keeps what it must know in `run_directory`, and finds resource agents below `root`.
    #[must_use]
    pub fn new(node: NodeName, run_directory: &Path, root: &Path, launcher: Launcher) -> Self {
        Self { node, root: root.to_owned(), programs: Programs::new(run_directory.join(Self::KIND), launcher) }
    }

    pub(super) fn at(place: &Workplace) -> Self {
        Self::new(place.node.clone(), &place.run_directory, &ocf_root(), place.launcher.clone())
    }

    /// What an action finds in its environment, and nothing else.
    fn environment(
        &self,
        sid: &ServiceId,
        guest: &OcfGuest,
        (timeout_s, interval_s): (u32, u32),
    ) -> BTreeMap<String, String> {
        let milliseconds = |seconds: u32| u64::from(seconds).saturating_mul(1000).to_string();
        let own = [
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
            ("LC_ALL", "C".to_owned()),
            ("HA_SID", sid.to_string()),
            ("HA_NODE", self.node.to_string()),
            ("OCF_ROOT", self.root.display().to_string()),
            ("OCF_RA_VERSION_MAJOR", "1".to_owned()),
            ("OCF_RA_VERSION_MINOR", "0".to_owned()),
            ("OCF_RESOURCE_PROVIDER", guest.agent.provider().to_owned()),
            ("OCF_RESOURCE_TYPE", guest.agent.resource_type().to_owned()),
            ("OCF_RESOURCE_INSTANCE", instance(sid)),
        ];
        let meta = [("timeout", milliseconds(timeout_s)), ("interval", milliseconds(interval_s))];
        let own = own.map(|(name, value)| (name.to_owned(), value)).into_iter();
        let given = guest.parameters.iter().map(|(name, value)| (format!("OCF_RESKEY_{name}"), value.clone()));
        let meta = meta.map(|(name, value)| (format!("OCF_RESKEY_CRM_meta_{name}"), value));
        own.chain(given).chain(meta).collect()
    }

    /// Runs an action and gives its exit code.
    fn act(&self, sid: &ServiceId, guest: &OcfGuest, action: &str, timeout_s: u32) -> Result<i32, HostError> {
        let command = [guest.agent.program(&self.root).display().to_string(), action.to_owned()];
        let environment = self.environment(sid, guest, (timeout_s, 0));
        let call = Call {
            name: action,
            command: &command,
            environment: &environment,
            inherits: false,
            timeout_s,
            starts: action == "start",
        };
        self.programs.call(sid, &call)
    }

    fn failed(&self, sid: &ServiceId, action: &str, code: i32) -> HostError {
        self.programs.failed(sid, action, &words(code))
    }

    /// What can't be run in one role alone is not run at all: nobody would promote it.
    fn refuse_promotable(&self, guest: &OcfGuest) -> Result<(), HostError> {
        let described = OcfDescription::of(&guest.agent, &self.root).map_err(HostError::new)?;
        if described.is_promotable() {
            return Err(HostError::new(format!(
                "'{}' is for services in several roles, one of them promoted: such ones are not looked after",
                guest.agent
            )));
        }
        Ok(())
    }
}

/// A service's name as resource agents may have it: it becomes a part of file names, of patterns and of names of their own. No two
/// services have the same.
fn instance(sid: &ServiceId) -> String {
    let name = sid.as_str().split_once(':').map_or(sid.as_str(), |(_, name)| name);
    let name = files::encode_name(name).replace(':', "%3A").replace('%', "+");
    format!("{}_{name}", sid.service_type())
}

/// What an exit code means.
fn words(code: i32) -> String {
    let meaning = match code {
        1 => "it failed",
        2 => "a parameter is wrong",
        3 => "it has no such action",
        4 => "it lacks rights",
        5 => "something is not installed",
        6 => "a parameter is missing or wrong on every node",
        7 => "it does not run",
        9 => "it runs promoted, and has failed",
        _ => return format!("exit code {code}"),
    };
    format!("exit code {code}, {meaning}")
}

/// Where resource agents are: in `OCF_ROOT`, else where Debian has them.
#[must_use]
pub fn ocf_root() -> PathBuf {
    std::env::var_os("OCF_ROOT").map_or_else(|| PathBuf::from("/usr/lib/ocf"), PathBuf::from)
}

impl GuestAgent for OcfAgent {
    const KIND: &'static str = "ocf";

    type Definition = OcfGuest;

    /// It looks, acts, and looks again; before a start it asks what kind of agent that is, and whether all is right.
    fn own_seconds(guest: &OcfGuest, stops: bool) -> u32 {
        let OcfTimeouts { start, stop, monitor } = guest.timeouts;
        let act = if stops { stop } else { start.saturating_mul(2).saturating_add(OcfDescription::TIMEOUT_S) };
        monitor.saturating_mul(2).saturating_add(act)
    }

    /// Whether its parameters are those that the resource agent has, as far as it is there.
    fn complaints(guest: &OcfGuest) -> Vec<String> {
        match OcfDescription::of(&guest.agent, &ocf_root()) {
            Ok(described) => described.complaints(&guest.parameters),
            Err(_) => Vec::new(),
        }
    }

    fn is_running(&self, sid: &ServiceId, guest: &OcfGuest) -> Result<bool, HostError> {
        match self.act(sid, guest, "monitor", guest.timeouts.monitor)? {
            RUNS | RUNS_PROMOTED => Ok(true),
            DOES_NOT_RUN => self.programs.end_remains(sid).map(|()| false),
            code => Err(self.failed(sid, "monitor", code)),
        }
    }

    fn start(&self, sid: &ServiceId, guest: &OcfGuest, _: Option<&str>) -> Result<(), HostError> {
        self.refuse_promotable(guest)?;
        self.programs.end_remains(sid)?;
        match self.act(sid, guest, "validate-all", guest.timeouts.start)? {
            0 | NOT_IMPLEMENTED => {}
            code => return Err(self.failed(sid, "validate-all", code)),
        }
        match self.act(sid, guest, "start", guest.timeouts.start)? {
            0 => Ok(()),
            code => Err(self.failed(sid, "start", code)),
        }
    }

    /// A stop at once ends its processes first. What else it holds, such as an address, only the agent can take away.
    fn stop(&self, sid: &ServiceId, guest: &OcfGuest, timeout: Option<u32>) -> Result<(), HostError> {
        let timeout_s = match timeout {
            Some(0) => {
                self.programs.end_remains(sid)?;
                guest.timeouts.stop
            }
            Some(seconds) => seconds,
            None => guest.timeouts.stop,
        };
        match self.act(sid, guest, "stop", timeout_s)? {
            0 => Ok(()),
            code => Err(self.failed(sid, "stop", code)),
        }
    }

    fn ready(&self, sid: &ServiceId, guest: &OcfGuest, timeout: Duration) -> Result<ProbeProgress, HostError> {
        let seconds = u32::try_from(timeout.as_secs()).unwrap_or(u32::MAX);
        // Any interval says that it should run; without one it is only asked whether it does.
        let mut command = Command::new(guest.agent.program(&self.root));
        command.arg("monitor").current_dir("/").env_clear().envs(self.environment(
            sid,
            guest,
            (seconds, seconds.max(1)),
        ));
        let output =
            output_within(&mut command, timeout).map_err(|error| HostError::new(format!("monitor: {error}")))?;
        match output.status.code() {
            Some(RUNS | RUNS_PROMOTED) => Ok(ProbeProgress::Ready),
            code => {
                let code = code.map_or_else(|| output.status.to_string(), words);
                let line = last_line_of(&output).map(|line| format!(": \"{line}\"")).unwrap_or_default();
                Err(HostError::new(format!("monitor: {code}{line}")))
            }
        }
    }

    fn has_left(&self, sid: &ServiceId) -> Result<bool, HostError> {
        self.programs.has_remains(sid)
    }

    fn end_left(&self, sid: &ServiceId) -> Result<(), HostError> {
        self.programs.end_remains(sid)
    }

    fn interrupt(&self, sid: &ServiceId) -> Result<bool, HostError> {
        self.programs.interrupt(sid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_services_have_the_same_instance() {
        let names = ["ocf:ip", "ocf:i:p", "ocf:i/p", "ocf:i_p", "ocf:i+3Ap", "ocf:i%p", "own:ip"];
        let instances: BTreeSet<String> = names.iter().map(|name| instance(&ServiceId::new(*name).unwrap())).collect();
        assert_eq!(instances.len(), names.len());
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-+".contains(letter);
        assert!(instances.iter().all(|name| name.chars().all(is_plain)), "{instances:?}");
        assert!(instances.contains("ocf_ip"));
    }

    #[test]
    fn parameters_are_names_of_variables() {
        let guest = |parameters: &str| {
            serde_json::from_str::<OcfGuest>(&format!(r#"{{"agent": "own:db", "parameters": {parameters}}}"#))
        };
        assert!(guest(r#"{"ip": "1", "_x9": ""}"#).is_ok());
        for wrong in [r#"{"": "1"}"#, r#"{"9a": "1"}"#, r#"{"a-b": "1"}"#, r#"{"a=b": "1"}"#, r#"{"a": "1\u0000"}"#] {
            assert!(guest(wrong).is_err(), "{wrong}");
        }
    }
}
