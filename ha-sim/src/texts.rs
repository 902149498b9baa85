//! Times, sizes and names as scenarios write and read them.

use std::time::Duration;

/// Reads `90s`, `2m`, `1h30m`, `250ms`, `1.5s`; the units go from large to small.
pub fn duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 4] = [("h", 3600.0), ("ms", 0.001), ("m", 60.0), ("s", 1.0)];
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let (unit, factor) = UNITS.iter().find(|(unit, _)| tail.starts_with(unit))?;
        seconds += number.parse::<f64>().ok()? * factor;
        rest = tail.strip_prefix(unit)?;
    }
    // Sums of such numbers are a little off.
    let seconds = (seconds * 1e9).round() / 1e9;
    (!text.is_empty() && seconds.is_finite()).then(|| Duration::try_from_secs_f64(seconds).ok())?
}

/// A time that [`duration`] reads.
pub(crate) fn time(span: Duration) -> String {
    let seconds = span.as_secs();
    let (hours, minutes, seconds, fraction) = (seconds / 3600, seconds / 60 % 60, seconds % 60, span.subsec_nanos());
    let mut text = String::new();
    if hours > 0 {
        text.push_str(&format!("{hours}h"));
    }
    if minutes > 0 {
        text.push_str(&format!("{minutes}m"));
    }
    if fraction > 0 {
        let digits = format!("{fraction:09}");
        text.push_str(&format!("{seconds}.{}s", digits.trim_end_matches('0')));
    } else if seconds > 0 || text.is_empty() {
        text.push_str(&format!("{seconds}s"));
    }
    text
}

/// `cores 4 memory 2G`
pub(crate) fn size(cores: f64, memory: u64) -> String {
    const UNITS: [(char, u32); 4] = [('T', 40), ('G', 30), ('M', 20), ('K', 10)];
    let whole = |shift: u32| memory > 0 && memory.trailing_zeros() >= shift;
    let memory = UNITS
        .iter()
        .find(|(_, shift)| whole(*shift))
        .map_or_else(|| memory.to_string(), |(unit, shift)| format!("{}{unit}", memory >> shift));
    format!("cores {cores} memory {memory}")
}

/// A word, in quotes if it would not be one without.
pub(crate) fn quoted(text: &str) -> String {
    let needed = text.is_empty() || text.starts_with('#') || text.contains(char::is_whitespace);
    if needed { format!("\"{text}\"") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_sums_of_units() {
        assert_eq!(duration("90s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(duration("2.5s"), Some(Duration::from_millis(2500)));
        for wrong in ["", "90", "s", "1d", "-1s", "1s5", "1..2s"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_time_is_read_as_it_was_written() {
        for nanoseconds in [0, 1, 1_000_000, 72_345_000_000, 3_600_000_000_000, 5_425_000_000_001, 86_399_999_999_999] {
            let span = Duration::from_nanos(nanoseconds);
            assert_eq!(duration(&time(span)), Some(span), "{}", time(span));
        }
        assert_eq!(time(Duration::from_millis(72_345)), "1m12.345s");
        assert_eq!(time(Duration::from_secs(7200)), "2h");
    }

    #[test]
    fn sizes_are_written_with_the_largest_unit_that_leaves_nothing_over() {
        assert_eq!(size(4.0, 64 << 30), "cores 4 memory 64G");
        assert_eq!(size(0.5, (1 << 30) + 1), "cores 0.5 memory 1073741825");
        assert_eq!(size(1.0, 0), "cores 1 memory 0");
    }
}
