//! How much may be tried again (Finagle's `RetryBudget`): retries are a share of the calls, so that an outage is not
//! answered with a multiple of the usual load.

use std::{
    ops::{AddAssign, SubAssign},
    time::{Duration, Instant},
};

use crate::{
    InvalidSetting,
    ring::TimeRing,
    setting::{Checked, SPAN_MAX},
};

const BUCKETS: usize = 10;

/// How much may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudgetSettings {
    /// Retries for a hundred calls; 0 to 1,000.
    pub percent: u16,
    /// Retries a second that are allowed however few calls there are; 0 to 1,000.
    pub per_second_min: u16,
    /// How long a call gives its share; one second to a day.
    pub span: Duration,
}

impl Default for RetryBudgetSettings {
    /// A fifth of the calls of the last ten seconds, and one a second.
    fn default() -> Self {
        Self { percent: 20, per_second_min: 1, span: Duration::from_secs(10) }
    }
}

/// The budget is spent: the call is not to be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many calls are being tried again already")]
pub struct BudgetSpent;

/// Counts calls and retries of the last span, and says whether one more may be tried again.
#[derive(Debug, Clone)]
pub struct RetryBudget {
    ledger: TimeRing<Ledger>,
    percent: u64,
    /// Hundredths of a retry.
    floor: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Ledger {
    calls: u64,
    retries: u64,
}

impl AddAssign for Ledger {
    fn add_assign(&mut self, more: Self) {
        self.calls += more.calls;
        self.retries += more.retries;
    }
}

impl SubAssign for Ledger {
    fn sub_assign(&mut self, less: Self) {
        self.calls -= less.calls;
        self.retries -= less.retries;
    }
}

impl RetryBudget {
    /// A budget that has seen no call.
    ///
    /// # Errors
    /// When a setting lies outside its limits.
    pub fn new(settings: RetryBudgetSettings, now: Instant) -> Result<Self, InvalidSetting> {
        let checked = Checked("retry budget");
        checked.within("percent", settings.percent, 0..=1000)?;
        checked.within("least retries a second", settings.per_second_min, 0..=1000)?;
        checked.within("span", settings.span, Duration::from_secs(1)..=SPAN_MAX)?;
        Ok(Self {
            ledger: TimeRing::new(settings.span, BUCKETS, now),
            percent: u64::from(settings.percent),
            floor: u64::from(settings.per_second_min) * settings.span.as_secs() * 100,
        })
    }

    /// Takes note of a call; a retry is none.
    #[inline]
    pub fn deposit(&mut self, now: Instant) {
        self.ledger.add(Ledger { calls: 1, retries: 0 }, now);
    }

    /// Takes one retry out.
    ///
    /// # Errors
    /// When none is left.
    pub fn withdraw(&mut self, now: Instant) -> Result<(), BudgetSpent> {
        if self.left(now) == 0 {
            return Err(BudgetSpent);
        }
        self.ledger.add(Ledger { calls: 0, retries: 1 }, now);
        Ok(())
    }

    /// How many retries are left.
    pub fn left(&mut self, now: Instant) -> u64 {
        self.ledger.advance(now);
        let Ledger { calls, retries } = self.ledger.total();
        (calls * self.percent + self.floor).saturating_sub(retries * 100) / 100
    }
}
