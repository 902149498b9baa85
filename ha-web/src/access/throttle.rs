//! Wrong credentials cost time, ever more of it.

use std::{collections::BTreeMap, time::Duration};

use ha_core::time::Instant;

/// Counts wrong credentials, by address and by user. From the fifth within a minute on, whoever sent them has to wait: a second, then two,
/// up to a minute.
#[derive(Debug, Default)]
pub struct Throttle {
    seen: BTreeMap<String, Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// When the last ones were sent.
    wrong: Vec<Instant>,
    /// Until when nothing is looked at.
    until: Option<Instant>,
    /// How long the last wait was.
    wait: Duration,
}

const WITHIN: Duration = Duration::from_secs(60);
const FREE: usize = 4;
const LONGEST: Duration = Duration::from_secs(60);
/// How many are counted at most: whoever has more addresses than that is not held up by waiting anyway.
const MOST: usize = 10_000;

impl Throttle {
    /// For how long nothing that comes under one of these names is looked at yet; nothing if it is looked at now.
    #[must_use]
    pub fn waits(&self, names: &[&str], now: Instant) -> Option<Duration> {
        let left = |name: &&str| self.seen.get(*name)?.until.map(|until| until.since(now));
        names.iter().filter_map(left).filter(|left| !left.is_zero()).max()
    }

    /// Notes wrong credentials under these names, and says for how long they have to wait now, if they have to.
    pub fn wrong(&mut self, names: &[&str], now: Instant) -> Option<Duration> {
        if self.seen.len() >= MOST {
            self.forget(now);
        }
        names.iter().filter_map(|name| self.note(name, now)).max()
    }

    fn note(&mut self, name: &str, now: Instant) -> Option<Duration> {
        if self.seen.len() >= MOST && !self.seen.contains_key(name) {
            return None;
        }
        let seen = self.seen.entry(name.to_owned()).or_default();
        seen.wrong.retain(|at| now.since(*at) < WITHIN);
        if seen.wrong.is_empty() {
            seen.wait = Duration::ZERO;
        }
        seen.wrong.push(now);
        if seen.wrong.len() <= FREE {
            return None;
        }
        seen.wait = seen.wait.saturating_mul(2).clamp(Duration::from_secs(1), LONGEST);
        seen.until = Some(now.after(seen.wait));
        Some(seen.wait)
    }

    fn forget(&mut self, now: Instant) {
        self.seen.retain(|_, seen| {
            let waits = seen.until.is_some_and(|until| until > now);
            waits || seen.wrong.iter().any(|at| now.since(*at) < WITHIN)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_wrong_one_within_a_minute_has_to_wait_and_the_next_ones_longer() {
        let mut throttle = Throttle::default();
        let at = Instant::from_secs;
        let names = ["10.0.0.1", "root@pam"];
        for second in 0..4 {
            assert_eq!(throttle.wrong(&names, at(second)), None);
        }
        assert_eq!(throttle.wrong(&names, at(4)), Some(Duration::from_secs(1)));
        assert_eq!(throttle.waits(&["10.0.0.1"], at(4)), Some(Duration::from_secs(1)));
        assert_eq!(throttle.waits(&["10.0.0.2"], at(4)), None, "others go on");
        assert_eq!(throttle.waits(&["10.0.0.1"], at(5)), None);
        assert_eq!(throttle.wrong(&names, at(5)), Some(Duration::from_secs(2)));
        for _ in 0..9 {
            throttle.wrong(&names, at(6));
        }
        assert_eq!(throttle.wrong(&names, at(6)), Some(LONGEST));
        assert_eq!(throttle.wrong(&names, at(200)), None, "after a minute of peace all is forgotten");
    }

    #[test]
    fn wrong_ones_that_are_far_apart_cost_nothing() {
        let mut throttle = Throttle::default();
        for minute in 0..20 {
            assert_eq!(throttle.wrong(&["10.0.0.1"], Instant::from_secs(minute * 16)), None);
        }
    }
}
