//! Wall-clock time for people.

use core::fmt;

use super::Timestamp;

/// Shows a timestamp as `2016-11-23 09:00:43 UTC`, or as `@<seconds>` outside of the years 0 to 9999.
///
/// ```
/// use ha_core::status::UtcTime;
///
/// assert_eq!(UtcTime(1_479_891_643).to_string(), "2016-11-23 09:00:43 UTC");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(pub Timestamp);

const DAY: i64 = 86_400;
/// 0000-01-01 00:00:00.
const FIRST: i64 = -62_167_219_200;
/// 9999-12-31 23:59:59.
const LAST: i64 = 253_402_300_799;

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(timestamp) = *self;
        if !(FIRST..=LAST).contains(&timestamp) {
            return write!(f, "@{timestamp}");
        }
        let (year, month, day) = date(timestamp.div_euclid(DAY));
        let second = timestamp.rem_euclid(DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

impl UtcTime {
    /// Reads a day, with a time of the day or without: `2016-11-23`, `2016-11-23 09:00`, `2016-11-23T09:00:43Z`. It is taken for UTC.
    ///
    /// ```
    /// use ha_core::status::UtcTime;
    ///
    /// assert_eq!(UtcTime::from_date("2016-11-23 09:00:43 UTC"), Some(UtcTime(1_479_891_643)));
    /// assert_eq!(UtcTime::from_date("2016-02-30"), None);
    /// ```
    #[must_use]
    pub fn from_date(text: &str) -> Option<Self> {
        let text = text.strip_suffix('Z').or_else(|| text.strip_suffix(" UTC")).unwrap_or(text);
        let (day, time) = match text.split_once(['T', ' ']) {
            Some((day, time)) => (day, time),
            None => (text, "00:00:00"),
        };
        let mut day = day.split('-');
        let (year, month, date) = (number(day.next()?, 4)?, number(day.next()?, 2)?, number(day.next()?, 2)?);
        let mut time = time.split(':');
        let (hour, minute) = (number(time.next()?, 2)?, number(time.next()?, 2)?);
        let second = time.next().map_or(Some(0), |second| number(second, 2))?;
        let is_clock = hour < 24 && minute < 60 && second < 60;
        if day.next().is_some() || time.next().is_some() || !is_clock || !(1..=12).contains(&month) {
            return None;
        }
        let days = days_until(year, month, date);
        let within = hour.saturating_mul(3600).saturating_add(minute.saturating_mul(60)).saturating_add(second);
        // A day that its month does not have is another day.
        (self::date(days) == (year, month, date)).then(|| Self(days.saturating_mul(DAY).saturating_add(within)))
    }
}

/// A number of so many digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// The days from 1970-01-01 to a day of the Gregorian calendar: [`date`] the other way round.
#[expect(clippy::arithmetic_side_effects, reason = "year, month and day have four and two digits")]
fn days_until(year: i64, month: i64, day: i64) -> i64 {
    let (year, month_from_march) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of the Gregorian calendar, from the days since 1970-01-01.
///
/// The year is taken to begin with March, so that the leap day is its last: then the months have a regular pattern of
/// 153 days in five months, and an era of 400 years has the same 146,097 days every time.
#[expect(clippy::arithmetic_side_effects, reason = "the caller has checked that the year is 0 to 9999")]
fn date(days_since_1970: i64) -> (i64, i64, i64) {
    const DAYS_FROM_YEAR_0: i64 = 719_468;
    const ERA: i64 = 146_097;
    let days = days_since_1970 + DAYS_FROM_YEAR_0;
    let (era, day_of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, next_year) = if month_from_march < 10 { (month_from_march + 3, 0) } else { (month_from_march - 9, 1) };
    (era * 400 + year_of_era + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn dates_at_the_edges_of_the_calendar_are_right() {
        for (timestamp, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_799, "2000-02-29 23:59:59 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (4_107_542_399, "2100-02-28 23:59:59 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (FIRST, "0000-01-01 00:00:00 UTC"),
            (LAST, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(UtcTime(timestamp).to_string(), text);
            assert_eq!(UtcTime::from_date(text), Some(UtcTime(timestamp)));
        }
        for bad in
            ["", "2016", "2016-13-01", "2016-02-30", "2016-1-01", "2016-01-01 24:00", "2016-01-01 1:00", "-001-01-01"]
        {
            assert_eq!(UtcTime::from_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_has_no_date_of_four_digits_is_shown_in_seconds() {
        for timestamp in [FIRST - 1, LAST + 1, i64::MIN, i64::MAX] {
            assert_eq!(UtcTime(timestamp).to_string(), std::format!("@{timestamp}"));
        }
    }
}
