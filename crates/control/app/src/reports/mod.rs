//! Reports for a period: what was used, and what was done. Each is a table of everything, written as it is read, and a page for
//! people, which stands alone in one file, runs no script and can be printed.

mod audit;
pub(crate) mod job;
mod page;
mod shown;
mod tops;
mod usage;

use std::io::{self, Write};

pub use audit::{AuditReport, audit, audit_of_installation};
pub use job::{Kind, start};
pub use usage::{Basis, EarlierReport, Traffic, UsageReport, usage};
use warren_model::{Period, Zone};

use crate::{
    AppError, Language,
    records::{Interrupted, csv::CsvWriter},
};

/// The lines of each list of the page.
pub const TOP_MAX: usize = 20;

/// What a report is to be about, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub period: Period,
    /// Whose days and clocks are shown.
    pub zone: Zone,
    pub language: Language,
}

/// The table of a report under way.
struct Lines<'a>(CsvWriter<&'a mut (dyn Write + Send)>);

impl<'a> Lines<'a> {
    fn begin(out: &'a mut (dyn Write + Send), columns: &[&str]) -> Result<Self, AppError> {
        let mut out = CsvWriter::new(out).map_err(unwritable)?;
        out.line(columns).map_err(unwritable)?;
        Ok(Self(out))
    }
    fn line(&mut self, cells: impl IntoIterator<Item = String>) -> Result<(), AppError> {
        self.0.line(cells).map_err(unwritable)
    }
    fn end(self) -> Result<(), AppError> {
        self.0.finish().map(drop).map_err(unwritable)
    }
}

fn unwritable(error: io::Error) -> AppError {
    AppError::Internal(Box::new(error))
}

/// A report that was stopped is none.
fn unless_stopped<T>(outcome: Result<T, Interrupted>) -> Result<Option<T>, AppError> {
    match outcome {
        Ok(report) => Ok(Some(report)),
        Err(Interrupted::Stopped) => Ok(None),
        Err(Interrupted::Error(error)) => Err(error),
    }
}
