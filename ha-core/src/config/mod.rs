//! The configuration files: reading with all problems, writing without loss, and edits with checks.

pub mod datacenter;
pub mod fence;
pub mod groups;
pub mod resources;
pub mod rules;

pub use datacenter::DatacenterConfig;
pub use groups::{Group, GroupsConfig};
pub use resources::{RequestedState, Resource, ResourcesConfig};
pub use rules::{Affinity, Rule, RuleKind, RulesConfig};

use alloc::string::String;
use core::fmt;

use crate::id::NodeName;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// A map that keeps the order in which its keys came.
pub(crate) type OrderedMap<K, V> = IndexMap<K, V, FxBuildHasher>;

/// The SHA-1 of a file's bytes: says whether a file is the one that somebody saw.
///
/// Displays as 40 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest([u8; 20]);

impl Digest {
    /// The digest of a file with these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use sha1::Digest as _;
        Self(sha1::Sha1::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A comment of a section, as a person wrote it (not encoded).
pub type Comment = String;

/// Nodes with their priorities, by name. The higher number is preferred.
pub type NodePriorities = alloc::collections::BTreeMap<NodeName, i32>;
