//! Edits of the configuration, from one whole state to another.

use ha_core::{
    config::{ConfigFiles, Digest, EditError, GroupsConfig, NodesConfig, ResourcesConfig, RulesConfig},
    id::ServiceTypes,
};

use super::{ConfigChange, ConfigFile, ConfigTexts, Store, StoreError};

/// The configuration files that edits look at together.
fn read(texts: &ConfigTexts, types: &ServiceTypes) -> ConfigFiles {
    let text = |file| texts.get(&file).map(|text| &**text).unwrap_or_default();
    ConfigFiles {
        resources: ResourcesConfig::read(text(ConfigFile::Resources), types).config,
        groups: GroupsConfig::read(text(ConfigFile::Groups)).config,
        rules: RulesConfig::read(text(ConfigFile::Rules), types).config,
        nodes: NodesConfig::read(text(ConfigFile::Nodes)).config,
    }
}

/// Edits resources, groups, rules and what is said of nodes. Files that `edit` does not change stay as they are, byte for byte; if it is refused,
/// all of them do.
///
/// # Errors
///
/// The outer error is the store's, the inner one says why the edit is refused.
pub fn edit<T>(
    store: &dyn Store,
    types: &ServiceTypes,
    mut edit: impl FnMut(&mut ConfigFiles) -> Result<T, EditError>,
) -> Result<Result<T, EditError>, StoreError> {
    let mut outcome = None;
    store.edit_config(&mut |texts| {
        let before = read(texts, types);
        let mut after = before.clone();
        let answer = edit(&mut after);
        let changes = if answer.is_ok() { changes(&before, &after) } else { Vec::new() };
        outcome = Some(answer);
        changes
    })?;
    outcome.ok_or_else(|| StoreError::Unreadable { what: "the configuration".into(), problem: "not edited".into() })
}

/// Makes an edit on a copy: nothing is written.
///
/// # Errors
///
/// As [`edit`].
pub fn try_edit<T>(
    store: &dyn Store,
    types: &ServiceTypes,
    edit: impl FnOnce(&mut ConfigFiles) -> Result<T, EditError>,
) -> Result<Result<T, EditError>, StoreError> {
    Ok(edit(&mut read(&store.config_texts()?, types)))
}

fn changes(before: &ConfigFiles, after: &ConfigFiles) -> Vec<ConfigChange> {
    let mut changes = Vec::new();
    if before.rules != after.rules {
        changes.push((ConfigFile::Rules, Some(after.rules.write())));
    }
    if before.groups != after.groups {
        changes.push((ConfigFile::Groups, Some(after.groups.write())));
    }
    if before.resources != after.resources {
        changes.push((ConfigFile::Resources, Some(after.resources.write())));
    }
    if before.nodes != after.nodes {
        changes.push((ConfigFile::Nodes, Some(after.nodes.write())));
    }
    changes
}

/// Makes changes only if these files have these digests. Says whether they were made.
///
/// # Errors
///
/// The store's.
pub fn change_if_unchanged(
    store: &dyn Store,
    seen: &[(ConfigFile, Digest)],
    changes: &[ConfigChange],
) -> Result<bool, StoreError> {
    let mut made = false;
    store.edit_config(&mut |texts| {
        let digest = |file: &ConfigFile| Digest::of(texts.get(file).map(|text| &**text).unwrap_or_default());
        made = seen.iter().all(|(file, seen)| digest(file) == *seen);
        if made { changes.to_vec() } else { Vec::new() }
    })?;
    Ok(made)
}
