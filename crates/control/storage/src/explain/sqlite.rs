//! SQLite's plans: EXPLAIN QUERY PLAN (<https://www.sqlite.org/eqp.html>).

use sea_orm::Value;

use super::{Plan, PlanStep};
use crate::engine::{Connection, decoding};

pub(super) async fn plan(connection: &mut Connection, sql: &str, values: Vec<Value>) -> Result<Plan, sqlx::Error> {
    let rows = connection.ask(&format!("EXPLAIN QUERY PLAN {sql}"), values).await?;
    let details: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get("", "detail")).collect();
    let details = details.map_err(decoding)?;
    let steps = details.iter().filter_map(|detail| step(detail)).collect();
    Ok(Plan { text: details.join("\n"), steps })
}

/// `SCAN t`, `SCAN t USING COVERING INDEX i`, `SEARCH t USING INDEX i (a=?)`, `USE TEMP B-TREE FOR ORDER BY`.
fn step(detail: &str) -> Option<PlanStep> {
    if detail.contains("TEMP B-TREE") {
        return Some(PlanStep::Sorts);
    }
    let (verb, rest) = detail.split_once(' ')?;
    let (table, way) = rest.split_once(' ').unwrap_or((rest, ""));
    if table.starts_with('(') || table == "CONSTANT" {
        return None;
    }
    let table = table.to_owned();
    let index = way.split_once("INDEX ").map(|(_, index)| index.split(' ').next().unwrap_or(index).to_owned());
    match (verb, index) {
        ("SCAN", None) => Some(PlanStep::ReadsTable { table }),
        ("SCAN", Some(index)) => Some(PlanStep::WalksIndex { table, index }),
        ("SEARCH", index) => Some(PlanStep::UsesIndex { table, index }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_from_their_words() {
        let table = || "devices".to_owned();
        let index = "devices_owner_id_id".to_owned();
        for (detail, step_read) in [
            ("SCAN devices", Some(PlanStep::ReadsTable { table: table() })),
            (
                "SCAN devices USING COVERING INDEX devices_owner_id_id",
                Some(PlanStep::WalksIndex { table: table(), index: index.clone() }),
            ),
            (
                "SEARCH devices USING INDEX devices_owner_id_id (owner_id=? AND id>?)",
                Some(PlanStep::UsesIndex { table: table(), index: Some(index) }),
            ),
            (
                "SEARCH devices USING INTEGER PRIMARY KEY (rowid=?)",
                Some(PlanStep::UsesIndex { table: table(), index: None }),
            ),
            ("USE TEMP B-TREE FOR ORDER BY", Some(PlanStep::Sorts)),
            ("SCAN (subquery-1)", None),
            ("SCAN CONSTANT ROW", None),
            ("CO-ROUTINE (subquery-1)", None),
            ("MULTI-INDEX OR", None),
        ] {
            assert_eq!(step(detail), step_read, "{detail}");
        }
    }
}
