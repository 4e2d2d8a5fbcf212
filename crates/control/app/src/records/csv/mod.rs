//! Tables as comma-separated values (RFC 4180), as spreadsheets write and read them.
//!
//! What comes in may have any of the usual separators and encodings; what goes out has one form, in which no cell is taken for a
//! formula. Reading takes memory for one line, whatever the size of the file.

mod content;
mod encoding;
mod file_problem;
mod formula;
mod header;
mod table;
#[cfg(test)]
mod tests;
mod writing;

pub use content::Content;
pub use encoding::Encoding;
pub use file_problem::FileProblem;
pub use header::{Column, Columns};
pub use table::{Row, Rows, Separator, Table};
pub use writing::CsvWriter;

/// The largest file that is read.
pub const BYTES_MAX: u64 = 256 * 1024 * 1024;
/// The most lines below the header.
pub const LINES_MAX: u64 = 1_000_000;
/// The most columns, those that nobody asks for included.
pub const COLUMNS_MAX: usize = 64;
/// The longest line, in bytes of UTF-8.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// The longest cell, in bytes of UTF-8; every value that is read is shorter by far.
pub const CELL_BYTES_MAX: usize = 4096;
