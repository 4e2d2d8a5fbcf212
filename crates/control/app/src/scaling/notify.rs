//! Telling the operator's own webhook of a decision.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use warren_courier::webhook::{Delivery, Verdict};
use warren_model::{JobPriority, Queue};
use warren_storage::ScalingDecision;

use crate::jobs::{Job, JobError, Outcome, Policy, Secrecy, Work};

/// A decision on its way to the operator's webhook, as a job: what is sent, word for word.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NotifyOperator {
    pub body: String,
}

/// Version 1 of what is sent.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    version: u8,
    id: String,
    at: String,
    host: &'a str,
    signal: &'a str,
    value: f64,
    limit: f64,
    action: &'a str,
    before: u32,
    after: u32,
    reason: &'a str,
}

impl NotifyOperator {
    pub(super) fn of(decision: &ScalingDecision) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "signals are far below 2^53 thousandths")]
        let whole = |thousandths: i64| thousandths as f64 / 1000.0;
        let body = Body {
            r#type: "scaling.decision",
            version: 1,
            id: decision.id.to_string(),
            at: decision.at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default(),
            host: &decision.host,
            signal: &decision.signal,
            value: whole(decision.value_thousandths),
            limit: whole(decision.limit_thousandths),
            action: &decision.action,
            before: decision.before,
            after: decision.after,
            reason: &decision.reason,
        };
        Self { body: serde_json::to_string(&body).unwrap_or_default() }
    }
}

impl Job for NotifyOperator {
    const KIND: &'static str = "notify-operator";
    const VERSION: u16 = 1;
    const POLICY: Policy = Policy {
        queue: Queue::Webhooks,
        priority: JobPriority::Urgent,
        time_limit: Duration::from_secs(30),
        attempts_max: 12,
        wait_first: Duration::from_secs(2),
        wait_cap: Duration::from_secs(600),
        // A decision of yesterday moves nothing any more.
        deadline: Some(Duration::from_secs(3600)),
        secrecy: Secrecy::Plain,
    };

    async fn run(self, work: &Work) -> Result<Outcome, JobError> {
        let scaling = &work.app.config().scaling;
        let (Some((url, _)), Some(secret)) = (&scaling.webhook, scaling.secret()) else {
            return Err(JobError::fatal("there is no webhook for decisions any more"));
        };
        let delivery = Delivery {
            url: url.clone(),
            secrets: vec![secret.map_err(JobError::retry)?],
            id: work.job.id.to_string(),
            timestamp: work.app.clock().now(),
            body: self.body.into_bytes(),
        };
        let answer = work.app.operator_webhooks().deliver(&delivery).await.map_err(JobError::retry)?;
        match answer.verdict() {
            Verdict::Delivered => Ok(Outcome::default()),
            Verdict::Busy(after) => Err(JobError::Postponed {
                reason: format!("the receiver is busy ({})", answer.status),
                after: after.unwrap_or(Duration::from_secs(30)),
            }),
            Verdict::Gone | Verdict::Rejected | Verdict::Failed => {
                Err(JobError::retry(format!("the receiver answered {}", answer.status)))
            }
        }
    }
}
