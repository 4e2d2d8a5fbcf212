//! The mail server as a dependency, for whoever calls a mailer through one: how it is called, and which failures are its own.

use std::time::Duration;

use warren_resilience::{BreakerSettings, Window};
use warren_runtime::dependency::{AtOnce, Blame, Blamed, DependencySettings, RetrySettings};

use super::{
    error::{MailError, Step, Trouble},
    pool::CONNECTIONS_MAX,
};

/// Those who wait for a connection; more are refused, and their jobs wait instead.
const WAITING_MAX: u32 = 64;
/// How long one of them waits.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// By so much the dependency's own time limit is longer than an attempt's, which says how far it had come.
const TIME_LIMIT_BEYOND: Duration = Duration::from_secs(5);

/// How a mail server is called whose attempts take at most `time_limit`: as many mails at once as there are connections; left
/// alone for ten seconds and up to five minutes when half of the last twenty mails could not be handed over for its own fault.
pub fn dependency_settings(time_limit: Duration) -> DependencySettings {
    DependencySettings {
        breaker: BreakerSettings {
            window: Window::Calls(20),
            failure_percent: 50,
            slow: None,
            calls_min: 5,
            probes: 1,
            probe_expires_after: time_limit + TIME_LIMIT_BEYOND,
            open_first: Duration::from_secs(10),
            open_max: Duration::from_secs(300),
        },
        at_once: AtOnce::Fixed(CONNECTIONS_MAX),
        waiting_max: WAITING_MAX,
        wait_max: WAIT_MAX,
        time_limit: time_limit + TIME_LIMIT_BEYOND,
        // Whoever has a queue attempts again from there.
        retries: RetrySettings { attempts_max: 1, ..RetrySettings::default() },
    }
}

impl Blamed for MailError {
    fn blame(&self) -> Blame {
        match self {
            Self::Refused { .. } | Self::Unfit(_) => Blame::Caller,
            // Greylisting and a full mailbox are about one recipient; 421 is about all.
            Self::TryLater { step: Step::Recipient, source: Trouble::Reply(reply) } if reply.code != 421 => {
                Blame::Caller
            }
            Self::TryLater { .. } => Blame::Transient,
            // A sender's address or a recipient elsewhere: the server works.
            Self::Misconfigured { step: Step::Recipient, .. } => Blame::Caller,
            Self::Misconfigured { .. } => Blame::Lasting,
        }
    }
}
