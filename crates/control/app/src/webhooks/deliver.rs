//! The job that brings one event to one webhook.
//!
//! Waits grow by themselves: the next attempt comes after as long again as it has been tried so far, within bounds. They are
//! the job's own and not its policy's, as the receiver has a say in them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use warren_courier::{Answer, Delivery as Message, DeliveryError, Retry, Verdict, WebhookSecret};
use warren_model::{
    DeliveryId, JobPriority, Queue, Timestamp,
    ambient::random_bytes,
    audit::{Action, Actor, AuditEntry},
    organisation::Organisation,
};
use warren_runtime::dependency::Failure;
use warren_storage::{
    Delivery, DeliveryAnswer, DeliveryState, StorageError, TenantModels, TenantTransaction, Webhook, WebhookStanding,
};

use super::{given_up_notice, secret_context};
use crate::{
    AppError,
    audit::Changes,
    jobs::{Job, JobError, Outcome, Policy, Requester, Secrecy, Work},
};

/// Deliveries that failed for good one after the other, before a webhook is given up.
const FAILURES_MAX: u32 = 20;
/// The longest wait, but for one that the receiver asks for.
const WAIT_MAX: Duration = Duration::from_secs(4 * 3600);
/// While a receiver is left alone and nobody knows for how long, it is asked for this often.
const LEFT_ALONE_WAITS: Duration = Duration::from_secs(10);

/// How long something is tried that may go better later.
#[derive(Debug, Clone, Copy)]
struct Patience {
    wait_min: Duration,
    lasts: Duration,
}

impl Patience {
    const USUAL: Self = Self { wait_min: Duration::from_secs(5), lasts: Duration::from_secs(3 * 24 * 3600) };
    /// Somebody has to change a setting first.
    const SLOW: Self = Self { wait_min: Duration::from_secs(600), ..Self::USUAL };
    /// The receiver says no: about seven attempts.
    const REJECTED: Self = Self { wait_min: Duration::from_secs(60), lasts: Duration::from_secs(3600) };
    /// No attempt will ever go better.
    const NONE: Self = Self { wait_min: Duration::from_secs(5), lasts: Duration::ZERO };
}

/// Brings one event to one webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Deliver {
    pub delivery: Uuid,
}

impl Job for Deliver {
    const KIND: &'static str = "webhook-delivery";
    const VERSION: u16 = 1;
    const POLICY: Policy = Policy {
        queue: Queue::Webhooks,
        priority: JobPriority::Normal,
        time_limit: Duration::from_secs(60),
        // Attempts that fail are put off and do not count; these are faults of ours, as when the database is away.
        attempts_max: 60,
        wait_first: Duration::from_secs(5),
        wait_cap: Duration::from_secs(1800),
        // Its own: a delivery that comes too late is to be on record as failed.
        deadline: None,
        secrecy: Secrecy::Plain,
    };

    async fn run(self, work: &Work) -> Result<Outcome, JobError> {
        let organisation = work.job.organisation.ok_or_else(|| JobError::fatal("it belongs to no organisation"))?;
        let Some(organisation) = work.app.system().organisations().by_id(organisation).await? else {
            return Ok(Outcome::default());
        };
        let tenant = match work.app.databases().tenant_models(organisation.id).await {
            Ok(tenant) => tenant,
            // It was removed meanwhile, and its webhooks with it.
            Err(StorageError::NotFound) => return Ok(Outcome::default()),
            Err(cause) => return Err(cause.into()),
        };
        let delivery = tenant.deliveries().by_id(DeliveryId::from_uuid(self.delivery)).await?;
        // One that is no longer pending was ended by an attempt whose process died before it could say so.
        let Some(delivery) = delivery.filter(|delivery| delivery.state == DeliveryState::Pending) else {
            return Ok(Outcome::default());
        };
        let Some(webhook) = tenant.webhooks().by_id(delivery.webhook).await? else { return Ok(Outcome::default()) };
        Course { work, organisation, tenant, delivery, webhook }.run().await
    }
}

/// One delivery, with all that it takes.
struct Course<'w> {
    work: &'w Work,
    organisation: Organisation,
    tenant: TenantModels,
    delivery: Delivery,
    webhook: Webhook,
}

/// What came of an attempt.
enum Came {
    Through(DeliveryAnswer),
    /// The receiver wants nothing more, ever.
    Gone(DeliveryAnswer),
    Short {
        answer: DeliveryAnswer,
        patience: Patience,
    },
    /// It was not the receiver's turn.
    Untried {
        reason: &'static str,
        after: Duration,
    },
}

/// How a delivery ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Delivered,
    Failed,
    /// It failed, and so will every other.
    Gone,
    /// Nobody wants it any more.
    Unwanted,
}

impl Course<'_> {
    async fn run(self) -> Result<Outcome, JobError> {
        if self.webhook.standing != WebhookStanding::Enabled {
            return self.end(End::Unwanted, &no_answer("the webhook is disabled", Duration::ZERO)).await;
        }
        match self.attempt().await? {
            Came::Through(answer) => self.end(End::Delivered, &answer).await,
            Came::Gone(answer) => self.end(End::Gone, &answer).await,
            Came::Short { answer, patience } => {
                let Some(after) = self.wait(patience) else { return self.end(End::Failed, &answer).await };
                let (id, now) = (self.delivery.id, self.work.app.clock().now());
                self.tenant
                    .transaction(async |tx| tx.deliveries().note(id, DeliveryState::Pending, &answer, now).await)
                    .await?;
                let reason = match answer.status {
                    Some(status) => format!("the receiver answered {status}"),
                    None => "the receiver gave no answer".to_owned(),
                };
                Err(JobError::Postponed { reason, after })
            }
            Came::Untried { reason, after } => match self.wait(Patience { wait_min: after, ..Patience::USUAL }) {
                Some(_) => Err(JobError::Postponed { reason: reason.to_owned(), after }),
                None => self.end(End::Failed, &no_answer(reason, Duration::ZERO)).await,
            },
        }
    }

    async fn attempt(&self) -> Result<Came, JobError> {
        let (app, client) = (&self.work.app, self.work.app.webhooks());
        let url = match client.check_url(&self.webhook.url) {
            Ok(url) => url,
            Err(invalid) => {
                let answer = no_answer(&DeliveryError::NotAllowed(invalid).to_string(), Duration::ZERO);
                return Ok(Came::Short { answer, patience: Patience::SLOW });
            }
        };
        let receiver = app.receivers().at(app.dependencies(), &url.receiver()).map_err(JobError::retry)?;
        let now = app.clock().now();
        let message = Message {
            url,
            secrets: self.secrets(now)?,
            id: self.delivery.id.to_string(),
            timestamp: now,
            body: self.delivery.body.clone().into_bytes(),
        };
        let began = tokio::time::Instant::now();
        let came = match receiver.once().run(|_| client.deliver(&message)).await {
            Ok(answer) => judged(&answer),
            Err(Failure::Refused(refused)) => Came::Untried {
                reason: "the receiver does not work, or is busy, and is left alone for a while",
                after: refused.retry_after().unwrap_or(LEFT_ALONE_WAITS),
            },
            Err(Failure::Failed(error)) => {
                let patience = match error.retry() {
                    Retry::Soon => Patience::USUAL,
                    Retry::Slowly => Patience::SLOW,
                    Retry::Never => Patience::NONE,
                };
                Came::Short { answer: no_answer(&in_full(&error), began.elapsed()), patience }
            }
            Err(late @ Failure::TimedOut { .. }) => {
                Came::Short { answer: no_answer(&late.to_string(), began.elapsed()), patience: Patience::USUAL }
            }
        };
        Ok(came)
    }

    /// What it is signed with: the secret, and for a while the one before.
    fn secrets(&self, now: Timestamp) -> Result<Vec<WebhookSecret>, JobError> {
        let context = secret_context(self.organisation.id, self.webhook.id);
        let former = self.webhook.former_secret_sealed.as_ref().filter(|(_, until)| now < *until);
        let sealed = std::iter::once(&self.webhook.secret_sealed).chain(former.map(|(sealed, _)| sealed));
        let opened = sealed.map(|sealed| {
            let secret = self.work.app.sealing().open(&context, sealed).map_err(JobError::fatal)?;
            std::str::from_utf8(&secret).map_err(JobError::fatal)?.parse().map_err(JobError::fatal)
        });
        opened.collect()
    }

    /// How long to wait for the next attempt; none when there is to be none.
    fn wait(&self, patience: Patience) -> Option<Duration> {
        let app = &self.work.app;
        let tried: Duration = (app.clock().now() - self.work.job.created_at).try_into().unwrap_or_default();
        let wait = tried.min(WAIT_MAX).max(patience.wait_min);
        let [uneven] = random_bytes::<1>(app.random());
        let wait = wait + wait / 4 * u32::from(uneven) / 256;
        (tried + wait <= patience.lasts).then_some(wait)
    }

    /// Writes down how it ended, and what that means for the webhook.
    async fn end(self, end: End, answer: &DeliveryAnswer) -> Result<Outcome, JobError> {
        let app = &self.work.app;
        let cx = self.work.context(&Requester::System).await?;
        let entry = cx.entry_by(Actor::System, Action::WebhookGivenUp, self.webhook.id.uuid(), &self.webhook.name);
        let reason = answer.status.map_or_else(|| answer.text.clone(), |status| status.to_string());
        let given_up = Changes::default().first("reason", reason).into_entry(entry);
        let standing = self
            .tenant
            .transaction(async |tx| -> Result<WebhookStanding, AppError> {
                let state = if end == End::Delivered { DeliveryState::Delivered } else { DeliveryState::Failed };
                tx.deliveries().note(self.delivery.id, state, answer, app.clock().now()).await?;
                self.judge(tx, end, &given_up).await
            })
            .await?;
        if standing == WebhookStanding::GivenUp && matches!(end, End::Failed | End::Gone) {
            app.post_notice(given_up_notice(&self.organisation.slug, self.webhook.id));
        }
        Ok(Outcome::default())
    }

    /// Counts failures, and gives a webhook up that has too many, or whose receiver says so.
    async fn judge(&self, tx: &TenantTransaction, end: End, entry: &AuditEntry) -> Result<WebhookStanding, AppError> {
        // As it is now: others may have ended meanwhile.
        let Some(webhook) = tx.webhooks().by_id(self.webhook.id).await? else { return Ok(WebhookStanding::Disabled) };
        if webhook.standing != WebhookStanding::Enabled || end == End::Unwanted {
            return Ok(webhook.standing);
        }
        let failures = if end == End::Delivered { 0 } else { webhook.failures_in_a_row.saturating_add(1) };
        let gives_up = end == End::Gone || failures >= FAILURES_MAX;
        let standing = if gives_up { WebhookStanding::GivenUp } else { webhook.standing };
        if (standing, failures) != (webhook.standing, webhook.failures_in_a_row) {
            tx.webhooks().note(webhook.id, standing, failures).await?;
        }
        if gives_up {
            self.work.app.record(tx, &self.organisation.slug, entry).await?;
        }
        Ok(standing)
    }
}

/// What an answer means for the delivery.
fn judged(answer: &Answer) -> Came {
    let kept = DeliveryAnswer {
        status: Some(answer.status),
        text: answer.body_start.clone(),
        took_ms: milliseconds(answer.took),
    };
    let short = |patience| Came::Short { answer: kept.clone(), patience };
    match answer.verdict() {
        Verdict::Delivered => Came::Through(kept),
        Verdict::Gone => Came::Gone(kept),
        Verdict::Busy(wait) => {
            let wait_min = wait.unwrap_or_default().max(Patience::USUAL.wait_min);
            short(Patience { wait_min, ..Patience::USUAL })
        }
        Verdict::Rejected => short(Patience::REJECTED),
        Verdict::Failed => short(Patience::USUAL),
    }
}

fn no_answer(why: &str, took: Duration) -> DeliveryAnswer {
    DeliveryAnswer { status: None, text: why.to_owned(), took_ms: milliseconds(took) }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// The error with what led to it.
fn in_full(error: &DeliveryError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
