//! Reading records field by field, with the path to what is wrong.
//!
//! The path is kept beside the deserialiser. It is put together only when a part can't be read: on its way out the error passes
//! each part that encloses the one at fault, and these say what they are called.

use alloc::{boxed::Box, collections::BTreeMap, string::String, vec::Vec};
use core::{
    fmt::{self, Display},
    hash::Hash,
    marker::PhantomData,
    mem,
    str::FromStr,
};

use indexmap::map::Entry;
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, Visitor},
};
use smol_str::{SmolStr, ToSmolStr};

use crate::{
    config::OrderedMap,
    id::{NodeName, RuleId, ServiceId},
    status::UnknownFields,
};

/// Where in a record the part at fault is, once there is one, and how it is read.
pub(super) struct Path {
    /// From the inside out.
    segments: Vec<SmolStr>,
    /// How it reads the entries of services.
    pub(super) entries: Entries,
}

/// How the entries of services are read.
#[derive(Clone, Copy)]
pub(super) enum Entries {
    /// As they come: one that can't be understood is an error.
    Strictly,
    /// Each by itself, from its own text; only `serde_json` can give that.
    EachAsText,
    /// Each by itself, from a value: that can be read from anything.
    EachAsValue,
}

impl Path {
    /// The beginning of a record.
    pub(super) fn new(entries: Entries) -> Self {
        Self { segments: Vec::new(), entries }
    }

    /// Reads a part of a value, which has this name within it.
    pub(super) fn within<T, E>(
        &mut self,
        name: impl FnOnce() -> SmolStr,
        read: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let read = read(self);
        if read.is_err() {
            self.segments.push(name());
        }
        read
    }
}

/// The segments with dots between them.
impl Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.segments.iter().rev().enumerate().try_for_each(|(index, segment)| {
            f.write_str(if index == 0 { "" } else { "." })?;
            f.write_str(segment)
        })
    }
}

/// A value that a record can hold.
pub(super) trait Readable: Sized {
    /// What a person should have written, with its article.
    const EXPECTED: &'static str;

    /// Reads the value; null is `None`.
    fn read<'de, D: Deserializer<'de>>(deserializer: D, path: &mut Path) -> Result<Option<Self>, D::Error>;
}

/// Reads a value that must not be null.
pub(super) fn required<'de, T: Readable, D: Deserializer<'de>>(
    deserializer: D,
    path: &mut Path,
) -> Result<T, D::Error> {
    T::read(deserializer, path)?.ok_or_else(|| D::Error::custom(format_args!("is null: expected {}", T::EXPECTED)))
}

struct OptionalSeed<'p, T>(&'p mut Path, PhantomData<T>);

impl<'de, T: Readable> DeserializeSeed<'de> for OptionalSeed<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        T::read(deserializer, self.0)
    }
}

/// Reads a value that must not be null.
pub(super) struct RequiredSeed<'p, T>(pub(super) &'p mut Path, pub(super) PhantomData<T>);

impl<'de, T: Readable> DeserializeSeed<'de> for RequiredSeed<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        required(deserializer, self.0)
    }
}

/// Room for the value of one field.
pub(super) struct Slot<T> {
    given: bool,
    /// The value, unless the field is absent or null.
    pub(super) value: Option<T>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { given: false, value: None }
    }
}

impl<T: Readable> Slot<T> {
    /// Reads the field's value, the next one of `map`.
    pub(super) fn fill<'de, A: MapAccess<'de>>(&mut self, map: &mut A, path: &mut Path) -> Result<(), A::Error> {
        if mem::replace(&mut self.given, true) {
            return Err(given_twice());
        }
        self.value = map.next_value_seed(OptionalSeed(path, PhantomData))?;
        Ok(())
    }
}

pub(super) fn given_twice<E: Error>() -> E {
    E::custom("is given twice: expected it once")
}

/// A field without which a record makes no sense.
pub(super) struct Missing {
    field: &'static str,
    why: &'static str,
}

impl Missing {
    /// That `field` is missing; `why` says what is expected there.
    pub(super) fn new(field: impl Field, why: &'static str) -> Self {
        Self { field: field.name(), why }
    }
}

/// The names of the fields that this version knows in a record.
pub(super) trait Field: Copy + 'static {
    /// All names, in the order in which the fields are written.
    const NAMES: &'static [&'static str];

    /// The field of this name.
    fn of(name: &str) -> Option<Self>;

    /// The field's name.
    fn name(self) -> &'static str;
}

/// The fields of a record as far as they have been read.
pub(super) trait Draft: Default {
    /// The names of the fields.
    type Field: Field;

    /// Reads the value of a field, the next one of `map`.
    fn fill<'de, A: MapAccess<'de>>(
        &mut self,
        field: Self::Field,
        map: &mut A,
        path: &mut Path,
    ) -> Result<(), A::Error>;
}

/// A value with named fields.
pub(super) trait Record: Sized {
    /// What is read of it before it is complete.
    type Draft: Draft;

    /// What a person should have written, with its article.
    const EXPECTED: &'static str;

    /// Makes the value when all of its fields have been read.
    fn build(draft: Self::Draft, unknown: UnknownFields) -> Result<Self, Missing>;
}

/// Declares the fields of a record: an enum of their names, and a draft with a slot for each.
macro_rules! fields {
    (
        $field:ident, $draft:ident:
        $($variant:ident = $name:literal in $slot:ident: $value:ty),+ $(,)?
    ) => {
        #[derive(Clone, Copy)]
        pub(super) enum $field { $($variant),+ }

        impl $crate::status::json::read::Field for $field {
            const NAMES: &'static [&'static str] = &[$($name),+];

            fn of(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }

            fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }

        #[derive(Default)]
        pub(super) struct $draft {
            $($slot: $crate::status::json::read::Slot<$value>),+
        }

        impl $crate::status::json::read::Draft for $draft {
            type Field = $field;

            fn fill<'de, A: ::serde::de::MapAccess<'de>>(
                &mut self,
                field: $field,
                map: &mut A,
                path: &mut $crate::status::json::read::Path,
            ) -> Result<(), A::Error> {
                match field {
                    $($field::$variant => self.$slot.fill(map, path)),+
                }
            }
        }
    };
}

/// Lets serde read records like [`read`](Readable::read) does, with the path to a fault in the message.
macro_rules! deserialize_records {
    ($($record:ty),+ $(,)?) => {
        $(impl<'de> ::serde::Deserialize<'de> for $record {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::status::json::read::deserialize(deserializer)
            }
        })+
    };
}

pub(super) use {deserialize_records, fields};

type FieldOf<R> = <<R as Record>::Draft as Draft>::Field;

impl<R: Record> Readable for R {
    const EXPECTED: &'static str = R::EXPECTED;

    fn read<'de, D: Deserializer<'de>>(deserializer: D, path: &mut Path) -> Result<Option<Self>, D::Error> {
        deserializer.deserialize_any(RecordVisitor(path, PhantomData))
    }
}

struct RecordVisitor<'p, R>(&'p mut Path, PhantomData<R>);

impl<'de, R: Record> Visitor<'de> for RecordVisitor<'_, R> {
    type Value = Option<R>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(R::EXPECTED)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<R>, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<R>, A::Error> {
        let Self(path, _) = self;
        let mut draft = R::Draft::default();
        let mut unknown = None;
        while let Some(field) = map.next_key_seed(FieldSeed::<FieldOf<R>>(PhantomData))? {
            match field {
                Ok(field) => {
                    path.within(|| SmolStr::new_static(field.name()), |path| draft.fill(field, &mut map, path))?;
                }
                Err(name) => path.within(|| name.to_smolstr(), |_| keep(&mut unknown, &name, &mut map))?,
            }
        }
        R::build(draft, unknown).map(Some).or_else(|Missing { field, why }| {
            path.within(|| SmolStr::new_static(field), |_| Err(A::Error::custom(format_args!("missing: {why}"))))
        })
    }
}

/// Keeps the value of an unknown field.
fn keep<'de, A: MapAccess<'de>>(unknown: &mut UnknownFields, name: &str, map: &mut A) -> Result<(), A::Error> {
    let value = map.next_value()?;
    match unknown.get_or_insert_with(Box::default).insert(name.into(), value) {
        None => Ok(()),
        Some(_) => Err(given_twice()),
    }
}

/// Reads the name of a field: the field, or the name of one that is not known.
struct FieldSeed<F>(PhantomData<F>);

impl<'de, F: Field> DeserializeSeed<'de> for FieldSeed<F> {
    type Value = Result<F, String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<F: Field> Visitor<'_> for FieldSeed<F> {
    type Value = Result<F, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(F::of(name).ok_or_else(|| name.into()))
    }
}

/// Reads an object whose keys are names and hands over each entry. `add` gives a key back that is not new.
///
/// `None` if there is a null instead.
pub(super) fn read_entries<'de, K, V, D>(
    deserializer: D,
    path: &mut Path,
    expected: &'static str,
    add: impl FnMut(K, V) -> Result<(), K>,
) -> Result<Option<()>, D::Error>
where
    K: FromStr<Err: Display> + AsRef<str>,
    V: Readable,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(EntriesVisitor { path, expected, add, entry: PhantomData })
}

struct EntriesVisitor<'p, K, V, F> {
    path: &'p mut Path,
    expected: &'static str,
    add: F,
    entry: PhantomData<(K, V)>,
}

impl<'de, K, V, F> Visitor<'de> for EntriesVisitor<'_, K, V, F>
where
    K: FromStr<Err: Display> + AsRef<str>,
    V: Readable,
    F: FnMut(K, V) -> Result<(), K>,
{
    type Value = Option<()>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<()>, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<()>, A::Error> {
        let Self { path, mut add, .. } = self;
        while let Some(key) = map.next_key_seed(KeySeed::<K>(PhantomData))? {
            let name = |key: &K| SmolStr::new(key.as_ref());
            let value = path.within(|| name(&key), |path| map.next_value_seed(RequiredSeed(path, PhantomData)))?;
            add(key, value).or_else(|key| path.within(|| name(&key), |_| Err(given_twice())))?;
        }
        Ok(Some(()))
    }
}

struct KeySeed<K>(PhantomData<K>);

impl<'de, K: FromStr<Err: Display>> DeserializeSeed<'de> for KeySeed<K> {
    type Value = K;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<K, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<K: FromStr<Err: Display>> Visitor<'_> for KeySeed<K> {
    type Value = K;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<K, E> {
        text.parse().map_err(E::custom)
    }
}

impl<V: Readable> Readable for BTreeMap<ServiceId, V> {
    const EXPECTED: &'static str = "an object with the ids of services";

    fn read<'de, D: Deserializer<'de>>(deserializer: D, path: &mut Path) -> Result<Option<Self>, D::Error> {
        let mut entries = Self::new();
        let read = read_entries(deserializer, path, Self::EXPECTED, |sid, value| add_new(&mut entries, sid, value))?;
        Ok(read.map(|()| entries))
    }
}

impl<V: Readable> Readable for BTreeMap<NodeName, V> {
    const EXPECTED: &'static str = "an object with the names of nodes";

    fn read<'de, D: Deserializer<'de>>(deserializer: D, path: &mut Path) -> Result<Option<Self>, D::Error> {
        let mut entries = Self::new();
        let read = read_entries(deserializer, path, Self::EXPECTED, |node, value| add_new(&mut entries, node, value))?;
        Ok(read.map(|()| entries))
    }
}

impl<V: Readable> Readable for BTreeMap<RuleId, V> {
    const EXPECTED: &'static str = "an object with the names of rules";

    fn read<'de, D: Deserializer<'de>>(deserializer: D, path: &mut Path) -> Result<Option<Self>, D::Error> {
        let mut entries = Self::new();
        let read = read_entries(deserializer, path, Self::EXPECTED, |rule, value| add_new(&mut entries, rule, value))?;
        Ok(read.map(|()| entries))
    }
}

/// Adds an entry, or gives back the key that is there already.
fn add_new<K: Ord, V>(entries: &mut BTreeMap<K, V>, key: K, value: V) -> Result<(), K> {
    if entries.contains_key(&key) {
        return Err(key);
    }
    entries.insert(key, value);
    Ok(())
}

/// The same for a map that keeps the order in which its keys come.
pub(super) fn append_new<K: Hash + Eq + Clone, V>(entries: &mut OrderedMap<K, V>, key: K, value: V) -> Result<(), K> {
    match entries.entry(key) {
        Entry::Vacant(place) => {
            place.insert(value);
            Ok(())
        }
        Entry::Occupied(known) => Err(known.key().clone()),
    }
}

/// Reads a record through serde, with the path to a fault in the message.
pub(super) fn deserialize<'de, R: Record, D: Deserializer<'de>>(deserializer: D) -> Result<R, D::Error> {
    let mut path = Path::new(Entries::EachAsValue);
    required(deserializer, &mut path).map_err(|error| match path.segments.as_slice() {
        [] => error,
        [..] => D::Error::custom(format_args!("{path}: {error}")),
    })
}
