//! Unique ids of requests.

use alloc::format;

use crate::{config::Digest, id::Uid};

/// Makes ids that nobody has made before: a part that is unique to this mastership, a dot, and a number.
///
/// A round may need one for every service, so the next id is made from the last one by counting up its last digits.
#[derive(Debug, Clone)]
pub(crate) struct UidSource {
    /// The text of the last id.
    text: [u8; LENGTH],
}

/// Hex digits of the unique part.
const PREFIX_DIGITS: usize = 14;

/// Bytes of an id: so many are stored in place.
const LENGTH: usize = 23;

impl UidSource {
    /// A source whose unique part follows from bytes that the host promises nobody had before.
    pub(crate) fn new(unique: &[u8; 16]) -> Self {
        let digest = format!("{}", Digest::of(unique));
        let mut text = [b'0'; LENGTH];
        let unique = digest.bytes().take(PREFIX_DIGITS).chain([b'.']);
        text.iter_mut().zip(unique).for_each(|(place, byte)| *place = byte);
        Self { text }
    }

    /// The next id. There are 36^8 of them, which last for as long as any master.
    pub(crate) fn next(&mut self) -> Uid {
        let number = self.text.iter_mut().rev().take_while(|byte| **byte != b'.');
        for digit in number {
            *digit = successor(*digit);
            if *digit != b'0' {
                break;
            }
        }
        Uid::from_ascii(&self.text)
    }
}

/// The digit after this one, of `0` to `9` and `a` to `z`; after the last one the first again.
fn successor(digit: u8) -> u8 {
    match digit {
        b'9' => b'a',
        b'z' => b'0',
        _ => digit.wrapping_add(1),
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
    fn ids_count_up_with_digits_and_letters() {
        let mut ids = UidSource::new(&[1; 16]);
        let numbers: Vec<String> =
            (0..37).map(|_| ids.next().as_str().rsplit('.').next().unwrap_or_default().into()).collect();
        let told = [0, 8, 9, 34, 35, 36].map(|place| numbers[place].as_str());
        assert_eq!(told, ["00000001", "00000009", "0000000a", "0000000z", "00000010", "00000011"]);
    }

    #[test]
    fn ids_fit_into_the_room_that_a_name_has_in_place() {
        assert_eq!(UidSource::new(&[0; 16]).next().as_str().len(), 23);
    }
}
