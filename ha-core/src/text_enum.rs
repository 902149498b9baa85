//! The text forms of enums: one word each, the same in files, in JSON and for people.

use alloc::string::String;
use core::fmt;

/// A text that is none of the words that an enum has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{found}' is not {what}: expected {}", Words(expected))]
pub struct UnknownWord {
    /// The text.
    pub found: String,
    /// What it should have been, with its article: `a shutdown policy`.
    pub what: &'static str,
    /// The words that there are.
    pub expected: &'static [&'static str],
}

/// Shows words as `'a', 'b' or 'c'`.
pub(crate) struct Words<'a>(pub(crate) &'a [&'a str]);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.0.len().saturating_sub(1);
        for (index, word) in self.0.iter().enumerate() {
            let separator = match index {
                0 => "",
                index if index == last => " or ",
                _ => ", ",
            };
            write!(f, "{separator}'{word}'")?;
        }
        Ok(())
    }
}

/// Gives an enum without data its words: `ALL`, `WORDS`, `as_str`, `Display`, `FromStr`, and serde as a string.
///
/// The first word of a variant is the one that is written; further ones are only read.
///
/// ```text
/// text_enum! {
///     RequestedState: "a requested state",
///     Started = "started" | "enabled",
///     Stopped = "stopped",
/// }
/// ```
macro_rules! text_enum {
    ($name:ident: $what:literal, $($variant:ident = $word:literal $(| $alias:literal)*),+ $(,)?) => {
        impl $name {
            /// All values, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The words of all values, in the order of [`Self::ALL`].
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word for this value.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = $crate::text_enum::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word $(| $alias)* => Ok(Self::$variant),)+
                    _ => Err($crate::text_enum::UnknownWord {
                        found: text.into(),
                        what: $what,
                        expected: Self::WORDS,
                    }),
                }
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <::smol_str::SmolStr as ::serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(::serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use text_enum;

#[cfg(test)]
mod tests {
    use crate::config::{RequestedState, datacenter::ShutdownPolicy};
    use std::string::ToString;

    #[test]
    fn every_word_reads_as_the_value_that_writes_it() {
        for (value, word) in ShutdownPolicy::ALL.iter().zip(ShutdownPolicy::WORDS) {
            assert_eq!(value.as_str(), *word);
            assert_eq!(word.parse::<ShutdownPolicy>().as_ref(), Ok(value));
            let json = serde_json::to_string(value).unwrap();
            assert_eq!(json, std::format!("\"{word}\""));
            assert_eq!(&serde_json::from_str::<ShutdownPolicy>(&json).unwrap(), value);
        }
    }

    #[test]
    fn an_alias_is_read_and_not_written() {
        assert_eq!("enabled".parse(), Ok(RequestedState::Started));
        assert_eq!(RequestedState::Started.to_string(), "started");
    }

    #[test]
    fn an_unknown_word_names_the_known_ones() {
        let error = "Frozen".parse::<ShutdownPolicy>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "'Frozen' is not a shutdown policy: expected 'conditional', 'freeze', 'failover' or 'migrate'"
        );
    }
}
