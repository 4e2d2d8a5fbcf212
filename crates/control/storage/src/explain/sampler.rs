//! Plans of slow statements, asked for in the background: whoever was slow does not wait for them, and few are asked for.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;

use super::{Example, Explainer, NoPlan, Plan};
use crate::{
    engine::Target,
    pool::{Budget, LeaseRecord},
    statements::Statements,
};

/// A shape is explained once in this time, and all shapes together so often.
const PERIOD: Duration = Duration::from_secs(60);
const PLANS_PER_PERIOD_MAX: usize = 6;

/// Explains slow statements of one database, one at a time.
#[derive(Debug)]
pub(crate) struct Sampler {
    target: Target,
    budget: Option<Arc<Budget>>,
    running: Mutex<Option<JoinHandle<()>>>,
}

/// When plans were asked for lately, for all databases of one kind.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    recent: Mutex<VecDeque<Instant>>,
}

/// When the plan of one shape was asked for last.
#[derive(Debug, Default)]
pub(crate) struct LastPlan(Mutex<Option<Instant>>);

impl Pace {
    /// Whether the plan of a shape may be asked for at `now`; if so, it counts.
    pub fn allows(&self, shape: &LastPlan, now: Instant) -> bool {
        let mut last = shape.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now.saturating_duration_since(last) < PERIOD) {
            return false;
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.front().is_some_and(|first| now.saturating_duration_since(*first) >= PERIOD) {
            recent.pop_front();
        }
        if recent.len() >= PLANS_PER_PERIOD_MAX {
            return false;
        }
        recent.push_back(now);
        *last = Some(now);
        true
    }
}

impl Sampler {
    pub const fn new(target: Target, budget: Option<Arc<Budget>>) -> Self {
        Self { target, budget, running: Mutex::new(None) }
    }

    /// Whether a statement can be explained now: one is not being explained yet.
    pub fn is_free(&self) -> bool {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Asks for the plan of `example` in the background, notes it with the slow statement `number`, and logs it within the
    /// span of whoever was slow.
    pub fn explain(&self, example: Example, number: u64, statements: &Arc<Statements>, record: &LeaseRecord) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (target, budget, statements) = (self.target.clone(), self.budget.clone(), Arc::clone(statements));
        let span = record.span.clone();
        let task = runtime.spawn(async move {
            let planned = plan(&target, budget.as_ref(), &example).await;
            let database = target.place();
            span.in_scope(|| match &planned {
                Ok(plan) => tracing::info!(%database, statement = %example.sql, plan = %plan.text, "how a slow statement is gone about"),
                Err(cause) => tracing::debug!(%database, statement = %example.sql, %cause, "a slow statement has no plan"),
            });
            if let Ok(plan) = planned {
                statements.note_plan(number, plan.text);
            }
        });
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }

    /// Ends what is under way. A file is let go of in order; a server's connection is just closed.
    pub async fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(task) = running else { return };
        if !self.target.engine().writes_alone() {
            task.abort();
        }
        // Each of its steps has a limit of its own.
        let _ = task.await;
    }
}

async fn plan(target: &Target, budget: Option<&Arc<Budget>>, example: &Example) -> Result<Plan, NoPlan> {
    let mut explainer = Explainer::connect(target, budget).await?;
    let plan = explainer.plan(example).await;
    if matches!(plan, Err(NoPlan::TooLate)) {
        // Closing the connection is what ends it.
        drop(explainer);
    } else {
        explainer.close().await;
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_explained_once_a_minute_and_all_of_them_a_few_times() {
        let (pace, now) = (Pace::default(), Instant::now());
        let shapes: Vec<LastPlan> = (0..PLANS_PER_PERIOD_MAX + 1).map(|_| LastPlan::default()).collect();
        assert!(pace.allows(&shapes[0], now));
        assert!(!pace.allows(&shapes[0], now + PERIOD / 2));
        for shape in &shapes[1..PLANS_PER_PERIOD_MAX] {
            assert!(pace.allows(shape, now));
        }
        assert!(!pace.allows(&shapes[PLANS_PER_PERIOD_MAX], now + PERIOD / 2));
        assert!(pace.allows(&shapes[PLANS_PER_PERIOD_MAX], now + PERIOD));
        assert!(pace.allows(&shapes[0], now + PERIOD));
    }
}
