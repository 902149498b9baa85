//! Times as this interface has them.

use ha_core::status::{Timestamp, UtcTime};

/// By RFC 3339: `2026-11-29T18:00:00Z`.
pub(super) fn rfc3339(time: Timestamp) -> String {
    UtcTime(time).to_string().trim_end_matches(" UTC").replacen(' ', "T", 1) + "Z"
}
