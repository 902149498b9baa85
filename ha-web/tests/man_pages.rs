//! The man pages of what `ha-web` carries out for `ha`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, process::Command};

#[test]
fn its_verbs_have_pages_by_the_names_under_which_ha_runs_them() {
    let folder = std::env::temp_dir().join(format!("ha-web-man-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let write = |folder: &str| Command::new(env!("CARGO_BIN_EXE_ha-web")).args(["man-pages", folder]).output().unwrap();
    assert!(write(folder.to_str().unwrap()).status.success());
    for (page, option) in
        [("ha-web.1", "listen"), ("ha-token-add.1", "store"), ("ha-user-add.1", "store"), ("ha-notify-test.1", "store")]
    {
        let text = fs::read_to_string(folder.join(page)).expect(page);
        assert!(text.contains(&format!("\\-\\-{option}")), "{page} does not name --{option}");
    }
    assert!(!folder.join("ha.1").exists(), "that one is written by ha");
    fs::remove_dir_all(folder).unwrap();
    assert_eq!(write("/dev/null/pages").status.code(), Some(1));
}
