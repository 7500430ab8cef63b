//! How long to wait before a request is made again.

use super::HttpConfig;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};
use ureq::http::{HeaderMap, header};

/// The wait after this attempt, the first of which is 1; `random` is any number.
pub(super) fn wait_after(config: &HttpConfig, attempt: u32, random: u64) -> Duration {
    let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).and_then(|by| config.backoff.checked_mul(by));
    let longest = doubled.unwrap_or(Duration::MAX).min(config.max_backoff);
    // The upper bits as a fraction of 1.
    let fraction = (random >> 11) as f64 / (1_u64 << 53) as f64;
    longest - longest.mul_f64(fraction / 2.0)
}

/// A number that is another each time.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(0_u8)
}

/// How long the service asks to be left alone: `Retry-After` of RFC 9110, section 10.2.3, in seconds or as a date, or
/// `retry-after-ms`, which some services send with it.
pub(super) fn asked_wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(milliseconds) = text("retry-after-ms").and_then(|text| text.parse::<u64>().ok()) {
        return Some(Duration::from_millis(milliseconds));
    }
    let text = text(header::RETRY_AFTER.as_str())?;
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds_of_date(text)?))?;
    // A date that is over asks for nothing.
    Some(until.duration_since(now).unwrap_or_default())
}

/// The seconds since 1970 of a date as RFC 9110, section 5.6.7, has it: `Sun, 06 Nov 1994 08:49:37 GMT`. Its two old forms
/// are no longer sent.
fn seconds_of_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_ascii_whitespace().skip(1);
    let day: u64 = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? as u64 + 1;
    let year: u64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let is_date = (1970..=9999).contains(&year) && (1..=31).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 60 || words.next() != Some("GMT") {
        return None;
    }
    // Days of the civil calendar, counted in years that begin in March, so that a leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    // From March 1 of the year 0 to 1970.
    let days = days.checked_sub(719_468)?;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_are_never_less_than_half() {
        let config = HttpConfig::new("https://example.com", "m");
        for (attempt, longest) in [(1, 500), (2, 1_000), (5, 8_000), (8, 60_000), (40, 60_000)] {
            let longest = Duration::from_millis(longest);
            assert_eq!(wait_after(&config, attempt, 0), longest);
            let least = wait_after(&config, attempt, u64::MAX);
            assert!(least >= longest / 2 && least < longest.mul_f64(0.51), "{least:?}");
        }
        assert_ne!(random(), random());
    }

    #[test]
    fn a_service_says_how_long_it_wants_to_be_left_alone() {
        // 1994-11-06 08:49:37.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let asked = |name: &'static str, value: &'static str| {
            asked_wait(&HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]), now)
        };
        assert_eq!(asked("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("retry-after-ms", "250"), Some(Duration::from_millis(250)));
        assert_eq!(asked("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(asked("retry-after", "Sun, 06 Nov 1994 08:49:07 GMT"), Some(Duration::ZERO));
        assert_eq!(
            asked("retry-after", "Thu, 29 Feb 1996 00:00:00 GMT"),
            Some(Duration::from_secs(41_440_223))
        );
        for nothing in ["soon", "-1", "", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 1994 08:49:37 CET"] {
            assert_eq!(asked("retry-after", nothing), None, "{nothing}");
        }
        assert_eq!(asked("x", "7"), None);
    }
}
