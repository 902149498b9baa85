//! Unique ids of requests.

use alloc::{format, string::String};

use crate::{config::Digest, id::Uid};

/// Makes ids that nobody has made before: a part that is unique to this mastership, a dot, and a number.
///
/// A round may need one for every service, so the next id is made from the last one by counting up its last digits.
#[derive(Debug, Clone)]
pub(crate) struct UidSource {
    prefix: String,
    /// The digits of the last number, the lowest first.
    digits: [u8; NUMBER_DIGITS],
}

/// Hex digits of the unique part.
const PREFIX_DIGITS: usize = 14;

/// Digits of the number. With them an id has 23 bytes, which are stored in place.
const NUMBER_DIGITS: usize = 8;

/// The digits, from the lowest to the highest. 36^8 numbers last for as long as any master.
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

impl UidSource {
    /// A source whose unique part follows from bytes that the host promises nobody had before.
    pub(crate) fn new(unique: &[u8; 16]) -> Self {
        let digest = format!("{}", Digest::of(unique));
        Self { prefix: digest.chars().take(PREFIX_DIGITS).collect(), digits: [b'0'; NUMBER_DIGITS] }
    }

    /// The next id.
    pub(crate) fn next(&mut self) -> Uid {
        for digit in &mut self.digits {
            *digit = successor(*digit);
            if *digit != b'0' {
                break;
            }
        }
        Uid::numbered(&self.prefix, &self.digits)
    }
}

/// The digit after this one; after the last one the first again.
fn successor(digit: u8) -> u8 {
    let after = DIGITS.iter().skip_while(|other| **other != digit).nth(1);
    after.copied().unwrap_or(b'0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn ids_of_one_source_differ_and_so_do_those_of_two() {
        let mut one = UidSource::new(&[1; 16]);
        let mut other = UidSource::new(&[2; 16]);
        let ids: BTreeSet<Uid> = (0..50_000).flat_map(|_| [one.next(), other.next()]).collect();
        assert_eq!(ids.len(), 100_000);
    }

    #[test]
    fn ids_fit_into_the_room_that_a_name_has_in_place() {
        assert_eq!(UidSource::new(&[0; 16]).next().as_str().len(), 23);
    }
}
