//! `groups.cfg`: the older way to say what node affinity rules say.

use alloc::{
    string::{String, ToString},
    sync::Arc,
    vec,
    vec::Vec,
};

use super::{
    Comment, Digest, Kept, NodePriorities, OrderedMap, Parsed, ProblemKind, ValueError,
    file::{self, Section},
    value::{self, Value, ValueReader},
};
use crate::{
    id::{GroupId, ServiceTypes},
    text_enum::text_enum,
};

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
    /// What else the file holds: see [`Kept`].
    pub kept: Kept<GroupId>,
}

impl GroupsConfig {
    /// Reads `groups.cfg`.
    pub fn read(text: &[u8]) -> Parsed<Self> {
        let file = file::read(text, ValueReader::of_file(&ServiceTypes::default()));
        Parsed { config: Self { groups: file.sections, digest: file.digest, kept: file.kept }, problems: file.problems }
    }

    /// Whether two readings of the file are the same.
    pub(crate) fn is_same(one: &Arc<Self>, other: &Arc<Self>) -> bool {
        super::same(one, other, |config| config.digest)
    }

    /// The file's bytes. Whatever was not UTF-8 when it was read is not either when it is written.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        file::write(&self.groups, &self.kept)
    }
}

impl Group {
    /// Whether its services run on its nodes or not at all; by default they may go elsewhere.
    #[must_use]
    pub fn restricted(&self) -> bool {
        self.restricted.unwrap_or(false)
    }

    /// Whether its services stay where they are when a node of higher priority comes online; by default they do not.
    #[must_use]
    pub fn nofailback(&self) -> bool {
        self.nofailback.unwrap_or(false)
    }

    /// The text of a property, as an edit takes it; `None` if it is not set.
    #[must_use]
    pub fn text(&self, property: GroupProperty) -> Option<String> {
        self.value(property).map(|value| value.to_string())
    }
}

/// The properties of a group, in the order in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupProperty {
    /// [`Group::comment`]
    Comment,
    /// [`Group::nodes`]
    Nodes,
    /// [`Group::nofailback`]
    Nofailback,
    /// [`Group::restricted`]
    Restricted,
}

text_enum! {
    GroupProperty: "a property of a group",
    Comment = "comment",
    Nodes = "nodes",
    Nofailback = "nofailback",
    Restricted = "restricted",
}

/// A group while it is read or edited.
pub(crate) struct GroupDraft {
    id: GroupId,
    nodes: Option<NodePriorities>,
    restricted: Option<bool>,
    nofailback: Option<bool>,
    comment: Option<Comment>,
}

impl GroupDraft {
    pub(crate) const fn new(id: GroupId) -> Self {
        Self { id, nodes: None, restricted: None, nofailback: None, comment: None }
    }
}

/// The type of the sections in `groups.cfg`.
const GROUP: &str = "group";

impl Section for Group {
    type Id = GroupId;
    type Property = GroupProperty;
    type Draft = GroupDraft;

    fn open(section_type: &str, id: &str, _: &ValueReader<'_>) -> Result<GroupDraft, ProblemKind> {
        if section_type != GROUP {
            return Err(ProblemKind::UnknownSectionType {
                found: value::excerpt(section_type.as_bytes()),
                expected: "'group'".into(),
            });
        }
        value::id(id).map(GroupDraft::new).map_err(ProblemKind::BadSectionId)
    }

    fn id(draft: &GroupDraft) -> &GroupId {
        &draft.id
    }

    fn properties_of(_: &GroupDraft) -> &'static [GroupProperty] {
        GroupProperty::ALL
    }

    fn key(property: GroupProperty) -> &'static str {
        property.as_str()
    }

    fn assign(
        draft: &mut GroupDraft,
        property: GroupProperty,
        text: &str,
        _: &ValueReader<'_>,
    ) -> Result<(), ValueError> {
        match property {
            GroupProperty::Comment => draft.comment = value::plain_comment(text)?,
            GroupProperty::Nodes => draft.nodes = Some(value::nodes(text)?),
            GroupProperty::Nofailback => draft.nofailback = Some(value::boolean(text)?),
            GroupProperty::Restricted => draft.restricted = Some(value::boolean(text)?),
        }
        Ok(())
    }

    fn clear(draft: &mut GroupDraft, property: GroupProperty) {
        match property {
            GroupProperty::Comment => draft.comment = None,
            GroupProperty::Nodes => draft.nodes = None,
            GroupProperty::Nofailback => draft.nofailback = None,
            GroupProperty::Restricted => draft.restricted = None,
        }
    }

    fn finish(draft: GroupDraft) -> Result<Self, Vec<GroupProperty>> {
        let GroupDraft { id, nodes, restricted, nofailback, comment } = draft;
        let nodes = nodes.ok_or_else(|| vec![GroupProperty::Nodes])?;
        Ok(Self { id, nodes, restricted, nofailback, comment })
    }

    fn draft(&self) -> GroupDraft {
        let Self { id, nodes, restricted, nofailback, comment } = self.clone();
        GroupDraft { id, nodes: Some(nodes), restricted, nofailback, comment }
    }

    fn header(&self) -> (&str, &str) {
        (GROUP, self.id.as_str())
    }

    fn properties(&self) -> &'static [GroupProperty] {
        GroupProperty::ALL
    }

    fn value(&self, property: GroupProperty) -> Option<Value<'_>> {
        match property {
            GroupProperty::Comment => self.comment.as_deref().map(Value::PlainComment),
            GroupProperty::Nodes => Some(Value::Nodes(&self.nodes)),
            GroupProperty::Nofailback => self.nofailback.map(Value::Boolean),
            GroupProperty::Restricted => self.restricted.map(Value::Boolean),
        }
    }
}
