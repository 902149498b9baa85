//! `resources.cfg`: the services that are managed, and what is asked for each.

use super::{Comment, Digest, OrderedMap};
use crate::{
    id::{GroupId, ServiceId},
    text_enum::text_enum,
};

/// What a person asks for a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum RequestedState {
    /// Keep it running, recover it when its node fails.
    #[default]
    Started,
    /// Keep it stopped, but still move it off a failed node.
    Stopped,
    /// Keep it stopped and leave it where it is. The only way out of the state `error`.
    Disabled,
    /// Act as if it were not managed at all.
    Ignored,
}

text_enum! {
    RequestedState: "a requested state",
    Started = "started" | "enabled",
    Stopped = "stopped",
    Disabled = "disabled",
    Ignored = "ignored",
}

/// One managed service. Properties that the file does not set are `None`; the methods of the same name give the
/// value that holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// The service.
    pub sid: ServiceId,
    /// What is asked for.
    pub state: Option<RequestedState>,
    /// The HA group, from before groups became rules.
    pub group: Option<GroupId>,
    /// Failed starts that are retried on the same node.
    pub max_restart: Option<u32>,
    /// Other nodes that are tried after that.
    pub max_relocate: Option<u32>,
    /// Whether it moves to a node of higher priority when one comes online.
    pub failback: Option<bool>,
    /// A person's remark.
    pub comment: Option<Comment>,
}

impl Resource {
    /// A resource with nothing but its name set.
    #[must_use]
    pub fn new(sid: ServiceId) -> Self {
        Self { sid, state: None, group: None, max_restart: None, max_relocate: None, failback: None, comment: None }
    }

    /// What is asked for; by default `started`.
    #[must_use]
    pub fn state(&self) -> RequestedState {
        self.state.unwrap_or_default()
    }

    /// Failed starts that are retried on the same node; by default 1.
    #[must_use]
    pub fn max_restart(&self) -> u32 {
        self.max_restart.unwrap_or(1)
    }

    /// Other nodes that are tried after that; by default 1.
    #[must_use]
    pub fn max_relocate(&self) -> u32 {
        self.max_relocate.unwrap_or(1)
    }

    /// Whether it moves to a node of higher priority when one comes online; by default it does.
    #[must_use]
    pub fn failback(&self) -> bool {
        self.failback.unwrap_or(true)
    }
}

/// The content of `resources.cfg`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResourcesConfig {
    /// The resources in the order of the file.
    pub resources: OrderedMap<ServiceId, Resource>,
    /// The digest of the file that this was read from.
    pub digest: Digest,
}
