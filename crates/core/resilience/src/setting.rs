//! What can be wrong with the settings of a policy.

use std::{fmt::Debug, ops::RangeInclusive, time::Duration};

/// No span of a policy is longer: what lasts longer is not a fault that passes.
pub const SPAN_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// No span of a policy is shorter: clocks and schedulers are not that exact.
pub const SPAN_MIN: Duration = Duration::from_millis(1);

/// A setting that a policy cannot work with. Whoever wrote the setting changes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{policy}: {setting} is {given}; it must be {allowed}")]
pub struct InvalidSetting {
    /// The policy, as an operator would call it.
    pub policy: &'static str,
    /// The setting's name.
    pub setting: &'static str,
    /// What it was set to.
    pub given: String,
    /// What it may be set to.
    pub allowed: String,
}

/// The settings of one policy, as they are checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checked(pub &'static str);

impl Checked {
    pub(crate) fn within<T: PartialOrd + Debug>(
        self,
        setting: &'static str,
        given: T,
        allowed: RangeInclusive<T>,
    ) -> Result<(), InvalidSetting> {
        if allowed.contains(&given) {
            return Ok(());
        }
        let allowed = format!("between {:?} and {:?}", allowed.start(), allowed.end());
        Err(InvalidSetting { policy: self.0, setting, given: format!("{given:?}"), allowed })
    }

    pub(crate) fn span(self, setting: &'static str, given: Duration) -> Result<(), InvalidSetting> {
        self.within(setting, given, SPAN_MIN..=SPAN_MAX)
    }

    /// A span of which nothing is an acceptable part.
    pub(crate) fn span_or_none(self, setting: &'static str, given: Duration) -> Result<(), InvalidSetting> {
        self.within(setting, given, Duration::ZERO..=SPAN_MAX)
    }
}
