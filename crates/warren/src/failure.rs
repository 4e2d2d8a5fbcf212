//! Why a command failed: one sentence for people on standard error, and an exit code for programs.

use std::{io, path::PathBuf, process::ExitCode};

use http::StatusCode;
use warren_app::{BuildError, maintenance::StorageError, moving::MoveError};
use warren_courier::SettingsError;
use warren_gateway::GatewayError;
use warren_runtime::{files::FileError, lock::LockError};
use warren_wire::rest::v1::Problem;

/// The exit codes, as `--help` prints them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  it failed
  2  the command line cannot be understood
  3  refused: the input is invalid, or a right, a revision or a folder stands against it
  4  there is no such thing
  5  the server cannot be reached";

/// Why a command failed. `Display` says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The options do not go together.
    #[error("{0}")]
    Usage(String),
    /// The server refused; the problem says why.
    #[error("{}", describe(.0))]
    Problem(Box<Problem>),
    /// No thing of that name.
    #[error("there is no {thing} called “{name}”; see: warren {list}")]
    NotFound { thing: &'static str, name: String, list: &'static str },
    /// Several things of that name.
    #[error("{} {thing}s are called “{name}”; give the identifier of one:\n  {}", ids.len(), ids.join("\n  "))]
    Ambiguous { thing: &'static str, name: String, ids: Vec<String> },
    /// A thing has to be named.
    #[error("{0}")]
    Unnamed(String),
    /// Nobody listens on the admin socket.
    #[error("Warren is not running on {}; start it with: warren up --data '{}'", .0.display(), .0.display())]
    NotRunning(PathBuf),
    /// The admin socket belongs to another user.
    #[error("you may not manage {}; run this as its user, {user}: sudo -u {user} warren …", data.display())]
    NotPermitted { data: PathBuf, user: String },
    /// The server did not answer as it should.
    #[error("the server {what}")]
    Unanswered {
        what: String,
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// Another process works on the data.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// Warren runs on the data that a command wants for itself.
    #[error(
        "Warren is running on {} as process {pid}, and databases in use cannot be worked on; stop it, run this again, then start it: as long as it runs, it migrates each database when it opens it", folder.display()
    )]
    InUse { folder: PathBuf, pid: u32 },
    /// No installation where the command line says.
    #[error(
        "there is no installation in {0}; say where it is with --data, and --database-url for databases on a server"
    )]
    NoInstallation(String),
    /// A database cannot be used.
    #[error(transparent)]
    Database(Box<StorageError>),
    /// Not everything was done.
    #[error("{0}")]
    Unfinished(String),
    /// It would do harm.
    #[error("{0}")]
    Refused(String),
    /// The databases were not moved.
    #[error(transparent)]
    Move(Box<MoveError>),
    /// A file of Warren's cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file that the command line names cannot be used.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    /// The control plane cannot be built on the data folder.
    #[error(transparent)]
    Build(#[from] warren_app::BuildError),
    /// What becomes of letters cannot be as it was said.
    #[error(transparent)]
    Mail(#[from] SettingsError),
    /// The gateway cannot run or join.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The portal cannot listen there.
    #[error("{0}")]
    Address(String),
    /// A part of the server did not start.
    #[error("cannot {what}")]
    Start {
        what: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The person said no.
    #[error("nothing was changed")]
    Declined,
}

impl Failure {
    /// A part of the server did not start because of `source`.
    pub fn start(what: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Start { what, source: Box::new(source) }
    }

    /// What the process ends with.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) => 2,
            Self::Mail(
                SettingsError::PasswordFile(_)
                | SettingsError::Password { .. }
                | SettingsError::CaFile { .. }
                | SettingsError::NoRoots
                | SettingsError::Tls(_),
            ) => 1,
            Self::Mail(_) => 2,
            Self::Gateway(GatewayError::TokenRefused { .. } | GatewayError::Lock(LockError::Held { .. })) => 3,
            Self::Gateway(GatewayError::Connect(_)) => 5,
            Self::Gateway(_) => 1,
            Self::Problem(problem) => match StatusCode::from_u16(problem.status) {
                Ok(StatusCode::NOT_FOUND) => 4,
                Ok(status) if status.is_client_error() => 3,
                _ => 1,
            },
            Self::Ambiguous { .. }
            | Self::Unnamed(_)
            | Self::Locked(LockError::Held { .. })
            | Self::InUse { .. }
            | Self::Refused(_)
            | Self::Declined => 3,
            Self::Database(error) if matches!(**error, StorageError::RollbackLoses { .. }) => 3,
            Self::Database(error) if matches!(**error, StorageError::Unreachable { .. }) => 5,
            Self::Move(error) => of_move(error),
            Self::NotFound { .. } | Self::NoInstallation(_) => 4,
            Self::NotRunning(_) | Self::NotPermitted { .. } | Self::Unanswered { .. } => 5,
            Self::Build(BuildError::WorkerWithoutInstallation { .. } | BuildError::WorkerWithoutKey { .. }) => 4,
            Self::Locked(LockError::Io { .. })
            | Self::File(_)
            | Self::Io { .. }
            | Self::Build(_)
            | Self::Database(_)
            | Self::Unfinished(_)
            | Self::Address(_)
            | Self::Start { .. } => 1,
        })
    }

    /// Tells the person on standard error.
    #[expect(clippy::print_stderr, reason = "this is where failures are told")]
    pub fn tell(&self) {
        eprintln!("warren: {self}");
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            eprintln!("  because: {cause}");
            source = cause.source();
        }
    }
}

/// The exit code of a move: refused where the operator can choose otherwise, failed where something is to be mended.
const fn of_move(error: &MoveError) -> u8 {
    match error {
        MoveError::NothingThere { .. } => 4,
        MoveError::SamePlace { .. }
        | MoveError::Occupied { .. }
        | MoveError::AnotherMove { .. }
        | MoveError::NotMigrated { .. }
        | MoveError::UnknownTable { .. }
        | MoveError::NotMoved { .. }
        | MoveError::Storage(StorageError::MovedAway { .. } | StorageError::MoveUnfinished { .. }) => 3,
        MoveError::Storage(StorageError::Unreachable { .. }) => 5,
        MoveError::Storage(_) | MoveError::RowRefused { .. } | MoveError::Different { .. } => 1,
    }
}

impl From<MoveError> for Failure {
    fn from(error: MoveError) -> Self {
        Self::Move(Box::new(error))
    }
}

/// A problem in lines: what happened, the fields, and the request to ask the operator about.
fn describe(problem: &Problem) -> String {
    let first = if problem.detail.is_empty() { &problem.title } else { &problem.detail };
    let fields = problem.errors.iter().map(|error| format!("  {}: {}", error.field, error.message));
    let request = (!problem.request_id.is_empty()).then(|| format!("  request {}", problem.request_id));
    std::iter::once(first.clone()).chain(fields).chain(request).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use warren_wire::rest::v1::FieldProblem;

    use super::*;

    fn problem(status: u16) -> Failure {
        Failure::Problem(Box::new(Problem {
            kind: "urn:warren:problem:invalid".into(),
            title: "Some values cannot be used".into(),
            status,
            detail: "Check the fields.".into(),
            request_id: "0192f3a4".into(),
            errors: vec![FieldProblem { field: "slug".into(), code: "invalid-slug".into(), message: "is odd".into() }],
        }))
    }

    #[test]
    fn a_problem_is_told_with_its_fields_and_request() {
        assert_eq!(problem(422).to_string(), "Check the fields.\n  slug: is odd\n  request 0192f3a4");
    }

    #[test]
    fn programs_tell_failures_apart_by_exit_code() {
        let code = |failure: &Failure| format!("{:?}", failure.exit_code());
        let is = |number: u8| format!("{:?}", ExitCode::from(number));
        assert_eq!(code(&problem(404)), is(4));
        assert_eq!(code(&problem(422)), is(3));
        assert_eq!(code(&problem(503)), is(1));
        assert_eq!(code(&Failure::NotRunning("x".into())), is(5));
    }
}
