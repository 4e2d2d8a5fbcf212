//! Why a file as a whole cannot be used.

use std::fmt;

use super::{BYTES_MAX, COLUMNS_MAX, LINES_MAX};
use crate::Language;

/// Why a file as a whole cannot be used. Nothing of it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileProblem {
    /// Nothing, or only white space.
    Empty,
    TooLarge,
    TooManyLines,
    /// A spreadsheet's own format.
    Spreadsheet,
    /// No text.
    NoText,
    /// UTF-8 in some lines and something else in this one.
    MixedEncodings {
        line: u64,
    },
    TooManyColumns {
        columns: usize,
    },
    /// The first line names none of the columns.
    NoHeader {
        wanted: String,
    },
    ColumnMissing {
        column: String,
        found: String,
    },
    ColumnTwice {
        column: String,
    },
    /// More lines than are carried out all or nothing.
    TooManyAtOnce {
        lines: u64,
        max: u64,
    },
}

impl FileProblem {
    /// The catalogue key of its sentence.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "file-empty",
            Self::TooLarge => "file-too-large",
            Self::TooManyLines => "file-too-many-lines",
            Self::Spreadsheet => "file-spreadsheet",
            Self::NoText => "file-no-text",
            Self::MixedEncodings { .. } => "file-mixed-encodings",
            Self::TooManyColumns { .. } => "file-too-many-columns",
            Self::NoHeader { .. } => "file-no-header",
            Self::ColumnMissing { .. } => "file-column-missing",
            Self::ColumnTwice { .. } => "file-column-twice",
            Self::TooManyAtOnce { .. } => "file-too-many-at-once",
        }
    }

    /// Every code, for the catalogues' completeness test.
    pub const CODES: &'static [&'static str] = &[
        "file-empty",
        "file-too-large",
        "file-too-many-lines",
        "file-spreadsheet",
        "file-no-text",
        "file-mixed-encodings",
        "file-too-many-columns",
        "file-no-header",
        "file-column-missing",
        "file-column-twice",
        "file-too-many-at-once",
    ];

    /// The values that its sentence speaks of.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::TooLarge => vec![("max", (BYTES_MAX / 1024 / 1024).to_string())],
            Self::TooManyLines => vec![("max", LINES_MAX.to_string())],
            Self::MixedEncodings { line } => vec![("line", line.to_string())],
            Self::TooManyColumns { columns } => {
                vec![("columns", columns.to_string()), ("max", COLUMNS_MAX.to_string())]
            }
            Self::NoHeader { wanted } => vec![("wanted", wanted.clone())],
            Self::ColumnMissing { column, found } => vec![("column", column.clone()), ("found", found.clone())],
            Self::ColumnTwice { column } => vec![("column", column.clone())],
            Self::TooManyAtOnce { lines, max } => vec![("lines", lines.to_string()), ("max", max.to_string())],
            Self::Empty | Self::Spreadsheet | Self::NoText => Vec::new(),
        }
    }

    /// What is wrong and what to do, in a sentence or two.
    pub fn text(&self, language: Language) -> String {
        language.text(self.code(), &self.arguments())
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

impl std::error::Error for FileProblem {}
