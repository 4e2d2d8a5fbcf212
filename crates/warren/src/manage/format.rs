//! How values look to people: sizes, moments and lists in words.

use std::time::Duration;

use time::{OffsetDateTime, macros::format_description};
use warren_wire::rest::v1::{Device, DeviceLive, Tunnel};

/// `2027-01-31 14:05 UTC`; `never` for none.
pub fn moment(at: Option<OffsetDateTime>) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    at.and_then(|at| at.to_offset(time::UtcOffset::UTC).format(&format).ok()).unwrap_or_else(|| "never".into())
}

/// `1.2 MB`, by powers of a thousand (ISO 80000-13).
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut tenths = u128::from(count) * 10;
    for unit in UNITS {
        tenths = tenths.div_ceil(1000);
        if tenths < 10_000 {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{count} B")
}

/// `3 d 4 h`, with the two largest units.
pub fn duration(seconds: u64) -> String {
    let parts = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let shown: Vec<String> =
        parts.iter().skip_while(|(n, _)| *n == 0).take(2).map(|(n, unit)| format!("{n} {unit}")).collect();
    if shown.is_empty() { "0 s".into() } else { shown.join(" ") }
}

/// `0.5 ms`, `12 ms`, `2.4 s`.
pub fn span(span: Duration) -> String {
    let micros = span.as_micros();
    let (tenths, unit) = match micros {
        0..1_000_000 => (micros.div_ceil(100), "ms"),
        _ => (micros.div_ceil(100_000), "s"),
    };
    if tenths < 100 { format!("{}.{} {unit}", tenths / 10, tenths % 10) } else { format!("{} {unit}", tenths / 10) }
}

/// `a, b`, or a dash for none.
pub fn list(items: impl IntoIterator<Item = impl Into<String>>) -> String {
    let items: Vec<String> = items.into_iter().map(Into::into).collect();
    if items.is_empty() { "–".into() } else { items.join(", ") }
}

/// A device's addresses.
pub fn addresses(device: &Device) -> String {
    list(device.ipv4.iter().chain(&device.ipv6).cloned())
}

/// `online`, or when the device was last heard of.
pub fn seen(live: &DeviceLive) -> String {
    if live.online { "online".into() } else { moment(live.last_handshake_at) }
}

/// What goes through a tunnel.
pub fn tunnel(tunnel: &Tunnel) -> String {
    match tunnel {
        Tunnel::Full => "full: all traffic".into(),
        Tunnel::Split { routes } if routes.is_empty() => "split: the network itself".into(),
        Tunnel::Split { routes } => format!("split: the network itself and {}", routes.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_decimal() {
        for (count, text) in [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_250_000, "1.3 MB")] {
            assert_eq!(bytes(count), text);
        }
        assert_eq!(bytes(u64::MAX), "18.5 EB");
    }

    #[test]
    fn short_times_are_told_in_the_unit_that_suits_them() {
        for (micros, text) in [
            (0, "0.0 ms"),
            (40, "0.1 ms"),
            (500, "0.5 ms"),
            (12_300, "12 ms"),
            (2_400_000, "2.4 s"),
            (61_000_000, "61 s"),
        ] {
            assert_eq!(span(Duration::from_micros(micros)), text);
        }
    }

    #[test]
    fn durations_have_their_two_largest_units() {
        for (seconds, text) in [(0, "0 s"), (59, "59 s"), (3600, "1 h 0 min"), (90_061, "1 d 1 h")] {
            assert_eq!(duration(seconds), text);
        }
    }
}
