//! Unique ids of requests.

use alloc::{format, string::String};

use crate::{config::Digest, id::Uid};

/// Makes ids that nobody has made before: a part that is unique to this mastership, a dot, and a number.
///
/// A round may need one for every service, so the next id is made from the last one by counting up its last digits.
#[derive(Debug, Clone)]
pub(crate) struct UidSource {
    /// The text of the last id.
    text: String,
}

/// Hex digits of the unique part.
const PREFIX_DIGITS: usize = 14;

/// Digits of the number. An id of that length is stored in place.
const NUMBER_DIGITS: usize = 8;

impl UidSource {
    /// A source whose unique part follows from bytes that the host promises nobody had before.
    pub(crate) fn new(unique: &[u8; 16]) -> Self {
        let digest = format!("{}", Digest::of(unique));
        let number = core::iter::repeat_n('0', NUMBER_DIGITS);
        Self { text: digest.chars().take(PREFIX_DIGITS).chain(['.']).chain(number).collect() }
    }

    /// The last id that was made, or the place where they begin.
    pub(crate) fn last(&self) -> &str {
        &self.text
    }

    /// Whether an id was made by this source after another one. After the last number that can't be told any more: then it was not.
    pub(crate) fn has_made_after(&self, before: &str, uid: &Uid) -> bool {
        let is_own = self.text.get(..=PREFIX_DIGITS).is_some_and(|prefix| uid.as_str().starts_with(prefix));
        is_own && uid.as_str() > before
    }

    /// The next id. There are 36^8 of them, which last for as long as any master.
    pub(crate) fn next(&mut self) -> Uid {
        count_up(&mut self.text);
        Uid::made(&self.text)
    }
}

/// Counts the number at the end of a text up by one. Its digits are `0` to `9` and `a` to `z`; nearly always the last one alone
/// changes.
fn count_up(text: &mut String) {
    match text.pop() {
        // After the last number the first again.
        None | Some('.') => text.push('.'),
        Some('z') => {
            count_up(text);
            text.push('0');
        }
        Some('9') => text.push('a'),
        Some(digit) => text.push(char::from_u32(u32::from(digit).wrapping_add(1)).unwrap_or('0')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{collections::BTreeSet, string::String, vec::Vec};

    #[test]
    fn ids_of_one_source_differ_and_so_do_those_of_two() {
        let mut one = UidSource::new(&[1; 16]);
        let mut other = UidSource::new(&[2; 16]);
        let ids: BTreeSet<Uid> = (0..50_000).flat_map(|_| [one.next(), other.next()]).collect();
        assert_eq!(ids.len(), 100_000);
    }

    #[test]
    fn a_source_knows_the_ids_that_it_has_made_since() {
        let (mut one, mut other) = (UidSource::new(&[1; 16]), UidSource::new(&[2; 16]));
        let first = one.next();
        let since = String::from(one.last());
        let later: Vec<Uid> = (0..50).map(|_| one.next()).collect();
        assert!(later.iter().all(|id| one.has_made_after(&since, id)));
        assert!(!one.has_made_after(&since, &first) && !one.has_made_after("", &other.next()));
        assert!(one.has_made_after("", &first));
    }

    #[test]
    fn ids_count_up_with_digits_and_letters() {
        let mut ids = UidSource::new(&[1; 16]);
        let numbers: Vec<String> =
            (0..37).map(|_| ids.next().as_str().rsplit('.').next().unwrap_or_default().into()).collect();
        let told = [0, 8, 9, 34, 35, 36].map(|place| numbers[place].as_str());
        assert_eq!(told, ["00000001", "00000009", "0000000a", "0000000z", "00000010", "00000011"]);
    }

    #[test]
    fn after_the_last_number_comes_the_first() {
        let mut ids = UidSource::new(&[1; 16]);
        let first = ids.next();
        ids.text = ids.text.replace(".00000001", ".zzzzzzzz");
        assert!(ids.next().as_str().ends_with(".00000000"));
        assert_eq!(ids.next(), first);
    }

    #[test]
    fn ids_fit_into_the_room_that_a_name_has_in_place() {
        assert_eq!(UidSource::new(&[0; 16]).next().as_str().len(), 23);
    }
}
