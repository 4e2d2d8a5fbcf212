//! Reading a table line by line.

use std::io::Read;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{
    CELL_BYTES_MAX, COLUMNS_MAX, Column, Columns, Content, Encoding, FileProblem, LINE_BYTES_MAX, LINES_MAX,
    encoding::{Decoding, inspect},
    formula::rearm,
};
use crate::{
    AppError,
    records::{LineError, LineProblem},
};

/// What stands between two cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    Comma,
    Semicolon,
    Tab,
}

impl Separator {
    /// All of them, the most likely first.
    pub const ALL: &'static [Self] = &[Self::Comma, Self::Semicolon, Self::Tab];

    /// The character.
    pub const fn as_char(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Semicolon => ';',
            Self::Tab => '\t',
        }
    }
}

/// A table whose header was understood.
#[derive(Debug, Clone)]
pub struct Table {
    content: Content,
    pub encoding: Encoding,
    pub separator: Separator,
    pub columns: Columns,
    /// Lines of text in the whole file. There are fewer rows, by the header and by what is empty.
    pub lines: u64,
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line it begins in, counted from 1.
    pub line: u64,
    pub(super) cells: Vec<String>,
}

impl Table {
    /// Looks through all of `content` and finds out its encoding, its separator and where the columns stand. It blocks.
    ///
    /// # Errors
    /// [`AppError::Unusable`], or [`AppError::Internal`] when the bytes cannot be read.
    pub fn open(content: &Content, wanted: &[Column]) -> Result<Self, AppError> {
        let inspected = inspect(content.open().map_err(unreadable)?).map_err(unreadable)??;
        let mut best: Option<(usize, Separator, Vec<String>)> = None;
        for separator in Separator::ALL.iter().copied() {
            let mut lines = Lines::new(content, inspected.encoding, separator)?;
            let Some(Line::Cells { cells, .. }) = lines.next()? else { continue };
            let (separator, titles) = match announced(&cells, separator) {
                Some(separator) => (separator, titles_below(content, inspected.encoding, separator)?),
                None => (separator, cells),
            };
            let count = Columns::count(wanted, &titles);
            if best.as_ref().is_none_or(|(most, ..)| count > *most) {
                best = Some((count, separator, titles));
            }
        }
        let (_, separator, titles) = best.ok_or(FileProblem::Empty)?;
        let columns = Columns::find(wanted, titles)?;
        Ok(Self { content: content.clone(), encoding: inspected.encoding, separator, columns, lines: inspected.lines })
    }

    /// The rows below the header.
    ///
    /// # Errors
    /// [`AppError::Internal`] when the bytes cannot be read.
    pub fn rows(&self) -> Result<Rows, AppError> {
        let mut lines = Lines::new(&self.content, self.encoding, self.separator)?;
        if let Some(Line::Cells { cells, .. }) = lines.next()?
            && announced(&cells, self.separator).is_some()
        {
            lines.next()?;
        }
        Ok(Rows { lines, columns: self.columns.clone(), count: 0 })
    }
}

/// The separator that a first line `sep=;` announces, as one spreadsheet writes it; `split_at` took the line apart.
fn announced(cells: &[String], split_at: Separator) -> Option<Separator> {
    let line = cells.first()?.trim().strip_prefix("sep=")?;
    match cells {
        [_] => Separator::ALL.iter().copied().find(|separator| line.chars().eq([separator.as_char()])),
        // It was taken apart at the separator that it announces.
        [_, rest] if line.is_empty() && rest.is_empty() => Some(split_at),
        _ => None,
    }
}

fn titles_below(content: &Content, encoding: Encoding, separator: Separator) -> Result<Vec<String>, AppError> {
    let mut lines = Lines::new(content, encoding, separator)?;
    lines.next()?;
    match lines.next()? {
        Some(Line::Cells { cells, .. }) => Ok(cells),
        _ => Ok(Vec::new()),
    }
}

/// The rows of a table, one after the other.
pub struct Rows {
    lines: Lines,
    columns: Columns,
    count: u64,
}

impl Rows {
    /// The next row that is not empty, or what is wrong with it; none after the last. It blocks.
    ///
    /// # Errors
    /// [`AppError::Unusable`] past [`LINES_MAX`], [`AppError::Internal`] when the bytes cannot be read.
    #[expect(clippy::should_implement_trait, reason = "reading can fail as a whole, which ends it")]
    pub fn next(&mut self) -> Result<Option<Result<Row, LineError>>, AppError> {
        loop {
            let Some(line) = self.lines.next()? else { return Ok(None) };
            if matches!(&line, Line::Cells { cells, .. } if cells.iter().all(|cell| cell.trim().is_empty())) {
                continue;
            }
            self.count += 1;
            if self.count > LINES_MAX {
                return Err(FileProblem::TooManyLines.into());
            }
            return Ok(Some(self.checked(line)));
        }
    }

    /// At most `max` rows more. It blocks.
    ///
    /// # Errors
    /// As [`Rows::next`].
    pub fn some(&mut self, max: usize) -> Result<Vec<Result<Row, LineError>>, AppError> {
        let mut some = Vec::new();
        while some.len() < max
            && let Some(row) = self.next()?
        {
            some.push(row);
        }
        Ok(some)
    }

    fn checked(&self, line: Line) -> Result<Row, LineError> {
        let (line, cells) = match line {
            Line::Cells { line, cells } => (line, cells),
            Line::Bad { line, problem } => return Err(LineError::new(line, None, "", problem)),
        };
        let columns = self.columns.len();
        let whole = |problem| LineError::new(line, None, &cells.join(" "), problem);
        if cells.iter().skip(columns).any(|cell| !cell.trim().is_empty()) {
            return Err(whole(LineProblem::MoreCellsThanColumns { cells: cells.len(), columns }));
        }
        for (place, cell) in cells.iter().enumerate() {
            let wrong = |problem| Err(LineError::new(line, self.columns.title(place), cell, problem));
            if cell.len() > CELL_BYTES_MAX {
                return wrong(LineProblem::CellTooLong { max: CELL_BYTES_MAX });
            }
            if cell.contains(char::REPLACEMENT_CHARACTER) {
                return wrong(LineProblem::Unreadable);
            }
        }
        Ok(Row { line, cells })
    }
}

/// A line as it was read.
enum Line {
    Cells { line: u64, cells: Vec<String> },
    Bad { line: u64, problem: LineProblem },
}

/// Takes the text apart, with memory for one line.
struct Lines {
    reader: Decoding<Box<dyn Read + Send>>,
    core: Reader,
    block: Vec<u8>,
    from: usize,
    until: usize,
    /// Line breaks so far, and whether the last byte was a carriage return, whose line feed makes no second one.
    breaks: u64,
    after_return: bool,
    output: Vec<u8>,
    ends: Vec<usize>,
    is_over: bool,
}

const BLOCK_BYTES: usize = 64 * 1024;

impl Lines {
    fn new(content: &Content, encoding: Encoding, separator: Separator) -> Result<Self, AppError> {
        let separator = u8::try_from(separator.as_char()).expect("separators are ASCII");
        Ok(Self {
            reader: Decoding::new(content.open().map_err(unreadable)?, encoding),
            core: ReaderBuilder::new().delimiter(separator).build(),
            block: vec![0; BLOCK_BYTES],
            from: 0,
            until: 0,
            breaks: 0,
            after_return: false,
            output: vec![0; LINE_BYTES_MAX],
            // One more than columns may be, so that a header with too many is counted as such.
            ends: vec![0; COLUMNS_MAX + 1],
            is_over: false,
        })
    }

    fn next(&mut self) -> Result<Option<Line>, AppError> {
        if self.is_over || !self.skip_line_breaks()? {
            return Ok(None);
        }
        let line = self.breaks + 1;
        let (mut written, mut ended) = (0, 0);
        let mut problem = None;
        loop {
            if self.from == self.until && !self.refill()? {
                self.is_over = true;
                // Outside of quotes a line break ends the line; within it would be a part of the cell.
                let (result, _, _, more_ended) =
                    self.core.read_record(b"\n", &mut self.output[written..], &mut self.ends[ended..]);
                if result != ReadRecordResult::Record {
                    problem = Some(LineProblem::QuoteNotClosed);
                }
                ended += more_ended;
                break;
            }
            let input = &self.block[self.from..self.until];
            let (result, read, more_written, more_ended) =
                self.core.read_record(input, &mut self.output[written..], &mut self.ends[ended..]);
            self.pass(read);
            (written, ended) = (written + more_written, ended + more_ended);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    problem = Some(LineProblem::LineTooLong { max: LINE_BYTES_MAX });
                    written = 0;
                }
                ReadRecordResult::OutputEndsFull => {
                    problem = Some(LineProblem::MoreCellsThanColumns { cells: ended + 1, columns: COLUMNS_MAX });
                    ended = 0;
                }
                ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        Ok(Some(match problem {
            Some(problem) => Line::Bad { line, problem },
            None => Line::Cells { line, cells: self.cells(ended) },
        }))
    }

    fn cells(&self, ended: usize) -> Vec<String> {
        let mut from = 0;
        let cell = |until: &usize| {
            let cell = String::from_utf8_lossy(&self.output[from..*until]);
            from = *until;
            rearm(&cell).into_owned()
        };
        self.ends[..ended].iter().map(cell).collect()
    }

    /// Passes over line breaks before a line; says whether a line follows.
    fn skip_line_breaks(&mut self) -> Result<bool, AppError> {
        loop {
            let input = &self.block[self.from..self.until];
            let breaks = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            let is_line = breaks < input.len();
            self.pass(breaks);
            if is_line {
                return Ok(true);
            }
            if !self.refill()? {
                self.is_over = true;
                return Ok(false);
            }
        }
    }

    /// Counts the line breaks among the next `bytes` and goes on behind them.
    fn pass(&mut self, bytes: usize) {
        for byte in &self.block[self.from..self.from + bytes] {
            let is_break = *byte == b'\r' || *byte == b'\n' && !self.after_return;
            self.breaks += u64::from(is_break);
            self.after_return = *byte == b'\r';
        }
        self.from += bytes;
    }

    fn refill(&mut self) -> Result<bool, AppError> {
        self.from = 0;
        self.until = self.reader.read(&mut self.block).map_err(unreadable)?;
        Ok(self.until > 0)
    }
}

fn unreadable(error: std::io::Error) -> AppError {
    AppError::Internal(Box::new(error))
}
