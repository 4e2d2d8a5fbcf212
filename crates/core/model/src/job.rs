//! Jobs: work that is done outside of the request that asked for it.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The word for it in the API, the database and the catalogues.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $text),+ } }
            /// What `text` names.
            pub fn from_text(text: &str) -> Option<Self> { Self::ALL.iter().copied().find(|one| one.as_str() == text) }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
    };
}

words!(
    /// A line of jobs of one sort. Each has places of its own, so that slow work does not hold up fast work.
    Queue {
        /// Letters.
        Mail = "mail",
        /// Events for webhooks.
        Webhooks = "webhooks",
        /// What somebody waits for while it runs: imports, exports, bulk changes.
        Records = "records",
        /// What comes by schedule: reports.
        Reports = "reports",
    }
);

words!(
    /// Which of several jobs of a queue is taken first.
    JobPriority {
        /// Somebody waits at the screen.
        Urgent = "urgent",
        Normal = "normal",
        /// Whenever there is room.
        Low = "low",
    }
);

words!(
    /// Where a job is in its life.
    JobState {
        /// It is not due yet: delayed, or waiting for its next attempt.
        Waiting = "waiting",
        /// It may begin.
        Ready = "ready",
        /// Somebody works on it.
        Running = "running",
        /// It came to its end.
        Done = "done",
        /// It failed for good: a dead letter, which an operator may replay.
        Dead = "dead",
        /// Somebody called it off.
        Cancelled = "cancelled",
    }
);

impl JobState {
    /// Whether nothing more happens to it by itself.
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Done | Self::Dead | Self::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_back_to_what_it_names() {
        assert!(Queue::ALL.iter().all(|queue| Queue::from_text(queue.as_str()) == Some(*queue)));
        assert!(JobState::ALL.iter().all(|state| JobState::from_text(state.as_str()) == Some(*state)));
        assert_eq!(JobPriority::from_text("sometimes"), None);
    }
}
