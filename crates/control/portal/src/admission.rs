//! Who is worked on: as many requests at once as do not make each other slow, and the most important first.
//!
//! The number is found by [`AdaptiveLimit`] from how long answers take. Requests with a body are not measured: how long that
//! takes is the sender's doing, and nobody is to slow others down by sending slowly. Each priority finds places that those below
//! it may not take ([`Shedder`]).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{Method, header};
use parking_lot::Mutex;
use warren_resilience::{
    AdaptiveLimit, AdaptiveLimitSettings, Fate, Priority, Sample, Shedder, ShedderSettings, Verdict,
};

/// Requests that are worked on at once at most.
pub const REQUESTS_AT_ONCE_MAX: u32 = 512;
/// And at least, however slow answers are.
const REQUESTS_AT_ONCE_MIN: u32 = 48;

/// The door to the handlers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Admission(Arc<Door>);

#[derive(Debug)]
struct Door {
    shedder: Shedder,
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    limit: AdaptiveLimit,
    in_flight: u32,
}

/// A place among those that are worked on; it is free again when the value goes.
#[derive(Debug)]
pub struct Admitted {
    door: Arc<Door>,
    in_flight: u32,
    began: Instant,
    measure: Measure,
}

/// Whether a request says something about how much there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Yes,
    No,
}

impl Default for Admission {
    fn default() -> Self {
        let settings = AdaptiveLimitSettings {
            initial: REQUESTS_AT_ONCE_MAX,
            min: REQUESTS_AT_ONCE_MIN,
            max: REQUESTS_AT_ONCE_MAX,
            window: Duration::from_secs(1),
            samples_min: 50,
        };
        let limit = AdaptiveLimit::new(settings, now()).expect("the settings are within their limits");
        let shedder = Shedder::new(ShedderSettings::default()).expect("the settings are within their limits");
        Self(Arc::new(Door { shedder, inside: Mutex::new(Inside { limit, in_flight: 0 }) }))
    }
}

impl Admission {
    /// Lets a request of this priority in; none when those that are in leave no place for it.
    pub fn enter(&self, priority: Priority, method: &Method, headers: &http::HeaderMap) -> Option<Admitted> {
        let mut inside = self.0.inside.lock();
        match self.0.shedder.decide(inside.limit.limit(), inside.in_flight, priority) {
            Verdict::Refuse { .. } => None,
            Verdict::Admit => {
                inside.in_flight += 1;
                let has_body =
                    headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING);
                let measure = if has_body || *method != Method::GET { Measure::No } else { Measure::Yes };
                Some(Admitted { door: Arc::clone(&self.0), in_flight: inside.in_flight, began: now(), measure })
            }
        }
    }

    /// How many may be in at once now, and how many are.
    pub fn now(&self) -> (u32, u32) {
        let inside = self.0.inside.lock();
        (inside.limit.limit(), inside.in_flight)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let now = now();
        let mut inside = self.door.inside.lock();
        inside.in_flight -= 1;
        if self.measure == Measure::Yes {
            let latency = now.saturating_duration_since(self.began);
            let sample = Sample { latency, in_flight: self.in_flight, fate: Fate::Done };
            if let Some(changed) = inside.limit.sample(sample, now) {
                tracing::debug!(from = changed.from, to = changed.to, "the limit of requests at once changed");
            }
        }
    }
}

/// The clock that tests can stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// What a request is for, by its method and path.
pub fn priority_of(method: &Method, path: &str) -> Priority {
    let api = path.strip_prefix("/api/v1/").unwrap_or(path.trim_start_matches('/'));
    let first = api.split('/').next().unwrap_or_default();
    match first {
        "node" => Priority::Traffic,
        // Whether the portal lives and is ready is asked by what would end it otherwise.
        "health" | "ready" => Priority::Traffic,
        "session" | "sign-in" | "set-up" | "invitation" | "invitations" => Priority::SignIn,
        "metrics" | "openapi.json" | "docs" => Priority::Background,
        _ if *method == Method::GET && is_bulk(api) => Priority::Background,
        _ => Priority::Interactive,
    }
}

/// What nobody waits for at the screen: analyses, exports, reports.
fn is_bulk(path: &str) -> bool {
    ["/analysis", "/exports", "/reports", "/content", "/activity"].iter().any(|part| path.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(door: &Admission, priority: Priority) -> Option<Admitted> {
        door.enter(priority, &Method::POST, &http::HeaderMap::new())
    }

    #[test]
    fn traffic_and_sign_in_find_places_when_reports_do_not() {
        let door = Admission::default();
        let mut inside: Vec<Admitted> = std::iter::from_fn(|| enter(&door, Priority::Background)).collect();
        assert_eq!(inside.len(), 256);
        inside.extend(std::iter::from_fn(|| enter(&door, Priority::Interactive)));
        assert!(enter(&door, Priority::Background).is_none());
        inside.extend(std::iter::from_fn(|| enter(&door, Priority::SignIn)));
        assert!(enter(&door, Priority::Interactive).is_none());
        inside.extend(std::iter::from_fn(|| enter(&door, Priority::Traffic)));
        assert_eq!(inside.len(), 512);
        drop(inside);
        assert_eq!(door.now(), (512, 0));
    }

    #[test]
    fn what_a_request_is_for_is_told_by_its_path() {
        let of = |path| priority_of(&Method::GET, path);
        assert_eq!(of("/node/v1/link"), Priority::Traffic);
        assert_eq!(priority_of(&Method::POST, "/api/v1/session"), Priority::SignIn);
        assert_eq!(of("/sign-in"), Priority::SignIn);
        assert_eq!(of("/api/v1/organisations/northwind/devices"), Priority::Interactive);
        assert_eq!(of("/api/v1/database/analysis"), Priority::Background);
        assert_eq!(of("/metrics"), Priority::Background);
    }
}
