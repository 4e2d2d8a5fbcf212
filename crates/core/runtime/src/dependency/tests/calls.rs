//! Time limits, other attempts and other answers.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::{Instant, sleep};
use warren_resilience::{BreakerState, RetryBudgetSettings};

use super::*;
use crate::dependency::{Deadline, Failure, Refused};

/// Fails with `trouble` until the attempt `succeeds_at`.
async fn until_attempt(number: u8, succeeds_at: u8, trouble: Trouble) -> Result<u8, Trouble> {
    if number < succeeds_at { Err(trouble) } else { Ok(number) }
}

#[tokio::test(start_paused = true)]
async fn what_may_be_made_twice_is_attempted_again_with_growing_waits() {
    let dependency = dependency(settings());
    let begun = Instant::now();
    let answer = dependency.idempotent().run(|attempt| until_attempt(attempt.number, 3, Trouble::Broken)).await;
    assert_eq!(answer.unwrap(), 3);
    assert_eq!(begun.elapsed().as_millis() / 10, 30, "a tenth of a second, then two");
    let calls = dependency.status().calls;
    assert_eq!((calls.made, calls.failed, calls.succeeded, calls.retried), (3, 2, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn attempts_end_at_their_number() {
    let dependency = dependency(settings());
    let answer = dependency.idempotent().run(|attempt| until_attempt(attempt.number, 9, Trouble::Broken)).await;
    assert!(matches!(answer, Err(Failure::Failed(Trouble::Broken))));
    assert_eq!(dependency.status().calls.made, 3);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_made_twice_is_made_once() {
    let dependency = dependency(settings());
    let answer = dependency.call(|attempt| until_attempt(attempt.number, 2, Trouble::Broken)).await;
    assert!(matches!(answer, Err(Failure::Failed(Trouble::Broken))));
    assert_eq!(dependency.status().calls.made, 1);
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_lasts_is_not_attempted_again_and_opens_the_breaker() {
    let dependency = dependency(settings());
    for _ in 0..4 {
        let answer = dependency.idempotent().run(|_| async { Err::<(), _>(Trouble::Password) }).await;
        assert!(matches!(answer, Err(Failure::Failed(Trouble::Password))));
    }
    let status = dependency.status();
    assert_eq!((status.calls.made, status.state), (4, BreakerState::Open));
}

#[tokio::test(start_paused = true)]
async fn a_no_for_good_reasons_is_no_fault_of_the_dependency() {
    let dependency = dependency(settings());
    for _ in 0..20 {
        let answer = dependency.idempotent().run(|_| async { Err::<(), _>(Trouble::Address) }).await;
        assert!(matches!(answer, Err(Failure::Failed(Trouble::Address))));
    }
    let status = dependency.status();
    assert_eq!((status.calls.succeeded, status.state), (20, BreakerState::Closed));
}

#[tokio::test(start_paused = true)]
async fn errors_of_others_are_judged_by_a_function() {
    let dependency = dependency(settings());
    let judge = |error: &std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Blame::Caller,
        _ => Blame::Transient,
    };
    let answer = dependency
        .once()
        .judged_by(judge)
        .run(|_| async { Err::<(), _>(std::io::Error::from(std::io::ErrorKind::NotFound)) })
        .await;
    assert!(matches!(answer, Err(Failure::Failed(_))));
    assert_eq!(dependency.status().calls.succeeded, 1);
}

#[tokio::test(start_paused = true)]
async fn no_answer_in_time_is_a_failure() {
    let dependency = dependency(settings());
    let begun = Instant::now();
    let answer = dependency.call(|_| std::future::pending::<Result<(), Trouble>>()).await;
    assert_eq!(answer.unwrap_err().to_string(), "test did not answer within 10.0s");
    assert_eq!(begun.elapsed().as_secs(), 10);
    let status = dependency.status();
    assert_eq!((status.calls.timed_out, status.window.failed), (1, 1));
    assert_eq!(status.last_failure.unwrap().text, "no answer within 10.0s");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_call_and_only_one_with_enough_time_is_held_against_it() {
    let dependency = dependency(settings());
    for (given, held_against) in [(milliseconds(100), 0), (seconds(6), 1)] {
        let begun = Instant::now();
        let passed_on = AtomicU32::new(0);
        let answer = dependency
            .idempotent()
            .until(Deadline::within(given))
            .run(|attempt| {
                assert!(attempt.deadline.remaining() <= given, "the deadline is passed on");
                passed_on.fetch_add(1, Ordering::SeqCst);
                std::future::pending::<Result<(), Trouble>>()
            })
            .await;
        assert!(matches!(answer, Err(Failure::TimedOut { .. })));
        assert_eq!(passed_on.load(Ordering::SeqCst), 1, "there was no time for another attempt");
        assert_eq!(begun.elapsed().as_millis() / 50, given.as_millis() / 50);
        assert_eq!(dependency.status().window.failed, held_against);
    }
}

#[tokio::test(start_paused = true)]
async fn no_attempt_begins_that_could_not_end_in_time() {
    let dependency = dependency(settings());
    let slow = async || {
        sleep(seconds(2)).await;
        Ok::<_, Trouble>(())
    };
    dependency.call(|_| slow()).await.unwrap();
    let begun = Instant::now();
    let answer = dependency
        .idempotent()
        .until(Deadline::within(seconds(2)))
        .run(|attempt| until_attempt(attempt.number, 2, Trouble::Broken))
        .await;
    assert!(matches!(answer, Err(Failure::Failed(Trouble::Broken))));
    assert_eq!((begun.elapsed(), dependency.status().calls.retried), (Duration::ZERO, 0));
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_not_answered_with_more_attempts_than_the_budget_has() {
    let budget = RetryBudgetSettings { percent: 10, per_second_min: 0, span: seconds(10) };
    let retries = RetrySettings { budget, ..settings().retries };
    let dependency = dependency(DependencySettings { retries, ..settings() });
    dependency.force(crate::dependency::Force::Closed);
    for _ in 0..100 {
        let _ = dependency.idempotent().run(|_| async { Err::<(), _>(Trouble::Broken) }).await;
    }
    let calls = dependency.status().calls;
    assert_eq!((calls.made, calls.retried), (110, 10));
    assert!(calls.retries_refused >= 90);
}

#[tokio::test(start_paused = true)]
async fn the_last_answer_is_told_when_the_breaker_opens_between_attempts() {
    let dependency = dependency(settings());
    fail(&dependency, 3).await;
    let answer = dependency.idempotent().run(|_| async { Err::<(), _>(Trouble::Broken) }).await;
    assert!(matches!(answer, Err(Failure::Failed(Trouble::Broken))));
    let answer = dependency.idempotent().run(|_| async { Err::<(), _>(Trouble::Broken) }).await;
    assert!(matches!(answer, Err(Failure::Refused(Refused::Open { .. }))));
    assert_eq!(dependency.status().calls.made, 4);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_answers_for_what_does_not_and_not_for_what_says_no() {
    let dependency = dependency(settings());
    let old = |_: &Failure<Trouble>| "what was known before";
    let broken = dependency.once().run_or(|_| async { Err(Trouble::Broken) }, old).await;
    let said_no = dependency.once().run_or(|_| async { Err(Trouble::Address) }, old).await;
    dependency.force(crate::dependency::Force::Open);
    let refused = dependency.once().run_or(|_| async { Ok("new") }, old).await;
    assert_eq!(
        (broken, said_no, refused),
        (Ok("what was known before"), Err(Trouble::Address), Ok("what was known before"))
    );
    assert_eq!(dependency.status().calls.fallbacks, 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_may_be_made_in_a_task() {
    let dependency = dependency(settings());
    let made = dependency.clone();
    let task = tokio::spawn(async move {
        let judge = |_: &std::io::Error| Blame::Lasting;
        made.idempotent().judged_by(judge).run(|attempt| async move { Ok::<_, std::io::Error>(attempt.number) }).await
    });
    assert_eq!(task.await.unwrap().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_abandoned_frees_its_place() {
    let dependency = dependency(settings());
    for _ in 0..10 {
        let call = dependency.call(|_| std::future::pending::<Result<(), Trouble>>());
        assert!(tokio::time::timeout(milliseconds(10), call).await.is_err());
    }
    let status = dependency.status();
    assert_eq!((status.in_flight, status.calls.cancelled, status.window.calls), (0, 10, 0));
}
