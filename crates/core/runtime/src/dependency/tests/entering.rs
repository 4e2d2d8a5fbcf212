//! Who is let in, who waits, and who is refused.

use tokio::{
    task::yield_now,
    time::{Instant, advance},
};
use warren_resilience::{AdaptiveLimitSettings, BreakerState, Cause};

use super::*;
use crate::dependency::{CallCounts, Deadline, Force, Refused};

fn open(dependency: &Arc<Dependency>, retry_after: Option<Duration>) -> Refused {
    Refused::Open { dependency: dependency.name().clone(), retry_after }
}

#[tokio::test(start_paused = true)]
async fn what_keeps_failing_is_left_alone_and_tried_again() {
    let dependency = dependency(settings());
    fail(&dependency, 4).await;
    assert_eq!(dependency.enter().await.unwrap_err(), open(&dependency, Some(seconds(2))));
    let status = dependency.status();
    assert_eq!((status.state, status.next_probe_in), (BreakerState::Open, Some(seconds(2))));
    assert_eq!(status.last_failure.unwrap().text, "out of order");
    advance(seconds(2)).await;
    let probe = dependency.enter().await.unwrap();
    assert!(matches!(dependency.enter().await, Err(Refused::Open { .. })), "one looks, the others wait");
    probe.succeeded();
    let status = dependency.status();
    assert_eq!((status.state, status.state_for), (BreakerState::Closed, Duration::ZERO));
    let changes: Vec<_> = status.changes.iter().map(|change| (change.transition.to, change.ago)).collect();
    let expected = [BreakerState::Open, BreakerState::HalfOpen, BreakerState::Closed];
    assert_eq!(changes, [(expected[0], seconds(2)), (expected[1], Duration::ZERO), (expected[2], Duration::ZERO)]);
    assert_eq!(status.changes[0].last_failure.as_deref(), Some("out of order"));
    let expected = CallCounts { made: 5, succeeded: 1, failed: 4, refused_open: 2, ..CallCounts::default() };
    assert_eq!(status.calls, expected);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_counts_as_nothing_and_gives_everything_back() {
    let dependency = dependency(settings());
    fail(&dependency, 4).await;
    advance(seconds(2)).await;
    drop(dependency.enter().await.unwrap());
    let status = dependency.status();
    assert_eq!((status.state, status.in_flight, status.calls.cancelled), (BreakerState::HalfOpen, 0, 1));
    dependency.enter().await.unwrap().succeeded();
    assert_eq!(dependency.status().state, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_come_in_turn_and_no_more_than_may() {
    let dependency = dependency(settings());
    let (first, second) = (dependency.enter().await.unwrap(), dependency.enter().await.unwrap());
    let wait = |dependency: &Arc<Dependency>| {
        let dependency = dependency.clone();
        tokio::spawn(async move { dependency.enter().await })
    };
    let (third, fourth) = (wait(&dependency), wait(&dependency));
    yield_now().await;
    let status = dependency.status();
    assert_eq!((status.in_flight, status.in_flight_max, status.waiting), (2, 2, 2));
    let full = Refused::Full { dependency: dependency.name().clone() };
    assert_eq!(dependency.enter().await.unwrap_err(), full);
    first.succeeded();
    let third = third.await.unwrap().unwrap();
    assert!(!fourth.is_finished());
    drop(second);
    fourth.await.unwrap().unwrap().succeeded();
    third.succeeded();
    assert_eq!((dependency.status().in_flight, dependency.status().waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_place_longer_than_the_limit_or_their_deadline() {
    let dependency = dependency(settings());
    let _inside = (dependency.enter().await.unwrap(), dependency.enter().await.unwrap());
    let begun = Instant::now();
    assert!(matches!(dependency.enter().await, Err(Refused::Full { .. })));
    assert_eq!(begun.elapsed().as_secs(), 1);
    let deadline = Deadline::within(milliseconds(300));
    assert!(matches!(dependency.enter_before(deadline).await, Err(Refused::OutOfTime { .. })));
    assert_eq!(begun.elapsed().as_millis() / 100, 13);
    assert!(matches!(dependency.enter_before(deadline).await, Err(Refused::OutOfTime { .. })));
    let status = dependency.status();
    assert_eq!((status.waiting, status.calls.refused_full, status.calls.refused_late), (0, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_place_given_to_somebody_who_has_just_gone_goes_to_the_next() {
    let dependency = dependency(DependencySettings { at_once: AtOnce::Fixed(1), ..settings() });
    let inside = dependency.enter().await.unwrap();
    let mut gone = Box::pin(dependency.enter());
    let mut next = Box::pin(dependency.enter());
    tokio::select! {
        biased;
        _ = &mut gone => unreachable!("there is no place"),
        _ = &mut next => unreachable!("there is no place"),
        () = yield_now() => {}
    }
    inside.succeeded();
    drop(gone);
    next.await.unwrap().succeeded();
    assert_eq!((dependency.status().in_flight, dependency.status().waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn who_waited_is_refused_when_it_was_opened_meanwhile() {
    let dependency = dependency(settings());
    let (first, second) = (dependency.enter().await.unwrap(), dependency.enter().await.unwrap());
    let (waiting, also) = (dependency.clone(), dependency.clone());
    let waiting = tokio::spawn(async move { waiting.enter().await.map(drop) });
    let also = tokio::spawn(async move { also.enter().await.map(drop) });
    yield_now().await;
    dependency.force(Force::Open);
    first.succeeded();
    assert_eq!(waiting.await.unwrap().unwrap_err(), open(&dependency, None));
    assert_eq!(also.await.unwrap().unwrap_err(), open(&dependency, None), "the place went on to the next");
    drop(second);
    assert_eq!((dependency.status().in_flight, dependency.status().waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_operator_may_have_it_called_or_left_alone() {
    let dependency = dependency(settings());
    dependency.force(Force::Closed);
    fail(&dependency, 20).await;
    assert!(dependency.status().is_forced());
    dependency.force(Force::Open);
    advance(seconds(3600)).await;
    let refused = dependency.enter().await.unwrap_err();
    assert_eq!(refused.to_string(), "test is not working and is left alone until an operator releases it");
    dependency.force(Force::Release);
    dependency.enter().await.unwrap().succeeded();
    let causes: Vec<_> = dependency.status().changes.iter().map(|change| change.transition.cause).collect();
    assert_eq!(causes, [Cause::Forced, Cause::Forced, Cause::Released, Cause::ProbesSucceeded]);
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_limit_falls_when_calls_time_out_and_lets_in_who_waits_when_it_grows() {
    let limit = AdaptiveLimitSettings { initial: 10, min: 2, max: 20, window: milliseconds(10), samples_min: 1 };
    let breaker = BreakerSettings { failure_percent: 100, ..BreakerSettings::default() };
    let settings = DependencySettings { at_once: AtOnce::Adaptive(limit), breaker, waiting_max: 50, ..settings() };
    let dependency = dependency(settings);
    let entered = dependency.enter().await.unwrap();
    advance(seconds(1)).await;
    entered.timed_out();
    assert_eq!(dependency.status().in_flight_max, 9);
    for _ in 0..20 {
        let mut inside = Vec::new();
        while inside.len() < dependency.status().in_flight_max as usize {
            inside.push(dependency.enter().await.unwrap());
        }
        let waiting: Vec<_> = (0..5)
            .map(|_| {
                let dependency = dependency.clone();
                tokio::spawn(async move { dependency.enter().await.unwrap().succeeded() })
            })
            .collect();
        advance(milliseconds(20)).await;
        inside.into_iter().for_each(crate::dependency::Entered::succeeded);
        for task in waiting {
            task.await.unwrap();
        }
    }
    let status = dependency.status();
    assert_eq!((status.in_flight_max, status.in_flight, status.waiting), (20, 0, 0));
}

#[test]
fn nothing_is_lost_among_many_threads() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let dependency = dependency(DependencySettings { waiting_max: 100, wait_max: seconds(60), ..settings() });
        let tasks: Vec<_> = (0..64u32)
            .map(|task| {
                let dependency = dependency.clone();
                tokio::spawn(async move {
                    for turn in 0..200 {
                        let entered = dependency.enter();
                        // Some give up at once, in the middle of being let in.
                        let entered = if (task + turn) % 3 == 0 {
                            tokio::select! { biased; entered = entered => Some(entered), () = yield_now() => None }
                        } else {
                            Some(entered.await)
                        };
                        assert!(dependency.status().in_flight <= 2);
                        if let Some(entered) = entered {
                            yield_now().await;
                            entered.unwrap().succeeded();
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let status = dependency.status();
        assert_eq!((status.in_flight, status.waiting), (0, 0));
        assert_eq!(status.calls.made, status.calls.succeeded + status.calls.cancelled);
    });
}
