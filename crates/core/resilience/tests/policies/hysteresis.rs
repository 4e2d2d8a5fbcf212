//! The scaling trigger.

use std::time::Instant;

use proptest::prelude::*;
use warren_resilience::{Hysteresis, HysteresisSettings, Reason};

use super::{milliseconds, seconds};

const SETTINGS: HysteresisSettings = HysteresisSettings {
    high: 0.8,
    low: 0.2,
    raise_after: seconds(10),
    lower_after: seconds(60),
    cool_down: seconds(30),
    gap_max: seconds(15),
    step_up: 2,
    step_down: 1,
    min: 1,
    max: 4,
};

struct Lab {
    trigger: Hysteresis,
    now: Instant,
}

impl Lab {
    fn new(level: u32) -> Self {
        Self { trigger: Hysteresis::new(SETTINGS, level).unwrap(), now: Instant::now() + seconds(1000) }
    }

    /// The reasons of so many looks five seconds apart, and the level at the end.
    fn looks(&mut self, value: f64, count: usize) -> (Vec<Reason>, u32) {
        let mut look = || {
            self.now += seconds(5);
            self.trigger.observe(value, self.now).reason
        };
        ((0..count).map(|_| look()).collect(), self.trigger.level())
    }
}

#[test]
fn it_raises_after_the_value_was_high_for_long_enough() {
    let mut lab = Lab::new(1);
    let (reasons, level) = lab.looks(0.9, 3);
    let expected = [
        Reason::HighNotLong { left: seconds(10) },
        Reason::HighNotLong { left: seconds(5) },
        Reason::High { lasted: seconds(10) },
    ];
    assert_eq!((&reasons[..], level), (&expected[..], 3));
}

#[test]
fn a_moment_between_begins_the_wait_anew() {
    let mut lab = Lab::new(1);
    lab.looks(0.9, 2);
    assert_eq!(lab.looks(0.5, 1).0, [Reason::Between]);
    assert_eq!(lab.looks(0.9, 2).1, 1);
}

#[test]
fn the_next_step_waits_for_the_cool_down_and_the_largest_number_holds() {
    let mut lab = Lab::new(1);
    assert_eq!(lab.looks(0.9, 3).1, 3);
    let (reasons, level) = lab.looks(0.9, 5);
    assert_eq!((reasons.last(), level), (Some(&Reason::CoolingDown { left: seconds(5) }), 3));
    assert_eq!(lab.looks(0.9, 1).1, 4, "a step ends at the bound");
    assert_eq!(lab.looks(0.9, 20).0.last(), Some(&Reason::AtMax));
}

#[test]
fn it_lowers_after_a_longer_time_and_the_smallest_number_holds() {
    let mut lab = Lab::new(2);
    assert_eq!(lab.looks(0.1, 12).1, 2);
    let (reasons, level) = lab.looks(0.1, 1);
    assert_eq!((&reasons[..], level), (&[Reason::Low { lasted: seconds(60) }][..], 1));
    assert_eq!(lab.looks(0.1, 20).0.last(), Some(&Reason::AtMin));
}

#[test]
fn a_silence_and_a_clock_that_goes_back_begin_anew() {
    let mut lab = Lab::new(1);
    lab.looks(0.9, 2);
    lab.now += seconds(20);
    assert_eq!(lab.looks(0.9, 1).0, [Reason::HighNotLong { left: seconds(10) }]);
    lab.looks(0.9, 1);
    lab.now -= seconds(500);
    assert_eq!(lab.looks(0.9, 1).0, [Reason::HighNotLong { left: seconds(10) }]);
    assert_eq!(lab.looks(0.9, 2).1, 3);
    lab.now -= seconds(400);
    assert_eq!(lab.looks(0.9, 7).1, 4, "the cool-down does not last until the clock has caught up");
}

#[test]
fn what_is_not_a_number_says_nothing() {
    let mut lab = Lab::new(1);
    lab.looks(0.9, 2);
    assert_eq!(lab.looks(f64::NAN, 1), (vec![Reason::NotANumber], 1));
    assert_eq!(lab.looks(0.9, 1).1, 3);
}

#[test]
fn settings_outside_their_limits_are_refused_in_words() {
    let refused = |settings| Hysteresis::new(settings, 1).unwrap_err().to_string();
    assert_eq!(
        refused(HysteresisSettings { low: 0.8, ..SETTINGS }),
        "scaling trigger: low is 0.8; it must be less than high, which is 0.8"
    );
    assert_eq!(
        refused(HysteresisSettings { step_up: 0, ..SETTINGS }),
        "scaling trigger: step up is 0; it must be between 1 and 4294967295"
    );
    refused(HysteresisSettings { high: f64::NAN, ..SETTINGS });
    refused(HysteresisSettings { min: 5, ..SETTINGS });
    refused(HysteresisSettings { gap_max: milliseconds(0), ..SETTINGS });
}

proptest! {
    #[test]
    fn it_changes_by_one_step_within_its_bounds_and_not_before_the_cool_down(
        values in prop::collection::vec((-0.5..1.5f64, 0..12_000u64), 0..400),
    ) {
        let mut lab = Lab::new(2);
        let mut changed: Option<Instant> = None;
        for (value, step) in values {
            lab.now += milliseconds(step);
            let decision = lab.trigger.observe(value, lab.now);
            prop_assert!((1..=4).contains(&decision.to));
            prop_assert!(decision.to <= decision.from + 2 && decision.to + 1 >= decision.from);
            prop_assert_eq!(decision.from != decision.to, matches!(decision.reason, Reason::High { .. } | Reason::Low { .. }));
            if decision.from != decision.to {
                prop_assert!(changed.is_none_or(|at| lab.now - at >= seconds(30)));
                changed = Some(lab.now);
            }
        }
    }
}
