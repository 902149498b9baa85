//! Names of users and tokens.

use std::{borrow::Borrow, fmt};

use serde::{Deserialize, Serialize};

/// A text that is no name of a user or a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{found}' is no {what}")]
pub struct BadName {
    found: String,
    what: &'static str,
}

fn is_word(text: &str) -> bool {
    /// No client sends longer ones.
    const LONGEST: usize = 64;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(is_plain)
}

fn is_user(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, realm)| is_word(name) && is_word(realm))
}

macro_rules! name {
    ($(#[$about:meta])* $type:ident, $what:literal, $is:expr) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(String);

        impl $type {
            /// Checks a text.
            ///
            /// # Errors
            ///
            /// If it is not such a name.
            pub fn new(text: &str) -> Result<Self, BadName> {
                let is: fn(&str) -> bool = $is;
                if is(text) { Ok(Self(text.into())) } else { Err(BadName { found: text.into(), what: $what }) }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $type {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, BadName> {
                Self::new(text)
            }
        }
    };
}

name!(
    /// Names a user: `USER@REALM`, both of letters, digits, `.`, `_` and `-`, with at most 64 characters. Here a realm is no
    /// more than a part of the name.
    UserName,
    "name of a user: expected USER@REALM, of letters, digits, '.', '_' and '-'",
    is_user
);

name!(
    /// Names a token: `USER@REALM!ID`.
    TokenName,
    "name of a token: expected USER@REALM!ID, of letters, digits, '.', '_' and '-'",
    |text| text.split_once('!').is_some_and(|(user, id)| is_user(user) && is_word(id))
);
