//! Aligned tables for people: two spaces between columns, no frames, long cells shortened only on a narrow terminal.

use std::fmt;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const GAP: &str = "  ";
/// A column is never made narrower than this to fit a terminal.
const SHORTENED_COLUMNS_MIN: usize = 8;

/// On which side a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// Rows under a head.
#[derive(Debug)]
pub struct Table {
    head: Vec<(&'static str, Side)>,
    rows: Vec<Vec<String>>,
    width: Option<usize>,
}

impl Table {
    /// A table of these columns, all on the left.
    pub fn new(columns: &[&'static str]) -> Self {
        Self { head: columns.iter().map(|title| (*title, Side::Left)).collect(), rows: Vec::new(), width: None }
    }
    /// Puts the column of this title on the right, as numbers stand.
    pub fn right(mut self, title: &str) -> Self {
        for column in self.head.iter_mut().filter(|column| column.0 == title) {
            column.1 = Side::Right;
        }
        self
    }
    /// With one row for each of `items`.
    pub fn rows<T>(mut self, items: &[T], row: impl Fn(&T) -> Vec<String>) -> Self {
        self.rows.extend(items.iter().map(row));
        self
    }
    /// Shortened to `columns`, where there is a limit. Identifiers stand last and are never shortened.
    pub const fn fitted(mut self, columns: Option<usize>) -> Self {
        self.width = columns;
        self
    }

    fn widths(&self) -> Vec<usize> {
        let cell = |row: &Vec<String>, at: usize| row.get(at).map_or(0, |cell| cell.width());
        let mut widths: Vec<usize> = (0..self.head.len())
            .map(|at| self.rows.iter().map(|row| cell(row, at)).max().unwrap_or(0).max(self.head[at].0.width()))
            .collect();
        let Some(limit) = self.width else { return widths };
        let flexible = widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + GAP.len() * flexible > limit {
            let widest = (0..flexible).max_by_key(|at| widths[*at]);
            match widest {
                Some(at) if widths[at] > SHORTENED_COLUMNS_MIN => widths[at] -= 1,
                _ => break,
            }
        }
        widths
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let titles: Vec<String> = self.head.iter().map(|(title, _)| (*title).to_owned()).collect();
        for row in std::iter::once(&titles).chain(&self.rows) {
            let mut line = String::new();
            for ((cell, width), (_, side)) in row.iter().zip(&widths).zip(&self.head) {
                if !line.is_empty() {
                    line.push_str(GAP);
                }
                let cell = shortened(cell, *width);
                let padding = " ".repeat(width - cell.width());
                match side {
                    Side::Left => line.extend([cell.as_str(), &padding]),
                    Side::Right => line.extend([padding.as_str(), &cell]),
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// One thing in lines: a name, and its particulars under it.
#[derive(Debug)]
pub struct Particulars {
    title: String,
    lines: Vec<(&'static str, String)>,
}

impl Particulars {
    pub fn of(title: impl Into<String>) -> Self {
        Self { title: title.into(), lines: Vec::new() }
    }
    /// With one more line; nothing when there is nothing to say.
    pub fn line(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.lines.push((name, value));
        }
        self
    }
}

impl fmt::Display for Particulars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.lines.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
        writeln!(f, "{}", printable(&self.title))?;
        for (name, value) in &self.lines {
            writeln!(f, "  {name:width$}  {}", printable(value))?;
        }
        Ok(())
    }
}

fn shortened(cell: &str, width: usize) -> String {
    let cell = printable(cell);
    if cell.width() <= width {
        return cell;
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in cell.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// Without characters that would move the cursor or change the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let rows = [("Anna's laptop", "12 kB", "id-1"), ("日本", "3 MB", "id-2")];
        Table::new(&["NAME", "SENT", "ID"])
            .right("SENT")
            .rows(&rows, |(name, sent, id)| vec![(*name).into(), (*sent).into(), (*id).into()])
    }

    #[test]
    fn columns_align_also_with_wide_characters() {
        insta::assert_snapshot!(table().to_string(), @r"
        NAME            SENT  ID
        Anna's laptop  12 kB  id-1
        日本            3 MB  id-2
        ");
    }

    #[test]
    fn a_narrow_terminal_shortens_the_widest_column_and_never_the_identifier() {
        insta::assert_snapshot!(table().fitted(Some(22)).to_string(), @r"
        NAME        SENT  ID
        Anna's l…  12 kB  id-1
        日本        3 MB  id-2
        ");
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        assert!(!Particulars::of("a\u{1b}[2J").to_string().contains('\u{1b}'));
    }
}
