//! Builds the tests with all mutants in them, and finds out which test passes which mutant.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    list::Mutant,
    run::{self, Test},
    state::{Judged, Outcome, State},
    switch::{self, Switched},
};

/// The crate whose mutants these are.
const CRATE: &str = "ha-core";

/// Puts the mutants of `list` into `tree`, a checkout that may be changed, builds the tests of the packages, and runs each once. All
/// of a package, or those in some files: `ha-sim:scenarios,record`.
pub fn prepare(list: &Path, tree: &Path, packages: &[String], out: &Path) -> Result<()> {
    let mutants: Vec<Mutant> = serde_json::from_slice(&fs::read(list)?)?;
    let tree = tree.canonicalize()?;
    fs::create_dir_all(out)?;
    let out = out.canonicalize()?;
    let sources = Sources::read(&tree, mutants)?;
    let mut dropped = sources.dropped_before(&out)?;
    loop {
        let switched = sources.write(&tree, &mut dropped)?;
        let before = dropped.len();
        drop_what_fails(&tree, &switched, &mut dropped)?;
        eprintln!("{} mutants are left out of {}", dropped.len(), sources.mutants.len());
        if dropped.len() == before {
            break;
        }
    }
    let left_out = dropped.into_iter().map(|(number, outcome)| {
        let name = sources.mutants[number].name.clone();
        Judged { name, outcome, by: None, passed: BTreeSet::new() }
    });
    let left_out = left_out.collect::<Vec<_>>();
    fs::write(out.join(LEFT_OUT), serde_json::to_vec(&left_out)?)?;
    let mut tests = Vec::new();
    for package in packages {
        tests.extend(build(&tree, package)?);
    }
    eprintln!("{} tests", tests.len());
    for test in &mut tests {
        run::measure(test, &out)?;
    }
    let names = sources.mutants.iter().map(|mutant| mutant.name.clone()).collect();
    State { names, left_out, tests }.write(&out)
}

/// The mutants, and the files that they are in as they are without them.
struct Sources {
    mutants: Vec<Mutant>,
    texts: BTreeMap<String, String>,
    root: String,
}

impl Sources {
    fn read(tree: &Path, mutants: Vec<Mutant>) -> Result<Self> {
        let read = |file: &str| -> Result<String> {
            let output = Command::new("git").arg("show").arg(format!("HEAD:{file}")).current_dir(tree).output()?;
            if !output.status.success() {
                bail!("{file}: {}", String::from_utf8_lossy(&output.stderr));
            }
            Ok(String::from_utf8(output.stdout)?)
        };
        let files = mutants.iter().map(|mutant| mutant.file.clone()).collect::<BTreeSet<_>>();
        let texts = files.into_iter().map(|file| Ok((file.clone(), read(&file)?))).collect::<Result<_>>()?;
        Ok(Self { mutants, texts, root: read(&format!("{CRATE}/src/lib.rs"))? })
    }

    /// Writes all files with their switches, but for mutants that were dropped.
    fn write(&self, tree: &Path, dropped: &mut BTreeMap<usize, Outcome>) -> Result<BTreeMap<String, Switched>> {
        let mut switched = BTreeMap::new();
        for (file, text) in &self.texts {
            let mutants = self.mutants.iter().enumerate();
            let here = mutants.filter(|(number, mutant)| mutant.file == *file && !dropped.contains_key(number));
            let one = switch::switch(text, &here.collect::<Vec<_>>()).with_context(|| file.clone())?;
            write_if_changed(&tree.join(file), &one.text)?;
            dropped.extend(one.unviable.iter().map(|number| (*number, Outcome::Unviable)));
            dropped.extend(one.left_out.iter().map(|number| (*number, Outcome::NoSwitch)));
            switched.insert(file.clone(), one);
        }
        let root = tree.join(CRATE).join("src");
        write_if_changed(&root.join("lib.rs"), &format!("{}\nmod mutant_switch;\n", self.root))?;
        write_if_changed(&root.join("mutant_switch.rs"), switch::MODULE)?;
        Ok(switched)
    }

    /// What an earlier run left out, so that nothing is built again where nothing changed.
    fn dropped_before(&self, out: &Path) -> Result<BTreeMap<usize, Outcome>> {
        let Ok(left_out) = fs::read(out.join(LEFT_OUT)) else { return Ok(BTreeMap::new()) };
        let left_out: Vec<Judged> = serde_json::from_slice(&left_out)?;
        let before = left_out.iter().map(|judged| (judged.name.as_str(), judged.outcome)).collect::<BTreeMap<_, _>>();
        let mutants = self.mutants.iter().enumerate();
        Ok(mutants.filter_map(|(number, mutant)| Some((number, *before.get(mutant.name.as_str())?))).collect())
    }
}

const LEFT_OUT: &str = "left_out.json";

/// A file that is written again is built again.
fn write_if_changed(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|before| before == text) {
        return Ok(());
    }
    Ok(fs::write(path, text)?)
}

fn cargo(tree: &Path, arguments: &[&str]) -> Result<Vec<Value>> {
    let output = Command::new("cargo")
        .args(arguments)
        .arg("--message-format=json")
        .current_dir(tree)
        // Lints are not what is asked here, and nobody debugs this.
        .env("RUSTFLAGS", "--cap-lints=allow")
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0")
        .stderr(Stdio::inherit())
        .output()?;
    let lines = String::from_utf8(output.stdout)?;
    let messages = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    Ok(messages)
}

/// Drops the mutants that do not compile. One that does not, by itself, compiles nowhere.
fn drop_what_fails(
    tree: &Path,
    switched: &BTreeMap<String, Switched>,
    dropped: &mut BTreeMap<usize, Outcome>,
) -> Result<()> {
    for message in cargo(tree, &["check", "--quiet", "-p", CRATE, "--lib"])? {
        let message = &message["message"];
        let spans = message["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
        if message["level"] != "error" || spans.is_empty() {
            continue;
        }
        let mut places =
            spans.iter().filter(|span| span["is_primary"] == true).filter_map(|span| place(span, switched));
        let Some(numbers) = places.next() else { bail!("not about a mutant: {}", message["rendered"]) };
        let outcome = if numbers.len() == 1 { Outcome::Unviable } else { Outcome::NoSwitch };
        dropped.extend(numbers.iter().map(|number| (*number, outcome)));
    }
    Ok(())
}

/// The mutants at the smallest place that an error is about.
fn place<'a>(span: &Value, switched: &'a BTreeMap<String, Switched>) -> Option<&'a [usize]> {
    let file = switched.get(span["file_name"].as_str()?);
    let Some(file) = file else { return place(span["expansion"].get("span")?, switched) };
    let start = usize::try_from(span["byte_start"].as_u64()?).ok()?;
    let around = file.places.iter().filter(|(range, _)| range.contains(&start));
    around.min_by_key(|(range, _)| range.len()).map(|(_, numbers)| numbers.as_slice())
}

/// Builds the tests of a package, and lists them.
fn build(tree: &Path, package: &str) -> Result<Vec<Test>> {
    let (package, files) = package.split_once(':').unwrap_or((package, ""));
    let mut arguments = vec!["test", "--quiet", "--no-run", "-p", package];
    if files.is_empty() {
        arguments.extend(["--lib", "--bins", "--tests"]);
    }
    arguments.extend(files.split_terminator(',').flat_map(|file| ["--test", file]));
    let mut tests = Vec::new();
    for message in cargo(tree, &arguments)? {
        if message["reason"] == "compiler-message" && message["message"]["level"] == "error" {
            bail!("{}", message["message"]["rendered"]);
        }
        let Some(binary) = message["executable"].as_str() else { continue };
        if message["profile"]["test"] != true {
            continue;
        }
        let manifest = PathBuf::from(message["manifest_path"].as_str().unwrap_or_default());
        let folder = manifest.parent().context("the folder of a package")?.to_owned();
        let output = Command::new(binary).args(["--list", "--format", "terse"]).current_dir(&folder).output()?;
        let ignored =
            Command::new(binary).args(["--list", "--format", "terse", "--ignored"]).current_dir(&folder).output()?;
        let ignored = String::from_utf8(ignored.stdout)?;
        let ignored = ignored.lines().collect::<BTreeSet<_>>();
        for line in String::from_utf8(output.stdout)?.lines().filter(|line| !ignored.contains(line)) {
            if let Some(name) = line.strip_suffix(": test") {
                tests.push(Test::new(binary.into(), folder.clone(), name));
            }
        }
    }
    Ok(tests)
}
