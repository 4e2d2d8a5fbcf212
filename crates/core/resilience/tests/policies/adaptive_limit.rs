//! The adaptive limit, against a part of known capacity.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use warren_resilience::{AdaptiveLimit, AdaptiveLimitSettings, Fate, Sample};

use super::{milliseconds, seconds};

const SETTINGS: AdaptiveLimitSettings =
    AdaptiveLimitSettings { initial: 20, min: 4, max: 500, window: seconds(1), samples_min: 10 };

/// Something that does `capacity` calls at once in `latency`, and makes the rest queue.
struct Part {
    capacity: u32,
    latency: Duration,
}

impl Part {
    /// What one window with so many calls at once looks like.
    fn window(&self, limit: &mut AdaptiveLimit, in_flight: u32, now: &mut Instant) {
        let queueing = (f64::from(in_flight) / f64::from(self.capacity)).max(1.0);
        let sample = Sample { latency: self.latency.mul_f64(queueing), in_flight, fate: Fate::Done };
        for _ in 0..10 {
            *now += milliseconds(100);
            limit.sample(sample, *now);
        }
    }
}

#[test]
fn it_finds_the_capacity_and_stays_there() {
    let mut now = Instant::now();
    let mut limit = AdaptiveLimit::new(SETTINGS, now).unwrap();
    let part = Part { capacity: 60, latency: milliseconds(20) };
    for windows in 0..5_000 {
        let in_flight = limit.limit();
        part.window(&mut limit, in_flight, &mut now);
        if windows > 200 {
            // The lower end is that of a dip.
            assert!((45..=120).contains(&limit.limit()), "{} after {windows} windows", limit.limit());
        }
    }
}

#[test]
fn it_falls_when_the_part_gets_slower_and_learns_when_that_lasts() {
    let mut now = Instant::now();
    let mut limit = AdaptiveLimit::new(SETTINGS, now).unwrap();
    let mut part = Part { capacity: 60, latency: milliseconds(20) };
    let mut run = |part: &Part, limit: &mut AdaptiveLimit, windows: u32| {
        for _ in 0..windows {
            let in_flight = limit.limit();
            part.window(limit, in_flight, &mut now);
        }
    };
    run(&part, &mut limit, 320);
    part.latency = milliseconds(200);
    run(&part, &mut limit, 30);
    assert!(limit.limit() < 20, "{}", limit.limit());
    run(&part, &mut limit, 300);
    assert!(limit.limit() >= 60, "{}", limit.limit());
}

#[test]
fn dropped_calls_lower_it() {
    let mut now = Instant::now();
    let mut limit = AdaptiveLimit::new(SETTINGS, now).unwrap();
    for _ in 0..10 {
        now += milliseconds(100);
        limit.sample(Sample { latency: seconds(1), in_flight: 20, fate: Fate::Dropped }, now);
    }
    assert_eq!(limit.limit(), 18);
}

#[test]
fn it_does_not_grow_while_it_is_not_used() {
    let mut now = Instant::now();
    let mut limit = AdaptiveLimit::new(SETTINGS, now).unwrap();
    let part = Part { capacity: 60, latency: milliseconds(20) };
    (0..100).for_each(|_| part.window(&mut limit, 3, &mut now));
    assert_eq!(limit.limit(), 20);
}

#[test]
fn settings_outside_their_limits_are_refused() {
    let now = Instant::now();
    for bad in [
        AdaptiveLimitSettings { min: 0, ..SETTINGS },
        AdaptiveLimitSettings { initial: 3, ..SETTINGS },
        AdaptiveLimitSettings { max: 3, ..SETTINGS },
        AdaptiveLimitSettings { window: Duration::ZERO, ..SETTINGS },
        AdaptiveLimitSettings { samples_min: 0, ..SETTINGS },
    ] {
        assert!(AdaptiveLimit::new(bad, now).is_err(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn it_stays_within_its_bounds_whatever_comes(
        samples in prop::collection::vec((any::<u32>(), any::<u32>(), any::<bool>(), -5_000..5_000i64), 0..400),
    ) {
        let mut now = Instant::now() + seconds(1_000_000);
        let mut limit = AdaptiveLimit::new(AdaptiveLimitSettings { samples_min: 1, ..SETTINGS }, now).unwrap();
        for (latency_ms, in_flight, dropped, step) in samples {
            now = if step < 0 { now - milliseconds(step.unsigned_abs()) } else { now + milliseconds(step.unsigned_abs()) };
            let fate = if dropped { Fate::Dropped } else { Fate::Done };
            let before = limit.limit();
            let changed = limit.sample(Sample { latency: milliseconds(latency_ms.into()), in_flight, fate }, now);
            prop_assert!((4..=500).contains(&limit.limit()));
            prop_assert_eq!(changed.map_or((before, before), |c| (c.from, c.to)), (before, limit.limit()));
        }
    }
}
