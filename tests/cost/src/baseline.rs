//! The baseline: what each operation cost when that was last found good.
//!
//! What is compared are not instructions but how many there are to one of the calibration, an operation of the same run in which
//! none of our code is: then another processor, for which other variants of what copies and compares memory are chosen, changes little.

use std::{collections::BTreeMap, fs, path::PathBuf};

use crate::{counting, operations};

/// How much more an operation may cost than its baseline.
const TOLERANCE: f64 = 0.03;

/// The same where the baseline was measured with another compiler or another valgrind.
const TOLERANCE_OF_OTHER_TOOLS: f64 = 0.15;

/// Costs by operation, and with what they were measured.
struct Costs {
    tools: String,
    instructions: BTreeMap<String, u64>,
}

impl Costs {
    fn measure() -> Result<Self, String> {
        let mut instructions = BTreeMap::new();
        for name in operations::names() {
            instructions.insert(name.to_owned(), counting::count(name, &[])?);
        }
        Ok(Self { tools: counting::tools()?, instructions })
    }

    fn read(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let tools = lines.next().ok_or("the baseline is empty")?.to_owned();
        let mut instructions = BTreeMap::new();
        for line in lines {
            let (name, count) = line.split_once(' ').ok_or_else(|| format!("not an operation and its cost: {line}"))?;
            let count = count.trim().parse().map_err(|error| format!("{line}: {error}"))?;
            instructions.insert(name.to_owned(), count);
        }
        Ok(Self { tools, instructions })
    }

    fn write(&self) -> String {
        let mut text = String::from(
            "# Instructions of each operation: made by 'cargo xtask cost --write', after a change that is meant to cost this.\n",
        );
        text.push_str(&format!("{}\n", self.tools));
        for (name, count) in &self.instructions {
            text.push_str(&format!("{name:<26} {count:>10}\n"));
        }
        text
    }

    /// How many instructions an operation takes to one of the calibration.
    fn ratio(&self, name: &str) -> Option<f64> {
        let calibration = *self.instructions.get(operations::CALIBRATION)?;
        Some(*self.instructions.get(name)? as f64 / calibration as f64)
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("baseline")
}

pub(crate) fn write() -> Result<(), String> {
    let text = Costs::measure()?.write();
    print!("{text}");
    fs::write(path(), text).map_err(|error| format!("cannot write {}: {error}", path().display()))
}

/// # Errors
///
/// If an operation costs more than it may, or the baseline does not have it.
pub(crate) fn check() -> Result<(), String> {
    let text = fs::read_to_string(path()).map_err(|error| format!("cannot read {}: {error}", path().display()))?;
    let (before, now) = (Costs::read(&text)?, Costs::measure()?);
    let tolerance = if before.tools == now.tools { TOLERANCE } else { TOLERANCE_OF_OTHER_TOOLS };
    if before.tools != now.tools {
        println!("the baseline is of {}, this is {}: up to 15 % more is let pass", before.tools, now.tools);
    }
    let mut dearer = Vec::new();
    for name in operations::names().filter(|name| *name != operations::CALIBRATION) {
        let ratios = now.ratio(name).zip(before.ratio(name));
        let (ratio, was) =
            ratios.ok_or_else(|| format!("{name} is not in the baseline: 'cargo xtask cost --write'"))?;
        let change = ratio / was - 1.0;
        println!("{name:<26} {:>10} instructions, {:>+6.1} %", now.instructions[name], change * 100.0);
        if change > tolerance {
            dearer.push(format!("{name} costs {:.1} % more than its baseline", change * 100.0));
        }
    }
    if dearer.is_empty() { Ok(()) } else { Err(dearer.join("\n")) }
}
