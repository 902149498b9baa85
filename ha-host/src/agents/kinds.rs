//! The registry: the kinds of guests that there are.

use std::sync::Arc;

use ha_core::{
    id::ServiceTypes,
    similar::{did_you_mean, similar},
};

use super::{
    exec::ExecAgent,
    kind::{AnyAgent, Kind, Workplace},
    ocf::OcfAgent,
    proc::ProcAgent,
    unit::{SystemctlCommand, UnitAgent},
    vm::VmAgent,
};
use crate::store::{AgentDefinition, DefinitionCheck};

/// The kinds of guests that a node can run. A program that embeds the daemon adds its own:
///
/// ```
/// use ha_core::{host::HostError, id::ServiceId};
/// use ha_host::agents::{GuestAgent, Kind, Kinds};
///
/// /// Guests that exist only in the minds of others.
/// struct Imagined;
///
/// #[derive(serde::Deserialize)]
/// struct Thought {
///     clear: bool,
/// }
///
/// impl GuestAgent for Imagined {
///     const KIND: &'static str = "imagined";
///     type Definition = Thought;
///
///     fn own_seconds(_: &Thought, _: bool) -> u32 {
///         0
///     }
///     fn is_running(&self, _: &ServiceId, thought: &Thought) -> Result<bool, HostError> {
///         Ok(thought.clear)
///     }
///     fn start(&self, _: &ServiceId, _: &Thought, _: Option<&str>) -> Result<(), HostError> {
///         Ok(())
///     }
///     fn stop(&self, _: &ServiceId, _: &Thought, _: Option<u32>) -> Result<(), HostError> {
///         Ok(())
///     }
/// }
///
/// let kinds = Kinds::default().with(Kind::of(|_| Imagined));
/// assert!(kinds.check(&serde_json::from_str(r#"{"imagined": {"clear": true}}"#)?).is_ok());
/// assert!(kinds.check(&serde_json::from_str(r#"{"imagined": {}}"#)?).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Kinds(Vec<Kind>);

impl Default for Kinds {
    /// Those of this crate: a line each.
    fn default() -> Self {
        Self(vec![
            Kind::of(ProcAgent::at),
            Kind::of(ExecAgent::at),
            Kind::of(|_| UnitAgent::new(SystemctlCommand)),
            Kind::of(VmAgent::at),
            Kind::of(OcfAgent::at),
        ])
    }
}

impl Kinds {
    /// With another kind, which replaces one with the same word.
    #[must_use]
    pub fn with(mut self, kind: Kind) -> Self {
        self.0.retain(|other| other.word() != kind.word());
        self.0.push(kind);
        self
    }

    /// Their words, as in definitions.
    pub fn words(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().map(Kind::word)
    }

    /// Sees whether an agent understands a definition.
    ///
    /// # Errors
    ///
    /// If there is no such kind of guest, or its agent does not understand the definition; in words.
    pub fn check(&self, definition: &AgentDefinition) -> Result<(), String> {
        let word = &*definition.kind;
        let kind = self.find(word).ok_or_else(|| {
            let words: Vec<&str> = self.words().collect();
            let hint = did_you_mean(similar(word, words.iter().copied()));
            format!("there is no agent '{word}', only {}{hint}", words.join(", "))
        })?;
        kind.check(definition).map_err(|error| format!("agent '{word}': {error}"))
    }

    /// What is wrong with a definition that its agent understands, as far as this node can tell: a sentence each. Programs may be run
    /// for it.
    #[must_use]
    pub fn complaints(&self, definition: &AgentDefinition) -> Vec<String> {
        self.find(&definition.kind).map(|kind| kind.complaints(definition)).unwrap_or_default()
    }

    /// [`check`](Self::check) for whoever reads the configuration of the cluster.
    #[must_use]
    pub fn checker(&self) -> DefinitionCheck {
        let kinds = self.clone();
        DefinitionCheck::new(move |definition| kinds.check(definition))
    }

    /// Whether what runs a guest can move it while it runs.
    #[must_use]
    pub fn may_move_live(&self, definition: &AgentDefinition) -> bool {
        self.find(&definition.kind).is_some_and(Kind::may_move_live)
    }

    /// The types that services may have: `vm` and `ct`, and the word of each kind with any name.
    #[must_use]
    pub fn service_types(&self) -> ServiceTypes {
        let mut types = ServiceTypes::default();
        for word in self.words().filter(|word| !ServiceTypes::default().knows(word)) {
            types.register(word, |_| Ok(()));
        }
        types
    }

    /// The systemd unit in whose journal is what a guest writes; nothing if that is in a log below the run directory.
    #[must_use]
    pub fn journal(&self, definition: &AgentDefinition) -> Option<String> {
        self.find(&definition.kind)?.journal(definition)
    }

    fn find(&self, word: &str) -> Option<&Kind> {
        self.0.iter().find(|kind| kind.word() == word)
    }

    pub(super) fn agents_at(&self, place: &Workplace) -> Vec<Arc<dyn AnyAgent>> {
        self.0.iter().map(|kind| kind.agent_at(place)).collect()
    }
}

/// The types that services have where there are no kinds of guests but those of this crate.
#[must_use]
pub fn service_types() -> ServiceTypes {
    Kinds::default().service_types()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(text: &str) -> AgentDefinition {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_definition_is_checked_by_its_agent_alone() {
        let kinds = Kinds::default();
        assert_eq!(kinds.check(&definition(r#"{"unit": {"unit": "web.service"}}"#)), Ok(()));
        let wrong = kinds.check(&definition(r#"{"unit": {"unit": "web.service", "colour": 1}}"#)).unwrap_err();
        assert!(wrong.starts_with("agent 'unit': unknown field `colour`"), "{wrong}");
        let unknown = kinds.check(&definition(r#"{"prok": {}}"#)).unwrap_err();
        assert_eq!(unknown, "there is no agent 'prok', only proc, exec, unit, vm, ocf; did you mean 'proc'?");
    }

    #[test]
    fn what_a_unit_writes_is_in_its_journal() {
        let kinds = Kinds::default();
        assert_eq!(kinds.journal(&definition(r#"{"unit": {"unit": "web.service"}}"#)).as_deref(), Some("web.service"));
        assert_eq!(kinds.journal(&definition(r#"{"proc": {"command": ["/bin/true"]}}"#)), None);
    }
}
