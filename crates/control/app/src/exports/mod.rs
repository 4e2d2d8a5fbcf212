//! Archives of what Warren holds of an organisation or of a person: a ZIP file of tables, each as CSV for people and as JSON for
//! programs, with a manifest that says how many lines each has and what it hashes to.
//!
//! Tables are read a page at a time and written as they are read; there is no moment at which all of them are as they were. No
//! secret leaves: no hash of a password or token, no sealed key.

mod archive;
pub(crate) mod job;
pub(crate) mod lines;
mod organisation;
mod pages;
mod person;
pub(crate) mod tables;

pub use job::{MadeFiles, start};

use std::io::Write;

pub(crate) use archive::next;
pub use archive::{FileInfo, Manifest};

use crate::{
    AppError, Inside, Language, OpContext,
    records::{Interrupted, Progress},
};
use warren_model::AccountId;

/// How an export ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exported {
    /// The archive is whole.
    Complete(Manifest),
    /// It was stopped; what was written is no archive.
    Stopped,
}

/// Writes everything that belongs to the organisation: its settings, people, networks, devices, their usage, and the audit trail.
/// Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::Internal`] when `out` does not take it, and those of the database.
pub async fn organisation<W: Write + Send + 'static>(
    inside: &Inside<'_>,
    out: W,
    language: Language,
    progress: &dyn Progress,
) -> Result<Exported, AppError> {
    ended(organisation::write(inside, out, language, progress).await)
}

/// Writes what this organisation holds of one of its people: the membership, devices and their usage, and what they did or was done
/// to them. Admins, and everybody of themselves.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`], and as [`organisation`].
pub async fn person<W: Write + Send + 'static>(
    inside: &Inside<'_>,
    person: AccountId,
    out: W,
    language: Language,
    progress: &dyn Progress,
) -> Result<Exported, AppError> {
    ended(person::write_of(inside, person, out, language, progress).await)
}

/// Writes everything that the installation holds of the caller, in every organisation they belong to (the right of access, article
/// 15 of the GDPR).
///
/// # Errors
/// [`AppError::NotSignedIn`] without an account, and as [`organisation`].
pub async fn own<W: Write + Send + 'static>(
    cx: &OpContext,
    out: W,
    language: Language,
    progress: &dyn Progress,
) -> Result<Exported, AppError> {
    ended(person::write_own(cx, out, language, progress).await)
}

fn ended(outcome: Result<Manifest, Interrupted>) -> Result<Exported, AppError> {
    match outcome {
        Ok(manifest) => Ok(Exported::Complete(manifest)),
        Err(Interrupted::Stopped) => Ok(Exported::Stopped),
        Err(Interrupted::Error(error)) => Err(error),
    }
}
