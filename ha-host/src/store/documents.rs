//! What a store holds, by name.

use std::{collections::BTreeMap, sync::Arc};

use ha_core::id::{NodeName, ServiceId};

use super::GuestDefinition;

/// The configuration files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigFile {
    /// The managed services.
    Resources,
    /// The groups.
    Groups,
    /// The rules.
    Rules,
    /// Settings of the whole cluster.
    Datacenter,
    /// Fence devices.
    Fence,
    /// What is said of nodes.
    Nodes,
}

impl ConfigFile {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Resources, Self::Groups, Self::Rules, Self::Datacenter, Self::Fence, Self::Nodes];

    /// The name of the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resources => "resources.cfg",
            Self::Groups => "groups.cfg",
            Self::Rules => "rules.cfg",
            Self::Datacenter => "datacenter.cfg",
            Self::Fence => "fence.cfg",
            Self::Nodes => "nodes.cfg",
        }
    }
}

/// A file of programs beside the node daemon. No daemon reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SideFile {
    /// `notify.cfg`: who is told of what happens.
    NotifyConfig,
    /// How far each of them was told, as the program that tells keeps it.
    NotifyState,
    /// What was counted of the history, which is kept for a while only.
    Counted,
    /// How far work on node after node is, as the verb `ha rolling` keeps it.
    Rolling,
}

impl SideFile {
    /// The name of the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotifyConfig => "notify.cfg",
            Self::NotifyState => "notify.json",
            Self::Counted => "counted.json",
            Self::Rolling => "rolling.json",
        }
    }
}

/// The bytes of all configuration files that there are. A file that did not change is the same [`Arc`] as before.
pub type ConfigTexts = BTreeMap<ConfigFile, Arc<[u8]>>;

/// The new content of a configuration file; `None` removes it.
pub type ConfigChange = (ConfigFile, Option<Vec<u8>>);

/// The name of a record that a daemon writes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordName {
    /// The manager status.
    Manager,
    /// The LRM status of a node.
    Lrm(NodeName),
}

/// The former name of [`RecordName`].
#[deprecated = "it is called RecordName"]
pub type Record = RecordName;

/// A line of the history with its position.
pub type HistoryLine = (u64, String);

/// The guests by SID.
pub type GuestTable = BTreeMap<ServiceId, Arc<GuestDefinition>>;

/// Something that is wrong with a store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct StoreProblem {
    /// Names the problem. It stays the same as long as the problem is no worse.
    pub name: String,
    /// A sentence that says what is wrong and what helps.
    pub text: String,
}
