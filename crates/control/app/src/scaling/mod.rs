//! Having more or fewer places for jobs, and telling an operator when something else runs short.
//!
//! Signals are looked at once a second. Each has a level that only changes when its value has stayed high or low for a while;
//! a change is a decision, which is carried out where this host can do so, written down, counted, and sent to the operator's
//! own webhook where there is one.

mod notify;
mod signal;
mod watch;

pub(crate) use notify::NotifyOperator;
pub use signal::{Signal, SignalView};
pub(crate) use watch::Scaling;
pub use watch::ScalingConfig;

use tokio::task::JoinHandle;
use warren_model::page::{Page, PageRequest};
use warren_runtime::Shutdown;
use warren_storage::ScalingDecision;

use crate::{App, AppError, OpContext};

/// Looks at the signals until `shutdown`.
pub(crate) fn spawn(app: &App, shutdown: &Shutdown) -> JoinHandle<()> {
    watch::spawn(app, shutdown)
}

/// Every signal as it is now. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub fn signals(cx: &OpContext) -> Result<Vec<SignalView>, AppError> {
    cx.operate()?;
    Ok(cx.app.scaling().view())
}

/// The log of decisions of all hosts, the newest first. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn page(cx: &OpContext, request: &PageRequest) -> Result<Page<ScalingDecision>, AppError> {
    cx.operate()?;
    Ok(cx.system().scaling().page(request).await?)
}
