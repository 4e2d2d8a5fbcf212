//! Dependencies on paused time.

mod calls;
mod entering;
mod registry;

use std::{sync::Arc, time::Duration};

use warren_model::Random;
use warren_resilience::{BreakerSettings, Window};

use super::{AtOnce, Blame, Blamed, Dependencies, Dependency, DependencyName, DependencySettings, RetrySettings};

/// Waits are as long as they can be.
#[derive(Debug)]
struct Longest;

impl Random for Longest {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(u8::MAX);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Trouble {
    #[error("the connection broke")]
    Broken,
    #[error("the password is wrong")]
    Password,
    #[error("no such mail address")]
    Address,
}

impl Blamed for Trouble {
    fn blame(&self) -> Blame {
        match self {
            Self::Broken => Blame::Transient,
            Self::Password => Blame::Lasting,
            Self::Address => Blame::Caller,
        }
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn milliseconds(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Opens after the fourth failure of four for two seconds; two calls at once, two waiting for a second.
fn settings() -> DependencySettings {
    DependencySettings {
        breaker: BreakerSettings {
            window: Window::Calls(4),
            failure_percent: 100,
            calls_min: 4,
            probes: 1,
            open_first: seconds(2),
            ..BreakerSettings::default()
        },
        at_once: AtOnce::Fixed(2),
        waiting_max: 2,
        wait_max: seconds(1),
        time_limit: seconds(10),
        retries: RetrySettings { attempts_max: 3, wait_first: milliseconds(100), ..RetrySettings::default() },
    }
}

fn dependency(settings: DependencySettings) -> Arc<Dependency> {
    Dependencies::new(Arc::new(Longest)).add(DependencyName::new("test"), settings).unwrap()
}

async fn fail(dependency: &Arc<Dependency>, times: usize) {
    for _ in 0..times {
        dependency.enter().await.unwrap().failed("out of order");
    }
}
