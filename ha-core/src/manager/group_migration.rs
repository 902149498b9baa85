//! Turning the groups into rules for good, once the whole cluster knows rules.

use alloc::{
    format,
    string::{String, ToString},
    sync::Arc,
};

use super::{Manager, RoundHost, RoundInput};
use crate::{
    config::{GroupsConfig, ResourcesConfig, RulesConfig},
    event::{Event, MigrationObstacle},
    host::{self, Configuration, HostOperation},
    id::NodeName,
    rules::group_rules,
    status::{LrmMode, LrmState, LrmStatus, NodeState},
    timing::TimingSettings,
    version::compare_versions,
};

/// Counts the rounds in which groups were still configured.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct GroupMigration {
    rounds: u32,
}

/// The first software version that knows rules.
const VERSION_WITH_RULES: &str = "9.0.0~16";

impl GroupMigration {
    /// Counts a round, and says whether migration is tried in it.
    fn is_due(&mut self, timings: &TimingSettings) -> bool {
        self.rounds = self.rounds.saturating_add(1);
        let since_first = self.rounds.checked_sub(timings.group_migration_first_round);
        since_first.and_then(|rounds| rounds.checked_rem(timings.group_migration_interval_rounds)) == Some(0)
    }
}

impl Manager {
    /// Migrates the groups if it is time for a try. Gives the configuration that holds afterwards, if it is another one.
    pub(super) fn migrate_groups_if_due(
        &mut self,
        input: &RoundInput,
        host: &mut (impl RoundHost + ?Sized),
    ) -> Option<Configuration> {
        let configuration = &input.configuration;
        if !configuration.datacenter.migrate_groups || configuration.groups.groups.is_empty() {
            return None;
        }
        if !self.group_migration.is_due(self.timings.settings()) {
            return None;
        }
        host.event(Event::GroupMigrationStarted);
        let migrated = match self.obstacle(input, host) {
            Some(obstacle) => {
                host.event(obstacle);
                None
            }
            None => migrate(&input.configuration, host),
        };
        host.event(match migrated {
            Some(_) => Event::GroupMigrationSucceeded,
            None => Event::GroupMigrationAborted,
        });
        migrated
    }

    /// What prevents migrating now, if anything does.
    fn obstacle(&self, input: &RoundInput, host: &mut (impl RoundHost + ?Sized)) -> Option<Event> {
        if !input.members.get(&self.node).is_some_and(|online| *online) {
            return Some(obstacle(MigrationObstacle::NotQuorate, &self.node, None));
        }
        for (node, state) in &self.status.nodes {
            if *state != NodeState::Online {
                return Some(obstacle(MigrationObstacle::NodeNotOnline, node, Some(state.to_string())));
            }
            let record = input.lrms.get(node).map(Arc::as_ref);
            if let Some(reason) = self.lrm_obstacle(node, record) {
                return Some(reason);
            }
            let version = host.software_version(node);
            let version = host::answer(host, HostOperation::SoftwareVersion, version).flatten();
            match version {
                None => return Some(obstacle(MigrationObstacle::VersionUnknown, node, None)),
                Some(version) if compare_versions(&version, VERSION_WITH_RULES).is_lt() => {
                    return Some(obstacle(MigrationObstacle::VersionTooOld, node, Some(version)));
                }
                Some(_) => {}
            }
        }
        None
    }

    fn lrm_obstacle(&self, node: &NodeName, record: Option<&LrmStatus>) -> Option<Event> {
        let Some(record) = record else {
            return Some(obstacle(MigrationObstacle::NoLrmRecord, node, None));
        };
        if record.mode != LrmMode::Active {
            return Some(obstacle(MigrationObstacle::LrmMode, node, Some(record.mode.to_string())));
        }
        let at_rest = match record.state {
            LrmState::Active => true,
            LrmState::WaitForAgentLock => self.status.active_services(node).next().is_none(),
            LrmState::Maintenance | LrmState::LostAgentLock => false,
        };
        (!at_rest).then(|| obstacle(MigrationObstacle::LrmState, node, Some(record.state.to_string())))
    }
}

/// An obstacle, with the sentence that people know for it.
fn obstacle(obstacle: MigrationObstacle, node: &NodeName, found: Option<String>) -> Event {
    let what = found.as_deref().unwrap_or_default();
    let reason = match obstacle {
        MigrationObstacle::NotQuorate => "this node is not in the quorate partition".to_string(),
        MigrationObstacle::NodeNotOnline => format!("node {node} is not online but {what}"),
        MigrationObstacle::NoLrmRecord => format!("the LRM of node {node} has no record yet"),
        MigrationObstacle::LrmMode => format!("the LRM of node {node} is in mode {what}"),
        MigrationObstacle::LrmState => format!("the LRM of node {node} is in state {what}"),
        MigrationObstacle::VersionUnknown => format!("the software version of node {node} is not known"),
        MigrationObstacle::VersionTooOld => {
            format!("node {node} has version {what}, and rules need {VERSION_WITH_RULES}")
        }
    };
    Event::GroupMigrationObstacle { reason, obstacle, node: Some(node.clone()), found }
}

/// Writes the files. What one step leaves undone the next try takes up.
fn migrate(configuration: &Configuration, host: &mut (impl RoundHost + ?Sized)) -> Option<Configuration> {
    let rules = rules_with_groups(configuration);
    let resources = resources_without_groups(configuration);
    let written = host.write_group_migration(&rules, &resources);
    host::answer(host, HostOperation::MigrateGroups, written)?;
    let removed = host.remove_groups(&configuration.groups);
    host::answer(host, HostOperation::MigrateGroups, removed)?;
    Some(Configuration {
        rules: Arc::new(rules),
        resources: Arc::new(resources),
        groups: Arc::new(GroupsConfig::default()),
        ..configuration.clone()
    })
}

fn rules_with_groups(configuration: &Configuration) -> RulesConfig {
    let mut rules = RulesConfig::clone(&configuration.rules);
    for rule in group_rules(&configuration.groups, &configuration.resources) {
        rules.rules.entry(rule.id.clone()).or_insert(rule);
    }
    rules
}

fn resources_without_groups(configuration: &Configuration) -> ResourcesConfig {
    let mut resources = ResourcesConfig::clone(&configuration.resources);
    for resource in resources.resources.values_mut() {
        let Some(group) = resource.group.take() else { continue };
        if configuration.groups.groups.get(&group).is_some_and(|group| group.nofailback == Some(true)) {
            resource.failback = Some(false);
        }
    }
    resources
}
