//! Secrets, and what is kept of them.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
};

use argon2::{
    Algorithm, Argon2, Params, PasswordVerifier, Version,
    password_hash::{PasswordHasher, SaltString},
};
use serde::{Deserialize, Serialize};

/// Random bytes of the operating system.
///
/// # Errors
///
/// If there are none.
pub fn random_bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes))?;
    Ok(bytes)
}

/// The secret of a token: a random UUID. It is shown once.
pub struct Secret(String);

impl Secret {
    /// A new one.
    ///
    /// # Errors
    ///
    /// If there are no random numbers.
    pub fn new() -> io::Result<Self> {
        let [a, b, c, d, e, f, version, g, variant, rest @ ..] = random_bytes::<16>()?;
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let version = (version & 0x0f) | 0x40;
        let variant = (variant & 0x3f) | 0x80;
        let [after, node @ ..] = rest;
        let parts = [hex(&[a, b, c, d]), hex(&[e, f]), hex(&[version, g]), hex(&[variant, after]), hex(&node)];
        Ok(Self(parts.join("-")))
    }

    /// The text, to be shown to its owner.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// What is kept of a token's secret. It has 122 random bits, so that a fast hash is as good as a slow one.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenHash(String);

impl TokenHash {
    const CONTEXT: &'static str = "ha-web 2026-11 token secret";

    /// The hash of a secret.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        let hash = blake3::Hash::from_bytes(blake3::derive_key(Self::CONTEXT, secret.as_bytes()));
        Self(hash.to_hex().to_string())
    }

    /// Whether it is the same. The check takes the same time whatever is different.
    #[must_use]
    pub fn matches(&self, kept: Option<&Self>) -> bool {
        let hash = |hash: &Self| blake3::Hash::from_hex(&hash.0).ok();
        match (hash(self), kept.and_then(hash)) {
            // Comparing hashes takes a constant time.
            (Some(sent), Some(kept)) => sent == kept,
            (Some(_) | None, _) => false,
        }
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(hidden)")
    }
}

/// What is kept of a password: Argon2id, in the form that says its own parameters.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Kibibytes of memory that a check takes.
    const MEMORY_KIB: u32 = 19 * 1024;
    const PASSES: u32 = 2;

    fn hasher() -> Argon2<'static> {
        let params = Params::new(Self::MEMORY_KIB, Self::PASSES, 1, None).unwrap_or_default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
    }

    /// The hash of a password, with a salt of its own.
    ///
    /// # Errors
    ///
    /// If there are no random numbers.
    pub fn of(password: &str) -> io::Result<Self> {
        let salt = SaltString::encode_b64(&random_bytes::<16>()?).map_err(io::Error::other)?;
        let hash = Self::hasher().hash_password(password.as_bytes(), &salt).map_err(io::Error::other)?;
        Ok(Self(hash.to_string()))
    }

    /// Whether a password is the one that is kept. The check takes as long where none is kept.
    #[must_use]
    pub fn check(kept: Option<&Self>, password: &str) -> bool {
        let parsed = kept.and_then(|kept| argon2::PasswordHash::new(&kept.0).ok());
        match parsed {
            Some(hash) => Self::hasher().verify_password(password.as_bytes(), &hash).is_ok(),
            None => {
                let mut out = [0; 32];
                let _ = Self::hasher().hash_password_into(password.as_bytes(), b"nobody has this salt", &mut out);
                false
            }
        }
    }

    /// What a signature includes, so that another password ends what was signed before.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_the_form_of_a_random_uuid() {
        let (one, other) = (Secret::new().unwrap(), Secret::new().unwrap());
        assert_ne!(one.as_str(), other.as_str());
        let lengths: Vec<usize> = one.as_str().split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(one.as_str().as_bytes()[14], b'4');
        assert!(b"89ab".contains(&one.as_str().as_bytes()[19]));
        assert!(!format!("{one:?}").contains(one.as_str()));
    }

    #[test]
    fn a_password_is_kept_by_argon2id_with_19_mib() {
        let hash = PasswordHash::of("secret").unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        assert!(PasswordHash::check(Some(&hash), "secret"));
        assert!(!PasswordHash::check(Some(&hash), "Secret"));
        assert!(!PasswordHash::check(None, "secret"));
    }
}
