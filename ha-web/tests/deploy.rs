//! The shipped units, as systemd's own tool reads them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

use std::{fs, path::Path, process::Command};

const UNITS: [&str; 3] = ["ha-watchdog-mux", "ha-node", "ha-web"];

/// What `systemd-analyze` says, with whether it is content; nothing where there is none.
fn analyze(arguments: &[&str]) -> Option<(bool, String)> {
    let Ok(output) = Command::new("systemd-analyze").args(arguments).output() else {
        assert!(std::env::var_os("CI").is_none(), "missing: systemd-analyze, of Debian's package 'systemd'");
        eprintln!("skipped: there is no systemd-analyze");
        return None;
    };
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Some((output.status.success(), text))
}

/// A unit that asks for programs that there are: here nothing is installed.
fn copy_to(shipped: &Path, directory: &Path, unit: &str) -> String {
    let text = fs::read_to_string(shipped.join(format!("{unit}.service"))).unwrap();
    assert!(text.contains("ExecStart=/usr/local/bin/ha "), "{unit}");
    let copy = directory.join(format!("{unit}.service"));
    fs::write(&copy, text.replace("/usr/local/bin/ha ", "/bin/true ")).unwrap();
    copy.display().to_string()
}

/// As when a whole cluster is switched on: the server ends each time until the store is there.
#[test]
fn a_server_that_is_up_before_its_store_is_not_given_up() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/deploy/ha-web.service");
    let unit = fs::read_to_string(unit).unwrap();
    let pause: f64 = unit.lines().find_map(|line| line.strip_prefix("RestartSec=")).unwrap_or("0.1").parse().unwrap();
    // systemd's own StartLimitBurst and StartLimitIntervalSec.
    let (starts, within) = (5.0, 10.0);
    assert!(pause * starts > within, "with {pause} s between them there are {starts} starts within {within} s");
}

#[test]
fn the_units_are_sound_and_as_confined_as_their_readme_says() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/deploy");
    let readme = fs::read_to_string(shipped.join("README.md")).unwrap();
    let directory = std::env::temp_dir().join(format!("ha-web-units-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let copies: Vec<String> = UNITS.iter().map(|unit| copy_to(&shipped, &directory, unit)).collect();
    let mut verify = vec!["verify", "--man=no"];
    verify.extend(copies.iter().map(String::as_str));
    let Some((is_sound, said)) = analyze(&verify) else { return };
    assert!(is_sound && said.is_empty(), "{said}");
    for (unit, copy) in UNITS.iter().zip(&copies) {
        let Some((_, said)) = analyze(&["security", "--offline=true", "--no-pager", copy]) else { return };
        let level = said.split("Overall exposure level for ").nth(1).and_then(|rest| rest.split(' ').nth(1)).unwrap();
        let told = readme.lines().find_map(|line| line.strip_prefix(&format!("`{unit}` ("))).unwrap();
        let told = told.split(')').next().unwrap().rsplit(' ').next().unwrap();
        assert_eq!(told, level, "{unit}: the README says {told}");
    }
    let _ = fs::remove_dir_all(&directory);
}
