//! How many calls at once a part can take, found by watching how long they take: after the gradient limits of Netflix's
//! concurrency-limits, with a multiplicative decrease where calls are dropped.
//!
//! The usual latency is learnt only where no queue of our own making can be in it: from calls that fill less than half of
//! the limit, at the smallest limit, from anything faster than usual, and from one window in a hundred in which the limit
//! dips to its half. So it does not creep up under lasting load, and follows a part that stays slower.

use std::time::{Duration, Instant};

use crate::{BulkheadSettings, InvalidSetting, setting::Checked};

/// A slower part is tolerated up to this multiple of its usual latency before the limit falls.
const TOLERANCE: f64 = 1.5;
/// The share of a new estimate that counts.
const SMOOTHING: f64 = 0.2;
/// What the limit is multiplied with when calls were dropped.
const DECREASE: f64 = 0.9;
/// The share of a window's latency in the usual one.
const LEARNT: f64 = 0.1;
/// The same after a dip, of which there are few.
const LEARNT_OF_DIP: f64 = 0.5;
/// Windows of full use between two dips.
const DIP_AFTER_WINDOWS: u32 = 100;

/// Within which bounds the limit is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdaptiveLimitSettings {
    /// The limit to begin with; `min` to `max`.
    pub initial: u32,
    /// Never fewer at once; 1 to `max`.
    pub min: u32,
    /// Never more at once; at most [`BulkheadSettings::IN_USE_MAX`].
    pub max: u32,
    /// The limit changes at most once in this time; 1 ms to a day.
    pub window: Duration,
    /// … and not before this many calls came back within it; 1 to 10,000.
    pub samples_min: u32,
}

impl Default for AdaptiveLimitSettings {
    fn default() -> Self {
        Self { initial: 20, min: 4, max: 200, window: Duration::from_secs(1), samples_min: 10 }
    }
}

/// Whether the call was worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was, with whatever result.
    Done,
    /// It timed out, or was turned away for being too many.
    Dropped,
}

/// One call that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// How long it took.
    pub latency: Duration,
    /// The calls at once, with this one, when it began.
    pub in_flight: u32,
    /// Whether it was worked on.
    pub fate: Fate,
}

/// The limit changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitChanged {
    /// Before.
    pub from: u32,
    /// From now on.
    pub to: u32,
}

/// Looks for the number of calls at once beyond which they only take longer.
#[derive(Debug, Clone)]
pub struct AdaptiveLimit {
    settings: AdaptiveLimitSettings,
    limit: f64,
    /// Seconds; nothing before the first window.
    usual: Option<f64>,
    windows: u32,
    /// During a dip, the limit to go back to.
    dipped_from: Option<f64>,
    window: WindowSums,
}

#[derive(Debug, Clone, Copy)]
struct WindowSums {
    begun: Instant,
    latency: Duration,
    done: u32,
    dropped: u32,
    in_flight_max: u32,
}

impl WindowSums {
    const fn begin(now: Instant) -> Self {
        Self { begun: now, latency: Duration::ZERO, done: 0, dropped: 0, in_flight_max: 0 }
    }
}

impl AdaptiveLimit {
    /// Begins with the initial limit.
    ///
    /// # Errors
    /// When a setting lies outside its limits.
    pub fn new(settings: AdaptiveLimitSettings, now: Instant) -> Result<Self, InvalidSetting> {
        let checked = Checked("adaptive limit");
        checked.within("max", settings.max, 1..=BulkheadSettings::IN_USE_MAX)?;
        checked.within("min", settings.min, 1..=settings.max)?;
        checked.within("initial", settings.initial, settings.min..=settings.max)?;
        checked.span("window", settings.window)?;
        checked.within("least number of samples", settings.samples_min, 1..=10_000)?;
        let limit = f64::from(settings.initial);
        Ok(Self { settings, limit, usual: None, windows: 0, dipped_from: None, window: WindowSums::begin(now) })
    }

    /// How many may be at work at once.
    pub fn limit(&self) -> u32 {
        // Within min and max, which are a u32 each.
        self.limit as u32
    }

    /// Takes note of one call that came back; at the end of a window the limit may change.
    pub fn sample(&mut self, sample: Sample, now: Instant) -> Option<LimitChanged> {
        if self.dipped_from.is_some() && sample.in_flight > self.limit() {
            // It began before the dip.
            return None;
        }
        let window = &mut self.window;
        window.in_flight_max = window.in_flight_max.max(sample.in_flight);
        match sample.fate {
            Fate::Done => {
                window.done = window.done.saturating_add(1);
                window.latency = window.latency.saturating_add(sample.latency);
            }
            Fate::Dropped => window.dropped = window.dropped.saturating_add(1),
        }
        let Some(elapsed) = now.checked_duration_since(window.begun) else {
            // The clock went back: the window does not last until it has caught up.
            window.begun = now;
            return None;
        };
        let samples = window.done.saturating_add(window.dropped);
        if elapsed < self.settings.window || samples < self.settings.samples_min {
            return None;
        }
        let seen = std::mem::replace(window, WindowSums::begin(now));
        let from = self.limit();
        let found = self.found(&seen);
        self.limit = found.clamp(f64::from(self.settings.min), f64::from(self.settings.max));
        let to = self.limit();
        (from != to).then_some(LimitChanged { from, to })
    }

    /// What a window says about the limit.
    fn found(&mut self, seen: &WindowSums) -> f64 {
        let half_empty = f64::from(seen.in_flight_max) < self.limit / 2.0;
        let dipped_from = self.dipped_from.take();
        let latency = (seen.done > 0).then(|| seen.latency.as_secs_f64() / f64::from(seen.done));
        if let Some(latency) = latency {
            let usual = *self.usual.get_or_insert(latency);
            let learnt = match dipped_from {
                Some(_) => LEARNT_OF_DIP,
                None if half_empty || latency < usual || self.limit() <= self.settings.min => LEARNT,
                None => 0.0,
            };
            self.usual = Some(usual + (latency - usual) * learnt);
        }
        let limit = dipped_from.unwrap_or(self.limit);
        if seen.dropped > 0 {
            return limit * DECREASE;
        }
        // Who uses less than half of the limit learns nothing about the other half.
        let Some(latency) = latency.filter(|_| !half_empty && dipped_from.is_none()) else { return limit };
        self.windows += 1;
        if self.windows >= DIP_AFTER_WINDOWS {
            (self.windows, self.dipped_from) = (0, Some(limit));
            return limit / 2.0;
        }
        let tolerated = TOLERANCE * self.usual.unwrap_or(latency);
        let gradient = if latency > 0.0 { (tolerated / latency).clamp(0.5, 1.0) } else { 1.0 };
        let queue = limit.sqrt();
        limit * (1.0 - SMOOTHING) + (limit * gradient + queue) * SMOOTHING
    }
}
