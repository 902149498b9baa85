//! Names that are nearly those that there are: a typing error, or another case.

use alloc::{format, string::String, vec::Vec};

/// The name among `known` that a person probably meant by `typed`, if one is close enough and no other is as close.
///
/// Case and punctuation count little: `VM100` means `vm:100`. Digits count fully: `node4` is not `node1` typed wrongly, and
/// `vm:101` not `vm:100`. For services see also [`similar_service`].
///
/// ```
/// use ha_core::similar::similar;
///
/// assert_eq!(similar("Node1", ["node1", "node2"].into_iter()), Some("node1"));
/// assert_eq!(similar("ndoe2", ["node1", "node2"].into_iter()), Some("node2"));
/// assert_eq!(similar("vm100", ["vm:100", "ct:101"].into_iter()), Some("vm:100"));
/// assert_eq!(similar("node4", ["node1", "node2"].into_iter()), None);
/// ```
pub fn similar<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (letters, digits) = parts(typed);
    let mut best: Option<(usize, &str)> = None;
    let mut tied = false;
    for name in known.filter(|name| *name != typed) {
        let (other_letters, other_digits) = parts(name);
        if digits != other_digits {
            continue;
        }
        // About one slip in four letters.
        let most = (letters.len().max(other_letters.len()) / 4).min(2);
        let distance = distance(&letters, &other_letters, most);
        match (distance, best) {
            (None, _) => {}
            (Some(distance), Some((least, _))) if distance > least => {}
            (Some(distance), Some((least, _))) if distance == least => tied = true,
            (Some(distance), _) => {
                best = Some((distance, name));
                tied = false;
            }
        }
    }
    best.filter(|_| !tied).map(|(_, name)| name)
}

/// As [`similar`], for service ids: one with another type but the same name is close too.
///
/// ```
/// use ha_core::similar::similar_service;
///
/// assert_eq!(similar_service("ct:100", ["vm:100", "ct:101"].into_iter()), Some("vm:100"));
/// ```
pub fn similar_service<'a>(typed: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let name = |sid: &str| sid.rsplit(':').next().unwrap_or(sid).to_lowercase();
    let wanted = name(typed);
    let mut namesakes = known.clone().filter(|sid| *sid != typed && name(sid) == wanted);
    match (namesakes.next(), namesakes.next()) {
        (Some(only), None) => Some(only),
        (Some(_), Some(_)) | (None, _) => similar(typed, known),
    }
}

/// `; did you mean 'NAME'?`, or nothing: to be put behind a sentence that says that there is no such thing.
#[must_use]
pub fn did_you_mean(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("; did you mean '{name}'?"))
}

/// The letters of a name in lower case, and its digits.
fn parts(name: &str) -> (Vec<char>, String) {
    let letters = name.chars().filter(|character| character.is_alphabetic()).flat_map(char::to_lowercase).collect();
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    (letters, digits.trim_start_matches('0').into())
}

/// How many letters have to be added, taken away, replaced, or swapped with their neighbour; nothing if more than `most`.
fn distance(one: &[char], other: &[char], most: usize) -> Option<usize> {
    if one.len().abs_diff(other.len()) > most {
        return None;
    }
    let width = other.len().saturating_add(1);
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..width).collect();
    for (i, letter) in one.iter().enumerate() {
        let mut next = Vec::with_capacity(width);
        next.push(i.saturating_add(1));
        for (j, other_letter) in other.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX);
            let replaced = cell(&row, j).saturating_add(usize::from(letter != other_letter));
            let changed = cell(&row, j.saturating_add(1)).min(cell(&next, j)).saturating_add(1);
            let mut least = replaced.min(changed);
            let (last, other_last) = (i.checked_sub(1), j.checked_sub(1));
            if let (Some(last), Some(other_last)) = (last, other_last)
                && one.get(last) == Some(other_letter)
                && other.get(other_last) == Some(letter)
            {
                least = least.min(cell(&before, other_last).saturating_add(1));
            }
            next.push(least);
        }
        before = core::mem::replace(&mut row, next);
    }
    row.last().copied().filter(|distance| *distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_seen_and_other_names_are_left_alone() {
        let nodes = ["node1", "node2", "node11", "alpha", "pve-west-1"];
        for (typed, meant) in [
            ("Node1", Some("node1")),
            ("NODE11", Some("node11")),
            ("noed2", Some("node2")),
            ("nod2", Some("node2")),
            ("node-2", Some("node2")),
            ("node02", Some("node2")),
            ("alhpa", Some("alpha")),
            ("Alpha", Some("alpha")),
            ("pve_west_1", Some("pve-west-1")),
            ("node3", None),
            ("node12", None),
            ("gamma", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(similar(typed, nodes.into_iter()), meant, "{typed}");
        }
    }

    #[test]
    fn services_are_found_by_their_number() {
        let services = ["vm:100", "ct:101", "web:shop"];
        for (typed, meant) in [
            ("vm100", Some("vm:100")),
            ("VM:100", Some("vm:100")),
            ("vm-100", Some("vm:100")),
            ("vn:100", Some("vm:100")),
            ("100", Some("vm:100")),
            ("ct:100", Some("vm:100")),
            ("wbe:shop", Some("web:shop")),
            ("web:shpo", Some("web:shop")),
            ("vm:102", None),
        ] {
            assert_eq!(similar_service(typed, services.into_iter()), meant, "{typed}");
        }
    }

    #[test]
    fn two_names_that_are_as_close_help_nobody() {
        assert_eq!(similar("nodex", ["nodea", "nodeb"].into_iter()), None);
    }
}
