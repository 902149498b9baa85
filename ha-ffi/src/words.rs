//! Between numbers of C and values of the core. What says which words have which numbers is generated: see `generated`.

use std::{ffi::c_char, ptr};

use crate::failure::Failure;

/// Between a number from C and a value of the core.
pub(crate) trait Number: Copy + 'static {
    /// What it is called in an error.
    const NAME: &'static str;
    /// The values with their numbers and, where they have one, their words.
    const TABLE: &'static [(Self, i32, &'static [u8])];

    fn number(self) -> i32;

    fn from_number(number: i32) -> Result<Self, Failure> {
        let found = Self::TABLE.iter().find(|(_, known, _)| *known == number).map(|(value, ..)| *value);
        found.ok_or_else(|| Failure::argument(format!("{number} is no {}", Self::NAME)))
    }
}

/// The word for a number; NULL for one that stands for nothing.
pub(crate) fn word<T: Number>(number: i32) -> *const c_char {
    let found = T::TABLE.iter().find(|(_, known, _)| *known == number);
    found.map_or(ptr::null(), |(_, _, word)| word.as_ptr().cast())
}

/// Connects an enum for C with one of the core. The word gets a NUL at its end.
macro_rules! numbers {
    ($c:ident: $core:ty, $($number:ident = $variant:ident $word:literal),+ $(,)?) => {
        impl Number for $core {
            const NAME: &'static str = stringify!($c);
            const TABLE: &'static [(Self, i32, &'static [u8])] =
                &[$((Self::$variant, $c::$number as i32, concat!($word, "\0").as_bytes())),+];

            fn number(self) -> i32 {
                match self {
                    $(Self::$variant => $c::$number as i32),+
                }
            }
        }
    };
}
pub(crate) use numbers;

/// Whether all values of the core have a number, and the words that they have in the core.
#[cfg(test)]
pub(crate) fn check<T: Number + std::fmt::Display>(all: &[T]) {
    assert_eq!(all.len(), T::TABLE.len(), "{}", T::NAME);
    for value in all {
        let word = T::TABLE.iter().find(|(_, number, _)| *number == value.number()).unwrap().2;
        assert_eq!(word, format!("{value}\0").as_bytes(), "{}", T::NAME);
        assert_eq!(T::from_number(value.number()).unwrap().number(), value.number());
    }
    assert!(T::from_number(0).is_err(), "0 is never a value");
}
