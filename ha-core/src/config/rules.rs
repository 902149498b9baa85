//! `rules.cfg`: where services should run, and which of them together or apart.

use super::{Comment, Digest, NodePriorities, OrderedMap};
use crate::{
    id::{RuleId, ServiceId},
    text_enum::text_enum,
};
use alloc::vec::Vec;

/// Whether services belong on one node or on different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Affinity {
    /// On one node.
    Positive,
    /// No two of them on one node.
    Negative,
}

text_enum! {
    Affinity: "an affinity",
    Positive = "positive",
    Negative = "negative",
}

/// What a rule asks of its resources.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleKind {
    /// To run on some nodes rather than on others.
    NodeAffinity {
        /// The nodes with their priorities.
        nodes: NodePriorities,
        /// Whether the resources run on these nodes or not at all.
        strict: Option<bool>,
    },
    /// To run together or apart.
    ResourceAffinity {
        /// Which of the two.
        affinity: Affinity,
    },
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name.
    pub id: RuleId,
    /// The resources that it is about: sorted, each once.
    pub resources: Vec<ServiceId>,
    /// Whether it takes no part in anything.
    pub disable: Option<bool>,
    /// A person's remark.
    pub comment: Option<Comment>,
    /// What it asks.
    pub kind: RuleKind,
}

/// The content of `rules.cfg`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RulesConfig {
    /// The rules in the order of the file.
    pub rules: OrderedMap<RuleId, Rule>,
    /// The digest of the file that this was read from.
    pub digest: Digest,
}
