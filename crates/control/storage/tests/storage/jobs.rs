//! The job queue: who is served when, what a worker's death leaves, and that nothing is lost or done by two.

use std::collections::{HashMap, HashSet};

use rstest::rstest;
use rstest_reuse::apply;
use warren_model::{JobId, JobPriority, JobState, OrganisationId, Queue, Timestamp, WorkerId};
use warren_runtime::SystemRandom;
use warren_storage::{
    Cancelled, Cursor, Engine, Enqueued, Isolation, JobClaim, NewJob, PAYLOAD_BYTES_MAX, QueueClaim, QueueStanding,
    Rescued, Settlement, StorageError, StoredJob, SystemModels, TransactionOptions, Unique, Verdict, WorkContext,
    Worker,
};

use crate::world::*;

pub fn job(organisation: Option<OrganisationId>) -> NewJob {
    NewJob {
        id: JobId::generate(NOW, &SystemRandom),
        queue: Queue::Mail,
        priority: JobPriority::Normal,
        organisation,
        kind: "letter".into(),
        version: 1,
        payload: "{}".into(),
        created_at: NOW,
        run_at: NOW,
        attempts_max: 3,
        deadline: None,
        unique: None,
        author: None,
        request: None,
        schedule: None,
    }
}

pub fn worker(beat: u64) -> Worker {
    Worker {
        id: WorkerId::generate(NOW, &SystemRandom),
        host: "east".into(),
        process: 1,
        version: "0.1.0".into(),
        places: 8,
        beat,
        started_at: NOW,
    }
}

pub fn claim_of(worker: WorkerId, places: usize) -> JobClaim {
    JobClaim {
        worker,
        now: NOW,
        queues: vec![QueueClaim { queue: Queue::Mail, places, lane_max: 100 }],
        order: [JobPriority::Urgent, JobPriority::Normal, JobPriority::Low],
    }
}

async fn insert(system: &SystemModels, jobs: &[NewJob]) {
    system.transaction(async |tx| tx.jobs().insert_many(jobs).await).await.unwrap();
}

async fn claim(system: &SystemModels, claim: &JobClaim, cursor: &mut Cursor) -> Vec<StoredJob> {
    let options = TransactionOptions { isolation: Isolation::ReadCommitted, ..TransactionOptions::default() };
    let before = cursor.clone();
    let claimed = system.with_transaction(&WorkContext::BACKGROUND, options, async |tx| {
        let mut cursor = before.clone();
        let claimed = tx.jobs().claim(claim, &mut cursor).await?;
        Ok::<_, StorageError>((claimed, cursor))
    });
    let (claimed, after) = claimed.await.unwrap();
    *cursor = after;
    claimed
}

async fn settle(system: &SystemModels, worker: WorkerId, job: &StoredJob, verdict: Verdict) -> u64 {
    let all = [Settlement { job: job.id, attempt: job.attempts, verdict }];
    system.transaction(async |tx| tx.jobs().settle(worker, NOW, &all).await).await.unwrap()
}

async fn state_of(system: &SystemModels, id: JobId) -> StoredJob {
    system.jobs().by_id(id).await.unwrap().unwrap()
}

#[apply(on_every_database)]
#[tokio::test]
async fn lanes_are_served_in_turn_and_the_urgent_first(#[case] engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    let (noisy, quiet) = (organisation("noisy").id, organisation("quiet").id);
    let mut jobs: Vec<NewJob> = (0..200).map(|_| job(Some(noisy))).collect();
    jobs.extend((0..3).map(|_| job(Some(quiet))));
    let urgent = NewJob { priority: JobPriority::Urgent, ..job(None) };
    jobs.push(urgent.clone());
    insert(system, &jobs).await;

    let me = worker(1);
    let mut cursor = Cursor::default();
    let first = claim(system, &claim_of(me.id, 4), &mut cursor).await;
    let of = |jobs: &[StoredJob], whose| jobs.iter().filter(|job| job.organisation == Some(whose)).count();
    assert_eq!(first[0].id, urgent.id);
    assert_eq!(of(&first, quiet) + of(&first, noisy), 3);
    assert!(of(&first, quiet) >= 1, "two hundred jobs of another organisation came first");
    // One place at a time, each lane has its turn.
    let mut turns = Vec::new();
    for _ in 0..4 {
        turns.push(claim(system, &claim_of(me.id, 1), &mut cursor).await[0].organisation.unwrap());
    }
    assert!(turns.iter().filter(|whose| **whose == quiet).count() >= 1, "{turns:?}");

    // No lane has more than it may, however much room there is.
    let narrow =
        JobClaim { queues: vec![QueueClaim { queue: Queue::Mail, places: 50, lane_max: 10 }], ..claim_of(me.id, 0) };
    claim(system, &narrow, &mut cursor).await;
    assert!(claim(system, &narrow, &mut cursor).await.is_empty());
    let running = system.jobs().depths().await.unwrap()[0].running;
    assert_eq!(running, 1 + 10 + 3);
}

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread")]
async fn of_many_workers_each_job_has_one(#[case] engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    insert(system, &(0..400).map(|n| job(Some(organisation(&format!("o{}", n % 3)).id))).collect::<Vec<_>>()).await;
    let claimers = (0..4).map(|_| {
        let system = system.clone();
        tokio::spawn(async move {
            let (me, mut cursor, mut mine) = (worker(1).id, Cursor::default(), Vec::new());
            loop {
                let taken = claim(&system, &claim_of(me, 7), &mut cursor).await;
                if taken.is_empty() && system.jobs().depths().await.unwrap()[0].ready == 0 {
                    return mine;
                }
                for job in &taken {
                    assert_eq!(settle(&system, me, job, Verdict::Done { result: None }).await, 1);
                }
                mine.extend(taken.iter().map(|job| job.id));
            }
        })
    });
    let mut all = Vec::new();
    for claimer in claimers.collect::<Vec<_>>() {
        all.extend(claimer.await.unwrap());
    }
    assert_eq!(all.len(), 400);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 400);
}

#[apply(on_every_database)]
#[tokio::test]
async fn what_a_dead_worker_held_is_taken_up_again_and_it_has_no_say_any_more(#[case] engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    let last = NewJob { attempts_max: 1, ..job(None) };
    let (again, called_off) = (job(None), job(None));
    insert(system, &[last.clone(), again.clone(), called_off.clone()]).await;
    let (dead, alive) = (worker(1), worker(1));
    for worker in [&dead, &alive] {
        system.transaction(async |tx| tx.jobs().beat(worker).await).await.unwrap();
    }
    let held = claim(system, &claim_of(dead.id, 3), &mut Cursor::default()).await;
    assert_eq!(held.len(), 3);
    let asked = system.transaction(async |tx| tx.jobs().cancel(called_off.id, NOW).await).await.unwrap();
    assert_eq!(asked, Cancelled::Asked);
    assert_eq!(system.jobs().stop_asked(dead.id).await.unwrap(), [called_off.id]);

    let rescued = system.transaction(async |tx| tx.jobs().rescue(dead.id, NOW).await).await.unwrap();
    assert_eq!(rescued, Rescued { again: 1, dead: 1, cancelled: 1 });
    assert_eq!(system.jobs().workers().await.unwrap().iter().map(|one| one.id).collect::<Vec<_>>(), [alive.id]);
    assert_eq!(state_of(system, last.id).await.state, JobState::Dead);
    assert!(state_of(system, last.id).await.error.unwrap().contains("ended in the middle"));
    assert_eq!(state_of(system, called_off.id).await.state, JobState::Cancelled);

    let taken = claim(system, &claim_of(alive.id, 3), &mut Cursor::default()).await;
    assert_eq!((taken.len(), taken[0].id, taken[0].attempts), (1, again.id, 2));
    let late = held.iter().find(|job| job.id == again.id).unwrap();
    assert_eq!(settle(system, dead.id, late, Verdict::Done { result: None }).await, 0);
    assert_eq!(state_of(system, again.id).await.state, JobState::Running);
    assert_eq!(settle(system, alive.id, &taken[0], Verdict::Done { result: Some("7".into()) }).await, 1);
    assert_eq!(state_of(system, again.id).await.result.as_deref(), Some("7"));
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_job_waits_fails_waits_longer_and_can_be_replayed(#[case] engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    let delayed = NewJob { run_at: NOW + hours(1), ..job(None) };
    insert(system, std::slice::from_ref(&delayed)).await;
    let me = worker(1).id;
    let mut cursor = Cursor::default();
    assert!(claim(system, &claim_of(me, 1), &mut cursor).await.is_empty());
    assert_eq!(system.jobs().next_due().await.unwrap(), Some(NOW + hours(1)));
    let promote = async |at: Timestamp| system.transaction(async |tx| tx.jobs().promote(at).await).await.unwrap();
    assert_eq!((promote(NOW).await, promote(NOW + hours(1)).await), (0, 1));

    let first = claim(system, &claim_of(me, 1), &mut cursor).await.remove(0);
    settle(system, me, &first, Verdict::Postponed { reason: "not now".into(), run_at: NOW }).await;
    let same = claim(system, &claim_of(me, 1), &mut cursor).await.remove(0);
    assert_eq!((first.attempts, same.attempts), (1, 1));
    let later = Verdict::Retry { error: "no answer".into(), run_at: NOW + hours(2) };
    settle(system, me, &same, later).await;
    let waiting = state_of(system, delayed.id).await;
    assert_eq!((waiting.state, waiting.error.as_deref()), (JobState::Waiting, Some("no answer")));
    promote(NOW + hours(2)).await;
    let second = claim(system, &claim_of(me, 1), &mut cursor).await.remove(0);
    assert_eq!(second.attempts, 2);
    settle(system, me, &second, Verdict::Dead { error: "never".into() }).await;

    let refused = system.transaction(async |tx| tx.jobs().replay(job(None).id, NOW).await).await;
    assert!(matches!(refused, Err(StorageError::NotFound)));
    system.transaction(async |tx| tx.jobs().replay(delayed.id, NOW).await).await.unwrap();
    let replayed = claim(system, &claim_of(me, 1), &mut cursor).await.remove(0);
    assert_eq!((replayed.id, replayed.attempts), (delayed.id, 1));
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_paused_queue_is_left_alone_and_what_is_called_off_never_begins(#[case] engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    let (one, other) = (job(None), job(None));
    insert(system, &[one.clone(), other.clone()]).await;
    let me = worker(1).id;
    let set = async |standing| {
        let set = system
            .transaction(async |tx| tx.jobs().set_standing(&operate(), Queue::Mail, standing, ("anna", NOW)).await);
        set.await.unwrap();
    };
    set(QueueStanding::Paused).await;
    assert!(claim(system, &claim_of(me, 5), &mut Cursor::default()).await.is_empty());
    assert_eq!(system.jobs().paused_queues().await.unwrap(), [(Queue::Mail, NOW, "anna".to_owned())]);
    let cancel = async |id| system.transaction(async |tx| tx.jobs().cancel(id, NOW).await).await;
    assert_eq!(cancel(one.id).await.unwrap(), Cancelled::Now);
    assert_eq!(cancel(one.id).await.unwrap(), Cancelled::TooLate);
    assert!(matches!(cancel(job(None).id).await, Err(StorageError::NotFound)));
    set(QueueStanding::Running).await;
    let claimed = claim(system, &claim_of(me, 5), &mut Cursor::default()).await;
    assert_eq!(claimed.iter().map(|job| job.id).collect::<Vec<_>>(), [other.id]);
}

#[apply(on_every_database)]
#[tokio::test]
async fn within_its_time_one_job_stands_under_a_key(#[case] engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    // The repository's clock is the real one.
    let until = warren_model::Clock::now(&warren_runtime::SystemClock) + hours(1);
    let keyed = |until| NewJob { unique: Some(Unique { key: "report".into(), until }), ..job(None) };
    let put = async |job: &NewJob| system.transaction(async |tx| tx.jobs().insert(job).await).await.unwrap();
    let first = keyed(until);
    assert_eq!(put(&first).await, Enqueued::New(first.id));
    assert_eq!(put(&keyed(until)).await, Enqueued::Before(first.id));
    assert_eq!(system.jobs().depths().await.unwrap()[0].ready, 1);
    // Another key, whose time is over already.
    let over = NewJob { unique: Some(Unique { key: "other".into(), until: NOW - hours(1) }), ..job(None) };
    put(&over).await;
    let fresh = NewJob { unique: Some(Unique { key: "other".into(), until }), ..job(None) };
    assert_eq!(put(&fresh).await, Enqueued::New(fresh.id));
}

#[apply(on_every_database)]
#[tokio::test]
async fn what_an_outbox_held_is_taken_over_once(#[case] engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    let (organisation, tenant) = world.organisation("acme").await;
    let jobs: Vec<NewJob> = (0..5).map(|_| job(Some(organisation.id))).collect();
    let broken: Result<(), StorageError> = tenant
        .transaction(async |tx| {
            tx.job_outbox().push(&job(Some(organisation.id))).await?;
            Err(StorageError::NotFound)
        })
        .await;
    assert!(broken.is_err());
    tenant
        .transaction(async |tx| {
            for job in &jobs {
                tx.job_outbox().push(job).await?;
            }
            Ok::<_, StorageError>(())
        })
        .await
        .unwrap();
    let waiting = tenant.job_outbox().take(organisation.id, 10).await.unwrap();
    assert!(waiting.len() == 5 && waiting.iter().all(|job| jobs.contains(job)));
    for _ in 0..2 {
        system.transaction(async |tx| tx.jobs().take_over(&waiting).await).await.unwrap();
    }
    let ids: HashMap<_, _> = claim(system, &claim_of(worker(1).id, 9), &mut Cursor::default())
        .await
        .into_iter()
        .map(|job| (job.id, job.organisation))
        .collect();
    assert_eq!(ids.len(), 5);
    assert!(ids.values().all(|whose| *whose == Some(organisation.id)));
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_huge_payload_is_refused_and_old_jobs_are_removed(#[case] engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    let huge = NewJob { payload: "x".repeat(PAYLOAD_BYTES_MAX + 1), ..job(None) };
    let refused = system.transaction(async |tx| tx.jobs().insert(&huge).await).await;
    assert!(matches!(refused, Err(StorageError::TooLarge { bytes_max: PAYLOAD_BYTES_MAX, .. })));
    let full = NewJob { payload: "x".repeat(PAYLOAD_BYTES_MAX), ..job(None) };
    insert(system, &[full, job(None)]).await;
    let me = worker(1).id;
    let both = claim(system, &claim_of(me, 2), &mut Cursor::default()).await;
    settle(system, me, &both[0], Verdict::Done { result: None }).await;
    settle(system, me, &both[1], Verdict::Dead { error: "never".into() }).await;
    let prune =
        async |ended, dead| system.transaction(async |tx| tx.jobs().prune(ended, dead, 100).await).await.unwrap();
    assert_eq!(prune(NOW, NOW).await, 0);
    assert_eq!(prune(NOW + hours(1), NOW).await, 1);
    assert_eq!(prune(NOW + hours(1), NOW + hours(1)).await, 1);
}
