//! Who may do what: users with passwords, tokens, and the tickets that a login gives.
//!
//! All of it is one document in the store, beside the configuration: [`Access`]. It holds no secret but the key that signs
//! tickets; of tokens and passwords it has hashes. It is read for each request, so that what is taken from somebody is gone at once.

mod names;
mod role;
mod secret;
mod throttle;
mod ticket;

pub use names::{BadName, TokenName, UserName};
pub use role::{Caller, Means, PRIVILEGES, Privilege, Role};
pub use secret::{PasswordHash, Secret, TokenHash, random_bytes};
pub use throttle::Throttle;
pub use ticket::{Login, TICKET_LIFE_S};

use std::collections::BTreeMap;

use ha_core::status::Timestamp;
use ha_host::store::{SharedStore, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Users and tokens. Fields of a later version are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Access {
    /// The key from which those that sign tickets are derived; made with the first user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<ticket::Key>,
    /// Users who log in by password.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub users: BTreeMap<UserName, User>,
    /// Tokens.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tokens: BTreeMap<TokenName, Token>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// A user who logs in by password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// What the user may.
    pub role: Role,
    /// The password's hash.
    pub password: PasswordHash,
    /// What people should know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl User {
    /// A user.
    #[must_use]
    pub fn new(role: Role, password: PasswordHash, comment: String) -> Self {
        Self { role, password, comment, unknown: Map::new() }
    }
}

/// A token, by which a program is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// What it may; never more than its user, if there is such a user.
    pub role: Role,
    /// The secret's hash.
    pub hash: TokenHash,
    /// Until when it is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Timestamp>,
    /// What people should know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Token {
    /// A token.
    #[must_use]
    pub fn new(role: Role, hash: TokenHash, made: Timestamp, expires: Option<Timestamp>, comment: String) -> Self {
        Self { role, hash, expires, made: Some(made), comment, unknown: Map::new() }
    }

    /// Whether it is no longer good.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| now >= expires)
    }
}

/// Why users and tokens can't be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored can't be understood.
    #[error(
        "the users and tokens in the store cannot be read: {0}. Remove 'access.json' from the store to begin again with none"
    )]
    Unreadable(serde_json::Error),
    /// There is no source of random numbers.
    #[error("there are no random numbers: {0}")]
    Random(std::io::Error),
}

impl Access {
    /// Reads it; empty if nobody was ever let in.
    ///
    /// # Errors
    ///
    /// If the store fails, or what is there can't be understood.
    pub fn read(store: &dyn SharedStore) -> Result<Self, AccessError> {
        Self::understood(store.access()?.as_deref())
    }

    fn understood(content: Option<&[u8]>) -> Result<Self, AccessError> {
        content
            .map_or_else(|| Ok(Self::default()), |text| serde_json::from_slice(text).map_err(AccessError::Unreadable))
    }

    /// Edits it: `edit` changes it, or refuses with its own error, and then nothing is changed.
    ///
    /// # Errors
    ///
    /// The outer error is that of reading or writing it.
    pub fn edit<E>(
        store: &dyn SharedStore,
        mut edit: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<Result<(), E>, AccessError> {
        let mut outcome = Ok(Ok(()));
        store.edit_access(&mut |content| {
            let (answer, written) = match Self::edited(content, &mut edit) {
                Ok((answer, written)) => (Ok(answer), written),
                Err(error) => (Err(error), None),
            };
            outcome = answer;
            written
        })?;
        outcome
    }

    #[expect(clippy::type_complexity, reason = "an answer, and what must be written")]
    fn edited<E>(
        content: Option<&[u8]>,
        edit: &mut impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(Result<(), E>, Option<Vec<u8>>), AccessError> {
        let before = Self::understood(content)?;
        let mut after = before.clone();
        if after.key.is_none() {
            after.key = Some(ticket::Key::new().map_err(AccessError::Random)?);
        }
        match edit(&mut after) {
            Err(refusal) => Ok((Err(refusal), None)),
            Ok(()) if after == before => Ok((Ok(()), None)),
            Ok(()) => {
                let mut text = serde_json::to_vec_pretty(&after).map_err(AccessError::Unreadable)?;
                text.push(b'\n');
                Ok((Ok(()), Some(text)))
            }
        }
    }

    /// Who a token is, if its secret is right and it is still good.
    #[must_use]
    pub fn by_token(&self, name: &str, secret: &str, now: Timestamp) -> Option<Caller> {
        let found = self.tokens.get(name);
        // An unknown token takes as long as a wrong secret.
        let is_right = TokenHash::of(secret).matches(found.map(|token| &token.hash));
        let token = found.filter(|token| is_right && !token.has_expired(now))?;
        let user = name.split('!').next().unwrap_or_default();
        let most = self.users.get(user).map_or(Role::Admin, |user| user.role);
        Some(Caller { name: name.to_owned(), role: token.role.min(most), means: Means::Token })
    }

    /// Who a user is, if the password is right. It takes as long if there is no such user.
    #[must_use]
    pub fn by_password(&self, user: &str, password: &str) -> Option<Caller> {
        let found = self.users.get(user);
        let is_right = PasswordHash::check(found.map(|user| &user.password), password);
        let found = found.filter(|_| is_right)?;
        Some(Caller { name: user.to_owned(), role: found.role, means: Means::Ticket })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = 1_800_000_000;

    fn with_token(role: Role, expires: Option<Timestamp>) -> (Access, Secret) {
        let secret = Secret::new().unwrap();
        let mut access = Access::default();
        let token = Token::new(role, TokenHash::of(secret.as_str()), NOW, expires, String::new());
        access.tokens.insert(TokenName::new("ci@pam!t").unwrap(), token);
        (access, secret)
    }

    #[test]
    fn a_token_is_good_by_its_secret_and_until_it_expires() {
        let (access, secret) = with_token(Role::Operate, Some(NOW + 60));
        let role = |secret: &str, now| access.by_token("ci@pam!t", secret, now).map(|caller| caller.role);
        assert_eq!(role(secret.as_str(), NOW), Some(Role::Operate));
        assert_eq!(role(secret.as_str(), NOW + 60), None);
        assert_eq!(role("00000000-0000-4000-8000-000000000000", NOW), None);
        assert_eq!(access.by_token("ci@pam!other", secret.as_str(), NOW), None);
        assert!(!serde_json::to_string(&access).unwrap().contains(secret.as_str()));
    }

    #[test]
    fn a_token_has_no_more_than_its_user() {
        let (mut access, secret) = with_token(Role::Admin, None);
        let password = PasswordHash::of("a password").unwrap();
        access.users.insert(UserName::new("ci@pam").unwrap(), User::new(Role::Audit, password, String::new()));
        assert_eq!(access.by_token("ci@pam!t", secret.as_str(), NOW).unwrap().role, Role::Audit);
        assert_eq!(access.by_password("ci@pam", "a password").unwrap().role, Role::Audit);
        assert_eq!(access.by_password("ci@pam", "another"), None);
        assert_eq!(access.by_password("nobody@pam", "a password"), None);
    }

    #[test]
    fn what_a_later_version_wrote_is_kept() {
        let text = br#"{"groups": {"a": 1}, "users": {"a@pam": {"role": "audit", "password": "x", "email": "a@b"}}}"#;
        let access = Access::understood(Some(text)).unwrap();
        let again = serde_json::to_value(&access).unwrap();
        assert_eq!(again, serde_json::from_slice::<Value>(text).unwrap());
    }
}
