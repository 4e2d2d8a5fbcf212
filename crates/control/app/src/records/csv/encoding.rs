//! Which encoding a file has, and its text as UTF-8.
//!
//! A mark at the beginning decides. Without one it is UTF-8 if all of it is valid as such, and otherwise Windows-1252, which
//! Western spreadsheets still write. Where some lines are UTF-8 and others are not, nobody can say what was meant.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{BYTES_MAX, FileProblem, LINES_MAX};

/// How characters stand in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16LittleEndian,
    Utf16BigEndian,
    /// Assumed, where a file is no UTF-8.
    Windows1252,
}

impl Encoding {
    /// Its name as people know it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16LittleEndian | Self::Utf16BigEndian => "UTF-16",
            Self::Windows1252 => "Windows-1252",
        }
    }

    fn decoder(self) -> Decoder {
        let encoding = match self {
            Self::Utf8 => UTF_8,
            Self::Utf16LittleEndian => UTF_16LE,
            Self::Utf16BigEndian => UTF_16BE,
            Self::Windows1252 => WINDOWS_1252,
        };
        encoding.new_decoder_with_bom_removal()
    }
}

/// Bytes that are looked at in one go.
const BLOCK_BYTES: usize = 64 * 1024;

/// What a look at all of a file found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inspected {
    pub encoding: Encoding,
    /// Lines, the last one included where no line break ends it.
    pub lines: u64,
}

/// Looks through a whole file.
pub(super) fn inspect(mut reader: impl Read) -> io::Result<Result<Inspected, FileProblem>> {
    let mut block = vec![0; BLOCK_BYTES];
    let mut held = fill(&mut reader, &mut block)?;
    let mark = match &block[..held] {
        [] => return Ok(Err(FileProblem::Empty)),
        [b'P', b'K', 3, 4, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] => return Ok(Err(FileProblem::Spreadsheet)),
        [0xef, 0xbb, 0xbf, ..] => Some(Encoding::Utf8),
        [0xff, 0xfe, ..] => Some(Encoding::Utf16LittleEndian),
        [0xfe, 0xff, ..] => Some(Encoding::Utf16BigEndian),
        _ => None,
    };
    let mut look = Look { mark, ..Look::default() };
    while held > 0 {
        if let Err(problem) = look.at(&block[..held]) {
            return Ok(Err(problem));
        }
        held = fill(&mut reader, &mut block)?;
    }
    Ok(look.found())
}

/// Reads until `block` is full or nothing is left.
fn fill(reader: &mut impl Read, block: &mut [u8]) -> io::Result<usize> {
    let mut held = 0;
    while held < block.len() {
        match reader.read(&mut block[held..]) {
            Ok(0) => break,
            Ok(read) => held += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(held)
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Look {
    mark: Option<Encoding>,
    bytes: u64,
    line_breaks: u64,
    ends_in_line_break: bool,
    has_text: bool,
    /// Characters of several bytes that are valid UTF-8.
    has_utf8: bool,
    /// The line of the first bytes that are not.
    not_utf8: Option<u64>,
    /// The beginning of a character that goes on in the next block.
    begun: Vec<u8>,
}

impl Look {
    fn at(&mut self, block: &[u8]) -> Result<(), FileProblem> {
        self.bytes += block.len() as u64;
        if self.bytes > BYTES_MAX {
            return Err(FileProblem::TooLarge);
        }
        self.has_text |= block.iter().any(|byte| byte.is_ascii_graphic() || !byte.is_ascii());
        match self.mark {
            Some(Encoding::Utf16LittleEndian) => self.count(block.chunks(2).map(|unit| unit == [b'\n', 0])),
            Some(Encoding::Utf16BigEndian) => self.count(block.chunks(2).map(|unit| unit == [0, b'\n'])),
            _ if block.contains(&0) => return Err(FileProblem::NoText),
            _ => {
                self.check_utf8(block);
                self.count(block.iter().map(|byte| *byte == b'\n'));
            }
        }
        if self.lines() > LINES_MAX + 1 { Err(FileProblem::TooManyLines) } else { Ok(()) }
    }

    fn lines(&self) -> u64 {
        self.line_breaks + u64::from(!self.ends_in_line_break)
    }

    fn count(&mut self, line_breaks: impl Iterator<Item = bool>) {
        for is_line_break in line_breaks {
            self.line_breaks += u64::from(is_line_break);
            self.ends_in_line_break = is_line_break;
        }
    }

    fn check_utf8(&mut self, block: &[u8]) {
        if block.is_ascii() && self.begun.is_empty() {
            return;
        }
        let mut joined = std::mem::take(&mut self.begun);
        let before = joined.len();
        joined.extend_from_slice(block);
        let mut from = 0;
        while let Err(error) = std::str::from_utf8(&joined[from..]) {
            let valid = from + error.valid_up_to();
            self.has_utf8 |= !joined[from..valid].is_ascii();
            let Some(length) = error.error_len() else {
                self.begun = joined[valid..].to_vec();
                joined.truncate(valid);
                break;
            };
            if self.not_utf8.is_none() {
                let breaks = joined[before.min(valid)..valid].iter().filter(|byte| **byte == b'\n').count();
                self.not_utf8 = Some(self.line_breaks + breaks as u64 + 1);
            }
            from = valid + length;
        }
        self.has_utf8 |= !joined[from..].is_ascii();
    }

    fn found(self) -> Result<Inspected, FileProblem> {
        if !self.has_text {
            return Err(FileProblem::Empty);
        }
        let lines = self.lines();
        let not_utf8 = self.not_utf8.or_else(|| (!self.begun.is_empty()).then_some(lines));
        let encoding = match (self.mark, not_utf8) {
            (Some(Encoding::Utf8) | None, None) => Encoding::Utf8,
            (Some(Encoding::Utf8), Some(line)) => return Err(FileProblem::MixedEncodings { line }),
            (None, Some(line)) if self.has_utf8 => return Err(FileProblem::MixedEncodings { line }),
            (None, Some(_)) => Encoding::Windows1252,
            (Some(encoding), _) => encoding,
        };
        Ok(Inspected { encoding, lines })
    }
}

/// A file's text as UTF-8, without the mark at its beginning.
pub(super) struct Decoding<R> {
    reader: R,
    decoder: Decoder,
    block: Vec<u8>,
    from: usize,
    until: usize,
    is_last: bool,
    is_over: bool,
}

impl<R: Read> Decoding<R> {
    pub fn new(reader: R, encoding: Encoding) -> Self {
        let (decoder, block) = (encoding.decoder(), vec![0; BLOCK_BYTES]);
        Self { reader, decoder, block, from: 0, until: 0, is_last: false, is_over: false }
    }

    /// Puts the next text into `out`, which has room for a character of 4 bytes at least, and says how much; 0 at the end.
    pub fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.is_over {
            if self.from == self.until && !self.is_last {
                self.until = fill(&mut self.reader, &mut self.block)?;
                self.from = 0;
                self.is_last = self.until < self.block.len();
            }
            let (result, read, written, _) =
                self.decoder.decode_to_utf8(&self.block[self.from..self.until], out, self.is_last);
            self.from += read;
            // A decoder that has finished is not asked again.
            self.is_over = self.is_last && result == CoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspected(bytes: &[u8]) -> Result<Inspected, FileProblem> {
        inspect(bytes).unwrap()
    }

    fn decoded(bytes: &[u8], encoding: Encoding) -> String {
        let (mut text, mut block, mut decoding) = (Vec::new(), [0; 1000], Decoding::new(bytes, encoding));
        while let read = decoding.read(&mut block).unwrap()
            && read > 0
        {
            text.extend_from_slice(&block[..read]);
        }
        String::from_utf8(text).unwrap()
    }

    fn utf16(text: &str, bytes_of: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes_of).collect()
    }

    #[test]
    fn each_encoding_is_recognised_and_read() {
        let text = "Name\nJörg 🦡\n";
        let western = b"Name\nJ\xf6rg \x80\n".to_vec();
        let marked = ["\u{feff}", text].concat().into_bytes();
        for (bytes, encoding, expected) in [
            (text.as_bytes().to_vec(), Encoding::Utf8, text),
            (marked, Encoding::Utf8, text),
            (utf16(text, u16::to_le_bytes), Encoding::Utf16LittleEndian, text),
            (utf16(text, u16::to_be_bytes), Encoding::Utf16BigEndian, text),
            (western, Encoding::Windows1252, "Name\nJörg €\n"),
        ] {
            assert_eq!(inspected(&bytes), Ok(Inspected { encoding, lines: 2 }));
            assert_eq!(decoded(&bytes, encoding), expected);
        }
    }

    #[test]
    fn a_character_may_stand_across_blocks() {
        for shift in 0..4 {
            let text = "x".repeat(BLOCK_BYTES - shift) + &"🦡ö€\n".repeat(30_000);
            assert_eq!(inspected(text.as_bytes()).unwrap().encoding, Encoding::Utf8, "{shift}");
            assert_eq!(decoded(text.as_bytes(), Encoding::Utf8), text);
            let wide = utf16(&text, u16::to_le_bytes);
            assert_eq!(decoded(&wide, Encoding::Utf16LittleEndian), text);
        }
    }

    #[test]
    fn what_is_no_text_is_told_apart() {
        assert_eq!(inspected(b""), Err(FileProblem::Empty));
        assert_eq!(inspected(b" \r\n\n\t"), Err(FileProblem::Empty));
        assert_eq!(inspected(b"PK\x03\x04rest"), Err(FileProblem::Spreadsheet));
        assert_eq!(inspected(b"\xd0\xcf\x11\xe0\xa1\xb1"), Err(FileProblem::Spreadsheet));
        assert_eq!(inspected(b"N\0a\0m\0e\0"), Err(FileProblem::NoText));
    }

    #[test]
    fn a_line_in_another_encoding_is_found() {
        assert_eq!(
            inspected("a\nJörg\nJ".as_bytes().iter().chain(b"\xf6rg\n").copied().collect::<Vec<_>>().as_slice()),
            Err(FileProblem::MixedEncodings { line: 3 })
        );
        assert_eq!(inspected(b"\xef\xbb\xbfa\nb\nJ\xf6rg"), Err(FileProblem::MixedEncodings { line: 3 }));
        let cut = "Jörg\nö".as_bytes();
        assert_eq!(inspected(&cut[..cut.len() - 1]), Err(FileProblem::MixedEncodings { line: 2 }));
    }

    #[test]
    fn size_and_lines_are_bounded() {
        let endless = io::repeat(b'x');
        assert_eq!(inspect(endless).unwrap(), Err(FileProblem::TooLarge));
        let lines = io::repeat(b'\n').take(LINES_MAX + 2);
        assert_eq!(inspect(lines).unwrap(), Err(FileProblem::TooManyLines));
        let lines = b"x".chain(io::repeat(b'\n').take(LINES_MAX + 1));
        assert_eq!(inspect(lines).unwrap().unwrap().lines, LINES_MAX + 1);
    }
}
