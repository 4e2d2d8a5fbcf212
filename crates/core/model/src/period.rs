//! A stretch of time that a report is about.

use time::{Date, Duration};

use crate::{Invalid, Timestamp, Zone, schedule::Cadence};

/// From a moment on, up to another that is no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    from: Timestamp,
    to: Timestamp,
}

impl Period {
    /// The longest that a period may be, in days.
    pub const DAYS_MAX: i64 = 3660;

    /// The time from `from` up to `to`.
    ///
    /// # Errors
    /// [`Invalid::OutOfRange`] in days, for a period that is empty or longer than [`Period::DAYS_MAX`].
    pub fn new(from: Timestamp, to: Timestamp) -> Result<Self, Invalid> {
        let days = (to - from).whole_days();
        if to <= from || days > Self::DAYS_MAX {
            return Err(Invalid::OutOfRange { value: days, min: 1, max: Self::DAYS_MAX });
        }
        Ok(Self { from, to })
    }

    /// From the beginning of `first` to the end of `last`, which are days of `zone`.
    ///
    /// # Errors
    /// As [`Period::new`].
    pub fn of_days(first: Date, last: Date, zone: &Zone) -> Result<Self, Invalid> {
        let start = |day: Option<Date>| day.and_then(|day| zone.start_of(day));
        let out_of_range = Invalid::OutOfRange { value: (last - first).whole_days(), min: 1, max: Self::DAYS_MAX };
        let (Some(from), Some(to)) = (start(Some(first)), start(last.next_day())) else { return Err(out_of_range) };
        Self::new(from, to)
    }

    /// What a report that is made at `at` is about: the day, the seven days, or the calendar month before the day of `at` in
    /// `zone`. Reports that follow their schedule leave nothing out and repeat nothing, but a monthly one before the last
    /// day, which is about the month before.
    ///
    /// # Errors
    /// [`Invalid::OutOfRange`] at the ends of the calendar.
    pub fn before(at: Timestamp, cadence: Cadence, zone: &Zone) -> Result<Self, Invalid> {
        let today = zone.day_of(at);
        let back = |days| today.checked_sub(Duration::days(days));
        let days = match cadence {
            Cadence::Daily => back(1).zip(back(1)),
            Cadence::Weekly(_) => back(7).zip(back(1)),
            Cadence::Monthly(_) => today.replace_day(1).ok().and_then(Date::previous_day).and_then(|last| {
                let first = last.replace_day(1).ok()?;
                Some((first, last))
            }),
        };
        let (first, last) = days.ok_or(Invalid::OutOfRange { value: 0, min: 1, max: Self::DAYS_MAX })?;
        Self::of_days(first, last, zone)
    }

    /// Its first moment.
    pub const fn from(&self) -> Timestamp {
        self.from
    }
    /// The first moment after it.
    pub const fn to(&self) -> Timestamp {
        self.to
    }
    /// Whether `at` lies in it.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

#[cfg(test)]
mod tests {
    use time::{
        Weekday,
        macros::{date, datetime},
    };

    use super::*;
    use crate::schedule::MonthDay;

    #[test]
    fn a_report_is_about_what_is_over() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let before = |cadence| Period::before(datetime!(2026-03-29 22:30 UTC), cadence, &berlin).unwrap();
        // 30 March there; the day before had 23 hours.
        let day = before(Cadence::Daily);
        assert_eq!((day.from(), day.to()), (datetime!(2026-03-28 23:00 UTC), datetime!(2026-03-29 22:00 UTC)));
        let week = before(Cadence::Weekly(Weekday::Monday));
        assert_eq!((week.from(), week.to()), (datetime!(2026-03-22 23:00 UTC), day.to()));
        let month = before(Cadence::Monthly(MonthDay::Last));
        assert_eq!((month.from(), month.to()), (datetime!(2026-01-31 23:00 UTC), datetime!(2026-02-28 23:00 UTC)));
        assert!(month.contains(month.from()) && !month.contains(month.to()));
    }

    #[test]
    fn a_period_is_neither_empty_nor_endless() {
        let (first, last) = (date!(2026 - 01 - 02), date!(2026 - 01 - 01));
        assert!(Period::of_days(first, last, &Zone::UTC).is_err());
        assert!(Period::of_days(last, last, &Zone::UTC).is_ok());
        assert!(Period::of_days(date!(1990 - 01 - 01), last, &Zone::UTC).is_err());
    }
}
