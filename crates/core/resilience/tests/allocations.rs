//! What is asked for every call takes no memory: all of it was taken at construction.

use std::time::{Duration, Instant};

use warren_resilience::{
    BreakerSettings, BreakerState, Bulkhead, BulkheadSettings, CircuitBreaker, Freed, Outcome, Place, RetryBudget,
    RetryBudgetSettings, Window,
};

#[test]
fn a_call_allocates_nothing_and_neither_does_a_change_of_the_state() {
    for window in [Window::Calls(1000), Window::Time { span: Duration::from_secs(10), buckets: 10 }] {
        let mut now = Instant::now();
        let settings = BreakerSettings { window, calls_min: 10, probes: 1, ..BreakerSettings::default() };
        let mut breaker = CircuitBreaker::new(settings, now).unwrap();
        let mut bulkhead = Bulkhead::new(BulkheadSettings { in_use_max: 1, waiting_max: 0 }).unwrap();
        let mut budget = RetryBudget::new(RetryBudgetSettings::default(), now).unwrap();
        let mut call = |breaker: &mut CircuitBreaker, outcome, now| {
            budget.deposit(now);
            assert_eq!(bulkhead.enter(), Place::Taken);
            let permit = breaker.permit(now).unwrap();
            breaker.record(permit, outcome, Duration::from_millis(1), now);
            assert_eq!(bulkhead.left(), Freed::Kept);
        };
        let counted = allocation_counter::measure(|| {
            for _ in 0..5_000 {
                now += Duration::from_millis(3);
                call(&mut breaker, Outcome::Succeeded, now);
            }
            while breaker.state() == BreakerState::Closed {
                call(&mut breaker, Outcome::Failed, now);
            }
            assert!(breaker.permit(now).is_err());
            now += Duration::from_secs(1);
            call(&mut breaker, Outcome::Succeeded, now);
            assert_eq!(breaker.state(), BreakerState::Closed);
        });
        assert_eq!(counted.count_total, 0, "{window:?}");
    }
}
