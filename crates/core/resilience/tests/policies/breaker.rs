//! The circuit breaker, state by state.

use std::time::{Duration, Instant};

use warren_resilience::{
    BreakerSettings, BreakerState, Cause, CircuitBreaker, Counts, Outcome, Refusal, SlowCalls, Transition, Window,
};

use super::{milliseconds, seconds};

const QUICK: Duration = Duration::from_millis(5);

fn settings() -> BreakerSettings {
    BreakerSettings {
        window: Window::Calls(10),
        failure_percent: 50,
        slow: Some(SlowCalls { after: seconds(1), percent: 80 }),
        calls_min: 4,
        probes: 2,
        probe_expires_after: seconds(10),
        open_first: seconds(1),
        open_max: seconds(4),
    }
}

fn breaker(settings: BreakerSettings) -> (CircuitBreaker, Instant) {
    let now = Instant::now();
    (CircuitBreaker::new(settings, now).unwrap(), now)
}

fn call(breaker: &mut CircuitBreaker, outcome: Outcome, took: Duration, now: Instant) {
    let permit = breaker.permit(now).unwrap();
    breaker.record(permit, outcome, took, now);
}

fn fail(breaker: &mut CircuitBreaker, times: usize, now: Instant) {
    (0..times).for_each(|_| call(breaker, Outcome::Failed, QUICK, now));
}

fn succeed(breaker: &mut CircuitBreaker, times: usize, now: Instant) {
    (0..times).for_each(|_| call(breaker, Outcome::Succeeded, QUICK, now));
}

fn causes(breaker: &mut CircuitBreaker) -> Vec<Cause> {
    std::iter::from_fn(|| breaker.poll_transition()).map(|transition| transition.cause).collect()
}

#[test]
fn it_opens_when_half_of_the_calls_failed_and_not_before_enough_were_made() {
    let (mut breaker, now) = breaker(settings());
    fail(&mut breaker, 3, now);
    assert_eq!(breaker.state(), BreakerState::Closed);
    succeed(&mut breaker, 1, now);
    assert_eq!(breaker.state(), BreakerState::Open);
    let counts = Counts { calls: 4, failed: 3, slow: 0 };
    let expected =
        Transition { from: BreakerState::Closed, to: BreakerState::Open, at: now, cause: Cause::Failures(counts) };
    assert_eq!(breaker.poll_transition(), Some(expected));
    assert_eq!(breaker.poll_transition(), None);
    assert_eq!(breaker.permit(now).unwrap_err(), Refusal::Open { retry_after: seconds(1) });
}

#[test]
fn fewer_failures_than_the_rate_leave_it_closed() {
    let (mut breaker, now) = breaker(settings());
    for _ in 0..100 {
        succeed(&mut breaker, 2, now);
        fail(&mut breaker, 1, now);
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn a_window_of_calls_forgets_the_oldest() {
    let (mut breaker, now) = breaker(settings());
    succeed(&mut breaker, 6, now);
    fail(&mut breaker, 4, now);
    succeed(&mut breaker, 6, now);
    assert_eq!(breaker.status(now).window, Counts { calls: 10, failed: 4, slow: 0 });
    succeed(&mut breaker, 4, now);
    assert_eq!(breaker.status(now).window, Counts { calls: 10, failed: 0, slow: 0 });
}

#[test]
fn a_window_of_time_forgets_what_is_older() {
    let window = Window::Time { span: seconds(10), buckets: 10 };
    let (mut breaker, now) = breaker(BreakerSettings { window, calls_min: 6, ..settings() });
    fail(&mut breaker, 5, now);
    assert_eq!(breaker.status(now + milliseconds(9_900)).window.failed, 5);
    assert_eq!(breaker.status(now + seconds(10)).window, Counts::default());
    fail(&mut breaker, 5, now + seconds(11));
    assert_eq!(breaker.state(), BreakerState::Closed);
    fail(&mut breaker, 1, now + seconds(20));
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn slow_calls_open_it_though_they_succeed() {
    let (mut breaker, now) = breaker(settings());
    (0..4).for_each(|_| call(&mut breaker, Outcome::Succeeded, seconds(1), now));
    assert_eq!(causes(&mut breaker), [Cause::SlowCalls(Counts { calls: 4, failed: 0, slow: 4 })]);
}

#[test]
fn it_closes_after_its_probes_succeeded() {
    let (mut breaker, now) = breaker(settings());
    fail(&mut breaker, 4, now);
    let later = now + seconds(1);
    assert!(breaker.permit(later - milliseconds(1)).is_err());
    let (first, second) = (breaker.permit(later).unwrap(), breaker.permit(later).unwrap());
    assert_eq!(breaker.permit(later).unwrap_err(), Refusal::Probing { retry_after: seconds(10) });
    breaker.record(first, Outcome::Succeeded, QUICK, later);
    assert!(breaker.permit(later).is_err(), "no more probes than decide");
    breaker.record(second, Outcome::Succeeded, QUICK, later);
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(breaker.status(later).window, Counts::default());
    assert_eq!(causes(&mut breaker)[1..], [Cause::WaitOver, Cause::ProbesSucceeded]);
}

#[test]
fn a_probe_that_fails_or_is_slow_opens_it_again() {
    for (outcome, took, cause) in
        [(Outcome::Failed, QUICK, Cause::ProbeFailed), (Outcome::Succeeded, seconds(2), Cause::ProbeSlow)]
    {
        let (mut breaker, now) = breaker(settings());
        fail(&mut breaker, 4, now);
        call(&mut breaker, outcome, took, now + seconds(1));
        assert_eq!(causes(&mut breaker).last(), Some(&cause));
        assert_eq!(breaker.state(), BreakerState::Open);
    }
}

#[test]
fn the_wait_doubles_up_to_the_longest_and_is_short_again_after_a_good_time() {
    let (mut breaker, mut now) = breaker(settings());
    fail(&mut breaker, 4, now);
    for wait in [1, 2, 4, 4, 4] {
        assert_eq!(breaker.status(now).next_probe_in, Some(seconds(wait)));
        now += seconds(wait);
        fail(&mut breaker, 1, now);
    }
    now += seconds(4);
    succeed(&mut breaker, 2, now);
    fail(&mut breaker, 4, now + seconds(3));
    assert_eq!(breaker.status(now + seconds(3)).next_probe_in, Some(seconds(4)), "it was well for too short a time");
    now += seconds(7);
    succeed(&mut breaker, 2, now);
    fail(&mut breaker, 4, now + seconds(4));
    assert_eq!(breaker.status(now + seconds(4)).next_probe_in, Some(seconds(1)));
}

#[test]
fn a_probe_that_is_never_reported_expires_and_its_late_result_counts_for_nobody() {
    let (mut breaker, now) = breaker(settings());
    fail(&mut breaker, 4, now);
    let begun = now + seconds(1);
    let lost = [breaker.permit(begun).unwrap(), breaker.permit(begun).unwrap()];
    let late = begun + seconds(10);
    assert!(breaker.permit(late - milliseconds(1)).is_err());
    let (first, second) = (breaker.permit(late).unwrap(), breaker.permit(late).unwrap());
    for permit in lost {
        breaker.record(permit, Outcome::Failed, seconds(10), late);
    }
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    breaker.record(first, Outcome::Succeeded, QUICK, late);
    breaker.record(second, Outcome::Succeeded, QUICK, late);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn a_probe_that_is_given_back_can_be_taken_again() {
    let (mut breaker, now) = breaker(settings());
    fail(&mut breaker, 4, now);
    let later = now + seconds(1);
    let permits = [breaker.permit(later).unwrap(), breaker.permit(later).unwrap()];
    permits.into_iter().for_each(|permit| breaker.give_back(permit));
    succeed(&mut breaker, 2, later);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn results_of_calls_from_before_a_change_are_not_counted() {
    let (mut breaker, now) = breaker(settings());
    let early: Vec<_> = (0..8).map(|_| breaker.permit(now).unwrap()).collect();
    fail(&mut breaker, 4, now);
    succeed(&mut breaker, 2, now + seconds(1));
    assert_eq!(breaker.state(), BreakerState::Closed);
    for permit in early {
        breaker.record(permit, Outcome::Failed, seconds(1), now + seconds(1));
    }
    assert_eq!(breaker.status(now + seconds(1)).window, Counts::default());
}

#[test]
fn an_operator_may_force_and_release_it() {
    let (mut breaker, now) = breaker(settings());
    breaker.force_open(now);
    assert_eq!(breaker.permit(now + seconds(3600)).unwrap_err(), Refusal::Forced);
    breaker.release(now);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    succeed(&mut breaker, 2, now);
    assert_eq!(breaker.state(), BreakerState::Closed);
    breaker.force_closed(now);
    fail(&mut breaker, 50, now);
    assert_eq!(breaker.state(), BreakerState::ForcedClosed);
    assert_eq!(breaker.status(now).window.failed, 10, "what happens is still seen");
    breaker.release(now);
    assert_eq!(breaker.status(now).window, Counts::default());
    breaker.release(now);
    let expected = [Cause::Forced, Cause::Released, Cause::ProbesSucceeded, Cause::Forced, Cause::Released];
    assert_eq!(causes(&mut breaker), expected);
}

#[test]
fn a_clock_that_goes_back_makes_no_wait_longer() {
    let window = Window::Time { span: seconds(10), buckets: 10 };
    let (mut breaker, start) = breaker(BreakerSettings { window, ..settings() });
    let now = start + seconds(3600);
    fail(&mut breaker, 4, now);
    assert_eq!(breaker.permit(start).unwrap_err(), Refusal::Open { retry_after: seconds(1) });
    let (probe, _lost) = (breaker.permit(start + seconds(1)).unwrap(), breaker.permit(start + seconds(1)).unwrap());
    assert_eq!(breaker.permit(start).unwrap_err(), Refusal::Probing { retry_after: seconds(10) });
    breaker.record(probe, Outcome::Succeeded, QUICK, start);
    succeed(&mut breaker, 1, start + seconds(10));
    assert_eq!(breaker.state(), BreakerState::Closed);
    call(&mut breaker, Outcome::Failed, QUICK, start + seconds(3600));
    call(&mut breaker, Outcome::Failed, QUICK, start);
    assert_eq!(breaker.status(start + seconds(10)).window, Counts::default());
}

#[test]
fn transitions_that_nobody_asks_for_do_not_pile_up() {
    let (mut breaker, now) = breaker(settings());
    for _ in 0..100 {
        breaker.force_open(now);
        breaker.force_closed(now);
    }
    assert_eq!(causes(&mut breaker).len(), 8);
}

#[test]
fn settings_outside_their_limits_are_refused_in_words() {
    let now = Instant::now();
    let refused = |settings| CircuitBreaker::new(settings, now).unwrap_err().to_string();
    assert_eq!(
        refused(BreakerSettings { failure_percent: 0, ..settings() }),
        "circuit breaker: failure percent is 0; it must be between 1 and 100"
    );
    assert_eq!(
        refused(BreakerSettings { calls_min: 11, ..settings() }),
        "circuit breaker: least number of calls is 11; it must be between 1 and 10"
    );
    assert_eq!(
        refused(BreakerSettings { open_max: milliseconds(500), ..settings() }),
        "circuit breaker: longest time to stay open is 500ms; it must be between 1s and 86400s"
    );
    for bad in [
        BreakerSettings { window: Window::Calls(0), ..settings() },
        BreakerSettings { window: Window::Time { span: Duration::ZERO, buckets: 1 }, ..settings() },
        BreakerSettings { window: Window::Time { span: seconds(1), buckets: 0 }, ..settings() },
        BreakerSettings { probes: 0, ..settings() },
        BreakerSettings { probe_expires_after: Duration::ZERO, ..settings() },
        BreakerSettings { open_first: Duration::MAX, open_max: Duration::MAX, ..settings() },
        BreakerSettings { slow: Some(SlowCalls { after: seconds(1), percent: 101 }), ..settings() },
    ] {
        assert!(CircuitBreaker::new(bad.clone(), now).is_err(), "{bad:?}");
    }
    assert!(CircuitBreaker::new(BreakerSettings::default(), now).is_ok());
}
