//! `rules.cfg`: where services should run, and which of them together or apart.

use super::{
    Comment, Digest, Kept, NodePriorities, OrderedMap, Parsed, ProblemKind, ValueError,
    file::{self, Section},
    value::{self, Value, ValueReader},
};
use crate::{
    id::{RuleId, ServiceId, ServiceTypes},
    text_enum::{Words, text_enum},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

/// Whether services belong on one node or on different ones; for nodes, whether services belong on them or off them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Affinity {
    /// On one node; on these nodes.
    Positive,
    /// No two of them on one node; on all nodes but these.
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
        /// Negative means all other nodes of the cluster; priorities do not go with that.
        affinity: Affinity,
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
    /// What else the file holds: see [`Kept`].
    pub kept: Kept<RuleId>,
}

impl RulesConfig {
    /// Reads `rules.cfg`.
    pub fn read(text: &[u8], types: &ServiceTypes) -> Parsed<Self> {
        let file = file::read(text, ValueReader::of_file(types));
        Parsed { config: Self { rules: file.sections, digest: file.digest, kept: file.kept }, problems: file.problems }
    }

    /// The file's bytes. Whatever was not UTF-8 when it was read is not either when it is written.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        file::write(&self.rules, &self.kept)
    }
}

/// The types of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleType {
    /// See [`RuleKind::NodeAffinity`].
    NodeAffinity,
    /// See [`RuleKind::ResourceAffinity`].
    ResourceAffinity,
}

text_enum! {
    RuleType: "a type of rule",
    NodeAffinity = "node-affinity",
    ResourceAffinity = "resource-affinity",
}

impl RuleType {
    /// The properties that a rule of this type has, in the order in which they are written.
    #[must_use]
    pub const fn properties(self) -> &'static [RuleProperty] {
        use RuleProperty::{Affinity, Comment, Disable, Nodes, Resources, Strict};
        match self {
            Self::NodeAffinity => &[Comment, Disable, Nodes, Resources, Affinity, Strict],
            Self::ResourceAffinity => &[Comment, Disable, Affinity, Resources],
        }
    }
}

/// The properties of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleProperty {
    /// See [`RuleKind`].
    Affinity,
    /// [`Rule::comment`]
    Comment,
    /// [`Rule::disable`]
    Disable,
    /// See [`RuleKind::NodeAffinity`].
    Nodes,
    /// [`Rule::resources`]
    Resources,
    /// See [`RuleKind::NodeAffinity`].
    Strict,
}

text_enum! {
    RuleProperty: "a property of a rule",
    Affinity = "affinity",
    Comment = "comment",
    Disable = "disable",
    Nodes = "nodes",
    Resources = "resources",
    Strict = "strict",
}

impl Rule {
    /// The type that its section has.
    #[must_use]
    pub const fn rule_type(&self) -> RuleType {
        match self.kind {
            RuleKind::NodeAffinity { .. } => RuleType::NodeAffinity,
            RuleKind::ResourceAffinity { .. } => RuleType::ResourceAffinity,
        }
    }

    /// Its affinity: to the nodes of a node affinity rule, or of its resources to each other.
    #[must_use]
    pub const fn affinity(&self) -> Affinity {
        match self.kind {
            RuleKind::NodeAffinity { affinity, .. } | RuleKind::ResourceAffinity { affinity } => affinity,
        }
    }

    /// Whether it takes no part in anything; by default it does.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.disable.unwrap_or(false)
    }

    /// The text of a property, as an edit takes it; `None` if it is not set or the rule's type does not have it.
    #[must_use]
    pub fn text(&self, property: RuleProperty) -> Option<String> {
        self.value(property).map(|value| value.to_string())
    }
}

/// A rule while it is read or edited.
pub(crate) struct RuleDraft {
    id: RuleId,
    rule_type: RuleType,
    affinity: Option<Affinity>,
    comment: Option<Comment>,
    disable: Option<bool>,
    nodes: Option<NodePriorities>,
    resources: Option<Vec<ServiceId>>,
    strict: Option<bool>,
}

impl RuleDraft {
    pub(crate) const fn new(id: RuleId, rule_type: RuleType) -> Self {
        Self { id, rule_type, affinity: None, comment: None, disable: None, nodes: None, resources: None, strict: None }
    }

    /// The required properties of its type that are not set.
    fn missing(&self) -> Vec<RuleProperty> {
        let is_missing = |property: &RuleProperty| match property {
            RuleProperty::Affinity => self.rule_type == RuleType::ResourceAffinity && self.affinity.is_none(),
            RuleProperty::Nodes => self.nodes.is_none(),
            RuleProperty::Resources => self.resources.is_none(),
            RuleProperty::Comment | RuleProperty::Disable | RuleProperty::Strict => false,
        };
        self.rule_type.properties().iter().copied().filter(is_missing).collect()
    }
}

impl Section for Rule {
    type Id = RuleId;
    type Property = RuleProperty;
    type Draft = RuleDraft;

    fn open(section_type: &str, id: &str, _: &ValueReader<'_>) -> Result<RuleDraft, ProblemKind> {
        let rule_type = section_type.parse().map_err(|_| ProblemKind::UnknownSectionType {
            found: value::excerpt(section_type.as_bytes()),
            expected: format!("{}", Words(RuleType::WORDS)),
        })?;
        Ok(RuleDraft::new(value::id(id).map_err(ProblemKind::BadSectionId)?, rule_type))
    }

    fn id(draft: &RuleDraft) -> &RuleId {
        &draft.id
    }

    fn properties_of(draft: &RuleDraft) -> &'static [RuleProperty] {
        draft.rule_type.properties()
    }

    fn key(property: RuleProperty) -> &'static str {
        property.as_str()
    }

    fn assign(
        draft: &mut RuleDraft,
        property: RuleProperty,
        text: &str,
        values: &ValueReader<'_>,
    ) -> Result<(), ValueError> {
        match property {
            RuleProperty::Affinity => draft.affinity = Some(value::word(text)?),
            RuleProperty::Comment => draft.comment = values.encoded_comment(text)?,
            RuleProperty::Disable => draft.disable = Some(value::boolean(text)?),
            RuleProperty::Nodes => draft.nodes = Some(value::nodes(text)?),
            RuleProperty::Resources => draft.resources = Some(values.sids(text)?),
            RuleProperty::Strict => draft.strict = Some(value::boolean(text)?),
        }
        Ok(())
    }

    fn clear(draft: &mut RuleDraft, property: RuleProperty) {
        match property {
            RuleProperty::Affinity => draft.affinity = None,
            RuleProperty::Comment => draft.comment = None,
            RuleProperty::Disable => draft.disable = None,
            RuleProperty::Nodes => draft.nodes = None,
            RuleProperty::Resources => draft.resources = None,
            RuleProperty::Strict => draft.strict = None,
        }
    }

    fn finish(draft: RuleDraft) -> Result<Self, Vec<RuleProperty>> {
        let missing = draft.missing();
        let RuleDraft { id, rule_type, affinity, comment, disable, nodes, resources, strict } = draft;
        let kind = match rule_type {
            RuleType::NodeAffinity => {
                let affinity = affinity.unwrap_or(Affinity::Positive);
                nodes.map(|nodes| RuleKind::NodeAffinity { nodes, strict, affinity })
            }
            RuleType::ResourceAffinity => affinity.map(|affinity| RuleKind::ResourceAffinity { affinity }),
        };
        let (kind, resources) = kind.zip(resources).ok_or(missing)?;
        Ok(Self { id, resources, disable, comment, kind })
    }

    fn draft(&self) -> RuleDraft {
        let Self { id, resources, disable, comment, kind } = self.clone();
        let mut draft = RuleDraft::new(id, self.rule_type());
        (draft.resources, draft.disable, draft.comment) = (Some(resources), disable, comment);
        match kind {
            RuleKind::NodeAffinity { nodes, strict, affinity } => {
                (draft.nodes, draft.strict, draft.affinity) = (Some(nodes), strict, Some(affinity));
            }
            RuleKind::ResourceAffinity { affinity } => draft.affinity = Some(affinity),
        }
        draft
    }

    fn header(&self) -> (&str, &str) {
        (self.rule_type().as_str(), self.id.as_str())
    }

    fn properties(&self) -> &'static [RuleProperty] {
        self.rule_type().properties()
    }

    fn value(&self, property: RuleProperty) -> Option<Value<'_>> {
        let (affinity, nodes, strict) = match &self.kind {
            // The default is not written.
            RuleKind::NodeAffinity { nodes, strict, affinity: Affinity::Positive } => (None, Some(nodes), *strict),
            RuleKind::NodeAffinity { nodes, strict, affinity } => (Some(affinity), Some(nodes), *strict),
            RuleKind::ResourceAffinity { affinity } => (Some(affinity), None, None),
        };
        match property {
            RuleProperty::Affinity => affinity.map(|affinity| Value::Word(affinity.as_str())),
            RuleProperty::Comment => self.comment.as_deref().map(Value::EncodedComment),
            RuleProperty::Disable => self.disable.map(Value::Flag),
            RuleProperty::Nodes => nodes.map(Value::Nodes),
            RuleProperty::Resources => Some(Value::Sids(&self.resources)),
            RuleProperty::Strict => strict.map(Value::Boolean),
        }
    }
}
