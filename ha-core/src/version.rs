//! Software versions: numbers between dots, dashes and tildes.

use core::cmp::Ordering;

/// Compares two versions part by part: parts as numbers, a missing part before a number, and a part after `~` before a
/// missing one, so that `9.0.0~16` comes before `9.0.0`.
///
/// ```
/// use core::cmp::Ordering;
/// use ha_core::version::compare_versions;
///
/// assert_eq!(compare_versions("9.0.0~2", "9.0.0~16"), Ordering::Less);
/// assert_eq!(compare_versions("9.0.0~16", "9.0.0"), Ordering::Less);
/// assert_eq!(compare_versions("9.1.2", "9.0.10"), Ordering::Greater);
/// assert_eq!(compare_versions("9.0", "9.0.1"), Ordering::Less);
/// ```
#[must_use]
pub fn compare_versions(one: &str, other: &str) -> Ordering {
    let (mut ones, mut others) = (parts(one), parts(other));
    loop {
        let (one, other) = (ones.next(), others.next());
        if one.is_none() && other.is_none() {
            return Ordering::Equal;
        }
        let order = one.unwrap_or(Part::END).cmp(&other.unwrap_or(Part::END));
        if order.is_ne() {
            return order;
        }
    }
}

/// One part of a version, ordered: after a tilde, then the end of the version, then all others.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Part<'a> {
    rank: u8,
    number: u64,
    /// What is not a number, compared as text.
    rest: &'a str,
}

impl Part<'_> {
    const END: Self = Part { rank: 1, number: 0, rest: "" };
}

fn parts(version: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rank = 2;
    version.split_inclusive(['.', '-', '+', '~']).map(move |piece| {
        let text = piece.trim_end_matches(['.', '-', '+', '~']);
        let digits = text.len().saturating_sub(text.trim_start_matches(|c: char| c.is_ascii_digit()).len());
        let (number, rest) = text.split_at_checked(digits).unwrap_or((text, ""));
        let part = Part { rank, number: number.parse().unwrap_or(0), rest };
        rank = if piece.ends_with('~') { 0 } else { 2 };
        part
    })
}
