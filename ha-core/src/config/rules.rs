//! `rules.cfg`: where services should run, which of them together or apart, and which after others.

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

/// The highest number of seconds for which an order rule delays a start, or waits.
pub const MAX_ORDER_SECONDS: u32 = 86_400;

/// For how many seconds a service waits for those that come first, where an order rule does not say it.
pub const DEFAULT_ORDER_TIMEOUT: u32 = 300;

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
        /// How they are kept apart. A positive rule has the default.
        apart: Apart,
    },
    /// To be started one after another, and stopped the other way round.
    Order(Order),
}

impl RuleKind {
    /// That resources run together or strictly apart.
    #[must_use]
    pub const fn resource_affinity(affinity: Affinity) -> Self {
        Self::ResourceAffinity { affinity, apart: Apart { strict: None, spread: None } }
    }
}

/// How a negative resource affinity rule keeps its resources apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Apart {
    /// Whether they are apart or do not run at all.
    pub strict: Option<bool>,
    /// Over what they are spread, if not over nodes.
    pub spread: Option<Spread>,
}

/// Over what resources are spread that are kept apart: no two of them are in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spread {
    /// Nodes that fail together, as `nodes.cfg` says; a node of which it says nothing is by itself.
    FailureDomain,
}

text_enum! {
    Spread: "what resources are spread over",
    FailureDomain = "failure-domain",
}

impl Apart {
    /// Whether they are apart or do not run at all, which is the default. A loose rule lets them share a node while there is no other
    /// place.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.strict.unwrap_or(true)
    }
}

/// What an order rule asks: that some services are started only when others are up.
///
/// All of them are the [`resources`](Rule::resources) of the rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Order {
    /// The services that come first: sorted, each once.
    pub first: Vec<ServiceId>,
    /// The services that are started then: sorted, each once.
    pub then: Vec<ServiceId>,
    /// For how many seconds all that come first must be up before; at most [`MAX_ORDER_SECONDS`].
    pub delay: Option<u32>,
    /// For how many seconds they are waited for, from 1 to [`MAX_ORDER_SECONDS`].
    pub timeout: Option<u32>,
    /// Whether they are waited for without end.
    pub strict: Option<bool>,
}

impl Order {
    /// For how many seconds all that come first must be up before another one is started; by default 0.
    #[must_use]
    pub fn delay(&self) -> u32 {
        self.delay.unwrap_or(0)
    }

    /// For how many seconds those that come first are waited for; by default [`DEFAULT_ORDER_TIMEOUT`].
    #[must_use]
    pub fn timeout(&self) -> u32 {
        self.timeout.unwrap_or(DEFAULT_ORDER_TIMEOUT)
    }

    /// Whether those that come first are waited for without end; by default what waits is started once the timeout is over.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.strict.unwrap_or(false)
    }

    /// All services that it names: sorted, each once.
    #[must_use]
    pub fn resources(&self) -> Vec<ServiceId> {
        let mut resources: Vec<ServiceId> = self.first.iter().chain(&self.then).cloned().collect();
        resources.sort_unstable();
        resources.dedup();
        resources
    }
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
    /// See [`RuleKind::Order`].
    Order,
}

text_enum! {
    RuleType: "a type of rule",
    NodeAffinity = "node-affinity",
    ResourceAffinity = "resource-affinity",
    Order = "order",
}

impl RuleType {
    /// The properties that a rule of this type has, in the order in which they are written.
    #[must_use]
    pub const fn properties(self) -> &'static [RuleProperty] {
        use RuleProperty::{Affinity, Comment, Delay, Disable, First, Nodes, Resources, Spread, Strict, Then, Timeout};
        match self {
            Self::NodeAffinity => &[Comment, Disable, Nodes, Resources, Affinity, Strict],
            // A positive one has neither `spread` nor `strict`.
            Self::ResourceAffinity => &[Comment, Disable, Affinity, Resources, Spread, Strict],
            Self::Order => &[Comment, Disable, First, Then, Delay, Strict, Timeout],
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
    /// [`Order::delay`]
    Delay,
    /// [`Rule::disable`]
    Disable,
    /// [`Order::first`]
    First,
    /// See [`RuleKind::NodeAffinity`].
    Nodes,
    /// [`Rule::resources`]
    Resources,
    /// [`Apart::spread`]
    Spread,
    /// See [`RuleKind::NodeAffinity`], [`Order::strict`] and [`Apart::strict`].
    Strict,
    /// [`Order::then`]
    Then,
    /// [`Order::timeout`]
    Timeout,
}

text_enum! {
    RuleProperty: "a property of a rule",
    Affinity = "affinity",
    Comment = "comment",
    Delay = "delay",
    Disable = "disable",
    First = "first",
    Nodes = "nodes",
    Resources = "resources",
    Spread = "spread",
    Strict = "strict",
    Then = "then",
    Timeout = "timeout",
}

impl Rule {
    /// The type that its section has.
    #[must_use]
    pub const fn rule_type(&self) -> RuleType {
        match self.kind {
            RuleKind::NodeAffinity { .. } => RuleType::NodeAffinity,
            RuleKind::ResourceAffinity { .. } => RuleType::ResourceAffinity,
            RuleKind::Order(_) => RuleType::Order,
        }
    }

    /// Its affinity: to the nodes of a node affinity rule, or of its resources to each other. An order rule has none.
    #[must_use]
    pub const fn affinity(&self) -> Option<Affinity> {
        match self.kind {
            RuleKind::NodeAffinity { affinity, .. } | RuleKind::ResourceAffinity { affinity, .. } => Some(affinity),
            RuleKind::Order(_) => None,
        }
    }

    /// What it asks, if it is an order rule.
    #[must_use]
    pub const fn order(&self) -> Option<&Order> {
        match &self.kind {
            RuleKind::Order(order) => Some(order),
            RuleKind::NodeAffinity { .. } | RuleKind::ResourceAffinity { .. } => None,
        }
    }

    /// How it keeps its resources apart, if it does.
    #[must_use]
    pub const fn apart(&self) -> Option<Apart> {
        match self.kind {
            RuleKind::ResourceAffinity { affinity: Affinity::Negative, apart } => Some(apart),
            RuleKind::ResourceAffinity { .. } | RuleKind::NodeAffinity { .. } | RuleKind::Order(_) => None,
        }
    }

    /// Whether it keeps its resources apart only while there is a place for that.
    #[must_use]
    pub fn is_loosely_apart(&self) -> bool {
        self.apart().is_some_and(|apart| !apart.is_strict())
    }

    /// Whether it keeps its resources apart by failure domain, so that no two of them fail together.
    #[must_use]
    pub fn is_spread(&self) -> bool {
        self.apart().is_some_and(|apart| apart.spread.is_some())
    }

    /// Takes a service out. Says whether the rule asks nothing any more: it is left with none, or with none on one side.
    pub(crate) fn take_out(&mut self, sid: &ServiceId) -> bool {
        let before = self.resources.len();
        self.resources.retain(|resource| resource != sid);
        let mut is_empty = self.resources.is_empty();
        if let RuleKind::Order(order) = &mut self.kind {
            order.first.retain(|first| first != sid);
            order.then.retain(|then| then != sid);
            is_empty = order.first.is_empty() || order.then.is_empty();
        }
        is_empty && before > self.resources.len()
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
    /// The affinity that it will have, where that is known before its properties are read.
    foreseen: Option<Affinity>,
    comment: Option<Comment>,
    delay: Option<u32>,
    disable: Option<bool>,
    first: Option<Vec<ServiceId>>,
    nodes: Option<NodePriorities>,
    resources: Option<Vec<ServiceId>>,
    spread: Option<Spread>,
    strict: Option<bool>,
    then: Option<Vec<ServiceId>>,
    timeout: Option<u32>,
}

impl RuleDraft {
    pub(crate) const fn new(id: RuleId, rule_type: RuleType) -> Self {
        Self {
            id,
            rule_type,
            affinity: None,
            foreseen: None,
            comment: None,
            delay: None,
            disable: None,
            first: None,
            nodes: None,
            resources: None,
            spread: None,
            strict: None,
            then: None,
            timeout: None,
        }
    }

    /// Whether it keeps resources apart, or will.
    fn is_apart(&self) -> bool {
        self.rule_type == RuleType::ResourceAffinity && self.foreseen.or(self.affinity) == Some(Affinity::Negative)
    }

    /// The required properties of its type that are not set.
    fn missing(&self) -> Vec<RuleProperty> {
        let is_missing = |property: &RuleProperty| match property {
            RuleProperty::Affinity => self.rule_type == RuleType::ResourceAffinity && self.affinity.is_none(),
            RuleProperty::Nodes => self.nodes.is_none(),
            RuleProperty::Resources => self.resources.is_none(),
            RuleProperty::First => self.first.is_none(),
            RuleProperty::Then => self.then.is_none(),
            RuleProperty::Comment
            | RuleProperty::Delay
            | RuleProperty::Disable
            | RuleProperty::Spread
            | RuleProperty::Strict
            | RuleProperty::Timeout => false,
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
        let all = draft.rule_type.properties();
        let of_apart = &[RuleProperty::Spread, RuleProperty::Strict];
        let has_them = draft.strict.is_some() || draft.spread.is_some();
        let has_all = draft.rule_type != RuleType::ResourceAffinity || draft.is_apart() || has_them;
        if has_all { all } else { all.strip_suffix(of_apart).unwrap_or(all) }
    }

    const FORESEES: bool = true;

    fn foresee(draft: &mut RuleDraft, key: &str, value: &str) {
        if draft.rule_type == RuleType::ResourceAffinity && key == RuleProperty::Affinity.as_str() {
            draft.foreseen = draft.foreseen.or_else(|| value::word(value).ok());
        }
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
            RuleProperty::Delay => draft.delay = Some(value::integer_within(text, 0, MAX_ORDER_SECONDS)?),
            RuleProperty::Disable => draft.disable = Some(value::boolean(text)?),
            RuleProperty::First => draft.first = Some(values.sids(text)?),
            RuleProperty::Nodes => draft.nodes = Some(value::nodes(text)?),
            RuleProperty::Resources => draft.resources = Some(values.sids(text)?),
            RuleProperty::Spread => draft.spread = Some(value::word(text)?),
            RuleProperty::Strict => draft.strict = Some(value::boolean(text)?),
            RuleProperty::Then => draft.then = Some(values.sids(text)?),
            RuleProperty::Timeout => draft.timeout = Some(value::integer_within(text, 1, MAX_ORDER_SECONDS)?),
        }
        Ok(())
    }

    fn clear(draft: &mut RuleDraft, property: RuleProperty) {
        match property {
            RuleProperty::Affinity => draft.affinity = None,
            RuleProperty::Comment => draft.comment = None,
            RuleProperty::Delay => draft.delay = None,
            RuleProperty::Disable => draft.disable = None,
            RuleProperty::First => draft.first = None,
            RuleProperty::Nodes => draft.nodes = None,
            RuleProperty::Resources => draft.resources = None,
            RuleProperty::Spread => draft.spread = None,
            RuleProperty::Strict => draft.strict = None,
            RuleProperty::Then => draft.then = None,
            RuleProperty::Timeout => draft.timeout = None,
        }
    }

    fn finish(draft: RuleDraft) -> Result<Self, Vec<RuleProperty>> {
        let missing = draft.missing();
        let RuleDraft { id, rule_type, disable, comment, strict, spread, .. } = draft;
        let kind = match rule_type {
            RuleType::NodeAffinity => {
                let affinity = draft.affinity.unwrap_or(Affinity::Positive);
                let kind = draft.nodes.map(|nodes| RuleKind::NodeAffinity { nodes, strict, affinity });
                kind.zip(draft.resources)
            }
            RuleType::ResourceAffinity => {
                let kind = draft.affinity.map(|affinity| match affinity {
                    Affinity::Positive => RuleKind::resource_affinity(affinity),
                    Affinity::Negative => RuleKind::ResourceAffinity { affinity, apart: Apart { strict, spread } },
                });
                kind.zip(draft.resources)
            }
            RuleType::Order => draft.first.zip(draft.then).map(|(first, then)| {
                let order = Order { first, then, delay: draft.delay, timeout: draft.timeout, strict };
                let resources = order.resources();
                (RuleKind::Order(order), resources)
            }),
        };
        let (kind, resources) = kind.ok_or(missing)?;
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
            RuleKind::ResourceAffinity { affinity, apart } => {
                (draft.affinity, draft.strict, draft.spread) = (Some(affinity), apart.strict, apart.spread);
            }
            RuleKind::Order(Order { first, then, delay, timeout, strict }) => {
                (draft.first, draft.then, draft.strict) = (Some(first), Some(then), strict);
                (draft.delay, draft.timeout, draft.resources) = (delay, timeout, None);
            }
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
        let (affinity, nodes, strict, order) = match &self.kind {
            // The default is not written.
            RuleKind::NodeAffinity { nodes, strict, affinity: Affinity::Positive } => {
                (None, Some(nodes), *strict, None)
            }
            RuleKind::NodeAffinity { nodes, strict, affinity } => (Some(affinity), Some(nodes), *strict, None),
            RuleKind::ResourceAffinity { affinity, apart } => (Some(affinity), None, apart.strict, None),
            RuleKind::Order(order) => (None, None, order.strict, Some(order)),
        };
        match property {
            RuleProperty::Affinity => affinity.map(|affinity| Value::Word(affinity.as_str())),
            RuleProperty::Comment => self.comment.as_deref().map(Value::EncodedComment),
            RuleProperty::Delay => order?.delay.map(Value::Integer),
            RuleProperty::Disable => self.disable.map(Value::Flag),
            RuleProperty::First => order.map(|order| Value::Sids(&order.first)),
            RuleProperty::Nodes => nodes.map(Value::Nodes),
            RuleProperty::Resources => order.is_none().then_some(Value::Sids(&self.resources)),
            RuleProperty::Spread => self.apart()?.spread.map(|spread| Value::Word(spread.as_str())),
            RuleProperty::Strict => strict.map(Value::Boolean),
            RuleProperty::Then => order.map(|order| Value::Sids(&order.then)),
            RuleProperty::Timeout => order?.timeout.map(Value::Integer),
        }
    }
}
