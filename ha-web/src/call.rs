//! A call as its handler sees it.

use std::{
    cell::OnceCell,
    sync::{Arc, Mutex},
};

use ha_core::{
    config::{Changes, ConfigFiles, EditError, Editor},
    history::EntryId,
    id::{NodeName, ServiceId},
    status::Command,
};
use ha_host::{
    desk::{Desk, Present},
    history::new_id,
};

use crate::{
    access::{Caller, Privilege},
    joint::Joint,
    stage::Stage,
    wire::{Answer, Fault, Parameters},
};

/// What is the same for all calls of a server.
#[derive(Debug)]
pub struct Site {
    /// The cluster.
    pub desk: Desk,
    /// The node that was named as this one.
    pub node: Option<NodeName>,
    /// Eight hexadecimal digits that tell one build from another.
    pub build: String,
    /// What is played, if it is no real cluster.
    pub stage: Option<Arc<dyn Stage>>,
    joint: Joint<Present>,
    /// Held by who makes a whole status, of which each takes tens of megabytes in a large cluster.
    pub(crate) whole: Mutex<()>,
}

impl Site {
    /// A site.
    #[must_use]
    pub fn new(desk: Desk, node: Option<NodeName>, build: String) -> Self {
        Self { desk, node, build, stage: None, joint: Joint::default(), whole: Mutex::default() }
    }

    /// The same of a cluster that is played, by whose clock the time is told. Its nodes need a majority.
    #[must_use]
    pub fn of_stage(self, stage: Arc<dyn Stage>) -> Self {
        let desk = self.desk.with_clock(stage.clone()).of_majority();
        Self { desk, stage: Some(stage), ..self }
    }
}

/// A call: who asks for what, with parameters that are checked.
#[derive(Debug)]
pub struct Call<'a> {
    /// The cluster.
    pub site: &'a Site,
    /// Who asks.
    pub caller: &'a Caller,
    /// The values of the variable parts of the path.
    pub path: Vec<&'a str>,
    /// The parameters.
    pub parameters: Parameters,
    present: OnceCell<Arc<Present>>,
    given: OnceCell<EntryId>,
}

impl<'a> Call<'a> {
    /// A call.
    #[must_use]
    pub fn new(site: &'a Site, caller: &'a Caller, path: Vec<&'a str>, parameters: Parameters) -> Self {
        Self { site, caller, path, parameters, present: OnceCell::new(), given: OnceCell::new() }
    }

    /// The same call, for which the store is asked again.
    #[must_use]
    pub fn again(&self) -> Self {
        Self::new(self.site, self.caller, self.path.clone(), self.parameters.clone())
    }

    /// The desk of the cluster.
    #[must_use]
    pub const fn desk(&self) -> &'a Desk {
        &self.site.desk
    }

    /// The first variable part of the path.
    #[must_use]
    pub fn first(&self) -> &'a str {
        self.path.first().copied().unwrap_or_default()
    }

    /// The second one.
    #[must_use]
    pub fn second(&self) -> &'a str {
        self.path.get(1).copied().unwrap_or_default()
    }

    /// What the store says of the cluster, at one moment of the call.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn present(&self) -> Result<&Present, Fault> {
        if let Some(present) = self.present.get() {
            return Ok(present);
        }
        let present = self.site.joint.read(|| self.desk().present())?;
        Ok(self.present.get_or_init(|| present))
    }

    /// The node that counts as the one on which this is asked: the one that was named, else the master, else the first.
    ///
    /// # Errors
    ///
    /// If the store fails, or the cluster has no node.
    pub fn local_node(&self) -> Result<NodeName, Fault> {
        let present = self.present()?;
        let members = &present.settings.nodes;
        let named = self.site.node.as_ref().filter(|node| members.contains(node));
        let master = present.status.master_node.as_ref().filter(|node| members.contains(node));
        let local = named.or(master).or(members.first());
        local.cloned().ok_or_else(|| Fault::conflict("no_node", "the cluster has no node"))
    }

    /// The service that a text means.
    ///
    /// # Errors
    ///
    /// If it means none, or does not agree with the type that was sent.
    pub fn named(&self, text: &str) -> Result<ServiceId, Fault> {
        let service_type = self.parameters.get("type").filter(|_| !text.contains(':'));
        let sid = self.desk().named(text, service_type)?.map_err(|error| Fault::of_name(&error))?;
        match self.parameters.get("type") {
            Some(service_type) if service_type != sid.service_type() => {
                Err(Fault::parameter("type", "bad_value", format!("'{service_type}' is not the type of '{sid}'")))
            }
            Some(_) | None => Ok(sid),
        }
    }

    /// The service that the path names.
    ///
    /// # Errors
    ///
    /// If it names none.
    pub fn sid(&self) -> Result<ServiceId, Fault> {
        let named = self.desk().named(self.first(), None)?;
        named.map_err(|error| Fault::of_name(&error))
    }

    /// Asks for more than the table does.
    ///
    /// # Errors
    ///
    /// If the caller lacks it.
    pub fn needs(&self, privilege: Privilege) -> Result<(), Fault> {
        if self.caller.role.has(privilege) { Ok(()) } else { Err(Fault::lacks(privilege.as_str())) }
    }

    /// Queues a command for the master, in the caller's name. Gives its id.
    ///
    /// # Errors
    ///
    /// If the store fails, or the cluster has no node.
    pub fn give(&self, command: &Command) -> Result<EntryId, Fault> {
        let id = new_id(&self.local_node()?);
        self.desk().give(command, &self.caller.name, &id)?;
        // A call queues at most one command.
        Ok(self.given.get_or_init(|| id).clone())
    }

    /// The id of the command that this call has queued.
    #[must_use]
    pub fn given(&self) -> Option<&EntryId> {
        self.given.get()
    }

    /// Makes an edit, or only tries it with `dry_run`. `id` is the parameter that names what is edited.
    ///
    /// # Errors
    ///
    /// If it is refused, or the store fails.
    pub fn edit(
        &self,
        id: &'static str,
        change: &mut dyn FnMut(&Editor<'_>, &mut ConfigFiles) -> Result<(), EditError>,
    ) -> Result<ConfigFiles, Fault> {
        let is_trial = self.parameters.truth("dry_run").unwrap_or(false);
        let edited = self.desk().edit(self.parameters.digest()?, is_trial, change)?;
        edited.map_err(|error| Fault::of_edit(&error, id))
    }

    /// The properties that are set and unset; `keys` are all that there are. An empty comment is none.
    ///
    /// # Errors
    ///
    /// If one is both set and unset, or one to be unset does not exist.
    pub fn changes(&self, keys: &[&'static str]) -> Result<OwnedChanges, Fault> {
        let is_property = |name: &&str| keys.contains(name);
        let mut changes = OwnedChanges::default();
        for (name, value) in self.parameters.iter().filter(|(name, _)| is_property(name)) {
            match (name, value) {
                ("comment", "") => changes.unset.push(name.into()),
                _ => changes.set.push((name, value.into())),
            }
        }
        for name in self.parameters.list("delete") {
            if self.parameters.get(name).is_some() {
                return Err(Fault::parameter(name, "given_twice", "it is set and deleted"));
            }
            if !keys.contains(&name) {
                return Err(Fault::parameter("delete", "unknown_property", format!("there is no property '{name}'")));
            }
            changes.unset.push(name.into());
        }
        Ok(changes)
    }
}

/// Properties to be set and unset.
#[derive(Debug, Default)]
pub struct OwnedChanges {
    set: Vec<(&'static str, String)>,
    unset: Vec<String>,
}

impl OwnedChanges {
    /// Whether nothing may be changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty()
    }

    /// Has an editor's call make them.
    pub fn with<T>(&self, apply: impl FnOnce(Changes<'_>) -> T) -> T {
        let set: Vec<(&str, &str)> = self.set.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let unset: Vec<&str> = self.unset.iter().map(String::as_str).collect();
        apply(Changes { set: &set, unset: &unset })
    }
}

/// Nothing to tell.
#[must_use]
pub fn nothing() -> Answer {
    Answer::from(serde_json::Value::Null)
}
