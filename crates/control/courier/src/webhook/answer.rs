//! What a receiver answered, and what that means for the delivery.

use std::time::Duration;

use http::{HeaderMap, header};
use time::format_description::well_known::Rfc2822;
use warren_model::Timestamp;

/// The longest wait that a receiver may ask for.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

/// A receiver's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// From looking its name up to the end of what was read.
    pub took: Duration,
    /// How its body begins, as text without control characters.
    pub body_start: String,
    /// The wait that it asks for (RFC 9110 section 10.2.3), at most [`RETRY_AFTER_MAX`].
    pub retry_after: Option<Duration>,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// 2xx: the receiver has it.
    Delivered,
    /// 410: the receiver wants nothing more, ever. The webhook is to be disabled.
    Gone,
    /// 429 and 503: the receiver is busy; not before this wait, if it says one.
    Busy(Option<Duration>),
    /// Another 4xx: the receiver does not understand or does not let us in. Somebody has to change something there; a few more
    /// attempts are enough.
    Rejected,
    /// Anything else: the receiver does not work now, or says that it has moved, and nobody follows.
    Failed,
}

impl Answer {
    /// What it means.
    pub const fn verdict(&self) -> Verdict {
        match self.status {
            200..=299 => Verdict::Delivered,
            410 => Verdict::Gone,
            429 | 503 => Verdict::Busy(self.retry_after),
            400..=499 => Verdict::Rejected,
            _ => Verdict::Failed,
        }
    }
}

/// The wait in `Retry-After`: seconds, or a moment.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Duration::try_from(Timestamp::parse(text, &Rfc2822).ok()? - now).unwrap_or_default(),
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// Bytes as text that may stand in a page and a log.
pub(super) fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn verdict(status: u16) -> Verdict {
        let retry_after = Some(Duration::from_secs(7));
        Answer { status, took: Duration::ZERO, body_start: String::new(), retry_after }.verdict()
    }

    #[test]
    fn a_status_means_one_thing() {
        for (status, expected) in [
            (200, Verdict::Delivered),
            (204, Verdict::Delivered),
            (301, Verdict::Failed),
            (304, Verdict::Failed),
            (400, Verdict::Rejected),
            (401, Verdict::Rejected),
            (404, Verdict::Rejected),
            (410, Verdict::Gone),
            (429, Verdict::Busy(Some(Duration::from_secs(7)))),
            (500, Verdict::Failed),
            (503, Verdict::Busy(Some(Duration::from_secs(7)))),
            (504, Verdict::Failed),
            (999, Verdict::Failed),
        ] {
            assert_eq!(verdict(status), expected, "{status}");
        }
    }

    #[test]
    fn a_wait_is_seconds_or_a_moment_and_bounded() {
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, datetime!(2026-11-27 12:00 UTC)).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait("Fri, 27 Nov 2026 12:01:30 GMT"), Some(90));
        assert_eq!(wait("Fri, 27 Nov 2026 11:00:00 GMT"), Some(0));
        assert_eq!(wait("18446744073709551615"), Some(86_400));
        assert_eq!(wait("Fri, 01 Jan 2100 00:00:00 GMT"), Some(86_400));
        for bad in ["", "soon", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(wait(bad), None, "{bad}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), datetime!(2026-11-27 12:00 UTC)), None);
    }

    #[test]
    fn bytes_become_text_without_control_characters() {
        assert_eq!(readable(b"a\x1b[31m\r\n\x00\xffb"), "a [31m \n \u{fffd}b");
    }
}
