//! Who is turned away first when there is too much to do: each priority finds places that those below it may not take.

use crate::{InvalidSetting, setting::Checked};

/// What a request is for, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// What keeps packets flowing: the gateways' links and what they ask for.
    Traffic,
    /// What lets people in.
    SignIn,
    /// What a person waits for.
    Interactive,
    /// What nobody waits for: reports, exports, scrapes.
    Background,
}

impl Priority {
    /// All of them, the most important first.
    pub const ALL: [Self; 4] = [Self::Traffic, Self::SignIn, Self::Interactive, Self::Background];

    /// The word that logs, metrics and pages use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Traffic => "traffic",
            Self::SignIn => "sign-in",
            Self::Interactive => "interactive",
            Self::Background => "background",
        }
    }
}

/// How much of the limit each priority may fill; what is above its share is kept for those before it. Traffic may fill
/// all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShedderSettings {
    /// Percent of the limit, at most 100.
    pub sign_in_percent: u8,
    /// Percent of the limit, at most that of sign-in.
    pub interactive_percent: u8,
    /// Percent of the limit, 1 to that of interactive.
    pub background_percent: u8,
}

impl Default for ShedderSettings {
    fn default() -> Self {
        Self { sign_in_percent: 95, interactive_percent: 85, background_percent: 50 }
    }
}

/// Whether a request is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It is.
    Admit,
    /// It is turned away: as many as its priority may fill are at work.
    Refuse { share: u32 },
}

/// Decides by the limit, the number at work and the priority alone.
#[derive(Debug, Clone, Copy)]
pub struct Shedder {
    settings: ShedderSettings,
}

impl Shedder {
    /// Decides by these shares.
    ///
    /// # Errors
    /// When a share is larger than that of a priority before it, or is nothing.
    pub fn new(settings: ShedderSettings) -> Result<Self, InvalidSetting> {
        let checked = Checked("load shedding");
        let ShedderSettings { sign_in_percent, interactive_percent, background_percent } = settings;
        checked.within("percent for sign-in", sign_in_percent, 1..=100)?;
        checked.within("percent for interactive", interactive_percent, 1..=sign_in_percent)?;
        checked.within("percent for background", background_percent, 1..=interactive_percent)?;
        Ok(Self { settings })
    }

    /// Whether one more of `priority` is worked on while `in_flight` are, of `limit`.
    #[inline]
    pub fn decide(&self, limit: u32, in_flight: u32, priority: Priority) -> Verdict {
        let share = self.share(limit, priority);
        if in_flight < share { Verdict::Admit } else { Verdict::Refuse { share } }
    }

    /// How many may be at work for one more of `priority` to be let in: rounded down, but at least one, so that a small
    /// limit shuts nobody out for ever.
    pub fn share(&self, limit: u32, priority: Priority) -> u32 {
        let percent = match priority {
            Priority::Traffic => 100,
            Priority::SignIn => self.settings.sign_in_percent,
            Priority::Interactive => self.settings.interactive_percent,
            Priority::Background => self.settings.background_percent,
        };
        // Not more than the limit, which is a u32.
        ((u64::from(limit) * u64::from(percent) / 100) as u32).max(1)
    }
}
