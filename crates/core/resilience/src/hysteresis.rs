//! When to have more of something and when less: a value must stay high, or low, for a while, and a change must have had
//! time to show.

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::{InvalidSetting, setting::Checked};

/// When to have more and when less.
#[derive(Debug, Clone, PartialEq)]
pub struct HysteresisSettings {
    /// A value of at least this is high; above `low`.
    pub high: f64,
    /// A value of at most this is low.
    pub low: f64,
    /// How long it must be high before there is more; at most a day.
    pub raise_after: Duration,
    /// How long it must be low before there is less; at most a day.
    pub lower_after: Duration,
    /// How long after a change nothing is changed; at most a day.
    pub cool_down: Duration,
    /// A value that comes this long after the last begins anew: nobody knows what was between; 1 ms to a day.
    pub gap_max: Duration,
    /// How many more at once; 1 or more.
    pub step_up: u32,
    /// How many fewer at once; 1 or more.
    pub step_down: u32,
    /// Never fewer; at most `max`.
    pub min: u32,
    /// Never more.
    pub max: u32,
}

/// What a value led to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// The value.
    pub value: f64,
    /// The level before.
    pub from: u32,
    /// The level from now on.
    pub to: u32,
    /// Why.
    pub reason: Reason,
}

/// Why the level changed, or did not. `Display` is a sentence fragment that follows "because".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Raised: the value has been high for this long.
    High { lasted: Duration },
    /// Lowered: the value has been low for this long.
    Low { lasted: Duration },
    /// Kept: the value is neither high nor low.
    Between,
    /// Kept: the value has not been high for long enough.
    HighNotLong { left: Duration },
    /// Kept: the value has not been low for long enough.
    LowNotLong { left: Duration },
    /// Kept: the last change has not had time to show.
    CoolingDown { left: Duration },
    /// Kept: the value is high, and there is no more to have.
    AtMax,
    /// Kept: the value is low, and there is no less to have.
    AtMin,
    /// Kept: the value is not a number, and says nothing.
    NotANumber,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::High { lasted } => write!(f, "it has been high for {lasted:.1?}"),
            Self::Low { lasted } => write!(f, "it has been low for {lasted:.1?}"),
            Self::Between => f.write_str("it is neither high nor low"),
            Self::HighNotLong { left } => write!(f, "it must stay high for another {left:.1?}"),
            Self::LowNotLong { left } => write!(f, "it must stay low for another {left:.1?}"),
            Self::CoolingDown { left } => write!(f, "the last change is given another {left:.1?} to show"),
            Self::AtMax => f.write_str("it is high, but the largest number is reached"),
            Self::AtMin => f.write_str("it is low, but the smallest number is reached"),
            Self::NotANumber => f.write_str("the value is not a number"),
        }
    }
}

/// Follows a value and keeps a level.
#[derive(Debug, Clone)]
pub struct Hysteresis {
    settings: HysteresisSettings,
    level: u32,
    run: Run,
    seen: Option<Instant>,
    changed: Option<Instant>,
}

/// Where the value has been without interruption.
#[derive(Debug, Clone, Copy)]
enum Run {
    Between,
    High { since: Instant },
    Low { since: Instant },
}

impl Hysteresis {
    /// Begins with `level`, or what is nearest to it within the bounds.
    ///
    /// # Errors
    /// When a setting lies outside its limits.
    pub fn new(settings: HysteresisSettings, level: u32) -> Result<Self, InvalidSetting> {
        let checked = Checked("scaling trigger");
        checked.within("high", settings.high, f64::MIN..=f64::MAX)?;
        checked.within("low", settings.low, f64::MIN..=settings.high)?;
        if settings.low >= settings.high {
            let (given, allowed) = (settings.low.to_string(), format!("less than high, which is {}", settings.high));
            return Err(InvalidSetting { policy: "scaling trigger", setting: "low", given, allowed });
        }
        checked.span_or_none("time before there is more", settings.raise_after)?;
        checked.span_or_none("time before there is less", settings.lower_after)?;
        checked.span_or_none("cool-down", settings.cool_down)?;
        checked.span("longest gap", settings.gap_max)?;
        checked.within("step up", settings.step_up, 1..=u32::MAX)?;
        checked.within("step down", settings.step_down, 1..=u32::MAX)?;
        checked.within("min", settings.min, 0..=settings.max)?;
        let level = level.clamp(settings.min, settings.max);
        Ok(Self { settings, level, run: Run::Between, seen: None, changed: None })
    }

    /// The level.
    pub const fn level(&self) -> u32 {
        self.level
    }

    /// Takes note of a value, and says what it leads to.
    pub fn observe(&mut self, value: f64, now: Instant) -> Decision {
        let from = self.level;
        let reason = if value.is_nan() { Reason::NotANumber } else { self.decide(value, now) };
        Decision { value, from, to: self.level, reason }
    }

    fn decide(&mut self, value: f64, now: Instant) -> Reason {
        self.follow(value, now);
        let cooling = self
            .changed
            .map_or(Duration::ZERO, |at| self.settings.cool_down.saturating_sub(now.saturating_duration_since(at)));
        let HysteresisSettings { raise_after, lower_after, min, max, .. } = self.settings;
        match self.run {
            Run::Between => Reason::Between,
            Run::High { .. } if self.level >= max => Reason::AtMax,
            Run::Low { .. } if self.level <= min => Reason::AtMin,
            Run::High { since } => {
                let lasted = now.saturating_duration_since(since);
                if lasted < raise_after {
                    return Reason::HighNotLong { left: raise_after - lasted };
                }
                let higher = self.level.saturating_add(self.settings.step_up).min(max);
                self.change(higher, cooling, Reason::High { lasted }, now)
            }
            Run::Low { since } => {
                let lasted = now.saturating_duration_since(since);
                if lasted < lower_after {
                    return Reason::LowNotLong { left: lower_after - lasted };
                }
                let lower = self.level.saturating_sub(self.settings.step_down).max(min);
                self.change(lower, cooling, Reason::Low { lasted }, now)
            }
        }
    }

    fn change(&mut self, level: u32, cooling: Duration, reason: Reason, now: Instant) -> Reason {
        if !cooling.is_zero() {
            return Reason::CoolingDown { left: cooling };
        }
        // The next step needs a run of its own.
        (self.level, self.changed, self.run) = (level, Some(now), Run::Between);
        reason
    }

    fn follow(&mut self, value: f64, now: Instant) {
        let gap = self.seen.map(|seen| now.checked_duration_since(seen));
        // After a long silence, or a clock that went back, nothing is known of the time between.
        if matches!(gap, Some(None)) || gap.flatten().is_some_and(|gap| gap > self.settings.gap_max) {
            self.run = Run::Between;
        }
        self.seen = Some(now);
        self.changed = self.changed.map(|at| at.min(now));
        self.run = match self.run {
            high @ Run::High { .. } if value >= self.settings.high => high,
            low @ Run::Low { .. } if value <= self.settings.low => low,
            _ if value >= self.settings.high => Run::High { since: now },
            _ if value <= self.settings.low => Run::Low { since: now },
            _ => Run::Between,
        };
    }
}
