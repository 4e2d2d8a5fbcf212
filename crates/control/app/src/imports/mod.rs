//! Importing people and devices from a table.
//!
//! Each line goes through the same code as a single invitation or enrolment, with the same permission and the same entry in the
//! audit trail. A line that says what is there already changes nothing, so that a run that was interrupted is simply run again.

mod course;
mod devices;
pub(crate) mod job;
mod moment;
mod people;
mod result;
mod seen;

pub use job::{ImportLineError, ImportResult, Start, start};

use std::io::Write;

use crate::{
    AppError, Inside, Language,
    records::{
        LineError, Progress,
        csv::{Column, Content, Encoding, Separator},
    },
};

/// Errors that are listed; more are counted.
pub const ERRORS_MAX: usize = 1000;
/// The most devices that are enrolled all or nothing: one transaction on the organisation's own database.
pub const DEVICES_TOGETHER_MAX: u64 = 10_000;
/// The most people that are invited all or nothing: one transaction on the database that all organisations share.
pub const PEOPLE_TOGETHER_MAX: u64 = 2_000;

/// What the lines of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    People,
    Devices,
}

impl Kind {
    /// The columns that are read.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::People => people::COLUMNS,
            Self::Devices => devices::COLUMNS,
        }
    }
}

/// How lines that cannot be used are dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is changed; the outcome says what would be.
    DryRun,
    /// One bad line, and nothing is changed.
    AllOrNothing,
    /// Good lines are carried out, 200 in a transaction.
    SkipBad,
}

/// What happens to those who are invited already and have not joined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PendingInvitations {
    /// Their links stay as they are, and are not shown again.
    #[default]
    Keep,
    /// They get new links; the ones before stop working.
    Renew,
}

/// An import.
#[derive(Debug, Clone)]
pub struct Import {
    pub kind: Kind,
    pub content: Content,
    pub mode: Mode,
    pub pending: PendingInvitations,
    /// The language of the table of results.
    pub language: Language,
}

/// What came of an import, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub end: End,
    pub encoding: Encoding,
    pub separator: Separator,
    /// Columns of the file that were not looked for.
    pub ignored_columns: Vec<String>,
    /// Lines that were looked at; `created`, `renewed`, `there` and `failed` add up to it.
    pub lines: u64,
    pub created: u64,
    pub renewed: u64,
    /// Lines that say what is there already.
    pub there: u64,
    /// Lines that cannot be used.
    pub failed: u64,
    /// What is wrong with them, at most [`ERRORS_MAX`].
    pub errors: Vec<LineError>,
}

/// How an import ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing was to be changed; the counts say what would be.
    Planned,
    /// Every good line is done.
    Done,
    /// A line is bad, and so nothing was changed; the counts say what would have been.
    NothingDone,
    /// Stopped between lines: what was counted is done, or nothing where it was all or nothing.
    Stopped,
}

/// What the file would do, without doing it. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::Unusable`] for the file as a whole.
pub async fn plan(
    inside: &Inside<'_>,
    kind: Kind,
    content: Content,
    progress: &dyn Progress,
) -> Result<Outcome, AppError> {
    let (mode, pending, language) = (Mode::DryRun, PendingInvitations::default(), Language::default());
    let import = Import { kind, content, mode, pending, language };
    carry_out(inside, &import, &mut std::io::sink(), progress).await
}

/// Carries an import out. `results` becomes a table with every line and what came of it, among them the links of invitations,
/// which are shown this once. It is written to between transactions, and what was done is in it before more is done. Admins.
///
/// # Errors
/// [`AppError::Forbidden`]; [`AppError::Unusable`] for the file as a whole, before anything is done; faults of the database, after
/// which the same import can be run again.
pub async fn carry_out(
    inside: &Inside<'_>,
    import: &Import,
    results: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> Result<Outcome, AppError> {
    match import.kind {
        Kind::People => {
            course::run(people::People::permit(inside, import.pending)?, inside, import, results, progress).await
        }
        Kind::Devices => course::run(devices::Devices::permit(inside).await?, inside, import, results, progress).await,
    }
}
