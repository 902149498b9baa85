//! Edits of the configuration, with all their checks.

use std::sync::Arc;

use ha_core::{
    config::{
        Changes, ConfigFiles, DatacenterFile, Digest, EditError, Editor, FenceConfig, GroupsConfig, NodesConfig,
        ResourcesConfig, RulesConfig,
    },
    id::{NodeName, ServiceId},
    status::{LrmStatus, ManagerStatus, StateName},
};

use super::{ActionError, Cluster};

/// What can be overwritten with any text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RawPlace {
    /// `resources.cfg`
    Resources,
    /// `groups.cfg`
    Groups,
    /// `rules.cfg`
    Rules,
    /// `datacenter.cfg`
    Datacenter,
    /// `fence.cfg`
    Fence,
    /// `nodes.cfg`
    Nodes,
    /// The manager status.
    ManagerStatus,
    /// The record of a node's LRM.
    LrmStatus(NodeName),
}

impl Cluster {
    /// Edits resources, groups, rules and what is said of nodes. Nothing is changed if the edit is refused.
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
        edit: impl FnOnce(&Editor<'_>, &mut ConfigFiles) -> Result<T, EditError>,
    ) -> Result<T, ActionError> {
        self.check_writable()?;
        let store = &self.world.store;
        let mut config = ConfigFiles {
            resources: store.resources.as_ref().clone(),
            groups: store.groups.as_ref().clone(),
            rules: store.rules.as_ref().clone(),
            nodes: store.nodes.as_ref().clone(),
        };
        let members = self.world.nodes.iter().filter(|(_, node)| !node.expelled);
        let nodes: Vec<NodeName> = members.map(|(node, _)| node.clone()).collect();
        let in_error = |sid: &ServiceId| self.service_state(sid) == Some(StateName::Error);
        let editor = Editor::new(&self.types, &nodes).services_in_error(&in_error);
        let answer = edit(&editor, &mut config)?;
        self.take_over(config);
        self.settle()?;
        Ok(answer)
    }

    /// Overwrites a file or a record with a text, without any check, as somebody with an editor can. What can't be understood in a
    /// file is left out, as everywhere; a record that can't be read at all is an error for whoever reads it.
    ///
    /// # Errors
    ///
    /// If no node has quorum.
    pub fn write_raw(&mut self, place: &RawPlace, text: &str) -> Result<(), ActionError> {
        self.check_writable()?;
        self.written.insert(place.clone(), text.into());
        let (bytes, store) = (text.as_bytes(), &mut self.world.store);
        match place {
            RawPlace::Resources => {
                let read = ResourcesConfig::read(bytes, &self.types).config;
                store.edit_resources(|resources| *resources = read);
            }
            RawPlace::Groups => store.groups = Arc::new(GroupsConfig::read(bytes).config),
            RawPlace::Rules => store.rules = Arc::new(RulesConfig::read(bytes, &self.types).config),
            RawPlace::Datacenter => {
                self.datacenter = DatacenterFile::read(bytes).config;
                store.datacenter = Arc::new(self.datacenter.config().clone());
            }
            RawPlace::Nodes => store.nodes = Arc::new(NodesConfig::read(bytes).config),
            RawPlace::Fence => store.fence = FenceConfig::read(bytes).config.ok().map(Arc::new),
            RawPlace::ManagerStatus => match ManagerStatus::from_json(text) {
                Ok(status) => {
                    store.broken_records.remove(&None);
                    store.manager_status = Some(Arc::new(status));
                }
                Err(error) => {
                    store.broken_records.insert(None, error.to_string());
                }
            },
            RawPlace::LrmStatus(node) => match LrmStatus::from_json(text) {
                Ok(status) => {
                    store.broken_records.remove(&Some(node.clone()));
                    store.lrm_status.insert(node.clone(), Arc::new(status));
                }
                Err(error) => {
                    store.broken_records.insert(Some(node.clone()), error.to_string());
                }
            },
        }
        Ok(self.settle()?)
    }

    /// The text that somebody last wrote [over a file or a record](Self::write_raw), as it was written. What was edited or recorded since
    /// is not in it.
    #[must_use]
    pub fn written(&self, place: &RawPlace) -> Option<&Arc<str>> {
        self.written.get(place)
    }

    fn take_over(&mut self, mut config: ConfigFiles) {
        let store = &mut self.world.store;
        if config.groups != *store.groups {
            config.groups.digest = Digest::of(&config.groups.write());
            store.groups = Arc::new(config.groups);
        }
        if config.rules != *store.rules {
            config.rules.digest = Digest::of(&config.rules.write());
            store.rules = Arc::new(config.rules);
        }
        if config.nodes != *store.nodes {
            config.nodes.digest = Digest::of(&config.nodes.write());
            store.nodes = Arc::new(config.nodes);
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
