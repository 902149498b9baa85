//! `ha token` and `ha user`.

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use ha_core::status::UtcTime;
use ha_host::{os::clock, store::SharedStore};
use ha_web::access::{Access, AccessError, PasswordHash, Role, Secret, Token, TokenHash, TokenName, User, UserName};
use serde_json::{Value, json};

use super::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum TokenVerb {
    /// Make a token. Its secret is printed, once, alone on a line.
    Add {
        /// Its name: 'USER@REALM!ID'.
        token: TokenName,
        /// What it may: 'audit', 'operate' or 'admin'; never more than its user, if there is such a user.
        #[arg(long)]
        role: Role,
        /// What people should know.
        #[arg(long, default_value = "")]
        comment: String,
        /// For how many seconds it is good; for ever if this is not said.
        #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
        expires: Option<u32>,
    },
    /// List the tokens, without secrets.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove a token. It is good no more at once.
    Remove {
        /// Its name.
        token: TokenName,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum UserVerb {
    /// Make a user, who logs in by password.
    Add {
        /// The name: 'USER@REALM'.
        user: UserName,
        /// What the user may: 'audit', 'operate' or 'admin'.
        #[arg(long)]
        role: Role,
        /// The file with the password, or '-' for the standard input. Its last end of line is no part of it.
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
        /// What people should know.
        #[arg(long, default_value = "")]
        comment: String,
    },
    /// List the users.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Change a user. Another password ends all logins.
    Set {
        /// The name.
        user: UserName,
        /// What the user may.
        #[arg(long)]
        role: Option<Role>,
        /// The file with the password, or '-' for the standard input.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// What people should know.
        #[arg(long)]
        comment: Option<String>,
    },
    /// Remove a user, and the user's tokens. They are good no more at once.
    Remove {
        /// The name.
        user: UserName,
    },
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        Self::failed(error)
    }
}

fn edit(store: &dyn SharedStore, edit: impl FnMut(&mut Access) -> Result<(), String>) -> Result<(), Failure> {
    Access::edit(store, edit)?.map_err(Failure::Failed)
}

fn say(line: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout(), "{line}").map_err(Failure::failed)
}

fn say_json(value: &Value) -> Result<(), Failure> {
    say(&serde_json::to_string_pretty(value).map_err(Failure::failed)?)
}

pub(super) fn token(store: &dyn SharedStore, verb: &TokenVerb) -> Result<(), Failure> {
    match verb {
        TokenVerb::Add { token, role, comment, expires } => {
            let secret = Secret::new().map_err(Failure::failed)?;
            let now = clock::wall();
            let expires = expires.map(|seconds| now.saturating_add(i64::from(seconds)));
            edit(store, |access| {
                if access.tokens.contains_key(token) {
                    return Err(format!("token '{token}' exists already: remove it first, or choose another name"));
                }
                let made = Token::new(*role, TokenHash::of(secret.as_str()), now, expires, comment.clone());
                access.tokens.insert(token.clone(), made);
                Ok(())
            })?;
            say(secret.as_str())
        }
        TokenVerb::List { json } => list_tokens(&Access::read(store)?, *json),
        TokenVerb::Remove { token } => edit(store, |access| {
            access.tokens.remove(token).map(drop).ok_or_else(|| format!("there is no token '{token}'"))
        }),
    }
}

fn list_tokens(access: &Access, as_json: bool) -> Result<(), Failure> {
    let now = clock::wall();
    if as_json {
        let object = |(name, token): (&TokenName, &Token)| {
            json!({
                "token": name,
                "role": token.role,
                "comment": token.comment,
                "made": token.made,
                "expires": token.expires,
                "expired": token.has_expired(now),
            })
        };
        return say_json(&access.tokens.iter().map(object).collect());
    }
    for (name, token) in &access.tokens {
        let expires = match token.expires {
            Some(_) if token.has_expired(now) => "expired".to_owned(),
            Some(time) => format!("until {}", UtcTime(time)),
            None => "for ever".to_owned(),
        };
        say(format!("{name}\t{}\t{expires}\t{}", token.role, token.comment).trim_end())?;
    }
    Ok(())
}

pub(super) fn user(store: &dyn SharedStore, verb: &UserVerb) -> Result<(), Failure> {
    match verb {
        UserVerb::Add { user, role, password_file, comment } => {
            let password = password(password_file)?;
            edit(store, |access| {
                if access.users.contains_key(user) {
                    return Err(format!("user '{user}' exists already: change it with 'ha user set {user}'"));
                }
                access.users.insert(user.clone(), User::new(*role, password.clone(), comment.clone()));
                Ok(())
            })?;
            say(&format!("added: user {user}, who may {role}"))
        }
        UserVerb::List { json } => list_users(&Access::read(store)?, *json),
        UserVerb::Set { user, role, password_file, comment } => {
            if role.is_none() && password_file.is_none() && comment.is_none() {
                return Err(Failure::Usage("nothing to change: give --role, --password-file or --comment".into()));
            }
            let password = password_file.as_deref().map(password).transpose()?;
            edit(store, |access| {
                let found = access.users.get_mut(user).ok_or_else(|| format!("there is no user '{user}'"))?;
                found.role = role.unwrap_or(found.role);
                found.password = password.clone().unwrap_or_else(|| found.password.clone());
                found.comment = comment.clone().unwrap_or_else(|| found.comment.clone());
                Ok(())
            })?;
            say(&format!("changed: user {user}"))
        }
        UserVerb::Remove { user } => remove_user(store, user),
    }
}

/// Without their user, tokens could do more than before: they go too.
fn remove_user(store: &dyn SharedStore, user: &UserName) -> Result<(), Failure> {
    let mut tokens = Vec::new();
    edit(store, |access| {
        access.users.remove(user).ok_or_else(|| format!("there is no user '{user}'"))?;
        let is_of_user = |name: &&TokenName| name.as_str().split('!').next() == Some(user.as_str());
        tokens = access.tokens.keys().filter(is_of_user).cloned().collect();
        tokens.iter().for_each(|token| drop(access.tokens.remove(token)));
        Ok(())
    })?;
    say(&format!("removed: user {user}"))?;
    tokens.iter().try_for_each(|token| say(&format!("removed: token {token}")))
}

fn list_users(access: &Access, as_json: bool) -> Result<(), Failure> {
    if as_json {
        let object =
            |(name, user): (&UserName, &User)| json!({"user": name, "role": user.role, "comment": user.comment});
        return say_json(&access.users.iter().map(object).collect());
    }
    let line = |(name, user): (&UserName, &User)| format!("{name}\t{}\t{}", user.role, user.comment);
    access.users.iter().map(line).try_for_each(|line| say(line.trim_end()))
}

/// What is kept of the password in a file.
fn password(path: &Path) -> Result<PasswordHash, Failure> {
    let mut text = String::new();
    let read = match path.to_str() {
        Some("-") => std::io::stdin().read_to_string(&mut text).map(drop),
        _ => fs::read_to_string(path).map(|content| text = content),
    };
    read.map_err(|error| Failure::Failed(format!("cannot read {}: {error}", path.display())))?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err(Failure::Usage("the password is empty".into()));
    }
    PasswordHash::of(password).map_err(Failure::failed)
}
