//! `ha-sim replay`: plays the recording of a daemon, decides again, and shows where that comes out differently.

use std::{fs, io::Write, path::Path};

use ha_core::record::{Replayed, replay};

use super::{Error, Verdict, terminal};

pub(super) fn decide_again(file: &Path, out: &mut impl Write) -> Result<Verdict, Error> {
    let text = fs::read_to_string(file).map_err(|source| Error::Read { path: file.to_owned(), source })?;
    let replayed = replay(&text).map_err(|source| Error::Recording { path: file.to_owned(), source })?;
    let Replayed { calls, same, divergence } = replayed;
    match divergence {
        None => {
            let (good, end) = (terminal::GOOD, format!("{:#}", terminal::GOOD));
            writeln!(out, "{good}decided the same{end}: {calls} calls, {same} questions, events and ends")?;
            Ok(Verdict::Well)
        }
        Some(divergence) => {
            let (bad, end) = (terminal::ERROR, format!("{:#}", terminal::ERROR));
            writeln!(
                out,
                "{bad}decided otherwise{end} after {same} that were the same: {}, {divergence}",
                file.display()
            )?;
            Ok(Verdict::Failed)
        }
    }
}
