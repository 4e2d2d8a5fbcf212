//! Small pieces of HTML that templates put in many places.

use std::{fmt, time::Duration};

use askama::filters::{Html, HtmlSafe, escape};
use time::{format_description::well_known::Rfc3339, macros::format_description};
use warren_model::Timestamp;

use super::assets::VERSION;
use crate::locale::Locale;

/// HTML that is complete: templates do not escape it again.
#[derive(Debug, Clone)]
pub struct Markup(String);

impl HtmlSafe for Markup {}

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The address of an asset.
pub fn asset(path: &str) -> String {
    format!("/assets/{VERSION}/{path}")
}

/// An icon of the sprite; words stand beside it, so that it is hidden from screen readers.
pub fn icon(name: &str) -> Markup {
    Markup(format!(r##"<svg class="icon" aria-hidden="true"><use href="{}#{name}"/></svg>"##, asset("icons.svg")))
}

/// The picture of an empty place.
pub fn art() -> Markup {
    Markup(format!(r#"<img src="{}" alt="" width="120" height="80">"#, asset("empty.svg")))
}

/// How a moment is shown once the reader's browser knows its zone.
#[derive(Debug, Clone, Copy)]
pub enum MomentStyle {
    /// Date and time.
    Whole,
    /// The date alone.
    Day,
    /// How long ago, while that is recent.
    Ago,
}

/// A moment, in UTC until the reader's browser puts it into the reader's zone and language.
pub fn moment(at: Timestamp, style: MomentStyle) -> Markup {
    let machine = at.format(&Rfc3339).expect("a moment in UTC is within RFC 3339");
    let (day, minute) =
        (format_description!("[year]-[month]-[day]"), format_description!("[year]-[month]-[day] [hour]:[minute]"));
    let (attribute, human) = match style {
        MomentStyle::Whole => ("", at.format(minute).map(|text| format!("{text} UTC"))),
        MomentStyle::Day => (r#" data-show="day""#, at.format(day)),
        MomentStyle::Ago => (r#" data-show="ago""#, at.format(minute).map(|text| format!("{text} UTC"))),
    };
    let human = human.expect("numbers can be written");
    Markup(format!(r#"<time datetime="{machine}"{attribute}>{human}</time>"#))
}

/// A value with a button that copies it.
pub fn copyable(locale: Locale, value: &str) -> Markup {
    let escaped = |text: &str| match escape(text, Html) {
        Ok(text) => text.to_string(),
        Err(never) => match never {},
    };
    let label = escaped(&locale.text("copy-this", &[("value", value.to_owned())]));
    let (said, failed) = (escaped(&locale.text("copied", &[])), escaped(&locale.text("copy-failed", &[])));
    let (value, icon) = (escaped(value), icon("copy"));
    Markup(format!(
        r#"<span class="copy"><code>{value}</code><button hidden type="button" class="copy-button" data-copy="{value}" data-said="{said}" data-failed="{failed}" aria-label="{label}" title="{label}">{icon}</button></span>"#
    ))
}

/// An amount of data for people: decimal units, one digit after the mark.
pub fn bytes(locale: Locale, bytes: u64) -> String {
    const UNITS: [&str; 5] = ["size-kilobyte", "size-megabyte", "size-gigabyte", "size-terabyte", "size-petabyte"];
    if bytes < 1000 {
        return locale.text("size-byte", &[("amount", bytes.to_string())]);
    }
    let mut tenths = (u128::from(bytes) + 50) / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths = (tenths + 500) / 1000;
        unit += 1;
    }
    let amount = format!("{}{}{}", tenths / 10, locale.decimal_mark(), tenths % 10);
    locale.text(UNITS[unit], &[("amount", amount)])
}

/// A span of time for people: one digit after the mark where that says something, and whole minutes and hours of long ones.
pub fn span(locale: Locale, span: Duration) -> String {
    let micros = span.as_micros();
    let (tenths, unit) = match micros {
        0..1_000_000 => (micros.div_ceil(100), "ms"),
        1_000_000..120_000_000 => (micros.div_ceil(100_000), "s"),
        120_000_000..7_200_000_000 => return format!("{} min", micros.div_ceil(60_000_000)),
        _ => return format!("{} h", micros.div_ceil(3_600_000_000)),
    };
    match tenths {
        0..100 => format!("{}{}{} {unit}", tenths / 10, locale.decimal_mark(), tenths % 10),
        _ => format!("{} {unit}", tenths / 10),
    }
}

/// A QR code with the quiet zone that readers need; none when `text` is longer than a code can hold.
pub fn qr(text: &str) -> Option<Markup> {
    const QUIET: usize = 4;
    let code = fast_qr::QRBuilder::new(text).ecl(fast_qr::ECL::L).build().ok()?;
    let size = code.size + 2 * QUIET;
    let mut path = String::new();
    for y in 0..code.size {
        for x in 0..code.size {
            if code[y][x].value() {
                path.push_str(&format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET));
            }
        }
    }
    Some(Markup(format!(
        r##"<svg viewBox="0 0 {size} {size}" shape-rendering="crispEdges" aria-hidden="true"><rect width="{size}" height="{size}" fill="#fff"/><path d="{path}" fill="#000"/></svg>"##
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_data_are_short() {
        let shown: Vec<String> =
            [0, 999, 1000, 1449, 999_949, 999_950, 1_500_000_000, u64::MAX].map(|n| bytes(Locale::German, n)).into();
        assert_eq!(shown, ["0 B", "999 B", "1,0 kB", "1,4 kB", "999,9 kB", "1,0 MB", "1,5 GB", "18446,7 PB"]);
    }

    #[test]
    fn spans_are_told_in_the_unit_that_suits_them() {
        let shown = [0, 40, 500, 12_300, 2_400_000, 61_000_000, 300_000_000, 90_000_000_000]
            .map(|micros| span(Locale::German, Duration::from_micros(micros)));
        assert_eq!(shown, ["0,0 ms", "0,1 ms", "0,5 ms", "12 ms", "2,4 s", "61 s", "5 min", "25 h"]);
    }

    #[test]
    fn values_cannot_break_out_of_their_markup() {
        let markup = copyable(Locale::English, r#""><script>"#).to_string();
        assert!(!markup.contains("<script>") && !markup.contains(r#""">"#), "{markup}");
    }

    #[test]
    fn moments_are_written_in_utc_for_machines_and_people() {
        let shown = moment(time::macros::datetime!(2026-11-21 23:12:48 UTC), MomentStyle::Whole).to_string();
        assert_eq!(shown, r#"<time datetime="2026-11-21T23:12:48Z">2026-11-21 23:12 UTC</time>"#);
    }

    #[test]
    fn a_text_too_long_for_a_code_gets_none() {
        assert!(qr("x").is_some());
        assert!(qr(&"x".repeat(3000)).is_none());
    }
}
