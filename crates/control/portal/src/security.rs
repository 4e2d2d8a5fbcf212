//! The headers that every answer carries.

use http::{HeaderMap, HeaderValue, header};

use crate::PortalState;

/// Everything from our own origin, nothing inline, nothing framed.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
     object-src 'none'";

/// The same for a page that shows another of ours within itself.
pub const FRAMING_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'; \
     base-uri 'none'; object-src 'none'";

/// For a letter, whose styles stand at its elements. It is shown as if it came from nowhere: it runs nothing, fetches nothing,
/// sends nothing and knows no session, also where somebody opens it by itself.
pub const LETTER_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; \
     frame-ancestors 'self'; base-uri 'none'; sandbox";

/// What pages of ours may use of a device's powers: none but the clipboard, for copying.
const PERMISSIONS_POLICY: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
     magnetometer=(), microphone=(), midi=(), payment=(), usb=(), clipboard-write=(self)";

/// Adds what the handler did not set itself.
pub(crate) fn add_headers(headers: &mut HeaderMap, state: &PortalState) {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
        // Almost everything is personal; what is not (assets) says so itself.
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fixed {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if state.is_https() {
        let two_years = HeaderValue::from_static("max-age=63072000");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(two_years);
    }
}
