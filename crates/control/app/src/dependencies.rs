//! How each thing outside of this process is called, and what operators see of that.

use std::{sync::Arc, time::Duration};

use warren_courier::{
    SettingsError,
    webhook::{PlainHttp, WebhookClient, WebhookConfig, WebhookRules},
};
use warren_model::audit::Action;
use warren_resilience::BreakerState;
use warren_runtime::{
    dependency::{
        AtOnce, Dependencies, Dependency, DependencyError, DependencyName, DependencySettings, DependencyStatus, Force,
    },
    supervise::TaskStatus,
};

use crate::{AppError, OpContext, Thing, audit::Changes};

/// The mail server: slow by nature, and never in the way of a request.
pub(crate) fn smtp(dependencies: &Dependencies) -> Result<Arc<Dependency>, DependencyError> {
    let settings = DependencySettings {
        at_once: AtOnce::Fixed(8),
        wait_max: Duration::from_secs(20),
        // A little more than what the mailer itself allows, so that its words are heard.
        time_limit: Duration::from_secs(35),
        ..DependencySettings::default()
    };
    dependencies.add(DependencyName::new("smtp"), settings)
}

/// What the operator configured may be anywhere, also in the operator's own network.
pub fn operator_rules() -> WebhookRules {
    let everywhere = ["0.0.0.0/0", "::/0"].map(|prefix| prefix.parse().expect("a prefix"));
    WebhookRules { plain_http: PlainHttp::Allowed, also_allowed: everywhere.to_vec() }
}

/// Sends to the operator's own receivers.
pub(crate) fn operator_webhooks() -> Result<WebhookClient, SettingsError> {
    WebhookClient::build(WebhookConfig { rules: operator_rules(), ..WebhookConfig::default() })
}

/// What does not work at the moment, and what Warren does instead: one sentence for each dependency that is left alone.
pub(crate) fn degradations(dependencies: &Dependencies) -> Vec<String> {
    let broken = dependencies
        .status()
        .into_iter()
        .filter(|one| !matches!(one.state, BreakerState::Closed | BreakerState::ForcedClosed));
    broken
        .map(|one| {
            let instance = one.name.instance().unwrap_or_default();
            let what = match one.name.kind() {
                "smtp" => "The mail server does not work: letters wait, and are sent once it does".to_owned(),
                "redis" => {
                    "Redis does not work: answers come from the databases, more slowly, and are as right".to_owned()
                }
                "nats" => "NATS does not work: jobs on other hosts begin up to half a second later".to_owned(),
                "database" => {
                    format!("The database server {instance} does not answer: what needs it is refused until it does")
                }
                "webhook" => format!("The webhook receiver {instance} does not work: its events wait, for three days"),
                _ => format!("{} does not work", one.name),
            };
            let minutes = one.state_for.as_secs() / 60;
            let cause = one.last_failure.map(|failure| format!(" Last failure: {}.", failure.text)).unwrap_or_default();
            format!("{what}. It has been so for {minutes} min.{cause}")
        })
        .collect()
}

/// Every dependency as it is now, by name. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub fn status(cx: &OpContext) -> Result<Vec<DependencyStatus>, AppError> {
    cx.operate()?;
    Ok(cx.app.dependencies().status())
}

/// The tasks that this process keeps going, in the order in which they were begun. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub fn tasks(cx: &OpContext) -> Result<Vec<TaskStatus>, AppError> {
    cx.operate()?;
    Ok(cx.app.tasks().status())
}

/// Sets by hand whether a dependency is called, in this process and until it is released or ends, and returns how it is then.
/// Operators.
///
/// # Errors
/// [`AppError::Forbidden`] or [`AppError::NotFound`]
pub async fn force(cx: &OpContext, name: &str, force: Force) -> Result<DependencyStatus, AppError> {
    let proof = cx.operate()?;
    let dependencies = cx.app.dependencies();
    if dependencies.status().iter().all(|one| one.name.as_str() != name) {
        return Err(AppError::NotFound(Thing::Dependency));
    }
    let word = match force {
        Force::Open => "left alone",
        Force::Closed => "called",
        Force::Release => "released",
    };
    let entry = cx.entry(&proof, Action::DependencyForced, uuid::Uuid::nil(), name);
    let entry = Changes::default().first("calls", word).into_entry(entry);
    cx.system().transaction(async |tx| -> Result<(), AppError> { Ok(tx.audit().append(&entry, None).await?) }).await?;
    dependencies.force(name, force).map_err(|_| AppError::NotFound(Thing::Dependency))
}
