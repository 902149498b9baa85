//! `datacenter.cfg` as a file: lines `key: value`, of which a few are ours and every other one stays as it is.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::str::FromStr;

use super::{DatacenterConfig, DatacenterSetting, Unit};
use crate::{
    config::{
        Digest, Parsed, Problem, ProblemKind, ValueError,
        section::{Line, Lines, trim, without_mark},
        value::excerpt,
    },
    text_enum::Words,
};

/// The file `datacenter.cfg`: the settings, and the lines that they are in.
///
/// A setting is changed in its own line, and in a property string in its own item. The first line of a key that can be
/// read holds; when a setting of that key is changed, other lines of the same key become comments, so that none of
/// them comes to life. Every other line stays as it is, byte for byte.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DatacenterFile {
    config: DatacenterConfig,
    text: Vec<u8>,
    digest: Digest,
}

impl DatacenterFile {
    /// Reads `datacenter.cfg`.
    pub fn read(text: &[u8]) -> Parsed<Self> {
        let digest = Digest::of(text);
        let (text, mark) = without_mark(text);
        let problems = mark.map(Problem::mark_at_start).into_iter().collect();
        let mut reader = Reader { config: DatacenterConfig::default(), seen: Vec::new(), problems };
        for line in Lines::new(text) {
            reader.line(&line);
        }
        let file = Self { config: reader.config, text: text.to_owned(), digest };
        Parsed { config: file, problems: reader.problems }
    }

    /// The settings.
    #[must_use]
    pub const fn config(&self) -> &DatacenterConfig {
        &self.config
    }

    /// The digest of the file that this was read from.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The file's bytes.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        self.text.clone()
    }

    /// Sets a setting to a value as the file has it: percentages are percentages.
    ///
    /// ```
    /// use ha_core::config::datacenter::{DatacenterFile, DatacenterSetting};
    ///
    /// let mut file = DatacenterFile::read(b"keyboard: de\ncrs: static,colour=blue\n").config;
    /// file.set(DatacenterSetting::AutoRebalance, "yes")?;
    /// file.set(DatacenterSetting::MaxWorkers, "8")?;
    /// let expected = "keyboard: de\ncrs: static,colour=blue,ha-auto-rebalance=yes\nmax_workers: 8\n";
    /// assert_eq!(file.write(), expected.as_bytes());
    /// # Ok::<(), ha_core::config::ValueError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the setting does not take the value; then nothing is changed.
    pub fn set(&mut self, setting: DatacenterSetting, value: &str) -> Result<(), ValueError> {
        let value = value.trim();
        setting.assign(&mut self.config, value, Unit::Percent)?;
        // A boolean without a value is true, but a line without a value looks like a mistake.
        self.change(setting, Some(if value.is_empty() { "1" } else { value }));
        Ok(())
    }

    /// Unsets a setting, so that its default holds.
    pub fn unset(&mut self, setting: DatacenterSetting) {
        self.change(setting, None);
    }

    fn change(&mut self, setting: DatacenterSetting, value: Option<&str>) {
        let format = LineFormat::of(setting);
        let target = self.line_to_change(setting);
        let mut text = Vec::with_capacity(self.text.len());
        let mut lines = Lines::new(&self.text).peekable();
        while let Some(line) = lines.next() {
            let end = lines.peek().map_or(self.text.len(), |next| next.start);
            let whole = self.text.get(line.start..end).unwrap_or_default();
            let line_end = whole.get(line.content.len()..).unwrap_or_default();
            match owned(&line) {
                Some((owned, _)) if owned != format => text.extend_from_slice(whole),
                Some((_, old)) if Some(line.number) == target => {
                    if let Some(content) = changed_line(setting, old, value) {
                        text.extend_from_slice(content.as_bytes());
                        text.extend_from_slice(line_end);
                    }
                }
                Some(_) => {
                    text.extend_from_slice(b"# ");
                    text.extend_from_slice(whole);
                }
                None => text.extend_from_slice(whole),
            }
        }
        if let (None, Some(content)) = (target, changed_line(setting, b"", value)) {
            if !text.is_empty() && !text.ends_with(b"\n") {
                text.push(b'\n');
            }
            text.extend_from_slice(content.as_bytes());
            text.push(b'\n');
        }
        // A line that comes first now must not be taken for one with a mark in front of the file.
        if without_mark(&text).1.is_some() {
            text.insert(0, b'\n');
        }
        let read_from = self.digest;
        *self = Self::read(&text).config;
        self.digest = read_from;
    }

    /// The number of the line that a change of `setting` goes to: the one that holds; or else, where a line is one
    /// setting and nothing more, the first that has a bad value.
    fn line_to_change(&self, setting: DatacenterSetting) -> Option<usize> {
        let format = LineFormat::of(setting);
        let mut bad = None;
        for line in Lines::new(&self.text) {
            let Some((_, value)) = owned(&line).filter(|(owned, _)| *owned == format) else { continue };
            let holds = core::str::from_utf8(value).is_ok_and(|text| match format {
                LineFormat::Plain(setting) => {
                    setting.assign(&mut DatacenterConfig::default(), text, Unit::Percent).is_ok()
                }
                LineFormat::Properties { .. } => true,
            });
            if holds {
                return Some(line.number);
            }
            match format {
                LineFormat::Plain(_) => bad = bad.or(Some(line.number)),
                LineFormat::Properties { .. } => {}
            }
        }
        bad
    }
}

/// What a line of ours holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineFormat {
    /// The value is the setting.
    Plain(DatacenterSetting),
    /// The value is a property string of settings. Some have a key for an item without one.
    Properties { key: &'static str, default_key: Option<&'static str> },
}

impl LineFormat {
    /// The format of the lines with this key, if they are ours.
    fn of_key(key: &[u8]) -> Option<Self> {
        match key {
            b"ha" => Some(Self::Properties { key: "ha", default_key: None }),
            b"crs" => Some(Self::Properties { key: "crs", default_key: Some("ha") }),
            b"max_workers" | b"max_worker" => Some(Self::Plain(DatacenterSetting::MaxWorkers)),
            b"max_starts" => Some(Self::Plain(DatacenterSetting::MaxStarts)),
            b"max_moves" => Some(Self::Plain(DatacenterSetting::MaxMoves)),
            b"flapping_hold" => Some(Self::Plain(DatacenterSetting::FlappingHold)),
            b"fencing" => Some(Self::Plain(DatacenterSetting::Fencing)),
            _ => None,
        }
    }

    /// The format of the line that a setting is in.
    fn of(setting: DatacenterSetting) -> Self {
        Self::of_key(setting.keys().0.as_bytes()).unwrap_or(Self::Plain(setting))
    }

    fn key(self) -> &'static str {
        match self {
            Self::Plain(setting) => setting.as_str(),
            Self::Properties { key, .. } => key,
        }
    }

    const fn default_key(self) -> Option<&'static str> {
        match self {
            Self::Plain(_) => None,
            Self::Properties { default_key, .. } => default_key,
        }
    }
}

/// The format of a line and its value, if it is ours.
fn owned<'a>(line: &Line<'a>) -> Option<(LineFormat, &'a [u8])> {
    let colon = memchr::memchr(b':', line.content)?;
    let (key, value) = line.content.split_at_checked(colon)?;
    Some((LineFormat::of_key(key)?, trim(value.strip_prefix(b":")?)))
}

/// One item of a property string.
struct Item<'a> {
    /// Its key, the default key if it has none; or nothing if there is no default either.
    key: Option<&'a str>,
    value: &'a str,
    /// As it is written there.
    text: &'a str,
}

fn items<'a>(properties: &'a str, default_key: Option<&'a str>) -> impl Iterator<Item = Item<'a>> {
    properties.split(',').map(str::trim).filter(|item| !item.is_empty()).map(move |text| match text.split_once('=') {
        Some((key, value)) => Item { key: Some(key.trim_end()), value: value.trim_start(), text },
        None => Item { key: default_key, value: text, text },
    })
}

/// The line with a setting changed or, without `value`, taken out; `None` if nothing is left of it.
fn changed_line(setting: DatacenterSetting, old: &[u8], value: Option<&str>) -> Option<String> {
    let (key, item_key) = setting.keys();
    let (default_key, Some(item_key)) = (LineFormat::of(setting).default_key(), item_key) else {
        return value.map(|value| format!("{key}: {value}"));
    };
    let mut changed = value.map(|value| format!("{item_key}={value}"));
    let mut all: Vec<String> = Vec::new();
    for old in items(core::str::from_utf8(old).unwrap_or_default(), default_key) {
        if old.key == Some(item_key) {
            all.extend(changed.take());
        } else {
            all.push(old.text.into());
        }
    }
    all.extend(changed);
    if all.is_empty() { None } else { Some(format!("{key}: {}", all.join(","))) }
}

struct Reader {
    config: DatacenterConfig,
    /// The keys of which a line holds.
    seen: Vec<&'static str>,
    problems: Vec<Problem>,
}

impl Reader {
    fn line(&mut self, line: &Line<'_>) {
        let Some((format, value)) = owned(line) else { return };
        let key = format.key();
        let mut scratch = self.config.clone();
        let mut problems = Vec::new();
        let read = match (core::str::from_utf8(value), format) {
            (Err(_), _) => Err(ValueError::NotUtf8),
            (Ok(text), LineFormat::Plain(setting)) => setting.assign(&mut scratch, text, Unit::Percent),
            (Ok(text), LineFormat::Properties { default_key, .. }) => {
                for (property, kind) in read_properties(&mut scratch, key, default_key, text) {
                    problems.push((Some(property), kind));
                }
                Ok(())
            }
        };
        match read {
            Err(error) => problems.push((None, ProblemKind::BadValue(error))),
            Ok(()) if self.seen.contains(&key) => problems = [(None, ProblemKind::DuplicateProperty)].into(),
            Ok(()) => {
                self.seen.push(key);
                self.config = scratch;
            }
        }
        for (property, kind) in problems {
            self.problems.push(Problem { line: line.number, section: Some(key.into()), property, kind });
        }
    }
}

/// Reads a property string; gives what is wrong with which item.
fn read_properties(
    config: &mut DatacenterConfig,
    line_key: &'static str,
    default_key: Option<&'static str>,
    text: &str,
) -> Vec<(String, ProblemKind)> {
    let mut seen = Vec::new();
    let mut problems = Vec::new();
    for item in items(text, default_key) {
        let Some(key) = item.key else {
            let text = excerpt(item.text.as_bytes());
            problems.push((text.clone(), ProblemKind::BadValue(ValueError::NoKey(text))));
            continue;
        };
        let kind = match DatacenterSetting::from_str(&format!("{line_key}.{key}")) {
            Err(_) => unknown_item(line_key),
            Ok(setting) => {
                // A second value is looked at, but into nothing.
                let mut nothing = DatacenterConfig::default();
                let duplicate = seen.contains(&setting);
                match setting.assign(if duplicate { &mut nothing } else { config }, item.value, Unit::Percent) {
                    Err(error) => ProblemKind::BadValue(error),
                    Ok(()) if duplicate => ProblemKind::DuplicateProperty,
                    Ok(()) => {
                        seen.push(setting);
                        continue;
                    }
                }
            }
        };
        problems.push((excerpt(key.as_bytes()), kind));
    }
    problems
}

fn unknown_item(line_key: &str) -> ProblemKind {
    let in_line = |setting: &DatacenterSetting| setting.keys().1.filter(|_| setting.keys().0 == line_key);
    let known: Vec<&str> = DatacenterSetting::ALL.iter().filter_map(in_line).collect();
    ProblemKind::UnknownProperty { expected: format!("{}", Words(&known)) }
}

#[cfg(test)]
mod tests {
    use super::super::{FencingMode, ImbalanceScale, SchedulerMode, ShutdownPolicy};
    use super::*;

    fn file(text: &str) -> DatacenterFile {
        DatacenterFile::read(text.as_bytes()).config
    }

    fn text(file: &DatacenterFile) -> String {
        String::from_utf8(file.write()).unwrap()
    }

    #[test]
    fn percentages_become_fractions() {
        let config =
            file("crs: ha-auto-rebalance-threshold=45,ha-auto-rebalance-margin=12.5,dynamic\n").config.scheduler;
        assert_eq!((config.threshold, config.margin, config.mode), (0.45, 0.125, SchedulerMode::Dynamic));
        assert_eq!(config.scale, ImbalanceScale::Normalised);
    }

    #[test]
    fn a_change_touches_only_its_own_item() {
        let mut file = file("# top\nha: shutdown_policy=freeze,x=1\r\nother: ä , b\n\n bandwidth: 1");
        file.set(DatacenterSetting::ShutdownPolicy, "migrate").unwrap();
        assert_eq!(text(&file), "# top\nha: shutdown_policy=migrate,x=1\r\nother: ä , b\n\n bandwidth: 1");
        assert_eq!(file.config().shutdown_policy, ShutdownPolicy::Migrate);
        file.set(DatacenterSetting::Fencing, "both").unwrap();
        assert!(text(&file).ends_with("\n bandwidth: 1\nfencing: both\n"));
        assert_eq!(file.config().fencing, FencingMode::Both);
        file.unset(DatacenterSetting::ShutdownPolicy);
        file.unset(DatacenterSetting::Fencing);
        assert_eq!(text(&file), "# top\nha: x=1\r\nother: ä , b\n\n bandwidth: 1\n");
    }

    #[test]
    fn no_second_line_comes_to_life() {
        let mut file = file("max_workers: x\nmax_worker: 2\nmax_workers: 3\n");
        assert_eq!(file.config().max_workers, 2);
        file.unset(DatacenterSetting::MaxWorkers);
        assert_eq!(text(&file), "# max_workers: x\n# max_workers: 3\n");
        assert_eq!(file.config().max_workers, 4);
    }

    #[test]
    fn a_refused_value_changes_nothing() {
        let mut file = file("max_workers: 2\n");
        let before = file.clone();
        for setting in [
            DatacenterSetting::MaxWorkers,
            DatacenterSetting::MaxStarts,
            DatacenterSetting::MaxMoves,
            DatacenterSetting::FlappingHold,
        ] {
            assert!(file.set(setting, "0").is_err(), "{setting}");
        }
        assert_eq!(file, before);
    }

    #[test]
    fn the_digest_stays_that_of_the_file_that_was_read() {
        let mut file = file("max_workers: 2\n");
        file.set(DatacenterSetting::MaxWorkers, "3").unwrap();
        assert_eq!(file.digest(), Digest::of(b"max_workers: 2\n"));
    }
}
