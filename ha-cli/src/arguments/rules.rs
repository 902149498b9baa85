//! Rules: their verbs and properties.

use clap::{Args, Subcommand};

use super::changes::{ChangeOptions, Given, given};
use crate::deed::Manner;

#[derive(Debug, Subcommand)]
pub(crate) enum RulesVerb {
    /// Add a rule.
    Add {
        /// 'node-affinity', 'resource-affinity' or 'order'.
        #[arg(value_name = "TYPE")]
        rule_type: String,
        /// Its name.
        rule: String,
        #[command(flatten)]
        options: RuleOptions,
        #[command(flatten)]
        manner: Manner,
    },
    /// Change a rule.
    Set {
        /// Its name; its type may come before it.
        #[arg(value_name = "[TYPE] RULE", num_args = 1..=2, required = true)]
        names: Vec<String>,
        #[command(flatten)]
        options: RuleOptions,
        #[command(flatten)]
        members: MemberOptions,
        #[command(flatten)]
        changes: ChangeOptions,
        #[command(flatten)]
        manner: Manner,
    },
    /// Remove a rule.
    Remove {
        /// Its name.
        rule: String,
        #[command(flatten)]
        manner: Manner,
    },
    /// List the rules, each with whether it holds.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show the rules as they are configured.
    Config {
        /// Only this one.
        rule: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show in which order services are started, by all order rules together.
    ///
    /// A line for each service and each rule by which it comes after others; the services of step 1 come after none.
    Graph(GraphOptions),
}

/// How a graph is shown.
#[derive(Debug, Args)]
pub(crate) struct GraphOptions {
    /// For 'dot' of Graphviz.
    #[arg(long, group = "form")]
    pub(crate) dot: bool,
    /// As a picture: 'ha rules graph --svg > order.svg'.
    #[arg(long, group = "form")]
    pub(crate) svg: bool,
    /// As JSON.
    #[arg(long, group = "form")]
    pub(crate) json: bool,
}

/// Properties of a rule.
#[derive(Debug, Args)]
pub(crate) struct RuleOptions {
    /// The services, separated by commas.
    #[arg(long)]
    resources: Option<String>,
    /// The nodes, 'node' or 'node:priority', separated by commas.
    #[arg(long)]
    nodes: Option<String>,
    /// Whether the services run on these nodes only, or apart only (by default they do), or wait without end for those that come first.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "1")]
    strict: Option<String>,
    /// 'failure-domain': services that are kept apart are in different failure domains ('ha node set'), rather than on different nodes.
    #[arg(long, value_name = "BY")]
    spread: Option<String>,
    /// 'positive' (together; on the nodes) or 'negative' (apart; on all other nodes).
    #[arg(long)]
    affinity: Option<String>,
    /// The services that come first, separated by commas.
    #[arg(long)]
    first: Option<String>,
    /// The services that are started once those that come first are up, separated by commas.
    #[arg(long)]
    then: Option<String>,
    /// For how many seconds those that come first must be up before.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    delay: Option<String>,
    /// For how many seconds they are waited for.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    timeout: Option<String>,
    /// Whether it takes no part in anything.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "1")]
    disable: Option<String>,
    /// What people should know.
    #[arg(long)]
    comment: Option<String>,
}

/// Services that join or leave a rule.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct MemberOptions {
    /// Services to add to those that the rule has.
    #[arg(long, value_name = "SIDS", value_delimiter = ',', conflicts_with = "resources")]
    pub(crate) add: Vec<String>,
    /// Services to take out of it.
    #[arg(long, value_name = "SIDS", value_delimiter = ',', conflicts_with = "resources")]
    pub(crate) remove: Vec<String>,
}

impl RuleOptions {
    pub(crate) fn given(&self) -> Given<'_> {
        given(&[
            ("resources", &self.resources),
            ("nodes", &self.nodes),
            ("strict", &self.strict),
            ("spread", &self.spread),
            ("affinity", &self.affinity),
            ("first", &self.first),
            ("then", &self.then),
            ("delay", &self.delay),
            ("timeout", &self.timeout),
            ("disable", &self.disable),
            ("comment", &self.comment),
        ])
    }
}
