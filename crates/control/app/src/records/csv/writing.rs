//! Writing a table so that every program reads it and none runs it.

use std::io::{self, Write};

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};

use super::formula::disarm;

/// Writes a table: UTF-8 with a mark, which spreadsheets ask for, commas, CRLF, and no cell that could be taken for a formula.
pub struct CsvWriter<W: Write> {
    inner: Writer<W>,
}

impl<W: Write> CsvWriter<W> {
    /// A table that begins in `out`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all("\u{feff}".as_bytes())?;
        Ok(Self::going_on(out))
    }

    /// More lines of a table that has begun.
    pub fn going_on(out: W) -> Self {
        let inner = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .quote_style(QuoteStyle::Necessary)
            .flexible(true)
            .from_writer(out);
        Self { inner }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// Those of the place that is written to.
    pub fn line<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) -> io::Result<()> {
        for cell in cells {
            self.inner.write_field(disarm(cell.as_ref()).as_bytes()).map_err(io::Error::other)?;
        }
        self.inner.write_record(None::<&[u8]>).map_err(io::Error::other)
    }

    /// Passes on what was written so far.
    ///
    /// # Errors
    /// Those of the place that is written to.
    pub fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    /// What was written to, with everything in it.
    ///
    /// # Errors
    /// Those of the place that is written to.
    pub fn finish(self) -> io::Result<W> {
        self.inner.into_inner().map_err(|error| error.into_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_written_as_spreadsheets_read_it() {
        let mut out = CsvWriter::new(Vec::new()).unwrap();
        out.line(["name", "note"]).unwrap();
        out.line(["Jörg, \"Jo\"", "=HYPERLINK(\"x\")"]).unwrap();
        out.line(["", ""]).unwrap();
        let text = String::from_utf8(out.finish().unwrap()).unwrap();
        assert_eq!(text, "\u{feff}name,note\r\n\"Jörg, \"\"Jo\"\"\",\"'=HYPERLINK(\"\"x\"\")\"\r\n,\r\n");
    }
}
