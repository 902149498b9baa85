//! Unique ids of requests.

use alloc::string::String;
use core::fmt::Write as _;

use crate::{config::Digest, id::Uid};

/// Makes ids that nobody has made before: a part that is unique to this mastership, then a number.
#[derive(Debug, Clone)]
pub(crate) struct UidSource {
    prefix: String,
    count: u64,
}

/// Hex digits of the unique part. With the count an id stays within the 23 bytes that are stored in place.
const PREFIX_DIGITS: usize = 14;

impl UidSource {
    /// A source whose unique part follows from bytes that the host promises nobody had before.
    pub(crate) fn new(unique: &[u8; 16]) -> Self {
        let mut prefix = String::with_capacity(PREFIX_DIGITS);
        // Writing to a string can't fail.
        let _ = write!(prefix, "{:.PREFIX_DIGITS$}", Hex(Digest::of(unique)));
        Self { prefix, count: 0 }
    }

    /// The next id.
    pub(crate) fn next(&mut self) -> Uid {
        self.count = self.count.wrapping_add(1);
        Uid::numbered(&self.prefix, self.count)
    }
}

/// A digest that can be cut to a number of digits by the format's precision.
struct Hex(Digest);

impl core::fmt::Display for Hex {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(&alloc::format!("{}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_source_differ_and_so_do_those_of_two() {
        let mut one = UidSource::new(&[1; 16]);
        let mut other = UidSource::new(&[2; 16]);
        let ids = [one.next(), one.next(), other.next(), other.next()];
        let distinct: alloc::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), 4);
    }
}
