//! The same for jobs and what stands beside them.

use warren_auth::{Authorized, permission::ManageWebhooks};
use warren_model::{
    DecisionId, DeliveryId, FileId, JobState, MailId, OrganisationId, Queue, ScheduleId, WebhookId, WorkerId,
};
use warren_runtime::SystemRandom;
use warren_storage::{
    Cursor, Delivery, DeliveryAnswer, DeliveryState, FilePurpose, JobFilter, JobProgress, JobSchedule, MailRecord,
    MailState, QueueStanding, ScalingDecision, ScheduleStanding, Settlement, StorageError, StoredFile, TenantModels,
    Unique, Verdict, Webhook, WebhookStanding, WholeFile, Worker,
};

use super::requests;
use crate::{
    jobs::{claim_of, job, worker},
    world::*,
};

pub async fn everything(world: &World, tenant: &TenantModels) {
    queue(world, tenant.organisation()).await;
    beside_the_queue(world, tenant.organisation()).await;
    files_and_outbox(tenant).await;
    webhooks(tenant).await;
}

async fn queue(world: &World, organisation: OrganisationId) {
    let system = world.databases.system_models();
    let worker: Worker = worker(1);
    let (one, other) = (job(Some(organisation)), job(None));
    let unique = Unique { key: "once".into(), until: NOW + hours(1) };
    let keyed = warren_storage::NewJob { unique: Some(unique), ..job(None) };
    system
        .transaction(async |tx| {
            tx.jobs().insert(&keyed).await?;
            tx.jobs().insert_many(std::slice::from_ref(&one)).await?;
            tx.jobs().take_over(std::slice::from_ref(&other)).await?;
            tx.jobs().beat(&worker).await?;
            tx.jobs().beat(&worker).await?;
            tx.jobs().promote(NOW).await?;
            tx.jobs().set_standing(&operate(), Queue::Mail, QueueStanding::Running, ("anna", NOW)).await?;
            let claimed = tx.jobs().claim(&claim_of(worker.id, 2), &mut Cursor::default()).await?;
            assert_eq!(claimed.len(), 2);
            tx.jobs().set_progress(worker.id, claimed[0].id, JobProgress { done: 1, total: 2 }).await?;
            tx.jobs().cancel(claimed[0].id, NOW).await?;
            let settle = |verdict| Settlement { job: claimed[0].id, attempt: 1, verdict };
            tx.jobs().settle(worker.id, NOW, &[settle(Verdict::Dead { error: "e".into() })]).await?;
            tx.jobs().settle(worker.id, NOW, &[settle(Verdict::Done { result: None })]).await?;
            let retry = Verdict::Retry { error: "e".into(), run_at: NOW };
            tx.jobs().settle(worker.id, NOW, &[settle(retry), settle(Verdict::Released)]).await?;
            tx.jobs().replay(claimed[0].id, NOW).await?;
            tx.jobs().replay_queue(Queue::Mail, NOW, 10).await?;
            tx.jobs().orphans(&[worker.id]).await?;
            tx.jobs().rescue(worker.id, NOW).await?;
            tx.jobs().prune(NOW, NOW, 10).await?;
            tx.jobs().forget_keys(NOW).await?;
            Ok::<_, StorageError>(())
        })
        .await
        .unwrap();
    system.jobs().workers().await.unwrap();
    system.jobs().stop_asked(WorkerId::generate(NOW, &SystemRandom)).await.unwrap();
    system.jobs().held_by(worker.id).await.unwrap();
    system.jobs().paused_queues().await.unwrap();
    system.jobs().by_id(one.id).await.unwrap();
    system.jobs().depths().await.unwrap();
    system.jobs().next_due().await.unwrap();
    system.jobs().longest_ready().await.unwrap();
    for request in requests() {
        for filter in [
            JobFilter::default(),
            JobFilter { organisation: Some(organisation), ..JobFilter::default() },
            JobFilter { queue: Some(Queue::Mail), ..JobFilter::default() },
            JobFilter { state: Some(JobState::Dead), ..JobFilter::default() },
        ] {
            system.jobs().page(&filter, &request).await.unwrap();
        }
    }
    system.transaction(async |tx| tx.jobs().remove_of(organisation).await).await.unwrap();
}

async fn beside_the_queue(world: &World, organisation: OrganisationId) {
    let system = world.databases.system_models();
    let schedule = JobSchedule {
        id: ScheduleId::generate(NOW, &SystemRandom),
        organisation: Some(organisation),
        name: "Weekly".into(),
        queue: Queue::Reports,
        kind: "report".into(),
        version: 1,
        payload: "{}".into(),
        cadence: "daily at 08:00 UTC".into(),
        standing: ScheduleStanding::Active,
        next_at: NOW,
        last_at: None,
        last_job: None,
        author: None,
        created_at: NOW,
        revision: 1,
    };
    let mail = MailRecord {
        id: MailId::generate(NOW, &SystemRandom),
        at: NOW,
        recipient: "anna@example.org".into(),
        subject: "Hello".into(),
        letter: "test".into(),
        state: MailState::Kept,
        error: None,
        content: Some(("<p>Hello</p>".into(), "Hello".into())),
        organisation: None,
    };
    let decision = ScalingDecision {
        id: DecisionId::generate(NOW, &SystemRandom),
        at: NOW,
        host: "host".into(),
        signal: "queue_delay".into(),
        value_thousandths: 1,
        limit_thousandths: 1,
        before: 1,
        after: 2,
        action: "grow".into(),
        reason: "because".into(),
    };
    system
        .transaction(async |tx| {
            tx.schedules().insert(&schedule).await?;
            tx.schedules().update(&schedule, 1).await?;
            let made = (job(None).id, NOW);
            tx.schedules().came(schedule.id, NOW, NOW + hours(1), made).await?;
            tx.mails().append(&mail).await?;
            tx.scaling().append(&decision).await
        })
        .await
        .unwrap();
    assert_eq!(system.mails().by_id(mail.id).await.unwrap(), Some(mail));
    system.schedules().by_id(schedule.id).await.unwrap();
    system.schedules().of(Some(organisation), 9).await.unwrap();
    system.schedules().due(NOW, 9).await.unwrap();
    for request in requests() {
        system.mails().page(&request).await.unwrap();
        system.scaling().page(&request).await.unwrap();
    }
    system
        .transaction(async |tx| {
            tx.schedules().remove(schedule.id).await?;
            tx.mails().forget_before(NOW).await?;
            tx.scaling().forget_before(NOW).await
        })
        .await
        .unwrap();
}

async fn files_and_outbox(tenant: &TenantModels) {
    let left = job(Some(tenant.organisation()));
    let file = StoredFile {
        id: FileId::generate(NOW, &SystemRandom),
        name: "people.csv".into(),
        media_type: "text/csv".into(),
        purpose: FilePurpose::Upload,
        whole: None,
        owner: None,
        job: Some(left.id),
        created_at: NOW,
        expires_at: NOW + hours(1),
    };
    let whole = WholeFile { size_bytes: 3, sha256: [7; 32] };
    tenant
        .transaction(async |tx| {
            tx.job_outbox().push(&left).await?;
            tx.files().begin(&file).await?;
            tx.files().append(file.id, 0, b"a,b".to_vec()).await?;
            tx.files().finish(file.id, &whole).await
        })
        .await
        .unwrap();
    assert_eq!(tenant.job_outbox().take(tenant.organisation(), 5).await.unwrap(), std::slice::from_ref(&left));
    assert_eq!(tenant.files().by_id(file.id).await.unwrap().unwrap().whole, Some(whole));
    assert_eq!(tenant.files().chunk(file.id, 0).await.unwrap().unwrap(), b"a,b");
    assert_eq!(tenant.files().of_job(left.id).await.unwrap().len(), 1);
    for request in requests() {
        tenant.files().page(FilePurpose::Export, &request).await.unwrap();
    }
    tenant
        .transaction(async |tx| {
            tx.job_outbox().remove(&[left.id]).await?;
            assert_eq!(tx.files().remove_expired(NOW + hours(2), 10).await?, 1);
            tx.files().remove(file.id).await
        })
        .await
        .unwrap();
    assert_eq!(tenant.files().chunk(file.id, 0).await.unwrap(), None);
}

async fn webhooks(tenant: &TenantModels) {
    let proof = Authorized::for_system(tenant.organisation(), ManageWebhooks);
    let webhook = Webhook {
        id: WebhookId::generate(NOW, &SystemRandom),
        name: "Ours".into(),
        url: "https://example.org/hook".into(),
        events: vec!["device.enrolled".into()],
        secret_sealed: vec![1, 2, 3],
        former_secret_sealed: Some((vec![4], NOW)),
        standing: WebhookStanding::Enabled,
        failures_in_a_row: 0,
        created_at: NOW,
        revision: 1,
    };
    let delivery = Delivery {
        id: DeliveryId::generate(NOW, &SystemRandom),
        webhook: webhook.id,
        event: "device.enrolled".into(),
        body: "{}".into(),
        state: DeliveryState::Pending,
        attempts: 0,
        answer: None,
        created_at: NOW,
        finished_at: None,
    };
    let answer = DeliveryAnswer { status: Some(200), text: "ok".into(), took_ms: 12 };
    tenant
        .transaction(async |tx| {
            tx.webhooks().insert(&proof, &webhook).await?;
            tx.webhooks().update(&proof, &webhook, 1).await?;
            tx.webhooks().note(webhook.id, WebhookStanding::GivenUp, 3).await?;
            tx.deliveries().insert(&delivery).await?;
            tx.deliveries().reopen(delivery.id).await?;
            tx.deliveries().note(delivery.id, DeliveryState::Delivered, &answer, NOW).await
        })
        .await
        .unwrap();
    let known = tenant.webhooks().by_id(webhook.id).await.unwrap().unwrap();
    assert_eq!((known.standing, known.failures_in_a_row, known.revision), (WebhookStanding::GivenUp, 3, 2));
    assert_eq!(tenant.webhooks().all(9).await.unwrap().len(), 1);
    assert_eq!(tenant.deliveries().by_id(delivery.id).await.unwrap().unwrap().answer, Some(answer));
    for request in requests() {
        tenant.deliveries().page(webhook.id, &request).await.unwrap();
    }
    tenant
        .transaction(async |tx| {
            assert_eq!(tx.deliveries().forget_before(NOW + hours(1), 10).await?, 1);
            tx.webhooks().remove(&proof, webhook.id).await
        })
        .await
        .unwrap();
}
