//! Refuses changes that another site makes a browser send (cross-site request forgery).
//!
//! The session cookie is `SameSite=Lax`, and browsers say where a request comes from in `Sec-Fetch-Site` (Fetch Metadata)
//! and, older ones, in `Origin`. Programs that send neither are let through as long as they bring no cookie.

use http::{HeaderMap, Method, StatusCode, header};

use crate::{
    problem::{CROSS_ORIGIN, Rejection},
    session,
};

/// # Errors
/// 403 for a request that changes something and does not come from `own_origin` itself.
pub(crate) fn check(method: &Method, headers: &HeaderMap, own_origin: &str) -> Result<(), Rejection> {
    if method.is_safe() {
        return Ok(());
    }
    let is_ours = match (headers.get("sec-fetch-site"), headers.get(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => origin.as_bytes().eq_ignore_ascii_case(own_origin.as_bytes()),
        (None, None) => session::token_in(headers).is_none(),
    };
    if is_ours { Ok(()) } else { Err(Rejection::new(StatusCode::FORBIDDEN, CROSS_ORIGIN)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_let_through(method: Method, sent: &[(&'static str, &str)]) -> bool {
        let headers = sent.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        check(&method, &headers, "https://vpn.example.org").is_ok()
    }

    #[test]
    fn changes_from_elsewhere_are_refused() {
        let cookie = format!("__Host-warren={}", "A".repeat(43));
        let (cookie, site, origin) = (("cookie", cookie.as_str()), "sec-fetch-site", "origin");
        for (sent, expected) in [
            (vec![(site, "same-origin"), cookie], true),
            (vec![(site, "none")], true),
            (vec![(site, "cross-site"), (origin, "https://vpn.example.org")], false),
            (vec![(site, "same-site"), cookie], false),
            (vec![(origin, "https://vpn.example.org"), cookie], true),
            (vec![(origin, "https://evil.example.org"), cookie], false),
            (vec![(origin, "https://evil.example.org")], false),
            (vec![(origin, "null"), cookie], false),
            (vec![cookie], false),
            (vec![], true),
        ] {
            assert_eq!(is_let_through(Method::POST, &sent), expected, "{sent:?}");
            assert!(is_let_through(Method::GET, &sent), "reading is never refused");
        }
    }
}
