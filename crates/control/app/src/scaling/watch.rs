//! Follows the signals and acts.

use std::{path::PathBuf, time::Duration};

use parking_lot::Mutex;
use tokio::{task::JoinHandle, time::Instant};
use warren_courier::webhook::{WebhookSecret, WebhookUrl};
use warren_model::DecisionId;
use warren_resilience::{Decision, Hysteresis, InvalidSetting};
use warren_runtime::Shutdown;
use warren_storage::ScalingDecision;

use super::{NotifyOperator, Signal, SignalView};
use crate::{App, AppError, jobs::Asked, worker::every};

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The bounds that an operator sets, and whom to tell.
#[derive(Debug, Clone)]
pub struct ScalingConfig {
    /// Jobs that are worked on at once on this host, at least and at most.
    pub places_min: u32,
    pub places_max: u32,
    /// Where decisions are sent, signed with the secret in the file.
    pub webhook: Option<(WebhookUrl, PathBuf)>,
}

impl Default for ScalingConfig {
    fn default() -> Self {
        Self { places_min: 4, places_max: 32, webhook: None }
    }
}

impl ScalingConfig {
    /// The secret that decisions are signed with.
    pub(super) fn secret(&self) -> Option<Result<WebhookSecret, String>> {
        let (_, file) = self.webhook.as_ref()?;
        let read = std::fs::read_to_string(file).map_err(|cause| format!("{}: {cause}", file.display()));
        Some(read.and_then(|text| text.trim().parse().map_err(|cause| format!("{}: {cause}", file.display()))))
    }
}

/// The signals and what they led to.
#[derive(Debug)]
pub(crate) struct Scaling {
    followed: Mutex<Vec<Followed>>,
}

#[derive(Debug)]
struct Followed {
    signal: Signal,
    hysteresis: Hysteresis,
    value: Option<f64>,
    reason: String,
}

impl Scaling {
    /// Follows every signal, beginning with so many places.
    pub fn new(config: &ScalingConfig, places: usize) -> Result<Self, InvalidSetting> {
        let follow = |signal: &Signal| {
            let settings = signal.settings((config.places_min, config.places_max));
            let level = if signal.moves_places() { u32::try_from(places).unwrap_or(u32::MAX) } else { 0 };
            let hysteresis = Hysteresis::new(settings, level)?;
            Ok(Followed { signal: *signal, hysteresis, value: None, reason: String::new() })
        };
        Ok(Self { followed: Mutex::new(Signal::ALL.iter().map(follow).collect::<Result<_, _>>()?) })
    }

    /// Takes note of a value, and says what it leads to.
    fn observe(&self, signal: Signal, value: f64) -> Option<Decision> {
        let mut followed = self.followed.lock();
        let one = followed.iter_mut().find(|one| one.signal == signal)?;
        let decision = one.hysteresis.observe(value, Instant::now().into_std());
        one.value = Some(value);
        one.reason = decision.reason.to_string();
        Some(decision)
    }

    /// Every signal as it is now.
    pub fn view(&self) -> Vec<SignalView> {
        let view = |one: &Followed| {
            let settings = one.signal.settings((0, 1));
            SignalView {
                signal: one.signal,
                value: one.value,
                high: settings.high,
                low: settings.low,
                level: one.hysteresis.level(),
                reason: one.reason.clone(),
            }
        };
        self.followed.lock().iter().map(view).collect()
    }
}

pub(super) fn spawn(app: &App, shutdown: &Shutdown) -> JoinHandle<()> {
    every(app, shutdown, "scaling", LOOK_EVERY, |app| Box::pin(async move { look_at_all(&app).await }))
}

async fn look_at_all(app: &App) {
    for signal in Signal::ALL {
        if let Err(cause) = look(app, *signal).await {
            tracing::debug!(%cause, signal = signal.as_str(), "a signal could not be measured or a decision not be kept");
        }
    }
}

async fn look(app: &App, signal: Signal) -> Result<(), AppError> {
    let Some(value) = signal.measure(app).await? else { return Ok(()) };
    let Some(decision) = app.scaling().observe(signal, value).filter(|decision| decision.from != decision.to) else {
        return Ok(());
    };
    carry_out(app, signal, &decision).await
}

/// Does what was decided, writes it down, and tells the operator.
pub(super) async fn carry_out(app: &App, signal: Signal, decision: &Decision) -> Result<(), AppError> {
    let grows = decision.to > decision.from;
    let action = match (signal.moves_places(), grows) {
        (true, true) => "grow",
        (true, false) => "shrink",
        (false, true) => "alert",
        (false, false) => "all_clear",
    };
    if signal.moves_places() {
        app.workshop().set_places(usize::try_from(decision.to).unwrap_or(usize::MAX));
    }
    let now = app.clock().now();
    let limits = signal.settings((0, 1));
    #[expect(clippy::cast_possible_truncation, reason = "signals are far below 2^53 thousandths")]
    let thousandths = |value: f64| (value * 1000.0).round() as i64;
    let row = ScalingDecision {
        id: DecisionId::generate(now, app.random()),
        at: now,
        host: app.config().host.clone(),
        signal: signal.as_str().to_owned(),
        value_thousandths: thousandths(decision.value),
        limit_thousandths: thousandths(if grows { limits.high } else { limits.low }),
        before: decision.from,
        after: decision.to,
        action: action.to_owned(),
        reason: decision.reason.to_string(),
    };
    tracing::info!(
        signal = signal.as_str(),
        value = decision.value,
        action,
        before = row.before,
        after = row.after,
        reason = row.reason,
        "a scaling decision"
    );
    app.metrics().scaled(signal.as_str(), action);
    let told = app.config().scaling.webhook.is_some().then(|| NotifyOperator::of(&row));
    let job = told.map(|told| app.new_job(&told, Asked::default())).transpose()?;
    app.system()
        .transaction(async |tx| -> Result<(), AppError> {
            tx.scaling().append(&row).await?;
            if let Some(job) = &job {
                app.enqueue(tx, job).await?;
            }
            Ok(())
        })
        .await
}
