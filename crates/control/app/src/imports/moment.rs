//! Days and moments as people write them into tables.

use time::{
    Date, Month, Time,
    format_description::well_known::{Iso8601, Rfc3339},
};
use warren_model::Timestamp;

use crate::records::LineProblem;

/// The moment that `text` names: `2027-01-31T18:00:00Z`, or the end of a day in UTC, `2027-01-31` or `31.01.2027`. Days with
/// strokes are refused: nobody knows which part is the month.
pub(super) fn parse(text: &str) -> Result<Timestamp, LineProblem> {
    if let Ok(moment) = Timestamp::parse(text, &Rfc3339) {
        return Ok(moment.to_offset(time::UtcOffset::UTC));
    }
    let day = Date::parse(text, &Iso8601::DATE).ok().or_else(|| with_dots(text)).ok_or(LineProblem::Moment)?;
    Ok(day.next_day().ok_or(LineProblem::Moment)?.with_time(Time::MIDNIGHT).assume_utc())
}

fn with_dots(text: &str) -> Option<Date> {
    let mut parts = text.split('.');
    let [day, month, year] = [parts.next()?, parts.next()?, parts.next()?];
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_day_lasts_to_its_end() {
        let end = datetime!(2027-02-01 0:00 UTC);
        for day in ["2027-01-31", "31.01.2027", "31.1.2027", "2027-02-01T01:00:00+01:00"] {
            assert_eq!(parse(day).unwrap(), end, "{day}");
        }
        for bad in ["31/01/2027", "2027-02-30", "31.01.27", "tomorrow", "46053", "99999-01-01", "9999-12-31"] {
            assert_eq!(parse(bad), Err(LineProblem::Moment), "{bad}");
        }
    }
}
