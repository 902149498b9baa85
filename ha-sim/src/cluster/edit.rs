//! Edits of the configuration, with all their checks.

use std::sync::Arc;

use ha_core::{
    config::{Changes, Configuration, Digest, EditError, Editor},
    id::{NodeName, ServiceId},
    status::StateName,
};

use super::{ActionError, Cluster};

impl Cluster {
    /// Edits resources, groups and rules. Nothing is changed if the edit is refused.
    ///
    /// ```
    /// use ha_core::config::Changes;
    /// use ha_sim::cluster::{Cluster, Setup};
    ///
    /// let setup = Setup::new(["node1"])?.resources("vm: 100\n")?.guest("vm:100", "node1")?;
    /// let mut cluster = Cluster::new(setup);
    /// cluster.edit(|editor, config| {
    ///     editor.set_resource(config, "vm:100", Changes { set: &[("state", "stopped")], unset: &[] })
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the edit is refused, or no node has quorum.
    pub fn edit<T>(
        &mut self,
        edit: impl FnOnce(&Editor<'_>, &mut Configuration) -> Result<T, EditError>,
    ) -> Result<T, ActionError> {
        self.check_writable()?;
        let store = &self.world.store;
        let mut config = Configuration {
            resources: store.resources.as_ref().clone(),
            groups: store.groups.as_ref().clone(),
            rules: store.rules.as_ref().clone(),
        };
        let nodes: Vec<NodeName> = self.world.nodes.keys().cloned().collect();
        let in_error = |sid: &ServiceId| self.service_state(sid) == Some(StateName::Error);
        let editor = Editor::new(&self.types, &nodes).services_in_error(&in_error);
        let answer = edit(&editor, &mut config)?;
        self.take_over(config);
        self.settle()?;
        Ok(answer)
    }

    fn take_over(&mut self, mut config: Configuration) {
        let store = &mut self.world.store;
        if config.groups != *store.groups {
            config.groups.digest = Digest::of(&config.groups.write());
            store.groups = Arc::new(config.groups);
        }
        if config.rules != *store.rules {
            config.rules.digest = Digest::of(&config.rules.write());
            store.rules = Arc::new(config.rules);
        }
        if config.resources != *store.resources {
            store.edit_resources(|resources| *resources = config.resources);
        }
    }

    /// Sets and unsets settings of `datacenter.cfg`.
    ///
    /// # Errors
    ///
    /// If the edit is refused, or no node has quorum.
    pub fn edit_datacenter(&mut self, changes: Changes<'_>) -> Result<(), ActionError> {
        self.check_writable()?;
        Editor::new(&self.types, &[]).set_datacenter(&mut self.datacenter, changes)?;
        self.world.store.datacenter = Arc::new(self.datacenter.config().clone());
        Ok(())
    }
}
