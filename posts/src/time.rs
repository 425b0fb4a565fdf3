//! The dates in exports, as milliseconds since 1970 in UTC. No calendar is needed to clean, so what is here is what the
//! exports hold: Twitter's form, ISO 8601 and the form of Twitter's older exports.

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const MS_PER_DAY: i64 = 86_400_000;

/// Milliseconds since 1970 of `Sat Feb 18 12:33:11 +0000 2023`, `2023-02-18T12:33:11.123Z` or
/// `2023-02-18 12:33:11 +0000`; `None` for any other form. Without a zone it is UTC.
#[must_use]
pub fn parse_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    match text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => twitter(text),
        false => iso(text),
    }
}

/// Milliseconds since 1970 as `2023-02-18T12:33:11.123Z`.
#[must_use]
pub fn iso_8601(ms: i64) -> String {
    let (day, in_day) = (ms.div_euclid(MS_PER_DAY), ms.rem_euclid(MS_PER_DAY));
    let (seconds, ms) = (in_day / 1000, in_day % 1000);
    format!(
        "{}T{:02}:{:02}:{:02}.{ms:03}Z",
        date_of(day * (MS_PER_DAY / 1000)),
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Seconds since 1970.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    parse_ms(text).map(|ms| ms.div_euclid(1000))
}

fn twitter(text: &str) -> Option<i64> {
    let mut parts = text.split_ascii_whitespace();
    let (_, month) = (parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let day = parts.next()?;
    let time = parts.next()?;
    let zone = parts.next()?;
    let year = parts.next()?;
    let days = days(number(year)?, i64::try_from(month).ok()?, number(day)?)?;
    Some(days * MS_PER_DAY + time_of_day(time)? - offset(zone)?)
}

fn iso(text: &str) -> Option<i64> {
    let date = text.get(..10)?;
    let mut parts = date.split('-');
    let days = days(
        number(parts.next()?)?,
        number(parts.next()?)?,
        number(parts.next()?)?,
    )?;
    let rest = text[10..].trim_start_matches(['T', 't', ' ']);
    if rest.is_empty() {
        return Some(days * MS_PER_DAY);
    }
    let zone_at = rest.find(['Z', 'z', '+', '-', ' ']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone_at);
    Some(days * MS_PER_DAY + time_of_day(time)? - offset(zone.trim())?)
}

/// `text` as a number of digits alone.
fn number(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Milliseconds of `12:33:11`, `12:33` or `12:33:11.123456`.
fn time_of_day(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = whole.split(':');
    let hour = number(parts.next()?)?;
    let minute = number(parts.next()?)?;
    // A leap second is the 60th.
    let second = parts.next().map_or(Some(0), number)?;
    if hour > 24 || minute > 59 || second > 60 || parts.next().is_some() {
        return None;
    }
    let digits = fraction.get(..fraction.len().min(3))?;
    let scale = [1000, 100, 10, 1][digits.len()];
    let ms = match digits {
        "" => 0,
        _ => number(digits)? * scale,
    };
    Some(((hour * 60 + minute) * 60 + second) * 1000 + ms)
}

/// Milliseconds of a zone such as `Z`, `+0000`, `-05:30` or `UTC`; none is UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.is_empty() {
        return Some(0);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ if matches!(zone, "Z" | "z" | "UTC" | "GMT") => return Some(0),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    let (hours, minutes) = (digits.get(..2)?, digits.get(2..)?);
    let minutes = match minutes {
        "" => 0,
        minutes => number(minutes)?,
    };
    Some(sign * (number(hours)? * 60 + minutes) * 60_000)
}

/// Days since 1970-01-01 in the Gregorian calendar; years 1 to 9999.
///
/// Years begin in March here, so that the leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let days_of_years = 365 * year + year / 4 - year / 100 + year / 400;
    Some(days_of_years + (153 * month + 2) / 5 + day - 1 - 719_468)
}

/// Year and month, from 1, of a time in seconds since 1970.
#[must_use]
pub fn month_of(seconds: i64) -> (i64, u8) {
    let (year, month, _) = civil(seconds);
    (year, month)
}

/// The day of a time in seconds since 1970, such as `2023-02-18`.
#[must_use]
pub fn date_of(seconds: i64) -> String {
    let (year, month, day) = civil(seconds);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day, both from 1.
fn civil(seconds: i64) -> (i64, u8, u8) {
    let days = seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    let small = |n: i64| u8::try_from(n).unwrap_or(1);
    (year, small(month), small(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_exports_are_read() {
        let expected = Some(1_676_723_591_000);
        for text in [
            "Sat Feb 18 12:33:11 +0000 2023",
            "2023-02-18T12:33:11Z",
            "2023-02-18T12:33:11.000Z",
            "2023-02-18 12:33:11 +0000",
            "2023-02-18T13:33:11+01:00",
            "2023-02-18T07:03:11-05:30",
            "2023-02-18 12:33:11",
            " 2023-02-18T12:33:11 UTC ",
        ] {
            assert_eq!(parse_ms(text), expected, "{text}");
        }
        assert_eq!(
            parse_ms("2023-02-18T12:33:11.123456Z"),
            Some(1_676_723_591_123)
        );
        assert_eq!(parse_ms("1969-12-31T23:59:59.5Z"), Some(-500));
        assert_eq!(parse("1969-12-31T23:59:59.5Z"), Some(-1));
        assert_eq!(parse("2000-02-29"), Some(951_782_400));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "yesterday",
            "Sat Foo 18 12:33:11 +0000 2023",
            "2023-13-01T00:00:00Z",
            "2023-01-32",
            "2023-01-01T25:00:00Z",
            "2023-01-01T00:60:00Z",
            "2023-01-01T00:00:00Q",
            "99999999999999999999-01-01",
            "２０２３-01-01",
        ] {
            assert_eq!(parse_ms(text), None, "{text}");
        }
    }

    #[test]
    fn months_and_days_are_those_of_the_dates() {
        // `date -u -d DATE +%s`.
        for (seconds, expected) in [
            (-1, (1969, 12)),
            (951_782_399, (2000, 2)),
            (951_868_800, (2000, 3)),
            (1_709_164_800, (2024, 2)),
            (1_709_251_200, (2024, 3)),
            (4_107_542_399, (2100, 2)),
            (4_107_542_400, (2100, 3)),
        ] {
            assert_eq!(month_of(seconds), expected, "{seconds}");
        }
        for (date, expected) in [
            ("1970-01-01", (1970, 1)),
            ("1969-12-31", (1969, 12)),
            ("2000-02-29", (2000, 2)),
            ("2000-03-01", (2000, 3)),
            ("2023-12-31T23:59:59Z", (2023, 12)),
            ("2400-02-29", (2400, 2)),
        ] {
            assert_eq!(parse(date).map(month_of), Some(expected), "{date}");
            assert_eq!(
                parse(date).map(date_of).as_deref(),
                date.get(..10),
                "{date}"
            );
        }
    }
}
