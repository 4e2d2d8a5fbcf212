//! Breakers, ours and others', each around the same work.

use std::{
    hint::black_box,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use warren_resilience::{BreakerSettings, CircuitBreaker, Outcome, SlowCalls, Window};
use warren_runtime::{
    SystemRandom,
    dependency::{AtOnce, Dependencies, Dependency, DependencyName, DependencySettings},
};

/// The calls by which is judged, where they are counted.
pub const CALLS: u32 = 100;
/// One call of so many fails.
pub const FAILS_ONE_OF: u32 = 100;
const WINDOW: Duration = Duration::from_secs(30);

/// What a call does: as little as can fail.
#[inline(never)]
fn work(turn: u32) -> Result<u32, u32> {
    if black_box(turn).is_multiple_of(FAILS_ONE_OF) { Err(turn) } else { Ok(turn) }
}

/// Something that a call goes through, from several threads.
pub trait Contender: Sync {
    /// One call.
    fn pass(&self, turn: u32);
}

/// No breaker.
#[derive(Debug)]
pub struct Nothing;

impl Contender for Nothing {
    fn pass(&self, turn: u32) {
        let _ = black_box(work(turn));
    }
}

/// Where ours takes the present moment from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Now {
    /// The caller has it already.
    Given,
    /// The clock is read before and after the call.
    Read,
}

/// Our breaker behind a mutex.
#[derive(Debug)]
pub struct Ours {
    breaker: Mutex<CircuitBreaker>,
    begun: Instant,
    now: Now,
}

impl Ours {
    pub fn counting_calls(now: Now) -> anyhow::Result<Self> {
        Self::of(BreakerSettings { window: Window::Calls(CALLS), ..BreakerSettings::default() }, now)
    }

    pub fn counting_time(now: Now) -> anyhow::Result<Self> {
        let window = Window::Time { span: WINDOW, buckets: 10 };
        let slow = Some(SlowCalls { after: Duration::from_secs(1), percent: 50 });
        Self::of(BreakerSettings { window, slow, ..BreakerSettings::default() }, now)
    }

    fn of(settings: BreakerSettings, now: Now) -> anyhow::Result<Self> {
        let begun = Instant::now();
        Ok(Self { breaker: Mutex::new(CircuitBreaker::new(settings, begun)?), begun, now })
    }

    fn now(&self) -> Instant {
        match self.now {
            Now::Given => self.begun,
            Now::Read => Instant::now(),
        }
    }
}

impl Contender for Ours {
    fn pass(&self, turn: u32) {
        let before = self.now();
        let Ok(permit) = self.breaker.lock().permit(before) else { return };
        let outcome = match work(turn) {
            Ok(_) => Outcome::Succeeded,
            Err(_) => Outcome::Failed,
        };
        let after = self.now();
        self.breaker.lock().record(permit, outcome, after.saturating_duration_since(before), after);
    }
}

/// All of a dependency but the time limit: breaker, bulkhead, retry budget, figures, the clock read twice.
#[derive(Debug)]
pub struct Whole(Arc<Dependency>);

impl Whole {
    pub fn build() -> anyhow::Result<Self> {
        let settings = DependencySettings { at_once: AtOnce::Fixed(64), ..DependencySettings::default() };
        let all = Dependencies::new(Arc::new(SystemRandom));
        Ok(Self(all.add(DependencyName::new("measured"), settings)?))
    }
}

impl Contender for Whole {
    fn pass(&self, turn: u32) {
        // With a place free, the first poll lets it in.
        let entering = pin!(self.0.enter());
        let Poll::Ready(Ok(entered)) = entering.poll(&mut Context::from_waker(Waker::noop())) else { return };
        match work(turn) {
            Ok(_) => entered.succeeded(),
            Err(turn) => entered.failed(turn),
        }
    }
}

impl Contender for recloser::Recloser {
    fn pass(&self, turn: u32) {
        let _ = black_box(self.call(|| work(turn)));
    }
}

/// failsafe, with one of its policies.
#[derive(Debug)]
pub struct Failsafe<B>(pub B);

impl<B: failsafe::CircuitBreaker + Sync> Contender for Failsafe<B> {
    fn pass(&self, turn: u32) {
        let _ = black_box(self.0.call(|| work(turn)));
    }
}

pub fn recloser_counting_calls() -> recloser::Recloser {
    recloser::Recloser::custom().error_rate(0.5).closed_len(CALLS as usize).build()
}

pub fn failsafe_in_a_row() -> Failsafe<impl failsafe::CircuitBreaker + Sync> {
    let policy =
        failsafe::failure_policy::consecutive_failures(10, failsafe::backoff::constant(Duration::from_secs(1)));
    Failsafe(failsafe::Config::new().failure_policy(policy).build())
}

pub fn failsafe_counting_time() -> Failsafe<impl failsafe::CircuitBreaker + Sync> {
    let wait = failsafe::backoff::constant(Duration::from_secs(1));
    let policy = failsafe::failure_policy::success_rate_over_time_window(0.5, 10, WINDOW, wait);
    Failsafe(failsafe::Config::new().failure_policy(policy).build())
}
