//! `groups.cfg`: the older way to say what node affinity rules say.

use super::{Comment, Digest, NodePriorities, OrderedMap};
use crate::id::GroupId;

/// One group of nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name.
    pub id: GroupId,
    /// The nodes with their priorities.
    pub nodes: NodePriorities,
    /// Whether its services run on these nodes or not at all.
    pub restricted: Option<bool>,
    /// Whether its services stay where they are when a node of higher priority comes online.
    pub nofailback: Option<bool>,
    /// A person's remark.
    pub comment: Option<Comment>,
}

/// The content of `groups.cfg`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupsConfig {
    /// The groups in the order of the file.
    pub groups: OrderedMap<GroupId, Group>,
    /// The digest of the file that this was read from.
    pub digest: Digest,
}
