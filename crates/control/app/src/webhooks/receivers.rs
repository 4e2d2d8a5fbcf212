//! How receivers are called: a breaker for each, and no more of them than are looked after.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use warren_runtime::dependency::{
    AtOnce, Dependencies, Dependency, DependencyError, DependencyName, DependencySettings,
};

/// Receivers whose breakers are kept; of more, those that were called longest ago are forgotten.
const RECEIVERS_MAX: usize = 256;
/// The kind that they have among the dependencies.
const KIND: &str = "webhook";

/// The receivers that were called last, each once, the latest at the end.
#[derive(Debug, Default)]
pub(crate) struct Receivers {
    called: Mutex<Vec<DependencyName>>,
}

impl Receivers {
    /// The receiver at `authority`, a host with its port.
    ///
    /// It is one for all organisations, who therefore only ever open its breaker by what is true for all of them: that nobody
    /// answers there. An answer of any status closes it.
    ///
    /// # Errors
    /// When there are too many dependencies of all kinds.
    pub(super) fn at(&self, dependencies: &Dependencies, authority: &str) -> Result<Arc<Dependency>, DependencyError> {
        let name = DependencyName::of(KIND, authority);
        let mut called = self.called.lock();
        called.retain(|other| *other != name);
        if called.len() >= RECEIVERS_MAX {
            dependencies.remove(&called.remove(0));
        }
        called.push(name.clone());
        dependencies.add(name, settings())
    }
}

fn settings() -> DependencySettings {
    DependencySettings {
        // Far fewer than there are places for jobs, so that one slow receiver does not take all of them.
        at_once: AtOnce::Fixed(4),
        waiting_max: 4,
        wait_max: Duration::from_secs(1),
        // A little more than what the client itself allows, so that its words are heard.
        time_limit: warren_courier::webhook::TIME_LIMIT + Duration::from_secs(5),
        ..DependencySettings::default()
    }
}

#[cfg(test)]
mod tests {
    use warren_runtime::SystemRandom;

    use super::*;

    #[test]
    fn no_more_receivers_are_kept_than_are_looked_after() {
        let (dependencies, receivers) = (Dependencies::new(Arc::new(SystemRandom)), Receivers::default());
        for number in 0..RECEIVERS_MAX + 10 {
            receivers.at(&dependencies, &format!("host-{number}.example.org")).unwrap();
            receivers.at(&dependencies, "busy.example.org:8443").unwrap();
        }
        let kept = dependencies.status();
        assert_eq!(kept.len(), RECEIVERS_MAX);
        assert!(kept.iter().any(|one| one.name.as_str() == "webhook:busy.example.org:8443"));
        assert!(!kept.iter().any(|one| one.name.as_str() == "webhook:host-0.example.org"));
    }
}
