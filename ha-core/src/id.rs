//! Validated names: services, nodes, requests, rules, groups and failure domains.
//!
//! All of them are cheap to clone (names of up to 23 bytes are stored in place) and are ordered as strings, byte by
//! byte, since every order that a person or a program can see in this library is the order of these strings.

use alloc::string::String;
use core::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

/// Why a text is not the name that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// A service id that is not `type:name`.
    #[error(
        "'{0}' is not a service id: expected 'type:name' with a lower-case type and a name without blanks, such as 'vm:100'"
    )]
    Service(String),
    /// A guest number that a built-in service type does not accept.
    #[error(
        "'{0}' is not a service id: a {1} is named by a number of two or more digits without leading zero, such as '{1}:100'"
    )]
    GuestNumber(String, &'static str),
    /// A name of a service type that the host registered, refused by the host's own check.
    #[error("'{sid}' is not a service id: {reason}")]
    RegisteredType {
        /// The text that was refused.
        sid: String,
        /// What the host's check says.
        reason: String,
    },
    /// A service type that is neither built in nor registered by the host.
    #[error("'{0}' names an unknown service type")]
    UnknownServiceType(String),
    /// A node name with a character or at a place where it is not allowed.
    #[error("'{0}' is not a node name: expected letters, digits and '-', with a letter or digit at both ends")]
    Node(String),
    /// An empty unique id.
    #[error("a unique id must not be empty")]
    Uid,
    /// A name that is longer than can be used everywhere. What a file holds already is read all the same.
    #[error("'{text}…' has {length} bytes: expected at most {longest}")]
    TooLong {
        /// How it begins.
        text: String,
        /// Its length in bytes.
        length: usize,
        /// The longest that is taken.
        longest: usize,
    },
    /// A rule or group id that is not a config id.
    #[error("'{0}' is not an id: expected a letter, then one or more letters, digits, '-' or '_'")]
    Config(String),
    /// A failure domain with a character or at a place where it is not allowed.
    #[error("'{0}' is not a failure domain: expected letters, digits, '-', '_' and '.', with a letter or digit first")]
    FailureDomain(String),
}

fn check_length(name: &str, longest: usize) -> Result<(), IdError> {
    const SHOWN: usize = 32;
    if name.len() <= longest {
        return Ok(());
    }
    Err(IdError::TooLong { text: name.chars().take(SHOWN).collect(), length: name.len(), longest })
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $longest:expr, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);

        impl $name {
            /// Checks `text` and makes the name from it.
            ///
            /// # Errors
            ///
            /// If `text` does not have the form that the type asks for.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                let check: fn(&str) -> Result<(), IdError> = $check;
                check(text)?;
                Ok(Self(SmolStr::new(text)))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// How many bytes a name may have that is new. Longer ones are read where they are already, since a service that
            /// was skipped would no longer be looked after.
            pub const LONGEST: usize = $longest;

            /// Whether the name is short enough to be a new one.
            ///
            /// # Errors
            ///
            /// [`IdError::TooLong`] if it is not.
            pub fn check_length(&self) -> Result<(), IdError> {
                check_length(self.as_str(), Self::LONGEST)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = SmolStr::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }
    };
}

name_type!(
    /// Names a service: `type:name`, such as `vm:100` or `ct:101`.
    ///
    /// This type holds for the form alone: a type of lower-case letters and digits that begins with a letter, and a
    /// name without blanks. Whether the type is known, and what names it takes, is [`ServiceTypes`]' business.
    ///
    /// ```
    /// use ha_core::id::ServiceId;
    ///
    /// let sid = ServiceId::new("vm:100")?;
    /// assert_eq!((sid.service_type(), sid.name()), ("vm", "100"));
    /// assert!(ServiceId::new("vm 100").is_err());
    /// # Ok::<(), ha_core::id::IdError>(())
    /// ```
    ServiceId,
    128,
    |text| {
        let error = || IdError::Service(text.into());
        let (kind, name) = split_service_id(text).ok_or_else(error)?;
        if is_service_type(kind) && is_service_name(name) { Ok(()) } else { Err(error()) }
    }
);

/// The parts before and after the first colon.
fn split_service_id(text: &str) -> Option<(&str, &str)> {
    // Bytes are several times as fast as `str::split_once` on texts of this length, and files hold thousands of them.
    let colon = text.bytes().position(|b| b == b':')?;
    Some((text.get(..colon)?, text.get(colon.checked_add(1)?..)?))
}

fn is_service_type(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn is_service_name(text: &str) -> bool {
    !text.is_empty()
        && (text.bytes().all(|b| b.is_ascii_graphic()) || !text.contains(|c: char| c.is_whitespace() || c.is_control()))
}

impl ServiceId {
    /// The part before the colon, such as `vm`.
    #[must_use]
    pub fn service_type(&self) -> &str {
        self.split().0
    }

    /// The part after the colon, such as `100`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.split().1
    }

    fn split(&self) -> (&str, &str) {
        split_service_id(self.as_str()).unwrap_or((self.as_str(), ""))
    }
}

name_type!(
    /// Names a cluster node: letters, digits and `-`, beginning and ending with a letter or a digit.
    NodeName,
    63,
    |text| {
        let bytes = text.as_bytes();
        let edges_ok = bytes.first().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.last().is_some_and(u8::is_ascii_alphanumeric);
        if edges_ok && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-') {
            Ok(())
        } else {
            Err(IdError::Node(text.into()))
        }
    }
);

name_type!(
    /// Names one request of the CRM to an LRM, so that its result is never taken for the answer to another one.
    ///
    /// Any text but the empty one.
    Uid,
    256,
    |text| if text.is_empty() { Err(IdError::Uid) } else { Ok(()) }
);

impl Uid {
    /// An id that was made here, of a text that is not empty.
    pub(crate) fn made(text: &str) -> Self {
        debug_assert!(!text.is_empty());
        Self(SmolStr::new(text))
    }
}

fn check_config_id(text: &str) -> Result<(), IdError> {
    let mut bytes = text.bytes();
    let first_ok = bytes.next().is_some_and(|b| b.is_ascii_alphabetic());
    let rest_ok = bytes.len() > 0 && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if first_ok && rest_ok { Ok(()) } else { Err(IdError::Config(text.into())) }
}

name_type!(
    /// Names a rule: a letter, then one or more letters, digits, `-` or `_`.
    ///
    /// Rules that completion derives from others have names that no configuration can hold; they begin with `_`.
    RuleId,
    128,
    check_config_id
);

impl RuleId {
    /// The name of a rule that is not in any configuration but derived from rules that are. It begins with `_`.
    pub(crate) fn derived(text: impl AsRef<str>) -> Self {
        debug_assert!(text.as_ref().starts_with('_'));
        Self(SmolStr::new(text))
    }

    /// The name of the rule that a group stands for: `ha-group-<group>`.
    #[must_use]
    pub fn of_group(group: &GroupId) -> Self {
        Self(smol_str::format_smolstr!("ha-group-{group}"))
    }
}

name_type!(
    /// Names a group: a letter, then one or more letters, digits, `-` or `_`.
    GroupId,
    128,
    check_config_id
);

name_type!(
    /// Names a target of notifications: a letter, then one or more letters, digits, `-` or `_`.
    TargetId,
    128,
    check_config_id
);

name_type!(
    /// Names what fails together, such as a rack or a site: letters, digits, `-`, `_` and `.`, beginning with a letter or a digit.
    FailureDomain,
    128,
    |text| {
        let begins_well = text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
        if begins_well && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
            Ok(())
        } else {
            Err(IdError::FailureDomain(text.into()))
        }
    }
);

/// A check of the name part of a service id: `Err` says what is expected.
pub type NameCheck = fn(&str) -> Result<(), String>;

/// The service types that are known, each with its check of names.
///
/// `vm` and `ct` are built in; a host registers more.
///
/// ```
/// use ha_core::id::ServiceTypes;
///
/// let mut types = ServiceTypes::default();
/// assert!(types.parse("vm:100").is_ok());
/// assert!(types.parse("vm:7").is_err(), "two digits at least");
/// assert!(types.parse("proc:web").is_err(), "not known yet");
/// types.register("proc", |name| {
///     if name.len() <= 32 { Ok(()) } else { Err("expected at most 32 characters".into()) }
/// });
/// assert!(types.parse("proc:web").is_ok());
/// ```
#[derive(Debug, Clone, Default)]
pub struct ServiceTypes {
    registered: alloc::collections::BTreeMap<String, NameCheck>,
}

/// The built-in types, whose names are guest numbers.
const GUEST_TYPES: [&str; 2] = ["ct", "vm"];

impl ServiceTypes {
    /// Adds a service type, or replaces its check. The built-in types keep theirs.
    pub fn register(&mut self, service_type: impl Into<String>, check: NameCheck) -> &mut Self {
        self.registered.insert(service_type.into(), check);
        self
    }

    /// Whether the type is built in or registered.
    #[must_use]
    pub fn knows(&self, service_type: &str) -> bool {
        guest_type(service_type).is_some() || self.registered.contains_key(service_type)
    }

    /// The names of all known types, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let mut names: alloc::vec::Vec<&str> =
            GUEST_TYPES.iter().copied().chain(self.registered.keys().map(String::as_str)).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter()
    }

    /// Reads a service id of a known type.
    ///
    /// # Errors
    ///
    /// If it has not the form `type:name`, the type is unknown, or its name check refuses the name.
    pub fn parse(&self, text: &str) -> Result<ServiceId, IdError> {
        let (service_type, name) = split_service_id(text).ok_or_else(|| IdError::Service(text.into()))?;
        self.check_parts(service_type, name, text)?;
        Ok(ServiceId(SmolStr::new(text)))
    }

    /// Makes a service id of a known type from its two parts, as a section's header has them.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`].
    pub fn join(&self, service_type: &str, name: &str) -> Result<ServiceId, IdError> {
        let mut text = smol_str::SmolStrBuilder::new();
        for part in [service_type, ":", name] {
            text.push_str(part);
        }
        let text = text.finish();
        self.check_parts(service_type, name, &text)?;
        Ok(ServiceId(text))
    }

    /// Checks that the type of `sid` is known and takes its name.
    ///
    /// # Errors
    ///
    /// If the type is unknown or its name check refuses the name.
    pub fn check(&self, sid: &ServiceId) -> Result<(), IdError> {
        let (service_type, name) = sid.split();
        self.check_parts(service_type, name, sid.as_str())
    }

    /// Checks the parts of the service id `sid`, its form included.
    fn check_parts(&self, service_type: &str, name: &str, sid: &str) -> Result<(), IdError> {
        let guest = guest_type(service_type);
        if guest.is_some() && is_guest_number(name) {
            return Ok(());
        }
        if !is_service_type(service_type) || !is_service_name(name) {
            return Err(IdError::Service(sid.into()));
        }
        match (guest, self.registered.get(service_type)) {
            (Some(guest), _) => Err(IdError::GuestNumber(sid.into(), guest)),
            (None, Some(check)) => check(name).map_err(|reason| IdError::RegisteredType { sid: sid.into(), reason }),
            (None, None) => Err(IdError::UnknownServiceType(sid.into())),
        }
    }
}

/// The built-in type of this name.
fn guest_type(service_type: &str) -> Option<&'static str> {
    match service_type {
        "ct" => Some("ct"),
        "vm" => Some("vm"),
        _ => None,
    }
}

fn is_guest_number(name: &str) -> bool {
    let digits = name.as_bytes();
    digits.len() >= 2 && digits.first() != Some(&b'0') && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_has_a_longest_length_and_an_old_one_is_read_all_the_same() {
        let sid = |bytes: usize| ServiceId::new(alloc::format!("proc:{}", "x".repeat(bytes - 5))).unwrap();
        assert_eq!(sid(128).check_length(), Ok(()));
        let error = sid(129).check_length().unwrap_err();
        assert!(matches!(&error, IdError::TooLong { length: 129, longest: 128, .. }), "{error}");
        assert!(NodeName::new("n".repeat(63)).unwrap().check_length().is_ok());
        assert!(NodeName::new("n".repeat(64)).unwrap().check_length().is_err());
    }

    #[test]
    fn service_ids_need_a_type_and_a_name_without_blanks() {
        for good in ["vm:100", "ct:101", "fa:120001", "proc:web.frontend", "x2:a:b"] {
            assert!(ServiceId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "vm", "vm:", ":100", "VM:100", "vm:1 0", "vm:1\t0", "v-m:100", "2x:1"] {
            assert!(ServiceId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn guest_numbers_have_two_digits_and_no_leading_zero() {
        let types = ServiceTypes::default();
        for bad in ["vm:1", "vm:01", "ct:0100", "vm:abc", "vm:1x"] {
            assert!(matches!(types.parse(bad), Err(IdError::GuestNumber(..))), "{bad}");
        }
        assert!(types.parse("ct:10").is_ok());
        assert!(matches!(types.parse("xx:10"), Err(IdError::UnknownServiceType(_))));
    }

    #[test]
    fn node_names_begin_and_end_with_a_letter_or_digit() {
        for good in ["a", "node1", "host-111", "1-2"] {
            assert!(NodeName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a_b", "a.b", "ä"] {
            assert!(NodeName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn config_ids_begin_with_a_letter_and_have_two_characters() {
        for good in ["ab", "a1", "My-Rule_2"] {
            assert!(RuleId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "1a", "_a", "a b", "a:b"] {
            assert!(GroupId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_registered_types_are_checked_in_form_and_by_their_check() {
        let mut types = ServiceTypes::default();
        types.register("app", |name| if name == "no" { Err("not this one".into()) } else { Ok(()) });
        for good in ["app:web", "app:naïve", "app:a/b"] {
            let sid = types.parse(good).unwrap();
            assert_eq!(types.check(&sid), Ok(()), "{good}");
        }
        for bad in ["app:a b", "app:a\u{a0}b", "app:a\tb", "app:", "App:web"] {
            assert_eq!(types.parse(bad), Err(IdError::Service(bad.into())), "{bad}");
        }
        assert!(matches!(types.parse("app:no"), Err(IdError::RegisteredType { .. })));
        let unknown = ServiceId::new("other:web").unwrap();
        assert!(matches!(types.check(&unknown), Err(IdError::UnknownServiceType(_))));
    }

    #[test]
    fn ids_are_ordered_as_strings() {
        let mut sids = ["vm:20", "vm:100", "ct:300", "vm:3"].map(|s| ServiceId::new(s).unwrap());
        sids.sort();
        assert_eq!(sids.map(|s| String::from(s.as_str())), ["ct:300", "vm:100", "vm:20", "vm:3"]);
    }
}
