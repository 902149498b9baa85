//! Fuzzes without libFuzzer: replays what fuzzing begins with, then random changes of it for some seconds.
//!
//!     ha-fuzz [SECONDS [TARGET…]]     every target for so many seconds, 2 by default
//!     ha-fuzz corpus                  writes what fuzzing begins with to fuzz/corpus, for cargo-fuzz
//!
//! An input that a target panics at is written to fuzz/artifacts, and the exit code is 1.

use std::{
    error::Error,
    fs,
    panic::catch_unwind,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use fastrand::Rng;
use ha_fuzz::{TARGETS, Target, seeds::seeds};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next();
    if first.as_deref() == Some("corpus") {
        write_corpus()?;
        return Ok(ExitCode::SUCCESS);
    }
    let seconds = first.map_or(Ok(2), |text| text.parse())?;
    let wanted: Vec<String> = arguments.collect();
    let seed = fastrand::u64(..);
    println!("seed {seed}, {seconds} s each");
    let mut well = true;
    for target in TARGETS.iter().filter(|target| wanted.is_empty() || wanted.iter().any(|name| name == target.name)) {
        well &= fuzz(target, Duration::from_secs(seconds), &mut Rng::with_seed(seed))?;
    }
    ha_fuzz::clear();
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn folder(kind: &str, target: &Target) -> std::io::Result<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(kind).join(target.name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn write_corpus() -> Result<(), Box<dyn Error>> {
    for target in TARGETS {
        let folder = folder("corpus", target)?;
        let seeds = seeds(target.name)?;
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed)?;
        }
        println!("{}: {} inputs", target.name, seeds.len());
    }
    Ok(())
}

/// Says whether nothing was found.
fn fuzz(target: &Target, time: Duration, rng: &mut Rng) -> Result<bool, Box<dyn Error>> {
    let seeds = seeds(target.name)?;
    let began = Instant::now();
    let (mut inputs, mut slowest) = (0_u64, Duration::ZERO);
    let mut next = seeds.iter().cloned();
    while let Some(input) = next.next().or_else(|| (began.elapsed() < time).then(|| changed(&seeds, rng))) {
        let start = Instant::now();
        if catch_unwind(|| (target.run)(&input)).is_err() {
            let path = folder("artifacts", target)?.join(format!("panic-{:016x}", rng.u64(..)));
            fs::write(&path, &input)?;
            println!("{}: panics at {}", target.name, path.display());
            return Ok(false);
        }
        slowest = slowest.max(start.elapsed());
        inputs += 1;
    }
    println!("{}: {inputs} inputs, {} of them given, the slowest took {slowest:.1?}", target.name, seeds.len());
    Ok(true)
}

/// A few random changes of a random input.
fn changed(seeds: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut input = rng.choice(seeds).cloned().unwrap_or_default();
    for _ in 0..rng.usize(1..8) {
        let at = rng.usize(0..=input.len());
        let end = (at + rng.usize(0..16)).min(input.len());
        match rng.u8(0..7) {
            0 => drop(input.drain(at..end)),
            1 => input.insert(at, rng.u8(..)),
            2 if at < input.len() => input[at] ^= 1 << rng.u8(0..8),
            3 => {
                let piece = input[at..end].to_vec();
                let to = rng.usize(0..=input.len());
                input.splice(to..to, piece);
            }
            4 => {
                let other = rng.choice(seeds).cloned().unwrap_or_default();
                let from = rng.usize(0..=other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => {
                const WORDS: [&str; 20] = [
                    "\n",
                    "\n\n",
                    "\t",
                    " ",
                    ":",
                    ",",
                    ";",
                    "=",
                    "-",
                    "#",
                    "\"",
                    "{",
                    "}",
                    "[",
                    "null",
                    "\r\n",
                    "18446744073709551616",
                    "-1",
                    "1e999",
                    "\u{0}",
                ];
                let word = WORDS[rng.usize(0..WORDS.len())].as_bytes();
                input.splice(at..at, word.iter().copied());
            }
        }
        input.truncate(16 << 10);
    }
    input
}
