//! Why an edit is refused.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::{
    UnknownWord,
    config::{Digest, ValueError},
    id::{GroupId, ServiceId},
    rules::Finding,
    similar::did_you_mean,
};

/// Why an edit is refused. Nothing was changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The file is not the one that the editor saw.
    #[error(
        "{file} was changed in the meantime (its digest is {actual}, not {seen}): read it again, then repeat the edit"
    )]
    DigestMismatch {
        /// The file.
        file: &'static str,
        /// The digest that the editor saw.
        seen: Digest,
        /// The digest that the file has.
        actual: Digest,
    },
    /// A name that is not valid.
    #[error(transparent)]
    BadId(ValueError),
    /// A type of rule that does not exist.
    #[error(transparent)]
    BadRuleType(UnknownWord),
    /// There is one of this name already. A section of the file that lacks a required property counts too.
    #[error("{what} '{id}' exists already")]
    AlreadyExists {
        /// What kind of thing: `resource`, `group`, or `rule`.
        what: &'static str,
        /// Its name.
        id: String,
    },
    /// There is none of this name.
    #[error("{what} '{id}' does not exist{}", did_you_mean(similar.as_deref()))]
    NotFound {
        /// What kind of thing: `resource`, `group`, or `rule`.
        what: &'static str,
        /// Its name.
        id: String,
        /// The name that was probably meant.
        similar: Option<String>,
    },
    /// A group that resources still name.
    #[error("group '{group}' is in use by {}: give these resources another group or none first", Some10(by))]
    GroupInUse {
        /// The group.
        group: GroupId,
        /// The resources that name it.
        by: Vec<ServiceId>,
    },
    /// Properties that cannot be what they were to become.
    #[error("{}", Each(.0))]
    BadProperties(Vec<PropertyFault>),
}

impl EditError {
    /// A stable name for this kind of error, for other languages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::DigestMismatch { .. } => "digest_mismatch",
            Self::BadId(_) => "bad_id",
            Self::BadRuleType(_) => "bad_rule_type",
            Self::AlreadyExists { .. } => "already_exists",
            Self::NotFound { .. } => "not_found",
            Self::GroupInUse { .. } => "group_in_use",
            Self::BadProperties(_) => "bad_properties",
        }
    }

    /// The properties at fault, if it is about properties.
    #[must_use]
    pub fn faults(&self) -> &[PropertyFault] {
        match self {
            Self::BadProperties(faults) => faults,
            Self::DigestMismatch { .. }
            | Self::BadId(_)
            | Self::BadRuleType(_)
            | Self::AlreadyExists { .. }
            | Self::NotFound { .. }
            | Self::GroupInUse { .. } => &[],
        }
    }
}

/// One property that cannot be what it was to become.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("property '{property}': {kind}")]
pub struct PropertyFault {
    /// The property's key.
    pub property: String,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What is wrong with a property.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// There is no such property.
    #[error("there is no such property: expected {expected}")]
    UnknownProperty {
        /// The properties that there are.
        expected: String,
    },
    /// A value that the property does not take.
    #[error("{0}")]
    BadValue(ValueError),
    /// A required property that is not set, or would be unset.
    #[error("it is required")]
    Missing,
    /// A property that would be set twice, or set and unset.
    #[error("it is given twice")]
    GivenTwice,
    /// A group that does not exist.
    #[error("group '{group}' does not exist{}", did_you_mean(similar.as_deref()))]
    NoSuchGroup {
        /// The group.
        group: GroupId,
        /// The name that was probably meant.
        similar: Option<String>,
    },
    /// A node or a service that is not known, while another one has nearly this name. One that is like no other is taken: it
    /// may come later.
    #[error("there is no {what} '{name}'{}", did_you_mean(Some(similar)))]
    UnknownName {
        /// What kind of thing: `node` or `service`.
        what: &'static str,
        /// Its name.
        name: String,
        /// The name that was probably meant.
        similar: String,
    },
    /// A change of the state of a service that is in `error`.
    #[error("the service is in state 'error': only 'disabled' can be asked for")]
    ServiceInError,
    /// A rule that cannot hold with the others.
    #[error("{0}")]
    Infeasible(Finding),
}

impl FaultKind {
    /// A stable name for this kind of fault, for other languages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownProperty { .. } => "unknown_property",
            Self::BadValue(_) => "bad_value",
            Self::Missing => "missing",
            Self::GivenTwice => "given_twice",
            Self::NoSuchGroup { .. } => "no_such_group",
            Self::UnknownName { .. } => "unknown_name",
            Self::ServiceInError => "service_in_error",
            Self::Infeasible(_) => "infeasible",
        }
    }
}

/// Shows faults one after the other.
struct Each<'a>(&'a [PropertyFault]);

impl fmt::Display for Each<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, fault)| {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{fault}")
        })
    }
}

/// Shows the first ten names, and how many more there are.
struct Some10<'a>(&'a [ServiceId]);

impl fmt::Display for Some10<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, sid) in self.0.iter().take(10).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{sid}")?;
        }
        match self.0.len().saturating_sub(10) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
