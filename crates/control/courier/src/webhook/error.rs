//! Why there is no answer of a receiver, by what the caller can do about it.

use std::{io, net::IpAddr, time::Duration};

use warren_model::Invalid;
use warren_runtime::dependency::{Blame, Blamed};

use crate::Retry;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The URL does not agree with the installation's settings, which may be stricter than when it was entered.
    #[error("its address {0}")]
    NotAllowed(Invalid),
    /// The name leads to somewhere that messages must not go. All addresses count, as any of them might be the one that answers.
    #[error("{host} leads to {address}, which is not on the public internet")]
    Private { host: String, address: IpAddr },
    /// The message is too large, or has no proper identifier or secret.
    #[error("the message cannot be sent: {0}")]
    Unfit(&'static str),
    /// Nobody knows the name, or the resolver does not answer.
    #[error("{host} cannot be found")]
    Unknown { host: String, source: io::Error },
    /// Nobody answers at its addresses.
    #[error("{host} cannot be reached")]
    Unreachable { host: String, source: io::Error },
    /// Its certificate is not for it, has expired, or is not signed by anybody trusted; or it does not speak TLS at all.
    #[error("no secure connection with {host} comes about")]
    Tls { host: String, source: io::Error },
    /// It does not speak HTTP, or closed the connection before it answered. It may have the message.
    #[error("{host} gives no answer that can be understood")]
    NoAnswer { host: String, source: hyper::Error },
    /// It may have the message.
    #[error("{host} has not answered within {} s", limit.as_secs())]
    TimedOut { host: String, limit: Duration },
}

impl DeliveryError {
    /// Whether and how soon to try again.
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Unfit(_) => Retry::Never,
            Self::NotAllowed(_) | Self::Private { .. } | Self::Tls { .. } => Retry::Slowly,
            Self::Unknown { .. } | Self::Unreachable { .. } | Self::NoAnswer { .. } | Self::TimedOut { .. } => {
                Retry::Soon
            }
        }
    }
}

impl Blamed for DeliveryError {
    fn blame(&self) -> Blame {
        match self {
            Self::NotAllowed(_) | Self::Private { .. } | Self::Unfit(_) => Blame::Caller,
            Self::Tls { .. } => Blame::Lasting,
            Self::Unknown { .. } | Self::Unreachable { .. } | Self::NoAnswer { .. } | Self::TimedOut { .. } => {
                Blame::Transient
            }
        }
    }
}
