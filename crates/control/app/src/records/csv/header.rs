//! The first line, which names the columns.

use super::{COLUMNS_MAX, FileProblem, table::Row};
use crate::records::{LineError, LineProblem};

/// A column that is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in English, which result files and messages use.
    pub name: &'static str,
    /// Other names of it. Case, spaces, hyphens and underscores do not matter in any of them.
    pub also: &'static [&'static str],
    pub need: Need,
}

/// Whether a column has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Required,
    Optional,
}

impl Column {
    /// A column without which the file is refused.
    pub const fn required(name: &'static str, also: &'static [&'static str]) -> Self {
        Self { name, also, need: Need::Required }
    }
    /// A column that may be absent, as may each of its values.
    pub const fn optional(name: &'static str, also: &'static [&'static str]) -> Self {
        Self { name, also, need: Need::Optional }
    }

    fn is_called(&self, title: &str) -> bool {
        let title = bare(title);
        bare(self.name) == title || self.also.iter().any(|name| bare(name) == title)
    }
}

/// Where the columns that are looked for stand in a file.
#[derive(Debug, Clone)]
pub struct Columns {
    titles: Vec<String>,
    /// By the order in which they are looked for.
    places: Vec<Option<usize>>,
    ignored: Vec<String>,
}

impl Columns {
    /// How many of `wanted` the titles name.
    pub(super) fn count(wanted: &[Column], titles: &[String]) -> usize {
        wanted.iter().filter(|column| titles.iter().any(|title| column.is_called(title))).count()
    }

    /// Finds the columns among the titles of the first line.
    pub(super) fn find(wanted: &[Column], titles: Vec<String>) -> Result<Self, FileProblem> {
        if titles.len() > COLUMNS_MAX {
            return Err(FileProblem::TooManyColumns { columns: titles.len() });
        }
        if Self::count(wanted, &titles) == 0 {
            let wanted: Vec<&str> = wanted.iter().map(|column| column.name).collect();
            return Err(FileProblem::NoHeader { wanted: wanted.join(", ") });
        }
        let mut places = Vec::with_capacity(wanted.len());
        for column in wanted {
            let mut named = titles.iter().enumerate().filter(|(_, title)| column.is_called(title)).map(|(at, _)| at);
            let place = named.next();
            if named.next().is_some() {
                return Err(FileProblem::ColumnTwice { column: column.name.to_owned() });
            }
            if place.is_none() && column.need == Need::Required {
                let found = titles.iter().map(|title| title.trim()).filter(|title| !title.is_empty());
                let found = found.collect::<Vec<_>>().join(", ").chars().take(FOUND_CHARACTERS_MAX).collect();
                return Err(FileProblem::ColumnMissing { column: column.name.to_owned(), found });
            }
            places.push(place);
        }
        let is_ignored = |(at, title): &(usize, &String)| !title.trim().is_empty() && !places.contains(&Some(*at));
        let ignored = titles.iter().enumerate().filter(is_ignored).map(|(_, title)| title.trim().to_owned()).collect();
        Ok(Self { titles, places, ignored })
    }

    /// The names of columns that nobody looked for.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// How many columns the file has.
    pub(super) fn len(&self) -> usize {
        self.titles.len()
    }

    /// The title of the column at `place` of the file.
    pub(super) fn title(&self, place: usize) -> Option<&str> {
        self.titles.get(place).map(|title| title.trim())
    }

    /// What stands in the column that was looked for as the `wanted`th, without white space around it; nothing where the column
    /// is absent.
    pub fn cell<'a>(&self, row: &'a Row, wanted: usize) -> &'a str {
        self.places[wanted].and_then(|place| row.cells.get(place)).map_or("", |cell| cell.trim())
    }

    /// That something is wrong in that column of `row`.
    pub fn error(&self, row: &Row, wanted: usize, problem: impl Into<LineProblem>) -> LineError {
        let title = self.places[wanted].and_then(|place| self.title(place));
        LineError::new(row.line, title, self.cell(row, wanted), problem.into())
    }
}

/// How much of the titles is repeated in a message, in characters.
const FOUND_CHARACTERS_MAX: usize = 200;

/// A title as titles are compared.
fn bare(title: &str) -> String {
    title.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
