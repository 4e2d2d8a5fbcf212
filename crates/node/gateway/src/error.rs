//! Why a gateway cannot run or be enrolled.

use std::io;

use warren_runtime::{files::FileError, lock::LockError};

use crate::{connect::ConnectError, preflight::Missing};

/// What ends a gateway, or its enrolment. `Display` is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The host does not give what is needed; each has its remedy.
    #[error("this gateway cannot run yet:{}", list(.0))]
    Missing(Vec<Missing>),
    /// It has no credential: enrol it with a token of the control plane.
    #[error(
        "this gateway is not enrolled; make a token in the portal and run: warren gateway join --server <address> --token <token>"
    )]
    NotEnrolled,
    /// The token is not valid any more, or never was.
    #[error("the control plane refused the token: {reason}")]
    TokenRefused { reason: String },
    /// The control plane answered in a way that is not understood.
    #[error("the control plane gave an answer that this version does not understand: {reason}")]
    Answer { reason: String },
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    File(#[from] FileError),
    /// Another gateway works in the same folder.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A caller's mistake: capabilities belong to threads and are given up before there are others.
    #[error("the gateway has to be started from a process with one thread")]
    Threads,
    /// The keeper refused to begin.
    #[error("{reason}")]
    Keeper { reason: String },
    /// The keeper's process ended; start the gateway again.
    #[error("the gateway's keeper ended; the gateway has to start again")]
    KeeperLost,
    /// A fault in the gateway itself; start it again.
    #[error("a network's worker failed; the gateway has to start again")]
    Worker { source: tokio::task::JoinError },
    #[error("cannot {action}: {source}")]
    System { action: &'static str, source: io::Error },
}

impl GatewayError {
    pub(crate) fn system(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { action, source }
    }
}

fn list(missing: &[Missing]) -> String {
    missing.iter().map(|missing| format!("\n  {missing}; run: {}", missing.remedy())).collect()
}
