//! Answers of a host as they are written down.

use alloc::{
    borrow::Cow,
    collections::BTreeMap,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    config::{
        DatacenterConfig, Digest, FenceConfig, GroupsConfig, NodesConfig, OrderedMap, ResourcesConfig, RulesConfig,
        fence::{FenceArgument, FencePart},
    },
    host::{
        Configuration, FeedOutcome, FenceProgress, Guests, HostFigures, JobId, JobStart, LockAnswer, NodeFigures,
        ProbeProgress, ServiceFigures, UnmanagedGuest,
    },
    id::{NodeName, ServiceId, ServiceTypes},
    status::{ExitCode, LrmStatus, ManagerStatus},
};

/// Every role of a host whose methods can all fail: `$make` is a macro that implements them.
macro_rules! fallible_roles {
    ($make:ident) => {
        $make! {
            ClusterLock {
                fn take(lock: &Lock) -> LockAnswer = Question::Take { lock };
                fn release(lock: &Lock) -> () = Question::Release { lock };
            }
            Watchdog {
                fn open(not_after: Instant) -> FeedOutcome = Question::OpenWatchdog { not_after };
                fn feed(not_after: Instant) -> FeedOutcome = Question::FeedWatchdog { not_after };
                fn close() -> () = Question::CloseWatchdog;
            }
            StatusStore {
                fn manager_status() -> Option<Arc<ManagerStatus>> = Question::ManagerStatus;
                fn lrm_status(node: &NodeName) -> Option<Arc<LrmStatus>> = Question::LrmStatus { node };
            }
            ConfigurationStore {
                fn configuration() -> Configuration = Question::Configuration;
            }
            ManagerStore {
                fn write_manager_status(status: &ManagerStatus) -> () = Question::WriteManagerStatus { status };
                fn commands_waiting() -> bool = Question::CommandsWaiting;
                fn take_commands() -> Vec<String> = Question::TakeCommands;
            }
            LrmStore {
                fn write_lrm_status(status: &LrmStatus) -> () = Question::WriteLrmStatus { status };
            }
            GuestControl {
                fn move_configuration(sid: &ServiceId, from: &NodeName, to: &NodeName) -> () =
                    Question::MoveConfiguration { sid, from, to };
                fn remove_leftover_locks(sid: &ServiceId, node: &NodeName) -> Option<String> =
                    Question::RemoveLeftoverLocks { sid, node };
                fn set_requested_state(sid: &ServiceId, state: RequestedState) -> () =
                    Question::SetRequestedState { sid, state };
                fn write_group_migration(rules: &RulesConfig, resources: &ResourcesConfig) -> () =
                    Question::group_migration(rules, resources);
                fn remove_groups(groups: &GroupsConfig) -> () = Question::remove_groups(groups);
                fn software_version(node: &NodeName) -> Option<String> = Question::SoftwareVersion { node };
            }
            FenceDevices {
                fn run(attempt: &FenceAttempt, commands: &[FenceCommand]) -> FenceProgress =
                    Question::fence_device(attempt, commands);
                fn forget_fence_attempts(except: &BTreeSet<Uid>) -> () = Question::ForgetFenceAttempts { except };
            }
            Statistics {
                fn unmanaged_services() -> Vec<UnmanagedGuest> = Question::UnmanagedServices;
                fn usage(mode: crate::config::datacenter::SchedulerMode) -> HostFigures = Question::usage(mode);
            }
            Entropy {
                fn random_bytes() -> [u8; 16] = Question::RandomBytes;
            }
            Workers {
                fn start(job: &Job) -> JobStart = Question::StartJob { job };
                fn finished() -> Vec<(JobId, ExitCode)> = Question::FinishedJobs;
                fn time_limit(job: &Job) -> Option<core::time::Duration> = Question::JobTimeLimit { job };
                fn end(id: JobId) -> () = Question::EndJob { id };
                fn guest_lock(sid: &ServiceId) -> Option<String> = Question::GuestLock { sid };
                fn probe(attempt: &ProbeAttempt) -> ProbeProgress = Question::probe(attempt);
            }
        }
    };
}
pub(super) use fallible_roles;

/// An answer that can be written down.
pub(super) trait Answer: Sized {
    /// How it is written.
    type Wire<'a>: Serialize
    where
        Self: 'a;
    /// How it is read.
    type Read: DeserializeOwned;

    fn wire(&self) -> Self::Wire<'_>;
    fn read(wire: Self::Read) -> Self;
}

macro_rules! plain {
    ($($answer:ty),* $(,)?) => {
        $(impl Answer for $answer {
            type Wire<'a> = &'a Self;
            type Read = Self;

            fn wire(&self) -> &Self {
                self
            }

            fn read(wire: Self) -> Self {
                wire
            }
        })*
    };
}

plain! {
    (), bool, LockAnswer, FeedOutcome, FenceProgress, JobStart, ProbeProgress, [u8; 16], Vec<String>, Option<String>, Option<Duration>,
    Vec<UnmanagedGuest>, Vec<(JobId, ExitCode)>, BTreeMap<NodeName, bool>,
}

macro_rules! record {
    ($($record:ty),*) => {
        $(impl Answer for Option<Arc<$record>> {
            type Wire<'a> = Option<&'a $record>;
            type Read = Option<$record>;

            fn wire(&self) -> Option<&$record> {
                self.as_deref()
            }

            fn read(wire: Option<$record>) -> Self {
                wire.map(Arc::new)
            }
        })*
    };
}

record!(ManagerStatus, LrmStatus);

/// Figures as lists, so that order survives.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct UsageWire {
    nodes: BTreeMap<NodeName, NodeFigures>,
    services: Vec<(ServiceId, ServiceFigures)>,
}

impl Answer for HostFigures {
    type Wire<'a> = UsageWire;
    type Read = UsageWire;

    fn wire(&self) -> UsageWire {
        let services = self.services.iter().map(|(sid, figures)| (sid.clone(), *figures));
        UsageWire { nodes: self.nodes.clone(), services: services.collect() }
    }

    fn read(wire: UsageWire) -> Self {
        Self { nodes: wire.nodes, services: wire.services.into_iter().collect() }
    }
}

/// The bytes of a file, as text where they are.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Text {
    Text(String),
    Bytes(Vec<u8>),
}

impl Text {
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Text)
    }

    fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Text(text) => Cow::Borrowed(text.as_bytes()),
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
        }
    }
}

/// A file, and the digest of the file that it was read from.
#[derive(Debug, Serialize, Deserialize)]
struct File {
    digest: Digest,
    text: Text,
}

/// The configuration as the texts of its files.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ConfigurationWire {
    /// The types of services that occur.
    types: Vec<String>,
    resources: File,
    groups: File,
    rules: File,
    /// Not there where the host has no such file, as in recordings from before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nodes: Option<File>,
    datacenter: DatacenterConfig,
    fence: Option<FenceWire>,
    guests: Vec<(ServiceId, NodeName)>,
}

/// Fence devices without the values of their arguments, which may be secret.
#[derive(Debug, Serialize, Deserialize)]
struct FenceWire {
    digest: Digest,
    devices: Vec<(String, BTreeMap<u32, PartWire>)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PartWire {
    agent: String,
    arguments: Vec<String>,
    connections: Vec<(NodeName, Vec<String>)>,
}

impl Answer for Configuration {
    type Wire<'a> = ConfigurationWire;
    type Read = ConfigurationWire;

    fn wire(&self) -> ConfigurationWire {
        let in_rules = self.rules.rules.values().flat_map(|rule| &rule.resources);
        let mut types: Vec<String> =
            self.resources.resources.keys().chain(in_rules).map(|sid| sid.service_type().to_string()).collect();
        types.sort_unstable();
        types.dedup();
        ConfigurationWire {
            types,
            resources: File { digest: self.resources.digest, text: Text::of(self.resources.write()) },
            groups: File { digest: self.groups.digest, text: Text::of(self.groups.write()) },
            rules: File { digest: self.rules.digest, text: Text::of(self.rules.write()) },
            nodes: (*self.nodes != NodesConfig::default())
                .then(|| File { digest: self.nodes.digest, text: Text::of(self.nodes.write()) }),
            datacenter: DatacenterConfig::clone(&self.datacenter),
            fence: self.fence.as_deref().map(FenceWire::of),
            guests: self.guests.iter().map(|(sid, guest)| (sid.clone(), guest.node.clone())).collect(),
        }
    }

    fn read(wire: ConfigurationWire) -> Self {
        let mut types = ServiceTypes::default();
        for name in wire.types {
            if !types.knows(&name) {
                types.register(name, |_| Ok(()));
            }
        }
        let mut resources = ResourcesConfig::read(&wire.resources.text.bytes(), &types).config;
        resources.digest = wire.resources.digest;
        let mut groups = GroupsConfig::read(&wire.groups.text.bytes()).config;
        groups.digest = wire.groups.digest;
        let mut rules = RulesConfig::read(&wire.rules.text.bytes(), &types).config;
        rules.digest = wire.rules.digest;
        let nodes = wire.nodes.map(|file| {
            let nodes = NodesConfig::read(&file.text.bytes()).config;
            NodesConfig { digest: file.digest, ..nodes }
        });
        Self {
            resources: Arc::new(resources),
            groups: Arc::new(groups),
            rules: Arc::new(rules),
            nodes: Arc::new(nodes.unwrap_or_default()),
            datacenter: Arc::new(wire.datacenter),
            fence: wire.fence.map(|fence| Arc::new(fence.config())),
            guests: Arc::new(wire.guests.into_iter().collect::<Guests>()),
        }
    }
}

impl FenceWire {
    fn of(config: &FenceConfig) -> Self {
        let keys = |arguments: &[FenceArgument]| arguments.iter().map(|argument| argument.key.clone()).collect();
        let part = |part: &FencePart| PartWire {
            agent: part.agent.clone(),
            arguments: keys(&part.arguments),
            connections: part.connections.iter().map(|(node, arguments)| (node.clone(), keys(arguments))).collect(),
        };
        let devices = config.devices.iter().map(|(name, parts)| {
            (name.clone(), parts.iter().map(|(number, device_part)| (*number, part(device_part))).collect())
        });
        Self { digest: config.digest, devices: devices.collect() }
    }

    fn config(self) -> FenceConfig {
        let arguments =
            |keys: Vec<String>| keys.into_iter().map(|key| FenceArgument { key, value: None }).collect::<Vec<_>>();
        let part = |part: PartWire| FencePart {
            agent: part.agent,
            arguments: arguments(part.arguments),
            connections: part.connections.into_iter().map(|(node, keys)| (node, arguments(keys))).collect(),
        };
        let devices = self
            .devices
            .into_iter()
            .map(|(name, parts)| (name, parts.into_iter().map(|(number, wire)| (number, part(wire))).collect()));
        FenceConfig { devices: devices.collect::<OrderedMap<_, _>>(), digest: self.digest }
    }
}
