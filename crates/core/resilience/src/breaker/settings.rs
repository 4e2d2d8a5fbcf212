//! When a breaker opens, and how it closes again.

use std::time::Duration;

use crate::setting::{Checked, InvalidSetting};

/// The calls by which a breaker judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The last calls, however old they are: for what is called rarely. 1 to [`Window::CALLS_MAX`].
    Calls(u32),
    /// The calls of the last `span` (1 ms to a day), which is forgotten in `buckets` steps (1 to [`Window::BUCKETS_MAX`]):
    /// for what is called often.
    Time { span: Duration, buckets: u16 },
}

impl Window {
    /// More calls than this say nothing new.
    pub const CALLS_MAX: u32 = 10_000;
    /// Finer steps than this cost memory and change nothing.
    pub const BUCKETS_MAX: u16 = 128;
}

/// When answers come too late to be of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlowCalls {
    /// A call that took at least this long is slow; 1 ms to a day.
    pub after: Duration,
    /// The breaker opens when at least this many of a hundred calls were slow; 1 to 100.
    pub percent: u8,
}

/// When a breaker opens, and how it closes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerSettings {
    /// The calls by which it judges.
    pub window: Window,
    /// It opens when at least this many of a hundred calls failed; 1 to 100.
    pub failure_percent: u8,
    /// It also opens when too many calls were slow.
    pub slow: Option<SlowCalls>,
    /// It does not judge before this many calls are in the window; 1 to 10,000.
    pub calls_min: u32,
    /// Half-open it permits this many calls, and closes when all of them succeeded; 1 to [`BreakerSettings::PROBES_MAX`].
    pub probes: u16,
    /// A probe whose result was not reported by then is forgotten, and another one permitted; 1 ms to a day.
    pub probe_expires_after: Duration,
    /// How long it stays open the first time; 1 ms to a day. The wait doubles each time that it opens again soon.
    pub open_first: Duration,
    /// The longest that it stays open; `open_first` to a day.
    pub open_max: Duration,
}

impl BreakerSettings {
    /// More calls than this at once are no longer a careful look.
    pub const PROBES_MAX: u16 = 64;

    pub(super) fn check(&self) -> Result<(), InvalidSetting> {
        let checked = Checked("circuit breaker");
        let calls_max = match self.window {
            Window::Calls(calls) => {
                checked.within("window of calls", calls, 1..=Window::CALLS_MAX)?;
                calls
            }
            Window::Time { span, buckets } => {
                checked.span("span of the window", span)?;
                checked.within("buckets of the window", buckets, 1..=Window::BUCKETS_MAX)?;
                Window::CALLS_MAX
            }
        };
        checked.within("failure percent", self.failure_percent, 1..=100)?;
        if let Some(slow) = self.slow {
            checked.span("time after which a call is slow", slow.after)?;
            checked.within("slow-call percent", slow.percent, 1..=100)?;
        }
        // A window that holds fewer calls than are needed would never open the breaker.
        checked.within("least number of calls", self.calls_min, 1..=calls_max)?;
        checked.within("number of probes", self.probes, 1..=Self::PROBES_MAX)?;
        checked.span("time after which a probe expires", self.probe_expires_after)?;
        checked.span("first time to stay open", self.open_first)?;
        checked.within("longest time to stay open", self.open_max, self.open_first..=crate::setting::SPAN_MAX)
    }
}

impl Default for BreakerSettings {
    /// Half of at least ten calls within half a minute; one second of rest at first, at most a minute.
    fn default() -> Self {
        Self {
            window: Window::Time { span: Duration::from_secs(30), buckets: 10 },
            failure_percent: 50,
            slow: None,
            calls_min: 10,
            probes: 3,
            probe_expires_after: Duration::from_secs(30),
            open_first: Duration::from_secs(1),
            open_max: Duration::from_secs(60),
        }
    }
}
