//! The retry budget.

use std::time::Instant;

use proptest::prelude::*;
use warren_resilience::{BudgetSpent, RetryBudget, RetryBudgetSettings};

use super::{milliseconds, seconds};

const SETTINGS: RetryBudgetSettings = RetryBudgetSettings { percent: 20, per_second_min: 1, span: seconds(10) };

#[test]
fn a_fifth_of_the_calls_may_be_tried_again_beside_the_floor() {
    let now = Instant::now();
    let mut budget = RetryBudget::new(SETTINGS, now).unwrap();
    assert_eq!(budget.left(now), 10);
    (0..100).for_each(|_| budget.deposit(now));
    assert_eq!((0..1000).filter(|_| budget.withdraw(now).is_ok()).count(), 30);
    assert_eq!(budget.withdraw(now), Err(BudgetSpent));
    assert_eq!(budget.left(now + seconds(10)), 10, "old calls give nothing, old retries cost nothing");
}

#[test]
fn nothing_is_tried_again_without_a_budget() {
    let now = Instant::now();
    let settings = RetryBudgetSettings { percent: 0, per_second_min: 0, ..SETTINGS };
    let mut budget = RetryBudget::new(settings, now).unwrap();
    (0..100).for_each(|_| budget.deposit(now));
    assert!(budget.withdraw(now).is_err());
}

#[test]
fn settings_outside_their_limits_are_refused() {
    let now = Instant::now();
    for bad in [
        RetryBudgetSettings { percent: 1001, ..SETTINGS },
        RetryBudgetSettings { per_second_min: 1001, ..SETTINGS },
        RetryBudgetSettings { span: milliseconds(10), ..SETTINGS },
    ] {
        assert!(RetryBudget::new(bad, now).is_err(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn retries_are_never_more_than_the_share_and_the_floor(
        steps in prop::collection::vec((0..400u64, 0..30u32, 0..30u32), 1..200),
    ) {
        let mut now = Instant::now();
        let mut budget = RetryBudget::new(SETTINGS, now).unwrap();
        let (mut calls, mut retries) = (Vec::new(), Vec::new());
        for (step, made, wanted) in steps {
            now += milliseconds(step);
            for _ in 0..made {
                budget.deposit(now);
                calls.push(now);
            }
            for _ in 0..wanted {
                if budget.withdraw(now).is_ok() {
                    retries.push(now);
                }
            }
            // A bucket is forgotten whole: what is within nine of ten buckets is always still counted.
            let within = |of: &[Instant], span| of.iter().filter(|at| now - **at < span).count();
            let (spent, earned) = (within(&retries, seconds(9)), within(&calls, seconds(11)));
            prop_assert!(spent <= earned / 5 + 11, "{} retries for {} calls", spent, earned);
        }
    }
}
