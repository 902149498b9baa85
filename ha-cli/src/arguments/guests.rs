//! Definitions of guests: their verbs.

use clap::Subcommand;

/// A definition for each kind of agent, a line each.
const GUEST_EXAMPLES: &str = r#"A definition names the guest's node and what runs it, one of:
  {"node": "node1", "agent": {"proc": {"command": ["/usr/bin/web", "--port", "80"]}}}
  {"node": "node1", "agent": {"unit": {"unit": "nginx.service"}}}
  {"node": "node1", "agent": {"exec": {"command": ["/usr/local/bin/my-agent", "web"]}}}
  {"node": "node1", "agent": {"vm": {"memory_mb": 2048, "disks": [{"file": "/srv/web.qcow2", "format": "qcow2"}]}}}
  {"node": "node1", "agent": {"ocf": {"agent": "heartbeat:IPaddr2", "parameters": {"ip": "192.0.2.9"}}}}"#;

#[derive(Debug, Subcommand)]
pub(crate) enum GuestVerb {
    /// Define a guest, or change its definition.
    #[command(after_help = GUEST_EXAMPLES)]
    Set {
        /// The guest: 'type:name'.
        sid: String,
        /// A file with its definition as JSON; '-' for the standard input.
        file: String,
    },
    /// Remove the definition of a guest. Nothing is stopped.
    Remove {
        /// The guest.
        sid: String,
    },
    /// List the guests.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[cfg(test)]
mod tests {
    use ha_host::{agents::Kinds, store::GuestDefinition};

    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_examples_of_definitions_are_definitions_of_all_kinds() {
        let examples = GUEST_EXAMPLES.lines().filter(|line| line.starts_with("  {"));
        let kinds = Kinds::default();
        let checked = examples.map(|line| {
            let guest: GuestDefinition = serde_json::from_str(line).unwrap();
            assert_eq!(kinds.check(&guest.agent), Ok(()), "{line}");
            guest.agent.kind
        });
        assert_eq!(checked.collect::<BTreeSet<_>>(), kinds.words().map(str::to_owned).collect());
    }
}
