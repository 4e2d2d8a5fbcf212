//! The table of results: what each line said, what came of it, and what to do about it.
//!
//! It has the columns of the import, so that lines which were put right in it can be imported again.

use std::io::{self, Write};

use super::course::Verdict;
use crate::{
    AppError, Language,
    records::{
        LineError,
        csv::{Columns, CsvWriter, Row},
    },
};

pub(super) struct Results<'a> {
    out: CsvWriter<&'a mut (dyn Write + Send)>,
    columns: &'a Columns,
    /// Columns that are read.
    count: usize,
    language: Language,
    words: Words,
}

/// The catalogue keys of outcomes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    pub created: &'static str,
    pub renewed: &'static str,
    pub there: &'static str,
    pub bad: &'static str,
}

impl<'a> Results<'a> {
    /// A table that begins with its header: the line, the columns `read`, what came of it, the columns `more`, and the problem.
    pub fn begin(
        out: &'a mut (dyn Write + Send),
        columns: &'a Columns,
        (read, more): (&[&str], [&str; 2]),
        language: Language,
        words: Words,
    ) -> Result<Self, AppError> {
        let mut out = CsvWriter::new(out).map_err(unwritable)?;
        let header = ["line"].iter().chain(read).chain(&["outcome"]).chain(&more).chain(&["column", "problem"]);
        out.line(header).map_err(unwritable)?;
        Ok(Self { out, columns, count: read.len(), language, words })
    }

    /// The words for what comes from now on.
    pub fn says(&mut self, words: Words) {
        self.words = words;
    }

    /// Adds what came of a line; `row` is what it said, where it could be taken apart.
    pub fn line(&mut self, line: u64, row: Option<&Row>, verdict: &Verdict) -> Result<(), AppError> {
        let mut cells = vec![line.to_string()];
        let said = |at| row.map_or("", |row| self.columns.cell(row, at)).to_owned();
        cells.extend((0..self.count).map(said));
        let (word, more, error) = match verdict {
            Verdict::Created(more) => (self.words.created, Some(more), None),
            Verdict::Renewed(more) => (self.words.renewed, Some(more), None),
            Verdict::There(more) => (self.words.there, Some(more), None),
            Verdict::Bad(error) => (self.words.bad, None, Some(error)),
        };
        cells.push(self.language.text(word, &[]));
        cells.extend(more.cloned().unwrap_or_default());
        cells.push(error.and_then(|error| error.column.clone()).unwrap_or_default());
        cells.push(error.map(|error: &LineError| error.text(self.language)).unwrap_or_default());
        self.out.line(cells).map_err(unwritable)
    }

    /// Passes on what was written so far.
    pub fn flush(&mut self) -> Result<(), AppError> {
        self.out.flush().map_err(unwritable)
    }
}

fn unwritable(error: io::Error) -> AppError {
    AppError::Internal(Box::new(error))
}
