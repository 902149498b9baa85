use super::*;
use ha_core::timing::Timings;

/// Whoever reads or edits sees an edit whole, also where who made it has died in the middle.
#[test]
fn an_edit_that_was_interrupted_is_ended_before_the_next_one_is_judged() {
    let directory = std::env::temp_dir().join(format!("ha-file-store-{}", std::process::id()));
    let settings = ClusterSettings { nodes: vec![NodeName::new("node1").unwrap()], timings: Timings::default() };
    let store = FileStore::create(&directory, &settings).unwrap();
    let changes: Vec<ConfigChange> =
        vec![(ConfigFile::Resources, Some(b"one".to_vec())), (ConfigFile::Rules, Some(b"two".to_vec()))];
    // It has written down what it does, and one of the files.
    store.replace(JOURNAL, &journal::write(&changes), "edit", Durability::Memory).unwrap();
    store.change_files(&changes[..1]).unwrap();
    let mut seen = ConfigTexts::new();
    store
        .edit_config(&mut |texts| {
            seen.clone_from(texts);
            vec![(ConfigFile::Rules, Some(b"three".to_vec()))]
        })
        .unwrap();
    let text = |texts: &ConfigTexts, file| texts.get(&file).map(|text| text.to_vec());
    assert_eq!(text(&seen, ConfigFile::Rules).as_deref(), Some(&b"two"[..]), "it is judged by all of the former one");
    let after = store.config_texts().unwrap();
    assert_eq!(text(&after, ConfigFile::Resources).as_deref(), Some(&b"one"[..]));
    assert_eq!(text(&after, ConfigFile::Rules).as_deref(), Some(&b"three"[..]), "nothing undoes it later");
    fs::remove_dir_all(&directory).unwrap();
}
