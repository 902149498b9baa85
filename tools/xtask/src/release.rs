//! What must hold before a version is tagged: it is the same everywhere, the changelog tells of it, and nothing is stale.

use std::{fs, path::Path, process::Command};

use crate::{Failure, generate, run};

/// Where the version stands, and what stands around it.
const VERSIONS: [(&str, &str, &str); 6] = [
    ("Cargo.toml", "\nversion = \"", "\""),
    ("Cargo.toml", "\nha-core = { version = \"", "\""),
    ("Cargo.toml", "\nha-host = { version = \"", "\""),
    ("Cargo.toml", "\nha-sim = { version = \"", "\""),
    ("ha-py/Cargo.toml", "\nversion = \"", "\""),
    ("ha-py/python/pyha/__init__.py", "\n__version__ = \"", "\""),
];

/// Checks all of it, and names every point that does not hold.
pub(crate) fn check(root: &Path) -> Result<(), Failure> {
    let points = [
        ("the version is the same everywhere, and CHANGELOG.md has it", check_versions(root)),
        ("nothing is left to commit", check_tree(root)),
        ("what is generated is up to date", generate::check(root)),
        ("what is linked has licences that deny.toml allows", run(root, &["packaging/third-party", "check"])),
        (
            "each crate is packed with what it needs, and builds",
            run(root, &["cargo", "package", "--workspace", "--quiet"]),
        ),
    ];
    let mut failures = 0;
    for (point, outcome) in points {
        match outcome {
            Ok(()) => println!("holds   {point}"),
            Err(failure) => {
                failures += 1;
                println!("FAILS   {point}: {failure}");
            }
        }
    }
    if failures == 0 { Ok(()) } else { Err(format!("{failures} of the points above must be mended first")) }
}

fn check_versions(root: &Path) -> Result<(), Failure> {
    let mut found = Vec::new();
    for (file, before, after) in VERSIONS {
        let text = read(root, file)?;
        let version = between(&text, before, after).ok_or_else(|| format!("{file} says none"))?;
        found.push((file, version.to_owned()));
    }
    let Some((first_file, first)) = found.first() else { return Ok(()) };
    if let Some((file, other)) = found.iter().find(|(_, version)| version != first) {
        return Err(format!("{first_file} says {first}, {file} says {other}"));
    }
    let heading = format!("\n## {first}");
    if read(root, "CHANGELOG.md")?.contains(&heading) {
        return Ok(());
    }
    Err(format!("CHANGELOG.md has no section '## {first}': move there what stands under 'Unreleased'"))
}

fn check_tree(root: &Path) -> Result<(), Failure> {
    let output = Command::new("git").args(["status", "--porcelain"]).current_dir(root).output();
    let output = output.map_err(|error| format!("cannot run git: {error}"))?;
    match String::from_utf8_lossy(&output.stdout).lines().next() {
        _ if !output.status.success() => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        None => Ok(()),
        Some(line) => Err(format!("'git status' begins with '{line}'")),
    }
}

fn read(root: &Path, file: &str) -> Result<String, Failure> {
    fs::read_to_string(root.join(file)).map_err(|error| format!("cannot read {file}: {error}"))
}

/// What stands between two texts, the first time.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_two_texts() {
        assert_eq!(between("a\nversion = \"1.2\"\nversion = \"3\"", "\nversion = \"", "\""), Some("1.2"));
        assert_eq!(between("version", "\nversion = \"", "\""), None);
    }

    #[test]
    fn each_crate_is_packed_with_its_licences_and_a_readme() {
        let root = crate::root();
        let cargo = |words: &[&str]| {
            let output = Command::new("cargo").args(words).current_dir(&root).output().unwrap();
            assert!(output.status.success(), "cargo {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        cargo(&["package", "--workspace", "--no-verify", "--allow-dirty", "--quiet", "--target-dir", "target/crates"]);
        for name in ["ha-core", "ha-sim", "ha-host", "ha-cli", "ha-web", "ha-ffi"] {
            let packed = cargo(&["package", "--list", "--allow-dirty", "--quiet", "-p", name]);
            for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "src/lib.rs"] {
                let is_there = packed.lines().any(|line| line == file || file == "src/lib.rs" && line == "src/main.rs");
                assert!(is_there, "{name} is packed without {file}");
            }
        }
    }

    #[test]
    fn a_licence_is_allowed_if_what_it_demands_can_be_kept() {
        let ask = r#"
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.SourceFileLoader("third_party", "packaging/third-party")
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("third_party", loader))
sys.modules["third_party"] = module
loader.exec_module(module)
for expression in sys.argv[1:]:
    print(module.is_allowed(expression, {"MIT", "ISC", "Apache-2.0 WITH LLVM-exception"}))
"#;
        let cases = [
            ("MIT", true),
            ("GPL-3.0", false),
            ("", false),
            ("GPL-3.0 OR MIT", true),
            ("MIT AND GPL-3.0", false),
            ("MIT AND ISC", true),
            ("(GPL-3.0 OR MIT) AND ISC", true),
            ("(MIT OR ISC) AND GPL-3.0", false),
            ("GPL-3.0 AND MIT OR ISC", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0", false),
        ];
        let expressions = cases.map(|(expression, _)| expression);
        let asked =
            Command::new("python3").args(["-B", "-c", ask]).args(expressions).current_dir(crate::root()).output();
        let asked = asked.unwrap();
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
        let answers = String::from_utf8(asked.stdout).unwrap();
        let answers: Vec<bool> = answers.lines().map(|line| line == "True").collect();
        assert_eq!(answers, cases.map(|(_, is_allowed)| is_allowed));
    }

    #[test]
    fn versions_that_differ_and_a_changelog_without_the_version_are_named() {
        let root = std::env::temp_dir().join(format!("xtask-release-{}", std::process::id()));
        fs::create_dir_all(root.join("ha-py/python/pyha")).unwrap();
        let write = |file: &str, text: &str| fs::write(root.join(file), text).unwrap();
        let crates = ["core", "host", "sim"].map(|name| format!("ha-{name} = {{ version = \"1.2.0\" }}\n")).concat();
        write("Cargo.toml", &format!("[workspace.package]\nversion = \"1.2.0\"\n{crates}"));
        write("ha-py/Cargo.toml", "[package]\nversion = \"1.2.0\"\n");
        write("ha-py/python/pyha/__init__.py", "\n__version__ = \"1.1.0\"\n");
        write("CHANGELOG.md", "# Changelog\n\n## Unreleased\n");
        let differ = check_versions(&root).unwrap_err();
        assert_eq!(differ, "Cargo.toml says 1.2.0, ha-py/python/pyha/__init__.py says 1.1.0");
        write("ha-py/python/pyha/__init__.py", "\n__version__ = \"1.2.0\"\n");
        assert!(check_versions(&root).unwrap_err().contains("no section '## 1.2.0'"));
        write("CHANGELOG.md", "# Changelog\n\n## Unreleased\n\n## 1.2.0\n");
        assert_eq!(check_versions(&root), Ok(()));
        fs::remove_dir_all(&root).unwrap();
    }
}
