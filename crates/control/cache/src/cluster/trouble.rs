//! What can be wrong with a call to Redis, in words for an operator.

use std::time::Duration;

use redis::{ErrorKind, RedisError};
use warren_runtime::dependency::{Blame, Failure};

/// Why Redis did not do what it was asked. Cheap to make: it is counted more often than it is read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// There is no connection now.
    #[error("there is no connection to Redis")]
    Closed,
    /// The connection is of no use any more.
    #[error("{}", in_words(.0))]
    Broken(#[source] RedisError),
    /// It said no.
    #[error("{}", in_words(.0))]
    Refused(#[source] RedisError),
    /// It did not answer in time.
    #[error("Redis did not answer within {} ms", .0.as_millis())]
    Late(Duration),
    /// It is left alone for a moment, or there are too many calls.
    #[error("{0}")]
    NotAsked(String),
    /// The epoch that this process knows is over.
    #[error("Redis has begun anew")]
    Lost,
    /// This process was taken for gone.
    #[error("this process was not heard by Redis for too long")]
    Forgotten,
    /// What it says is nothing that it says to this version.
    #[error("Redis gave an answer that cannot be read; see that nothing else writes keys with this prefix")]
    Unreadable,
}

impl Trouble {
    pub fn of(error: RedisError) -> Self {
        if error.is_unrecoverable_error() || error.is_io_error() { Self::Broken(error) } else { Self::Refused(error) }
    }

    pub fn from_failure(failure: Failure<Self>) -> Self {
        match failure {
            Failure::Failed(trouble) => trouble,
            Failure::TimedOut { after, .. } => Self::Late(after),
            Failure::Refused(refused) => Self::NotAsked(refused.to_string()),
        }
    }

    /// Whether only another connection helps.
    pub const fn ends_connection(&self) -> bool {
        matches!(self, Self::Closed | Self::Broken(_) | Self::Lost | Self::Forgotten | Self::Unreadable)
    }

    pub fn blame(&self) -> Blame {
        match self {
            Self::Closed | Self::Broken(_) | Self::Late(_) | Self::NotAsked(_) => Blame::Transient,
            Self::Refused(_) | Self::Unreadable => Blame::Lasting,
            // It works; what is wrong is what this process believes.
            Self::Lost | Self::Forgotten => Blame::Caller,
        }
    }
}

fn in_words(error: &RedisError) -> String {
    let detail = error.detail().unwrap_or_default();
    let what = match (error.kind(), error.code().unwrap_or_default()) {
        (ErrorKind::AuthenticationFailed, _) | (_, "NOAUTH" | "WRONGPASS") => {
            "Redis refuses the user or the password; check them in its URL"
        }
        (_, "NOPERM") => "Redis does not let the user do this; give it the rights that the manual lists",
        (_, "OOM") => "Redis has no memory left; give it more, or a policy by which it evicts",
        (_, "READONLY") => "this Redis follows another one; name the one that takes writes",
        (_, "MISCONF") => "Redis takes no writes as it cannot save its data; see its log",
        (_, "LOADING") => "Redis is still loading its data",
        (_, "BUSY") => "Redis is busy with a script",
        _ if error.is_io_error() => return format!("Redis cannot be reached: {error}"),
        _ => return format!("Redis refuses: {error}"),
    };
    format!("{what} ({detail})")
}
