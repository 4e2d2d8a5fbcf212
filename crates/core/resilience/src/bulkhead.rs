//! A bulkhead (Nygard, "Release It!", 2018, chapter 5): so many at once, so many waiting, and nobody else.

use crate::{InvalidSetting, setting::Checked};

/// How many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkheadSettings {
    /// Calls at once; 1 to [`BulkheadSettings::IN_USE_MAX`].
    pub in_use_max: u32,
    /// Callers that wait for a place; 0 to [`BulkheadSettings::WAITING_MAX`].
    pub waiting_max: u32,
}

impl BulkheadSettings {
    /// More at once need no bulkhead.
    pub const IN_USE_MAX: u32 = 100_000;
    /// More waiting would wait in vain.
    pub const WAITING_MAX: u32 = 100_000;
}

/// The answer to who asks for a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Place {
    /// They have one; say [`Bulkhead::left`] afterwards.
    Taken,
    /// They are counted among those who wait; wake them when one comes free, or say [`Bulkhead::gave_up`].
    Waits,
    /// There is no place, neither inside nor among those who wait.
    Full,
}

/// What to do with a place that came free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Freed {
    /// It belongs to the one who has waited longest: wake them.
    Passed,
    /// Nobody waits for it.
    Kept,
}

/// Counts who is inside and who waits; whoever waits is never overtaken.
#[derive(Debug, Clone)]
pub struct Bulkhead {
    limit: u32,
    waiting_max: u32,
    in_use: u32,
    waiting: u32,
}

impl Bulkhead {
    /// An empty one.
    ///
    /// # Errors
    /// When a setting lies outside its limits.
    pub fn new(settings: BulkheadSettings) -> Result<Self, InvalidSetting> {
        let checked = Checked("bulkhead");
        checked.within("calls at once", settings.in_use_max, 1..=BulkheadSettings::IN_USE_MAX)?;
        checked.within("waiting callers", settings.waiting_max, 0..=BulkheadSettings::WAITING_MAX)?;
        Ok(Self { limit: settings.in_use_max, waiting_max: settings.waiting_max, in_use: 0, waiting: 0 })
    }

    /// Somebody asks for a place.
    #[inline]
    pub fn enter(&mut self) -> Place {
        if self.in_use < self.limit && self.waiting == 0 {
            self.in_use += 1;
            return Place::Taken;
        }
        if self.waiting >= self.waiting_max {
            return Place::Full;
        }
        self.waiting += 1;
        Place::Waits
    }

    /// Somebody inside is done.
    #[inline]
    pub fn left(&mut self) -> Freed {
        if self.waiting > 0 && self.in_use <= self.limit {
            self.waiting -= 1;
            return Freed::Passed;
        }
        self.in_use = self.in_use.saturating_sub(1);
        Freed::Kept
    }

    /// Somebody who was waiting, and was not woken, waits no longer.
    pub fn gave_up(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }

    /// Changes how many may be inside at once, at least one, and says how many of those who wait have a place now: wake
    /// them. Nobody is sent out; a smaller limit holds once enough have left.
    #[must_use = "those who have a place now are to be woken"]
    pub fn set_limit(&mut self, limit: u32) -> u32 {
        self.limit = limit.clamp(1, BulkheadSettings::IN_USE_MAX);
        let woken = self.limit.saturating_sub(self.in_use).min(self.waiting);
        self.in_use += woken;
        self.waiting -= woken;
        woken
    }

    /// How many may be inside at once.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// How many are inside.
    pub const fn in_use(&self) -> u32 {
        self.in_use
    }

    /// How many wait.
    pub const fn waiting(&self) -> u32 {
        self.waiting
    }
}
