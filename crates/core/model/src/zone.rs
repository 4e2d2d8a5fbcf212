//! Time zones, by the IANA database that is part of the program: the same on every host.

use std::{fmt, str::FromStr};

use jiff::{
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};
use time::{Date, Month};

use crate::{Invalid, Timestamp};

/// A time zone such as `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Its name in the IANA database.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The day that `at` belongs to here.
    pub fn day_of(&self, at: Timestamp) -> Date {
        let date = self.civil(at).date();
        let month = u8::try_from(date.month()).ok().and_then(|month| Month::try_from(month).ok());
        let day = u8::try_from(date.day()).unwrap_or(1);
        Date::from_calendar_date(date.year().into(), month.unwrap_or(Month::January), day).unwrap_or(at.date())
    }

    /// The first moment of `day` here, which is not midnight where clocks are put forward at midnight. A day that a zone leaves out
    /// begins with the next one. None at the ends of the calendar.
    pub fn start_of(&self, day: Date) -> Option<Timestamp> {
        self.moment(day, 0, 0)
    }

    /// `at` as clocks show it here, to the minute: `2026-11-21 13:00`.
    pub fn show(&self, at: Timestamp) -> String {
        self.civil(at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// The moment at which clocks here show that time of `day`. Of two it is the first; where clocks skip it, it is the moment
    /// at which they do. None at the ends of the calendar.
    pub(crate) fn moment(&self, day: Date, hour: u8, minute: u8) -> Option<Timestamp> {
        let (month, of_month) = (i8::try_from(u8::from(day.month())).ok()?, i8::try_from(day.day()).ok()?);
        let (hour, minute) = (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?);
        let civil = DateTime::new(i16::try_from(day.year()).ok()?, month, of_month, hour, minute, 0, 0).ok()?;
        let ambiguous = self.0.to_ambiguous_timestamp(civil);
        let skipped = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        let earlier = ambiguous.earlier().ok()?;
        // Read with the later offset, a time that is skipped lies before the moment of skipping.
        let moment = if skipped { self.0.following(earlier).next()?.timestamp() } else { earlier };
        Timestamp::from_unix_timestamp_nanos(moment.as_nanosecond()).ok()
    }

    fn civil(&self, at: Timestamp) -> DateTime {
        let nanos = at.unix_timestamp_nanos();
        let bounded = jiff::Timestamp::from_nanosecond(nanos);
        let last = if nanos < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        self.0.to_datetime(bounded.unwrap_or(last))
    }
}

impl FromStr for Zone {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let known = "the time zones of the IANA database, such as Europe/Berlin or UTC";
        let zone = TimeZoneDatabase::bundled().get(text.trim()).map_err(|_| Invalid::Unknown { known })?;
        // The database has a zone for "somewhere", which no clock follows.
        if zone.is_unknown() { Err(Invalid::Unknown { known }) } else { Ok(Self(zone)) }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    #[test]
    fn zones_are_known_by_name() {
        assert_eq!(zone(" europe/berlin ").name(), "Europe/Berlin");
        assert_eq!(zone("utc"), Zone::UTC);
        for bad in ["", "Europe/Atlantis", "Etc/Unknown", "../UTC", "CET-1CEST"] {
            assert!(bad.parse::<Zone>().is_err(), "{bad}");
        }
    }

    #[test]
    fn days_and_minutes_are_those_of_the_zone() {
        let at = datetime!(2026-11-21 23:30 UTC);
        assert_eq!(zone("Europe/Berlin").day_of(at), date!(2026 - 11 - 22));
        assert_eq!(zone("America/New_York").show(at), "2026-11-21 18:30");
        assert_eq!(zone("Asia/Kathmandu").show(at), "2026-11-22 05:15");
    }

    #[test]
    fn a_day_begins_where_its_clocks_begin() {
        let berlin = zone("Europe/Berlin");
        assert_eq!(berlin.start_of(date!(2026 - 07 - 01)), Some(datetime!(2026-06-30 22:00 UTC)));
        // Clocks went from 24:00 to 01:00.
        assert_eq!(zone("America/Santiago").start_of(date!(2026 - 09 - 06)), Some(datetime!(2026-09-06 04:00 UTC)));
        // The day that Samoa left out.
        let samoa = zone("Pacific/Apia");
        assert_eq!(samoa.start_of(date!(2011 - 12 - 30)), samoa.start_of(date!(2011 - 12 - 31)));
    }
}
