//! The configuration files: reading with all problems, writing without loss, and edits with checks.
//!
//! Each file is read from its bytes, together with a list of what is wrong in it: a problem never loses the rest.
//!
//! ```
//! use ha_core::{config::ResourcesConfig, id::ServiceTypes};
//!
//! let text = b"vm: 100\n\tstate stopped\n\tcolour blue\n\n";
//! let parsed = ResourcesConfig::read(text, &ServiceTypes::default());
//! assert_eq!(parsed.config.resources.len(), 1);
//! assert_eq!(parsed.problems[0].kind.code(), "unknown_property");
//! assert_eq!(parsed.config.write(), text, "nothing is lost");
//! ```
//!
//! Where the format leaves a choice:
//!
//! * The first of two holds: of a property that occurs twice with good values, of two sections with one id.
//! * A section that is kept out for a missing property does not take its id: a later section may have it.
//! * An empty comment is no comment; one in `rules.cfg` that is not UTF-8 once decoded is a bad value, and a `%` that
//!   no two hexadecimal digits follow stands for itself.
//! * A node that is in a list twice with different priorities, and an empty list, are bad values.

pub mod datacenter;
pub mod edit;
pub mod fence;
mod file;
pub mod groups;
mod kept;
pub mod nodes;
pub mod notify;
pub mod probe;
pub mod problem;
pub mod resources;
pub mod rules;
mod section;
mod shell_words;
pub mod value;

pub use datacenter::{DatacenterConfig, DatacenterFile};
#[expect(deprecated, reason = "the name from before")]
pub use edit::Configuration;
pub use edit::{Changes, ConfigFiles, EditError, Editor};
pub use fence::FenceConfig;
pub use groups::{Group, GroupsConfig};
pub use kept::Kept;
pub use nodes::{NodeLabels, NodesConfig};
pub use notify::{NotifyConfig, NotifyTarget, NotifyWay};
pub use problem::{Parsed, Problem, ProblemKind};
pub use resources::{RequestedState, Resource, ResourcesConfig};
pub use rules::{Affinity, Apart, Order, Rule, RuleKind, RuleType, RulesConfig, Spread};
pub use value::{ValueError, check_usable};

use alloc::{string::String, sync::Arc};
use core::{fmt, str::FromStr};

use crate::id::NodeName;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A map that keeps the order in which its keys came.
pub type OrderedMap<K, V> = IndexMap<K, V, FxBuildHasher>;

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

/// Whether two files are the same: the same value, or the same digest. A digest that was never set says nothing.
pub(crate) fn same<T>(one: &Arc<T>, other: &Arc<T>, digest: impl Fn(&T) -> Digest) -> bool {
    Arc::ptr_eq(one, other) || (digest(one) == digest(other) && digest(one) != Digest::default())
}

/// A text that is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a digest: expected the 40 hexadecimal digits of a SHA-1")]
pub struct BadDigest;

impl FromStr for Digest {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Self, BadDigest> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(BadDigest) };
        let mut bytes = [0; 20];
        if pairs.len() != bytes.len() {
            return Err(BadDigest);
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
            *byte = digit(high).ok_or(BadDigest)? << 4 | digit(low).ok_or(BadDigest)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A comment of a section, as a person wrote it (not encoded).
pub type Comment = String;

/// Nodes with their priorities, by name. The higher number is preferred.
pub type NodePriorities = alloc::collections::BTreeMap<NodeName, i32>;
