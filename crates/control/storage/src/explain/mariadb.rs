//! MariaDB's and MySQL's plans: EXPLAIN as a table (<https://mariadb.com/kb/en/explain/>). It shows no values.

use sea_orm::{QueryResult, Value};

use super::{Plan, PlanStep};
use crate::engine::{Connection, decoding};

pub(super) async fn plan(connection: &mut Connection, sql: &str, values: Vec<Value>) -> Result<Plan, sqlx::Error> {
    let rows = connection.ask(&format!("EXPLAIN {sql}"), values).await?;
    let lines: Vec<Line> = rows.iter().map(Line::of).collect::<Result<_, _>>().map_err(decoding)?;
    let text = lines.iter().map(Line::text).collect::<Vec<_>>().join("\n");
    Ok(Plan { text, steps: lines.iter().flat_map(Line::steps).collect() })
}

/// One row of the answer, as far as it is used.
#[derive(Debug, Default)]
struct Line {
    table: Option<String>,
    access: Option<String>,
    key: Option<String>,
    rows: Option<i64>,
    extra: Option<String>,
}

impl Line {
    fn of(row: &QueryResult) -> Result<Self, sea_orm::DbErr> {
        // Rows are a number here and a text there.
        let rows = row.try_get::<Option<i64>>("", "rows");
        let rows = rows.or_else(|_| row.try_get::<Option<u64>>("", "rows").map(|n| n.and_then(|n| n.try_into().ok())));
        Ok(Self {
            table: row.try_get("", "table")?,
            access: row.try_get("", "type")?,
            key: row.try_get("", "key")?,
            rows: rows.unwrap_or_default(),
            extra: row.try_get("", "Extra")?,
        })
    }

    fn text(&self) -> String {
        let mut text = self.table.as_deref().unwrap_or("no table").to_owned();
        let mut add = |word: &str, value: Option<&str>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                text.push_str(&format!(", {word} {value}"));
            }
        };
        add("access", self.access.as_deref());
        add("index", self.key.as_deref());
        add("rows", self.rows.map(|rows| rows.to_string()).as_deref());
        add("with", self.extra.as_deref());
        text
    }

    fn steps(&self) -> Vec<PlanStep> {
        let mut steps = Vec::new();
        // `<derived2>` and its like were made by this statement.
        if let Some(table) = self.table.clone().filter(|table| !table.starts_with('<')) {
            match (self.access.as_deref(), self.key.clone()) {
                (Some("ALL"), _) => steps.push(PlanStep::ReadsTable { table }),
                (Some("index"), Some(index)) => steps.push(PlanStep::WalksIndex { table, index }),
                (Some(_), index) => steps.push(PlanStep::UsesIndex { table, index }),
                (None, _) => {}
            }
        }
        if self.extra.as_deref().is_some_and(|extra| extra.contains("filesort") || extra.contains("temporary")) {
            steps.push(PlanStep::Sorts);
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(access: &str, key: Option<&str>, extra: &str) -> Line {
        Line {
            table: Some("devices".to_owned()),
            access: Some(access.to_owned()),
            key: key.map(str::to_owned),
            rows: Some(12),
            extra: Some(extra.to_owned()),
        }
    }

    #[test]
    fn steps_are_read_from_the_kind_of_access() {
        let table = || "devices".to_owned();
        let sorted = line("ALL", None, "Using where; Using filesort");
        assert_eq!(sorted.steps(), [PlanStep::ReadsTable { table: table() }, PlanStep::Sorts]);
        assert_eq!(sorted.text(), "devices, access ALL, rows 12, with Using where; Using filesort");
        let walked = line("index", Some("PRIMARY"), "");
        assert_eq!(walked.steps(), [PlanStep::WalksIndex { table: table(), index: "PRIMARY".to_owned() }]);
        let found = line("ref", Some("devices_owner_id_id"), "");
        assert_eq!(
            found.steps(),
            [PlanStep::UsesIndex { table: table(), index: Some("devices_owner_id_id".to_owned()) }]
        );
        assert_eq!(Line { table: Some("<derived2>".to_owned()), ..line("ALL", None, "") }.steps(), []);
        assert_eq!(Line::default().steps(), []);
    }
}
