//! Writing records: what the fields of all of them have in common.

use serde::{Serialize, ser::SerializeMap};

use super::read::Field;
use crate::status::UnknownFields;

/// Writes a field.
pub(super) fn field<M: SerializeMap>(
    map: &mut M,
    field: impl Field,
    value: &(impl Serialize + ?Sized),
) -> Result<(), M::Error> {
    map.serialize_entry(field.name(), value)
}

/// Writes a field that is absent without a value.
pub(super) fn optional<M: SerializeMap>(
    map: &mut M,
    field: impl Field,
    value: Option<&(impl Serialize + ?Sized)>,
) -> Result<(), M::Error> {
    match value {
        Some(value) => self::field(map, field, value),
        None => Ok(()),
    }
}

/// Writes the fields that this version does not know. A name that it does know is left out: it was not read from a
/// record, and would give the field twice.
pub(super) fn unknown<F: Field, M: SerializeMap>(map: &mut M, unknown: &UnknownFields) -> Result<(), M::Error> {
    let fields = unknown.iter().flat_map(|fields| fields.iter());
    fields
        .filter(|(name, _)| !F::NAMES.contains(&name.as_str()))
        .try_for_each(|(name, value)| map.serialize_entry(name, value))
}
