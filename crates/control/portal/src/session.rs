//! The session cookie.

use http::{HeaderMap, HeaderValue, header};
use warren_app::{App, sessions::SignedIn};
use warren_auth::SecretToken;

/// The prefix makes browsers insist on `Secure`, `Path=/` and the absence of `Domain` (RFC 6265bis section 4.1.3.2).
pub const COOKIE: &str = "__Host-warren";

/// The header that hands the session to the browser until it ends.
pub fn cookie_of(app: &App, signed_in: &SignedIn) -> HeaderValue {
    let seconds = (signed_in.session.expires_at - app.clock().now()).whole_seconds().max(0);
    set_cookie(&signed_in.token.expose(), seconds)
}

/// The header that makes the browser forget the session.
pub fn no_cookie() -> HeaderValue {
    set_cookie("", 0)
}

/// The token that a browser sent. Of several cookies of this name the first counts.
pub(crate) fn token_in(headers: &HeaderMap) -> Option<SecretToken> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .and_then(|(_, value)| SecretToken::parse(value))
}

fn set_cookie(value: &str, seconds: i64) -> HeaderValue {
    let text = format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    let mut header = HeaderValue::from_str(&text).expect("a token is URL-safe Base64");
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(cookies: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookies).unwrap())])
    }

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let token = "A".repeat(43);
        assert!(token_in(&sent(&format!("theme=dark; {COOKIE}={token}; x"))).is_some());
        assert!(token_in(&sent(&format!("warren={token}"))).is_none());
        assert!(token_in(&sent(&format!("{COOKIE}=short"))).is_none());
        assert!(token_in(&HeaderMap::new()).is_none());
    }
}
