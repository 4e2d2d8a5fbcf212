//! What holds of a breaker whatever happens to it, also when the clock jumps.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use proptest::prelude::*;
use warren_resilience::{BreakerSettings, BreakerState, CircuitBreaker, Counts, Outcome, Permit, SlowCalls, Window};

use super::{milliseconds, seconds};

const SLOW: Duration = Duration::from_millis(100);
const PROBES: u16 = 3;

#[derive(Debug, Clone)]
enum Event {
    Forward(u64),
    Back(u64),
    Begin,
    End { which: prop::sample::Index, outcome: Outcome, took_ms: u64 },
    GiveBack(prop::sample::Index),
    Lose(prop::sample::Index),
    ForceOpen,
    ForceClosed,
    Release,
}

fn event() -> impl Strategy<Value = Event> {
    let outcome = prop_oneof![Just(Outcome::Succeeded), Just(Outcome::Failed)];
    prop_oneof![
        4 => (0..3_000u64).prop_map(Event::Forward),
        1 => (0..60_000u64).prop_map(Event::Forward),
        1 => (0..5_000u64).prop_map(Event::Back),
        12 => Just(Event::Begin),
        12 => (any::<prop::sample::Index>(), outcome, 0..200u64)
            .prop_map(|(which, outcome, took_ms)| Event::End { which, outcome, took_ms }),
        1 => any::<prop::sample::Index>().prop_map(Event::GiveBack),
        1 => any::<prop::sample::Index>().prop_map(Event::Lose),
        1 => Just(Event::ForceOpen),
        1 => Just(Event::ForceClosed),
        3 => Just(Event::Release),
    ]
}

fn settings() -> impl Strategy<Value = BreakerSettings> {
    let window = prop_oneof![
        (4..200u32).prop_map(Window::Calls),
        (1..20_000u64, 1..20u16).prop_map(|(span, buckets)| Window::Time { span: milliseconds(span), buckets }),
    ];
    (window, 1..=100u8, prop::option::of(1..=100u8), 1..=4u32).prop_map(|(window, failure_percent, slow, calls_min)| {
        BreakerSettings {
            window,
            failure_percent,
            slow: slow.map(|percent| SlowCalls { after: SLOW, percent }),
            calls_min,
            probes: PROBES,
            probe_expires_after: seconds(5),
            open_first: seconds(1),
            open_max: seconds(20),
        }
    })
}

/// A breaker with those who have its permits.
struct Lab {
    breaker: CircuitBreaker,
    out: Vec<Permit>,
    now: Instant,
    state: BreakerState,
}

impl Lab {
    fn new(settings: BreakerSettings) -> Self {
        // Far enough from the beginning of the clock for all steps back.
        let now = Instant::now() + seconds(1_000_000);
        let breaker = CircuitBreaker::new(settings, now).unwrap();
        Self { breaker, out: Vec::new(), now, state: BreakerState::Closed }
    }

    fn take(&mut self, which: &prop::sample::Index) -> Option<Permit> {
        (!self.out.is_empty()).then(|| self.out.swap_remove(which.index(self.out.len())))
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Forward(ms) => self.now += milliseconds(*ms),
            Event::Back(ms) => self.now -= milliseconds(*ms),
            Event::Begin => self.out.extend(self.breaker.permit(self.now)),
            Event::End { which, outcome, took_ms } => {
                if let Some(permit) = self.take(which) {
                    self.breaker.record(permit, *outcome, milliseconds(*took_ms), self.now);
                }
            }
            Event::GiveBack(which) => {
                if let Some(permit) = self.take(which) {
                    self.breaker.give_back(permit);
                }
            }
            Event::Lose(which) => drop(self.take(which)),
            Event::ForceOpen => self.breaker.force_open(self.now),
            Event::ForceClosed => self.breaker.force_closed(self.now),
            Event::Release => self.breaker.release(self.now),
        }
        while let Some(transition) = self.breaker.poll_transition() {
            assert_eq!(transition.from, self.state, "transitions follow each other");
            assert_ne!(transition.from, transition.to);
            self.state = transition.to;
        }
        assert_eq!(self.breaker.state(), self.state, "no change goes untold");
        let window = self.breaker.status(self.now).window;
        assert!(window.failed <= window.calls && window.slow <= window.calls, "{window:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn it_tells_every_change_and_is_never_stuck(
        settings in settings(),
        events in prop::collection::vec(event(), 0..200),
    ) {
        let mut lab = Lab::new(settings);
        for event in &events {
            lab.apply(event);
        }
        lab.apply(&Event::Release);
        // Everything that may be waited for: the longest time open, and a probe's expiry.
        lab.apply(&Event::Forward(25_000));
        lab.apply(&Event::Begin);
        prop_assert!(lab.breaker.permit(lab.now).is_ok() || lab.state == BreakerState::HalfOpen);
        prop_assert!(!lab.out.is_empty());
    }

    #[test]
    fn no_more_probes_are_out_than_allowed(events in prop::collection::vec(event(), 0..100)) {
        let mut lab = Lab::new(BreakerSettings { calls_min: 1, probes: PROBES, ..BreakerSettings::default() });
        for event in &events {
            lab.apply(event);
        }
        lab.breaker.force_open(lab.now);
        lab.breaker.release(lab.now);
        let permits: Vec<_> = std::iter::from_fn(|| lab.breaker.permit(lab.now).ok()).take(100).collect();
        prop_assert_eq!(permits.len(), usize::from(PROBES));
    }

    #[test]
    fn a_window_of_calls_counts_the_last_ones(
        capacity in 1..300u32,
        calls in prop::collection::vec((any::<bool>(), any::<bool>()), 0..700),
    ) {
        let slow = Some(SlowCalls { after: SLOW, percent: 100 });
        let settings = BreakerSettings { window: Window::Calls(capacity), calls_min: 1, slow, ..Default::default() };
        let mut lab = Lab::new(settings);
        // Forced closed it counts and does not judge.
        lab.breaker.force_closed(lab.now);
        let mut naive = VecDeque::new();
        for (failed, slow) in calls {
            let outcome = if failed { Outcome::Failed } else { Outcome::Succeeded };
            let permit = lab.breaker.permit(lab.now).unwrap();
            lab.breaker.record(permit, outcome, if slow { SLOW } else { Duration::ZERO }, lab.now);
            naive.push_back((failed, slow));
            if naive.len() > capacity as usize {
                naive.pop_front();
            }
            let count = |of: fn(&(bool, bool)) -> bool| naive.iter().filter(|call| of(call)).count() as u64;
            let expected = Counts { calls: naive.len() as u64, failed: count(|c| c.0), slow: count(|c| c.1) };
            prop_assert_eq!(lab.breaker.status(lab.now).window, expected);
        }
    }

    #[test]
    fn a_window_of_time_holds_what_is_younger_than_it_and_nothing_much_older(
        steps in prop::collection::vec(0..1_500u64, 1..200),
    ) {
        let (span, bucket) = (seconds(5), milliseconds(500));
        let window = Window::Time { span, buckets: 10 };
        let mut lab = Lab::new(BreakerSettings { window, ..Default::default() });
        let mut made = Vec::new();
        for step in steps {
            lab.now += milliseconds(step);
            let permit = lab.breaker.permit(lab.now).unwrap();
            lab.breaker.record(permit, Outcome::Succeeded, Duration::ZERO, lab.now);
            made.push(lab.now);
            let younger = |than| made.iter().filter(|at| lab.now - **at < than).count() as u64;
            let (least, most) = (younger(span - bucket), younger(span + milliseconds(1)));
            let counted = lab.breaker.status(lab.now).window.calls;
            prop_assert!((least..=most).contains(&counted), "{} is not within {}..={}", counted, least, most);
        }
    }
}
