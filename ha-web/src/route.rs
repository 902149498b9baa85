//! A call: what a path means, who may ask, and which parameters it takes.

use crate::{
    access::Privilege,
    call::Call,
    wire::{Answer, Fault, Parameter, Part},
};

/// What must be known about the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// Who it is.
    Somebody,
    /// That it has a privilege. A call may ask for more, by what is sent.
    Privilege(Privilege),
}

/// How a call is answered.
#[derive(Debug, Clone, Copy)]
pub enum Handler {
    /// By what the store says, or by an edit of it.
    Call(fn(&Call<'_>) -> Result<Answer, Fault>),
    /// By the server itself, which gives a ticket.
    Login,
    /// By the server itself: who somebody is, with a ticket that is good for longer.
    Session,
    /// By the server itself: the ticket in a cookie is taken away.
    Logout,
    /// By the server itself: whether it lives.
    Alive,
    /// By the server itself: the description of all calls.
    Description,
    /// By the server itself: figures, in one of two forms.
    Metrics,
    /// By the server itself: what happens, as it happens.
    Events,
}

/// A call.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The method: GET, POST, PUT, PATCH or DELETE.
    pub method: &'static str,
    /// The path, with its variable parts in braces.
    pub path: &'static str,
    /// What must be known about the caller.
    pub need: Need,
    /// The parameters that it takes.
    pub takes: &'static [Parameter],
    /// What it is for, in a few words.
    pub about: &'static str,
    /// How it is answered.
    pub handler: Handler,
    /// Whether it changes something.
    pub changes: bool,
}

/// Where the compatible part begins.
pub const COMPATIBLE: &str = "/api2/json";

impl Route {
    const fn new(method: &'static str, path: &'static str, need: Need, handler: Handler) -> Self {
        let changes = !matches!(method.as_bytes(), b"GET");
        Self { method, path, need, takes: &[], about: "", handler, changes }
    }

    /// A question.
    #[must_use]
    pub const fn get(path: &'static str, privilege: Privilege, call: fn(&Call<'_>) -> Result<Answer, Fault>) -> Self {
        Self::new("GET", path, Need::Privilege(privilege), Handler::Call(call))
    }

    /// Something to be added or done.
    #[must_use]
    pub const fn post(path: &'static str, privilege: Privilege, call: fn(&Call<'_>) -> Result<Answer, Fault>) -> Self {
        Self::new("POST", path, Need::Privilege(privilege), Handler::Call(call))
    }

    /// A change.
    #[must_use]
    pub const fn put(path: &'static str, privilege: Privilege, call: fn(&Call<'_>) -> Result<Answer, Fault>) -> Self {
        Self::new("PUT", path, Need::Privilege(privilege), Handler::Call(call))
    }

    /// A change of a part.
    #[must_use]
    pub const fn patch(path: &'static str, privilege: Privilege, call: fn(&Call<'_>) -> Result<Answer, Fault>) -> Self {
        Self::new("PATCH", path, Need::Privilege(privilege), Handler::Call(call))
    }

    /// A removal.
    #[must_use]
    pub const fn delete(
        path: &'static str,
        privilege: Privilege,
        call: fn(&Call<'_>) -> Result<Answer, Fault>,
    ) -> Self {
        Self::new("DELETE", path, Need::Privilege(privilege), Handler::Call(call))
    }

    /// What the server itself answers.
    #[must_use]
    pub const fn of_server(method: &'static str, path: &'static str, need: Need, handler: Handler) -> Self {
        Self::new(method, path, need, handler)
    }

    /// With these parameters.
    #[must_use]
    pub const fn takes(self, takes: &'static [Parameter]) -> Self {
        Self { takes, ..self }
    }

    /// With these words about it.
    #[must_use]
    pub const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// For everybody who is known, whatever they may.
    #[must_use]
    pub const fn for_somebody(self) -> Self {
        Self { need: Need::Somebody, ..self }
    }

    /// For everybody.
    #[must_use]
    pub const fn for_everybody(self) -> Self {
        Self { need: Need::Nothing, ..self }
    }

    /// A question, though what is asked is sent in a body.
    #[must_use]
    pub const fn changes_nothing(self) -> Self {
        Self { changes: false, ..self }
    }

    /// In which form it answers.
    #[must_use]
    pub fn part(&self) -> Part {
        part_of(self.path)
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_question(&self) -> bool {
        !self.changes
    }

    /// The values of the variable parts if a path is one of this call.
    pub(crate) fn matches<'a>(&self, parts: &'a [String]) -> Option<Vec<&'a str>> {
        let mut variables = Vec::new();
        let mut own = self.path.split('/').skip(1);
        for part in parts {
            let expected = own.next()?;
            if expected.starts_with('{') {
                variables.push(part.as_str());
            } else if expected != part {
                return None;
            }
        }
        own.next().is_none().then_some(variables)
    }
}

/// In which form answers to a path are given.
#[must_use]
pub fn part_of(path: &str) -> Part {
    let rest = path.strip_prefix(COMPATIBLE);
    if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) { Part::Compatible } else { Part::Own }
}
