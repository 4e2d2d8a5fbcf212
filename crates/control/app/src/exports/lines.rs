//! Lines of a table, as CSV and as JSON.

use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use warren_model::{Timestamp, audit::FieldChange};

use crate::{AppError, records::csv::CsvWriter};

/// What stands in one place of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Absent,
    Text(String),
    Number(u64),
    Moment(Timestamp),
    /// Several texts; separated by spaces in CSV.
    List(Vec<String>),
    /// What an audit entry changed.
    Changes(Vec<FieldChange>),
}

impl Cell {
    pub fn text(text: impl ToString) -> Self {
        Self::Text(text.to_string())
    }
    pub fn text_or_none(text: Option<impl ToString>) -> Self {
        text.map_or(Self::Absent, Self::text)
    }
    pub fn moment_or_none(at: Option<Timestamp>) -> Self {
        at.map_or(Self::Absent, Self::Moment)
    }

    pub fn in_csv(&self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Moment(at) => show(*at),
            Self::List(items) => items.join(" "),
            Self::Changes(changes) => changes.iter().map(show_change).collect::<Vec<_>>().join("; "),
        }
    }

    fn in_json(&self) -> Value {
        match self {
            Self::Absent => Value::Null,
            Self::Text(text) => json!(text),
            Self::Number(number) => json!(number),
            Self::Moment(at) => json!(show(*at)),
            Self::List(items) => json!(items),
            Self::Changes(changes) => {
                let one = |c: &FieldChange| json!({ "field": c.field, "before": c.before, "after": c.after });
                changes.iter().map(one).collect()
            }
        }
    }
}

/// A moment as RFC 3339 writes it, in UTC.
pub(crate) fn show(at: Timestamp) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

fn show_change(change: &FieldChange) -> String {
    match (&change.before, &change.after) {
        (None, Some(after)) => format!("{}: {after}", change.field),
        (before, after) => {
            let (before, after) = (before.as_deref().unwrap_or("–"), after.as_deref().unwrap_or("–"));
            format!("{}: {before} → {after}", change.field)
        }
    }
}

/// A form of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Csv,
    Json,
}

impl Form {
    pub const ALL: [Self; 2] = [Self::Csv, Self::Json];

    /// The end of its file's name.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// What stands before the first line.
    pub fn begin(self, columns: &[&str]) -> Result<Vec<u8>, AppError> {
        match self {
            Self::Csv => {
                let mut out = CsvWriter::new(Vec::new()).map_err(faulty)?;
                out.line(columns).map_err(faulty)?;
                out.finish().map_err(faulty)
            }
            Self::Json => Ok(b"[".to_vec()),
        }
    }

    /// More lines; `before` stand there already.
    pub fn lines(self, columns: &[&str], lines: &[Vec<Cell>], before: u64) -> Result<Vec<u8>, AppError> {
        match self {
            Self::Csv => {
                let mut out = CsvWriter::going_on(Vec::new());
                for line in lines {
                    out.line(line.iter().map(Cell::in_csv)).map_err(faulty)?;
                }
                out.finish().map_err(faulty)
            }
            Self::Json => {
                let mut out = Vec::new();
                for (at, line) in lines.iter().enumerate() {
                    out.extend_from_slice(if before == 0 && at == 0 { b"\n" } else { b",\n" });
                    let named = columns.iter().zip(line).map(|(name, cell)| ((*name).to_owned(), cell.in_json()));
                    let object: Map<String, Value> = named.collect();
                    serde_json::to_writer(&mut out, &object).map_err(|error| AppError::Internal(Box::new(error)))?;
                }
                Ok(out)
            }
        }
    }

    /// What stands after the last line.
    pub fn end(self) -> Vec<u8> {
        match self {
            Self::Csv => Vec::new(),
            Self::Json => b"\n]\n".to_vec(),
        }
    }
}

fn faulty(error: std::io::Error) -> AppError {
    AppError::Internal(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let change = FieldChange { field: "name".into(), before: Some("a".into()), after: None };
        let line = vec![Cell::text("=x"), Cell::Number(7), Cell::Absent, Cell::Changes(vec![change])];
        let columns = ["name", "count", "at", "changes"];
        let whole = |form: Form| {
            let lines = [line.clone(), line.clone()];
            let parts = [
                form.begin(&columns).unwrap(),
                form.lines(&columns, &lines[..1], 0).unwrap(),
                form.lines(&columns, &lines[1..], 1).unwrap(),
                form.end(),
            ];
            String::from_utf8(parts.concat()).unwrap()
        };
        assert_eq!(whole(Form::Csv), "\u{feff}name,count,at,changes\r\n'=x,7,,name: a → –\r\n'=x,7,,name: a → –\r\n");
        let json: Value = serde_json::from_str(&whole(Form::Json)).unwrap();
        assert_eq!(json[1]["name"], "=x");
        assert_eq!(json[0]["changes"][0]["before"], "a");
        assert_eq!(json[0]["at"], Value::Null);
    }
}
