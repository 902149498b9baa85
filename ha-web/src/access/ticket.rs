//! Tickets: what a login gives, and what every server of the cluster accepts for two hours.

use std::{fmt, io};

use ha_core::status::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Access, Caller, Means, User, random_bytes};

/// For how many seconds a ticket is good.
pub const TICKET_LIFE_S: i64 = 2 * 3600;

/// How far the clocks of two servers may be apart, in seconds.
const CLOCKS_APART_S: i64 = 300;

/// What the keys that sign are derived from.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Key(String);

impl Key {
    pub(super) fn new() -> io::Result<Self> {
        let bytes: [u8; 32] = random_bytes()?;
        Ok(Self(blake3::Hash::from_bytes(bytes).to_hex().to_string()))
    }

    /// Signs a text for one purpose.
    fn sign(&self, context: &str, parts: &[&[u8]]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&blake3::derive_key(context, self.0.as_bytes()));
        for part in parts {
            // No part runs into the next one.
            hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

const TICKET: &str = "ha-web 2026-11 ticket";
const CSRF: &str = "ha-web 2026-11 CSRF prevention token";

/// What a login gives.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// `PVE:USER@REALM:HEXTIME::SIGNATURE`.
    pub ticket: String,
    /// What must go with each change.
    pub csrf_token: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(hidden)")
    }
}

impl Access {
    /// A new ticket for a user; none if there is no such user.
    #[must_use]
    pub fn login(&self, user: &str, now: Timestamp) -> Option<Login> {
        let (key, found) = (self.key.as_ref()?, self.users.get(user)?);
        let time = format!("{now:08X}");
        let ticket = format!("PVE:{user}:{time}::{}", ticket_signature(key, user, found, &time).to_hex());
        let csrf_token = format!("{time}:{}", csrf_signature(key, user, found, &time).to_hex());
        Some(Login { ticket, csrf_token })
    }

    /// Whose ticket it is, if it is good.
    #[must_use]
    pub fn by_ticket(&self, ticket: &str, now: Timestamp) -> Option<Caller> {
        let (plain, signature) = ticket.strip_prefix("PVE:")?.rsplit_once("::")?;
        let (user, time) = plain.rsplit_once(':')?;
        let (key, found) = (self.key.as_ref()?, self.users.get(user)?);
        let sent = blake3::Hash::from_hex(signature).ok()?;
        let is_good = sent == ticket_signature(key, user, found, time) && is_young(time, now);
        is_good.then(|| Caller { name: user.to_owned(), role: found.role, means: Means::Ticket })
    }

    /// Whether a CSRF token is one of this user's.
    #[must_use]
    pub fn is_csrf_token(&self, user: &str, token: &str, now: Timestamp) -> bool {
        let is = || {
            let (time, signature) = token.split_once(':')?;
            let (key, found) = (self.key.as_ref()?, self.users.get(user)?);
            let sent = blake3::Hash::from_hex(signature).ok()?;
            Some(sent == csrf_signature(key, user, found, time) && is_young(time, now))
        };
        is().unwrap_or(false)
    }
}

fn ticket_signature(key: &Key, user: &str, found: &User, time: &str) -> blake3::Hash {
    key.sign(TICKET, &[user.as_bytes(), time.as_bytes(), found.password.as_bytes()])
}

fn csrf_signature(key: &Key, user: &str, found: &User, time: &str) -> blake3::Hash {
    key.sign(CSRF, &[user.as_bytes(), time.as_bytes(), found.password.as_bytes()])
}

fn is_young(time: &str, now: Timestamp) -> bool {
    let Ok(made) = i64::from_str_radix(time, 16) else { return false };
    let age = now.saturating_sub(made);
    (-CLOCKS_APART_S..TICKET_LIFE_S).contains(&age)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{PasswordHash, Role, UserName},
        *,
    };

    const NOW: Timestamp = 1_800_000_000;

    fn access() -> Access {
        let mut access = Access { key: Some(Key::new().unwrap()), ..Access::default() };
        for user in ["a@pam", "b@pam"] {
            let user_name = UserName::new(user).unwrap();
            access.users.insert(user_name, User::new(Role::Operate, PasswordHash::of(user).unwrap(), String::new()));
        }
        access
    }

    #[test]
    fn a_ticket_is_good_for_two_hours_and_for_its_user_alone() {
        let access = access();
        let login = access.login("a@pam", NOW).unwrap();
        assert!(login.ticket.starts_with("PVE:a@pam:6B49D200::"), "{}", login.ticket);
        let caller = access.by_ticket(&login.ticket, NOW + TICKET_LIFE_S - 1).unwrap();
        assert_eq!((caller.name.as_str(), caller.role), ("a@pam", Role::Operate));
        assert_eq!(access.by_ticket(&login.ticket, NOW + TICKET_LIFE_S), None);
        assert_eq!(access.by_ticket(&login.ticket.replace("a@pam", "b@pam"), NOW), None);
        assert_eq!(access.by_ticket(&login.ticket.replace("6B49D200", "6B49D201"), NOW), None, "no longer life");
        assert!(access.is_csrf_token("a@pam", &login.csrf_token, NOW));
        assert!(!access.is_csrf_token("b@pam", &login.csrf_token, NOW));
        assert!(!access.is_csrf_token("a@pam", login.ticket.split("::").last().unwrap(), NOW));
        assert!(!access.is_csrf_token("a@pam", "", NOW));
        for bad in ["", "PVE:", "PVE:a@pam:6B49D200::", "PVE:a@pam:6B49D200::00", "PVE::::"] {
            assert_eq!(access.by_ticket(bad, NOW), None, "{bad}");
        }
    }

    #[test]
    fn another_password_or_no_user_ends_tickets() {
        let mut access = access();
        let login = access.login("a@pam", NOW).unwrap();
        access.users.get_mut("a@pam").unwrap().password = PasswordHash::of("another").unwrap();
        assert_eq!(access.by_ticket(&login.ticket, NOW), None);
        let login = access.login("a@pam", NOW).unwrap();
        access.users.remove("a@pam");
        assert_eq!(access.by_ticket(&login.ticket, NOW), None);
    }
}
