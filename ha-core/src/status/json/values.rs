//! Reading the values of fields, as different writers put them down.

use alloc::{string::String, vec::Vec};
use core::{
    fmt::{self, Display},
    marker::PhantomData,
    str::FromStr,
};

use serde::{
    Deserializer,
    de::{Error, SeqAccess, Visitor},
};
use smol_str::{SmolStr, ToSmolStr};

use super::read::{Path, Readable, RequiredSeed};
use crate::{
    id::{NodeName, ServiceId, Uid},
    status::{DisarmMode, DisarmState, ExitCode, LrmMode, LrmState, NodeState, Readiness, StateName},
};

/// Reads texts and, since some writers do not tell them apart, whole numbers as texts.
struct TextVisitor<T>(PhantomData<T>);

impl<T: Readable + FromStr<Err: Display>> Visitor<'_> for TextVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
        text.parse().map(Some).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<T>, E> {
        self.visit_str(&number.to_smolstr())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<T>, E> {
        self.visit_str(&number.to_smolstr())
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }
}

macro_rules! readable_texts {
    ($($name:ty: $expected:literal),+ $(,)?) => {
        $(impl Readable for $name {
            const EXPECTED: &'static str = $expected;

            fn read<'de, D: Deserializer<'de>>(deserializer: D, _: &mut Path) -> Result<Option<Self>, D::Error> {
                deserializer.deserialize_any(TextVisitor(PhantomData))
            }
        })+
    };
}

readable_texts! {
    NodeName: "the name of a node",
    ServiceId: "a service id",
    Uid: "a unique id",
    SmolStr: "a text",
    String: "a text",
    NodeState: "a node state",
    StateName: "a service state",
    DisarmMode: "a disarm mode",
    DisarmState: "a disarm state",
    LrmState: "an LRM state",
    LrmMode: "an LRM mode",
    Readiness: "the readiness of a service",
}

/// Reads whole numbers, also from texts and from numbers that are written with a fraction of zero.
struct WholeVisitor<T>(PhantomData<T>);

impl<T: Readable + TryFrom<i64>> WholeVisitor<T> {
    fn check<E: Error>(number: Option<i64>, found: impl Display) -> Result<Option<T>, E> {
        let value = number.and_then(|number| T::try_from(number).ok());
        value.map(Some).ok_or_else(|| E::custom(format_args!("{found} is not {}", T::EXPECTED)))
    }
}

impl<T: Readable + TryFrom<i64>> Visitor<'_> for WholeVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<T>, E> {
        Self::check(Some(number), number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<T>, E> {
        Self::check(i64::try_from(number).ok(), number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Option<T>, E> {
        Self::check(whole(number), number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
        Self::check(text.parse().ok(), format_args!("'{text}'"))
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }
}

/// The number, if it is whole and small enough for a double to hold it and its neighbours exactly.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let truncated = number as i64;
    let is_whole = number.abs() < EXACT && truncated as f64 == number;
    is_whole.then_some(truncated)
}

macro_rules! readable_numbers {
    ($($name:ty: $expected:literal),+ $(,)?) => {
        $(impl Readable for $name {
            const EXPECTED: &'static str = $expected;

            fn read<'de, D: Deserializer<'de>>(deserializer: D, _: &mut Path) -> Result<Option<Self>, D::Error> {
                deserializer.deserialize_any(WholeVisitor(PhantomData))
            }
        })+
    };
}

readable_numbers! {
    u32: "a timeout in whole seconds, 0 to 4294967295",
    u64: "a count, a whole number of 0 or more",
    i64: "a time in whole seconds since 1970",
    ExitCode: "an exit code, a whole number",
}

impl TryFrom<i64> for ExitCode {
    type Error = core::num::TryFromIntError;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        i32::try_from(number).map(Self)
    }
}

/// Reads 0 and 1, as numbers, texts (an empty one is false) or truth values.
struct FlagVisitor;

impl Visitor<'_> for FlagVisitor {
    type Value = Option<bool>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(bool::EXPECTED)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Option<bool>, E> {
        Ok(Some(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<bool>, E> {
        self.visit_str(&number.to_smolstr())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<bool>, E> {
        match number {
            0 => Ok(Some(false)),
            1 => Ok(Some(true)),
            _ => self.visit_str(&number.to_smolstr()),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<bool>, E> {
        match text {
            "1" => Ok(Some(true)),
            "0" | "" => Ok(Some(false)),
            _ => Err(E::custom(format_args!("'{text}' is not {}", bool::EXPECTED))),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Option<bool>, E> {
        Ok(None)
    }
}

impl Readable for bool {
    const EXPECTED: &'static str = "0 or 1";

    fn read<'de, D: Deserializer<'de>>(deserializer: D, _: &mut Path) -> Result<Option<Self>, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

/// Reads a list.
struct ListVisitor<'p, T>(&'p mut Path, PhantomData<T>);

impl<'de, T: Readable> Visitor<'de> for ListVisitor<'_, T>
where
    Vec<T>: Readable,
{
    type Value = Option<Vec<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Vec::<T>::EXPECTED)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let Self(path, _) = self;
        let mut items = Vec::new();
        let mut next = |path: &mut Path| list.next_element_seed(RequiredSeed(path, PhantomData));
        while let Some(item) = path.within(|| items.len().to_smolstr(), &mut next)? {
            items.push(item);
        }
        Ok(Some(items))
    }
}

macro_rules! readable_lists {
    ($($item:ty: $expected:literal),+ $(,)?) => {
        $(impl Readable for Vec<$item> {
            const EXPECTED: &'static str = $expected;

            fn read<'de, D: Deserializer<'de>>(deserializer: D, path: &mut Path) -> Result<Option<Self>, D::Error> {
                deserializer.deserialize_any(ListVisitor(path, PhantomData))
            }
        })+
    };
}

readable_lists! {
    NodeName: "a list of the names of nodes",
    ServiceId: "a list of the ids of services",
    SmolStr: "a list of texts",
    i64: "a list of times",
    u32: "a list of numbers of seconds",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_without_a_fraction_that_a_double_holds_exactly_are_whole() {
        assert_eq!(whole(60.0), Some(60));
        assert_eq!(whole(-1.0), Some(-1));
        for no in [0.5, 1e16, -1e300, f64::NAN, f64::INFINITY] {
            assert_eq!(whole(no), None, "{no}");
        }
    }
}
