//! Moments as people type them: `2027-01-31`, `2027-01-31T12:00:00Z`, `30d`, `never`.

use std::str::FromStr;

use time::{Date, Duration, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};
use warren_model::Clock;

/// A moment, or a span from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    At(OffsetDateTime),
    After(Duration),
    Never,
}

impl Moment {
    /// The moment meant at the present one; none for never.
    pub fn resolve(self, clock: &dyn Clock) -> Option<OffsetDateTime> {
        match self {
            Self::At(at) => Some(at),
            Self::After(span) => Some(clock.now().saturating_add(span)),
            Self::Never => None,
        }
    }
}

impl FromStr for Moment {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "never" {
            return Ok(Self::Never);
        }
        if let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) {
            return Ok(Self::At(at));
        }
        if let Ok(date) = Date::parse(text, &format_description!("[year]-[month]-[day]")) {
            return Ok(Self::At(date.midnight().assume_utc()));
        }
        span(text).map(Self::After).ok_or("is not `never`, a date such as 2027-01-31, or a span such as 12h or 30d")
    }
}

fn span(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: u32 = text[..text.len() - unit.len_utf8()].parse().ok()?;
    match unit {
        'h' => Some(Duration::hours(number.into())),
        'd' => Some(Duration::days(number.into())),
        'w' => Some(Duration::weeks(number.into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_type_them() {
        let at = |text: &str| Moment::At(OffsetDateTime::parse(text, &Rfc3339).unwrap());
        assert_eq!("2027-01-31".parse(), Ok(at("2027-01-31T00:00:00Z")));
        assert_eq!("2027-01-31T12:00:00+01:00".parse(), Ok(at("2027-01-31T12:00:00+01:00")));
        assert_eq!("30d".parse(), Ok(Moment::After(Duration::days(30))));
        assert_eq!("never".parse(), Ok(Moment::Never));
        for bad in ["", "d", "30", "-1d", "30ä", "tomorrow", "99999999999d"] {
            assert!(bad.parse::<Moment>().is_err(), "{bad}");
        }
    }
}
