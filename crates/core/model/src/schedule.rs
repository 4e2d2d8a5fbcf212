//! When something is done again and again: each day, week or month at a time of day, as the clocks of a time zone show it.
//!
//! Where clocks are put forward and skip the time, it is done at the moment at which they do. Where they are put back and show the
//! time twice, it is done once, the first time. A month that lacks the day has it on its last one.

use std::{fmt, str::FromStr};

use time::{Date, Duration, Month, Weekday};

use crate::{Invalid, Timestamp, Zone};

/// When something is done again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub cadence: Cadence,
    pub at: TimeOfDay,
    pub zone: Zone,
}

/// On which days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cadence {
    Daily,
    Weekly(Weekday),
    Monthly(MonthDay),
}

/// A day of each month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MonthDay {
    /// From 1 to 31; the last one in months that are shorter.
    Day(DayOfMonth),
    Last,
}

/// From 1 to 31.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DayOfMonth(u8);

/// A time of day, to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeOfDay {
    hour: u8,
    minute: u8,
}

/// Days that are looked at for the next time; the second or third is it, but at the end of the calendar.
const CANDIDATES_MAX: usize = 6;
/// How schedules are written.
const FORMS: &str = "daily at 06:30 Europe/Berlin; weekly on monday at 06:30 Europe/Berlin; \
                     monthly on day 15 at 06:30 Europe/Berlin; monthly on last day at 06:30 Europe/Berlin";

impl Schedule {
    /// The first moment later than `after` at which it is due; none at the end of the calendar, in the year 9999.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        // A time that is skipped may move into the next day: the day before counts too.
        let mut day = self.cadence.first_from(self.zone.day_of(after).previous_day()?)?;
        for _ in 0..CANDIDATES_MAX {
            let moment = self.zone.moment(day, self.at.hour, self.at.minute)?;
            if moment > after {
                return Some(moment);
            }
            day = self.cadence.first_from(day.next_day()?)?;
        }
        None
    }
}

impl Cadence {
    /// The first of its days that is not before `day`.
    fn first_from(self, day: Date) -> Option<Date> {
        match self {
            Self::Daily => Some(day),
            Self::Weekly(weekday) => {
                let ahead = (7 + weekday.number_days_from_monday() - day.weekday().number_days_from_monday()) % 7;
                day.checked_add(Duration::days(ahead.into()))
            }
            Self::Monthly(of_month) => {
                let here = of_month.within(day.year(), day.month())?;
                if here >= day {
                    return Some(here);
                }
                let year = if day.month() == Month::December { day.year() + 1 } else { day.year() };
                of_month.within(year, day.month().next())
            }
        }
    }
}

impl MonthDay {
    fn within(self, year: i32, month: Month) -> Option<Date> {
        let last = month.length(year);
        let day = match self {
            Self::Day(DayOfMonth(day)) => day.min(last),
            Self::Last => last,
        };
        Date::from_calendar_date(year, month, day).ok()
    }
}

impl DayOfMonth {
    /// # Errors
    /// [`Invalid::OutOfRange`]
    pub fn new(day: u8) -> Result<Self, Invalid> {
        let out_of_range = Invalid::OutOfRange { value: day.into(), min: 1, max: 31 };
        if (1..=31).contains(&day) { Ok(Self(day)) } else { Err(out_of_range) }
    }
    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TimeOfDay {
    /// # Errors
    /// [`Invalid::OutOfRange`]
    pub fn new(hour: u8, minute: u8) -> Result<Self, Invalid> {
        if hour > 23 {
            return Err(Invalid::OutOfRange { value: hour.into(), min: 0, max: 23 });
        }
        if minute > 59 {
            return Err(Invalid::OutOfRange { value: minute.into(), min: 0, max: 59 });
        }
        Ok(Self { hour, minute })
    }
    /// From 0 to 23.
    pub const fn hour(self) -> u8 {
        self.hour
    }
    /// From 0 to 59.
    pub const fn minute(self) -> u8 {
        self.minute
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl FromStr for TimeOfDay {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let unknown = Invalid::Unknown { known: "00:00 to 23:59" };
        let Some((hour, minute)) = text.split_once(':') else { return Err(unknown) };
        let number = |text: &str| {
            let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            if is_number { text.parse().map_err(|_| unknown.clone()) } else { Err(unknown.clone()) }
        };
        Self::new(number(hour)?, number(minute)?)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cadence {
            Cadence::Daily => f.write_str("daily")?,
            Cadence::Weekly(weekday) => write!(f, "weekly on {}", weekday.to_string().to_lowercase())?,
            Cadence::Monthly(MonthDay::Day(day)) => write!(f, "monthly on day {}", day.get())?,
            Cadence::Monthly(MonthDay::Last) => f.write_str("monthly on last day")?,
        }
        write!(f, " at {} {}", self.at, self.zone)
    }
}

impl FromStr for Schedule {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let unknown = Invalid::Unknown { known: FORMS };
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        let [days @ .., "at", at, zone] = &words[..] else { return Err(unknown) };
        let cadence = match days {
            ["daily"] => Cadence::Daily,
            ["weekly", "on", weekday] => Cadence::Weekly(weekday_from(weekday).ok_or(unknown)?),
            ["monthly", "on", "last", "day"] => Cadence::Monthly(MonthDay::Last),
            ["monthly", "on", "day", day] => {
                let day = DayOfMonth::new(day.parse().map_err(|_| unknown)?)?;
                Cadence::Monthly(MonthDay::Day(day))
            }
            _ => return Err(unknown),
        };
        Ok(Self { cadence, at: at.parse()?, zone: zone.parse()? })
    }
}

fn weekday_from(text: &str) -> Option<Weekday> {
    let mut weekday = Weekday::Monday;
    for _ in 0..7 {
        if weekday.to_string().to_lowercase() == text {
            return Some(weekday);
        }
        weekday = weekday.next();
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    fn schedule(text: &str) -> Schedule {
        text.parse().unwrap()
    }

    /// The next three times after `after`.
    fn three(text: &str, after: Timestamp) -> [Timestamp; 3] {
        let schedule = schedule(text);
        let mut last = after;
        [(); 3].map(|()| {
            last = schedule.next_after(last).unwrap();
            last
        })
    }

    #[test]
    fn days_weeks_and_months_follow_each_other() {
        let after = datetime!(2026-11-21 12:00 UTC);
        assert_eq!(
            three("daily at 13:00 Europe/Berlin", after),
            [datetime!(2026-11-22 12:00 UTC), datetime!(2026-11-23 12:00 UTC), datetime!(2026-11-24 12:00 UTC)],
            "what is due now is not due later"
        );
        assert_eq!(
            three("weekly on saturday at 13:01 Europe/Berlin", after),
            [datetime!(2026-11-21 12:01 UTC), datetime!(2026-11-28 12:01 UTC), datetime!(2026-12-05 12:01 UTC)]
        );
        assert_eq!(
            three("monthly on day 31 at 00:00 UTC", datetime!(2028-01-30 0:00 UTC)),
            [datetime!(2028-01-31 0:00 UTC), datetime!(2028-02-29 0:00 UTC), datetime!(2028-03-31 0:00 UTC)]
        );
        assert_eq!(
            three("monthly on last day at 23:59 UTC", datetime!(2026-11-30 23:59 UTC)),
            [datetime!(2026-12-31 23:59 UTC), datetime!(2027-01-31 23:59 UTC), datetime!(2027-02-28 23:59 UTC)]
        );
    }

    #[test]
    fn a_time_that_clocks_skip_is_the_moment_at_which_they_do() {
        // Berlin, 28 March 2027: from 02:00 to 03:00.
        assert_eq!(
            three("daily at 02:30 Europe/Berlin", datetime!(2027-03-27 0:00 UTC)),
            [datetime!(2027-03-27 1:30 UTC), datetime!(2027-03-28 1:00 UTC), datetime!(2027-03-29 0:30 UTC)]
        );
        // Lord Howe Island, 4 October 2026: from 02:00 to 02:30.
        assert_eq!(
            three("daily at 02:15 Australia/Lord_Howe", datetime!(2026-10-03 0:00 UTC))[0],
            datetime!(2026-10-03 15:30 UTC)
        );
        // Samoa had no 30 December 2011: its run and that of midnight are one.
        let days = three("daily at 00:00 Pacific/Apia", datetime!(2011-12-29 9:59 UTC));
        assert_eq!(
            days,
            [datetime!(2011-12-29 10:00 UTC), datetime!(2011-12-30 10:00 UTC), datetime!(2011-12-31 10:00 UTC)]
        );
    }

    #[test]
    fn a_time_that_clocks_show_twice_counts_once() {
        // Berlin, 25 October 2026: from 03:00 back to 02:00.
        assert_eq!(
            three("daily at 02:30 Europe/Berlin", datetime!(2026-10-24 12:00 UTC)),
            [datetime!(2026-10-25 0:30 UTC), datetime!(2026-10-26 1:30 UTC), datetime!(2026-10-27 1:30 UTC)]
        );
        let schedule = schedule("daily at 02:30 Europe/Berlin");
        assert_eq!(schedule.next_after(datetime!(2026-10-25 1:00 UTC)), Some(datetime!(2026-10-26 1:30 UTC)));
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for bad in [
            "",
            "daily",
            "daily at 24:00 UTC",
            "daily at 6 UTC",
            "daily at +6:30 UTC",
            "hourly at 06:30 UTC",
            "weekly on someday at 06:30 UTC",
            "monthly on day 32 at 06:30 UTC",
            "monthly on day 0 at 06:30 UTC",
            "daily at 06:30 Mars/Base",
            "daily at 06:30",
        ] {
            assert!(bad.parse::<Schedule>().is_err(), "{bad}");
        }
        assert_eq!(
            schedule("  Weekly ON Monday at 6:05 europe/berlin").to_string(),
            "weekly on monday at 06:05 Europe/Berlin"
        );
    }

    #[test]
    fn the_calendar_ends() {
        assert_eq!(schedule("daily at 06:30 UTC").next_after(datetime!(9999-12-31 12:00 UTC)), None);
    }

    fn any_schedule() -> impl Strategy<Value = Schedule> {
        let weekday = (0..7_u8).prop_map(|n| Cadence::Weekly(Weekday::Monday.nth_next(n)));
        let monthly = (1..=31_u8).prop_map(|day| Cadence::Monthly(MonthDay::Day(DayOfMonth::new(day).unwrap())));
        let cadence = prop_oneof![Just(Cadence::Daily), weekday, monthly, Just(Cadence::Monthly(MonthDay::Last))];
        let zones = [
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "Pacific/Apia",
            "America/Santiago",
            "Asia/Kathmandu",
            "Africa/Casablanca",
        ];
        (cadence, 0..24_u8, 0..60_u8, prop::sample::select(zones.to_vec())).prop_map(|(cadence, hour, minute, zone)| {
            Schedule { cadence, at: TimeOfDay::new(hour, minute).unwrap(), zone: zone.parse().unwrap() }
        })
    }

    proptest! {
        #[test]
        fn the_next_time_is_later_and_on_its_day_and_hour(schedule in any_schedule(), seconds in 0..4_000_000_000_i64) {
            let after = Timestamp::from_unix_timestamp(seconds).unwrap();
            let next = schedule.next_after(after).unwrap();
            prop_assert!(next > after);
            prop_assert!(next - after <= Duration::days(33));
            // Nothing lies between: asked from just before, it is the same.
            prop_assert_eq!(schedule.next_after(next - Duration::nanoseconds(1)), Some(next));
            let day = schedule.zone.day_of(next);
            let shown = schedule.zone.show(next);
            let skipped = !shown.ends_with(&schedule.at.to_string());
            if !skipped {
                prop_assert_eq!(schedule.cadence.first_from(day), Some(day));
            } else {
                // Just before it, clocks showed an earlier time than the one that was skipped.
                prop_assert!(schedule.zone.show(next - Duration::seconds(1)) < shown);
            }
        }

        #[test]
        fn a_schedule_is_read_as_it_is_written(schedule in any_schedule()) {
            prop_assert_eq!(schedule.to_string().parse(), Ok(schedule));
        }
    }
}
