//! `nodes.cfg`: what people say of nodes, such as what fails together with them.
//!
//! Which nodes the cluster has is said elsewhere: a node without a section is a node like any other, and a section makes no node.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    Comment, Digest, Kept, OrderedMap, Parsed, ProblemKind, ValueError,
    file::{self, Section},
    value::{self, Value, ValueReader},
};
use crate::{
    id::{FailureDomain, NodeName, ServiceTypes},
    text_enum::text_enum,
};

/// What is said of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeLabels {
    /// The node.
    pub node: NodeName,
    /// What it fails together with: all nodes of one domain. A node without one is a domain of its own.
    pub failure_domain: Option<FailureDomain>,
    /// A person's remark.
    pub comment: Option<Comment>,
}

/// The content of `nodes.cfg`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NodesConfig {
    /// What is said of nodes, in the order of the file.
    pub nodes: OrderedMap<NodeName, NodeLabels>,
    /// The digest of the file that this was read from.
    pub digest: Digest,
    /// What else the file holds: see [`Kept`].
    pub kept: Kept<NodeName>,
}

impl NodesConfig {
    /// Reads `nodes.cfg`.
    pub fn read(text: &[u8]) -> Parsed<Self> {
        let file = file::read(text, ValueReader::of_file(&ServiceTypes::default()));
        Parsed { config: Self { nodes: file.sections, digest: file.digest, kept: file.kept }, problems: file.problems }
    }

    /// The file's bytes. Whatever was not UTF-8 when it was read is not either when it is written.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        file::write(&self.nodes, &self.kept)
    }

    /// What a node fails together with, if that is said.
    #[must_use]
    pub fn failure_domain(&self, node: &NodeName) -> Option<&FailureDomain> {
        self.nodes.get(node)?.failure_domain.as_ref()
    }
}

impl NodeLabels {
    /// Whether nothing is said.
    pub(crate) const fn is_empty(&self) -> bool {
        self.failure_domain.is_none() && self.comment.is_none()
    }

    /// The text of a property, as an edit takes it; `None` if it is not set.
    #[must_use]
    pub fn text(&self, property: NodeProperty) -> Option<String> {
        self.value(property).map(|value| value.to_string())
    }
}

/// The properties of a node, in the order in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeProperty {
    /// [`NodeLabels::comment`]
    Comment,
    /// [`NodeLabels::failure_domain`]
    FailureDomain,
}

text_enum! {
    NodeProperty: "a property of a node",
    Comment = "comment",
    FailureDomain = "failure-domain",
}

/// What is said of a node while it is read or edited: nothing has to be.
pub(crate) type NodeDraft = NodeLabels;

impl NodeLabels {
    pub(crate) const fn new(node: NodeName) -> Self {
        Self { node, failure_domain: None, comment: None }
    }
}

/// The type of the sections in `nodes.cfg`.
const NODE: &str = "node";

impl Section for NodeLabels {
    type Id = NodeName;
    type Property = NodeProperty;
    type Draft = NodeDraft;

    fn open(section_type: &str, id: &str, _: &ValueReader<'_>) -> Result<NodeDraft, ProblemKind> {
        if section_type != NODE {
            return Err(ProblemKind::UnknownSectionType {
                found: value::excerpt(section_type.as_bytes()),
                expected: format!("'{NODE}'"),
            });
        }
        value::id(id).map(Self::new).map_err(ProblemKind::BadSectionId)
    }

    fn id(draft: &NodeDraft) -> &NodeName {
        &draft.node
    }

    fn properties_of(_: &NodeDraft) -> &'static [NodeProperty] {
        NodeProperty::ALL
    }

    fn key(property: NodeProperty) -> &'static str {
        property.as_str()
    }

    fn assign(
        draft: &mut NodeDraft,
        property: NodeProperty,
        text: &str,
        _: &ValueReader<'_>,
    ) -> Result<(), ValueError> {
        match property {
            NodeProperty::Comment => draft.comment = value::plain_comment(text)?,
            NodeProperty::FailureDomain => draft.failure_domain = Some(value::id(text)?),
        }
        Ok(())
    }

    fn clear(draft: &mut NodeDraft, property: NodeProperty) {
        match property {
            NodeProperty::Comment => draft.comment = None,
            NodeProperty::FailureDomain => draft.failure_domain = None,
        }
    }

    fn finish(draft: NodeDraft) -> Result<Self, Vec<NodeProperty>> {
        Ok(draft)
    }

    fn draft(&self) -> NodeDraft {
        self.clone()
    }

    fn header(&self) -> (&str, &str) {
        (NODE, self.node.as_str())
    }

    fn properties(&self) -> &'static [NodeProperty] {
        NodeProperty::ALL
    }

    fn value(&self, property: NodeProperty) -> Option<Value<'_>> {
        match property {
            NodeProperty::Comment => self.comment.as_deref().map(Value::PlainComment),
            NodeProperty::FailureDomain => self.failure_domain.as_ref().map(|domain| Value::Word(domain.as_str())),
        }
    }
}
