//! Conditions that last: a store that fails is tried again several times a second, and a log that says so each time says nothing else.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ha_core::{event::Event, time::Instant};

/// What lasts, as it was said: each condition of each source once, and again when it comes back or goes on for a long time.
#[derive(Debug, Default)]
pub(crate) struct Lasting {
    said: BTreeMap<(Arc<str>, String), Said>,
}

#[derive(Debug)]
struct Said {
    at: Instant,
    /// When it was last there, said or not.
    last: Instant,
    unsaid: u64,
}

impl Lasting {
    /// After this time what goes on is said again.
    const REMINDER: Duration = Duration::from_secs(600);
    /// What was not there for this long is over.
    const OVER: Duration = Duration::from_secs(60);
    /// Conditions that are remembered before those are forgotten that are over.
    const MANY: usize = 256;

    /// Whether a condition must be said: then how often it was there, and was not said, since it was said last.
    pub(crate) fn times_unsaid(&mut self, source: &Arc<str>, condition: String, now: Instant) -> Option<u64> {
        if self.said.len() >= Self::MANY {
            self.said.retain(|_, said| now.since(said.last) < Self::OVER);
        }
        let new = Said { at: now, last: now, unsaid: 0 };
        let Some(said) = self.said.get_mut(&(source.clone(), condition.clone())) else {
            self.said.insert((source.clone(), condition), new);
            return Some(0);
        };
        let goes_on = now.since(said.last) < Self::OVER;
        if goes_on && now.since(said.at) < Self::REMINDER {
            said.last = now;
            said.unsaid = said.unsaid.saturating_add(1);
            return None;
        }
        Some(std::mem::replace(said, new).unsaid)
    }
}

/// The condition of which an event is a sign, if it is one that lasts.
pub(crate) fn of_event(event: &Event) -> Option<String> {
    if let Event::HostCallFailed { operation, message } = event {
        return Some(format!("{operation}: {}", without_amounts(message)));
    }
    matches!(event, Event::RoundFailed { .. } | Event::FenceWithoutServices { .. }).then(|| event.to_string())
}

/// A text whose amounts may rise all the time, without them. Numbers in names stay.
fn without_amounts(text: &str) -> String {
    let is_amount = |word: &str| {
        let word = word.trim_matches(|character: char| character.is_ascii_punctuation());
        let number = word.trim_end_matches(|character: char| character.is_alphabetic());
        let unit = word.strip_prefix(number).unwrap_or_default();
        matches!(unit, "" | "s" | "ms" | "µs" | "ns") && number.parse::<f64>().is_ok()
    };
    let words: Vec<&str> = text.split_whitespace().map(|word| if is_amount(word) { "#" } else { word }).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_said_once_then_every_ten_minutes_and_when_it_comes_anew() {
        let mut lasting = Lasting::default();
        let source: Arc<str> = "node1/crm".into();
        let mut said = Vec::new();
        for second in 0..1250 {
            let unsaid = lasting.times_unsaid(&source, "the store fails".into(), Instant::from_secs(second));
            said.extend(unsaid.map(|unsaid| (second, unsaid)));
        }
        assert_eq!(said, [(0, 0), (600, 599), (1200, 599)]);
        let mut at =
            |second, condition: &str| lasting.times_unsaid(&source, condition.into(), Instant::from_secs(second));
        assert_eq!(at(1250, "another"), Some(0));
        assert_eq!(at(1308, "the store fails"), None);
        assert_eq!(at(1368, "the store fails"), Some(50), "it was over for a minute");
        for number in 0..10_000_u32 {
            at(2000 + u64::from(number), &number.to_string());
        }
        assert!(lasting.said.len() <= Lasting::MANY);
    }

    #[test]
    fn amounts_make_no_other_condition_and_names_do() {
        let same = |one: &str, other: &str| without_amounts(one) == without_amounts(other);
        assert!(same("no answer for 0.8 s", "no answer for 12 s") && same("took 1.5s.", "took 900ms."));
        assert!(!same("status/lrm/node1.json: denied", "status/lrm/node2.json: denied"));
        assert!(!same("vm:100 has no guest", "vm:101 has no guest"));
    }
}
