//! Times as seconds, with fractions.

use core::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

pub(super) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    if time.subsec_nanos() == 0 {
        serializer.serialize_u64(time.as_secs())
    } else {
        serializer.serialize_f64(time.as_secs_f64())
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| D::Error::custom(format_args!("{seconds} is not a time: expected seconds, 0 or more")))
}
