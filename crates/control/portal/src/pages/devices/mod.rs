//! The devices of an organisation.

mod enrol;
mod list;
mod revoke;
mod show;

use axum::{
    Router,
    routing::{get, post},
};
use time::{Date, format_description::BorrowedFormatItem, macros::format_description};
use warren_model::Timestamp;

use crate::PortalState;

pub(super) fn router() -> Router<PortalState> {
    Router::new()
        .route("/o/{organisation}/devices", get(list::show))
        .route("/o/{organisation}/devices/new", get(enrol::show).post(enrol::submit))
        .route("/o/{organisation}/devices/{device}", get(show::show).post(show::submit))
        .route("/o/{organisation}/devices/{device}/standing", post(show::submit_standing))
        .route("/o/{organisation}/devices/{device}/configuration", get(show::configuration))
        .route("/o/{organisation}/devices/{device}/revoke", get(revoke::show).post(revoke::submit))
}

/// As date inputs write it.
const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// The last second of the day that a date input holds.
fn end_of_day(text: &str) -> Option<Timestamp> {
    let date = Date::parse(text, DATE).ok()?;
    Some(date.with_hms(23, 59, 59).ok()?.assume_utc())
}

/// The day of a moment as a date input holds it.
fn day_of(at: Option<Timestamp>) -> String {
    at.and_then(|at| at.date().format(DATE).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_with_its_last_second() {
        let end = end_of_day("2027-01-31").unwrap();
        assert_eq!(end, time::macros::datetime!(2027-01-31 23:59:59 UTC));
        assert_eq!(day_of(Some(end)), "2027-01-31");
        assert_eq!(end_of_day("31.1.2027"), None);
    }
}
