//! How a dependency is called.

use std::time::Duration;

use warren_resilience::{
    AdaptiveLimitSettings, BreakerSettings, InvalidSetting, RetryBudgetSettings, SPAN_MAX, SPAN_MIN,
};

/// How a dependency is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencySettings {
    /// When it is left alone.
    pub breaker: BreakerSettings,
    /// Calls at once.
    pub at_once: AtOnce,
    /// Callers that wait for a place; more are refused.
    pub waiting_max: u32,
    /// How long a caller waits for a place.
    pub wait_max: Duration,
    /// How long one attempt may take. Shorter than what callers have, or what hangs is never held against it.
    pub time_limit: Duration,
    /// How calls that may be made twice are attempted again.
    pub retries: RetrySettings,
}

impl DependencySettings {
    /// Checks what no policy does.
    pub(super) fn check(&self) -> Result<(), InvalidSetting> {
        let spans = [
            ("time limit", self.time_limit, SPAN_MIN),
            ("longest wait for a place", self.wait_max, Duration::ZERO),
            ("first wait before another attempt", self.retries.wait_first, SPAN_MIN),
            ("longest wait before another attempt", self.retries.wait_max, self.retries.wait_first),
        ];
        let wrong = spans.into_iter().find(|(_, given, min)| !(*min..=SPAN_MAX).contains(given));
        wrong.map_or(Ok(()), |(setting, given, min)| {
            let (given, allowed) = (format!("{given:?}"), format!("between {min:?} and {SPAN_MAX:?}"));
            Err(InvalidSetting { policy: "dependency", setting, given, allowed })
        })
    }
}

/// How many calls at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtOnce {
    /// So many.
    Fixed(u32),
    /// As many as are found to do it good. Calls that succeed and calls that time out are what it learns from.
    Adaptive(AdaptiveLimitSettings),
}

/// How calls that may be made twice are attempted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrySettings {
    /// Attempts of one call, the first among them; at least one is made.
    pub attempts_max: u8,
    /// The longest wait after the first failure; it doubles with each.
    pub wait_first: Duration,
    /// The longest wait.
    pub wait_max: Duration,
    /// What all calls may attempt again together.
    pub budget: RetryBudgetSettings,
}

impl Default for RetrySettings {
    /// Three attempts, a twentieth of a second apart at first.
    fn default() -> Self {
        Self {
            attempts_max: 3,
            wait_first: Duration::from_millis(50),
            wait_max: Duration::from_secs(2),
            budget: RetryBudgetSettings::default(),
        }
    }
}

impl Default for DependencySettings {
    /// Something on the network that usually answers within milliseconds.
    fn default() -> Self {
        Self {
            breaker: BreakerSettings::default(),
            at_once: AtOnce::Fixed(64),
            waiting_max: 256,
            wait_max: Duration::from_secs(1),
            time_limit: Duration::from_secs(5),
            retries: RetrySettings::default(),
        }
    }
}
