//! Times as this interface has them.

use ha_core::status::{Timestamp, UtcTime};

/// By RFC 3339: `2026-11-29T18:00:00Z`.
pub(super) fn rfc3339(time: Timestamp) -> String {
    UtcTime(time).to_string().trim_end_matches(" UTC").replacen(' ', "T", 1) + "Z"
}

/// The same for milliseconds since 1970: `2026-11-29T18:00:00.250Z`.
pub(crate) fn rfc3339_ms(time_ms: i64) -> String {
    let seconds = rfc3339(time_ms.div_euclid(1000));
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), time_ms.rem_euclid(1000))
}

/// The milliseconds since 1970 of a UTC time, as [`rfc3339_ms`] writes it; fractions of a second and the `Z` may be left out, and so
/// may the time of day.
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let UtcTime(seconds) = UtcTime::from_date(whole)?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = fraction.bytes().chain(std::iter::repeat(b'0')).take(3);
    let thousandths = thousandths.fold(0_i64, |sum, digit| sum.saturating_mul(10).saturating_add((digit & 15).into()));
    Some(seconds.saturating_mul(1000).saturating_add(thousandths))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_it_is_written() {
        for time_ms in [0, 1, 999, 1_795_983_430_250, -1, -1000] {
            assert_eq!(milliseconds(&rfc3339_ms(time_ms)), Some(time_ms), "{}", rfc3339_ms(time_ms));
        }
        assert_eq!(milliseconds("2026-11-29"), milliseconds("2026-11-29T00:00:00.000Z"));
        assert_eq!(milliseconds("2026-11-29T20:17:10.2509Z"), Some(1_795_983_430_250));
        for bad in ["", "soon", "2026-13-01", "2026-11-29T20:17:10.x", "2026-11-29T20:17:10+01:00"] {
            assert_eq!(milliseconds(bad), None, "{bad}");
        }
    }
}
