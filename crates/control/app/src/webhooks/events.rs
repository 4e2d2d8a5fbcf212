//! Which events a webhook wants.

use std::{fmt, str::FromStr};

use warren_model::{Invalid, audit::Action};

/// The most events, or groups of them, that one webhook names.
pub const EVENTS_MAX: usize = 32;

/// The name of the event that says that a webhook works.
pub(super) const TEST: &str = "webhook.test";

/// What concerns the installation alone, and never stands in an organisation's trail.
const ELSEWHERE: [&str; 7] = ["installation.", "session.", "gateway.", "mail.", "job.", "queue.", "dependency."];

/// The events that webhooks hear of: what stands in an organisation's trail.
pub fn known_events() -> impl Iterator<Item = &'static str> {
    let all = Action::ALL.iter().map(|action| action.as_str());
    all.filter(|name| !ELSEWHERE.iter().any(|kind| name.starts_with(kind)))
}

/// An event, all of a kind, or all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventPattern(String);

impl EventPattern {
    /// As it is written: `device.enrolled`, `device.*` or `*`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `pattern`, as it is stored, names `event`.
pub(super) fn names(pattern: &str, event: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => event.starts_with(beginning),
        None => pattern == event,
    }
}

impl FromStr for EventPattern {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Invalid::Empty);
        }
        let is_known = match text.strip_suffix(".*") {
            Some(kind) => known_events().any(|event| event.split_once('.').is_some_and(|(of, _)| of == kind)),
            None => text == "*" || known_events().any(|event| event == text),
        };
        if !is_known {
            return Err(Invalid::Unknown { known: "*, device.*, device.enrolled, …" });
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_a_kind_or_all() {
        for (pattern, event, expected) in [
            ("*", "device.enrolled", true),
            ("device.*", "device.enrolled", true),
            ("device.*", "network.created", false),
            ("device.enrolled", "device.enrolled", true),
            ("device.enrolled", "device.revoked", false),
        ] {
            let pattern: EventPattern = pattern.parse().unwrap();
            assert_eq!(names(pattern.as_str(), event), expected, "{pattern} {event}");
        }
    }

    #[test]
    fn what_names_no_event_is_refused() {
        for bad in
            ["", " ", "**", "device", "device.", "dev*", "device.enrol*", "session.*", "session.started", ".*", "a.*"]
        {
            assert!(bad.parse::<EventPattern>().is_err(), "{bad}");
        }
        assert!(known_events().all(|event| event.len() <= 60 && event.parse::<EventPattern>().is_ok()));
    }
}
