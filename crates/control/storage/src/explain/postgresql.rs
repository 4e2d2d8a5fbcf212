//! PostgreSQL's plans: EXPLAIN as text (<https://www.postgresql.org/docs/current/using-explain.html>), with the values that it
//! was planned for taken out.

use sea_orm::Value;

use super::{Plan, PlanStep};
use crate::engine::{Connection, decoding};

pub(super) async fn plan(connection: &mut Connection, sql: &str, values: Vec<Value>) -> Result<Plan, sqlx::Error> {
    let rows = connection.ask(&format!("EXPLAIN {sql}"), values).await?;
    let lines: Vec<String> =
        rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>().map_err(decoding)?;
    let steps = steps(&lines);
    Ok(Plan { text: lines.iter().map(|line| without_values(line)).collect::<Vec<_>>().join("\n"), steps })
}

fn steps(lines: &[String]) -> Vec<PlanStep> {
    let mut steps = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((node, _)) = line.split_once("  (cost=") else { continue };
        let node = node.trim_start().trim_start_matches("->").trim_start();
        // A condition on the index stands below the node that looks things up in it.
        let looks_up =
            lines[at + 1..].iter().map_while(|line| detail(line)).any(|line| line.starts_with("Index Cond:"));
        steps.extend(step(node, looks_up));
    }
    steps
}

/// A line that tells more about the node above it.
fn detail(line: &str) -> Option<&str> {
    let line = line.trim_start();
    (!line.starts_with("->") && !line.contains("  (cost=")).then_some(line)
}

fn step(node: &str, looks_up: bool) -> Option<PlanStep> {
    let node = node.strip_prefix("Parallel ").unwrap_or(node);
    if let Some(table) = node.strip_prefix("Seq Scan on ") {
        return Some(PlanStep::ReadsTable { table: first_word(table) });
    }
    if let Some(index) = node.strip_prefix("Bitmap Index Scan on ") {
        return Some(PlanStep::UsesIndex { table: String::new(), index: Some(first_word(index)) });
    }
    if node.starts_with("Sort") || node.starts_with("Incremental Sort") {
        return Some(PlanStep::Sorts);
    }
    let (kind, rest) = node.split_once(" using ")?;
    let (index, table) = rest.split_once(" on ")?;
    if !kind.starts_with("Index Scan") && !kind.starts_with("Index Only Scan") {
        return None;
    }
    let (table, index) = (first_word(table), first_word(index));
    Some(if looks_up {
        PlanStep::UsesIndex { table, index: Some(index) }
    } else {
        PlanStep::WalksIndex { table, index }
    })
}

fn first_word(text: &str) -> String {
    text.split(' ').next().unwrap_or(text).trim_matches('"').to_owned()
}

/// `line` with every value in its conditions as `?`. Lines of nodes hold only names and estimates.
fn without_values(line: &str) -> String {
    if line.contains("  (cost=") {
        return line.to_owned();
    }
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    let mut in_a_name = false;
    while let Some(c) = characters.next() {
        match c {
            '\'' => {
                // To the closing quote; two in a row stand for one within.
                while let Some(inner) = characters.next() {
                    if inner == '\'' && characters.next_if_eq(&'\'').is_none() {
                        break;
                    }
                }
                plain.push('?');
            }
            '"' => {
                plain.push(c);
                for inner in characters.by_ref() {
                    plain.push(inner);
                    if inner == '"' {
                        break;
                    }
                }
            }
            digit if digit.is_ascii_digit() && !in_a_name => {
                while characters.next_if(|c| c.is_ascii_digit() || *c == '.').is_some() {}
                plain.push('?');
            }
            other => plain.push(other),
        }
        in_a_name = c.is_ascii_alphanumeric() && (in_a_name || c.is_ascii_alphabetic()) || c == '_' || c == '$';
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_from_the_nodes() {
        let text = "Limit  (cost=0.15..0.97 rows=10 width=100)\n  ->  Sort  (cost=1..2 rows=1 width=8)\n        Sort Key: devices.id\n        ->  Parallel Seq Scan on devices  (cost=0.00..1.01 rows=1 width=8)\n              Filter: (name = 'x'::text)\n        ->  Index Scan using networks_pkey on networks n  (cost=0.1..8.1 rows=1 width=8)\n              Index Cond: (id = devices.network_id)\n        ->  Index Only Scan Backward using audit_pkey on audit_entries  (cost=0.1..8.1 rows=1 width=8)\n              Filter: (actor = 1)\n        ->  Bitmap Index Scan on links_expires_at  (cost=0.1..8.1 rows=1 width=8)\n              Index Cond: (expires_at < 5)";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        assert_eq!(
            steps(&lines),
            [
                PlanStep::Sorts,
                PlanStep::ReadsTable { table: "devices".into() },
                PlanStep::UsesIndex { table: "networks".into(), index: Some("networks_pkey".into()) },
                PlanStep::WalksIndex { table: "audit_entries".into(), index: "audit_pkey".into() },
                PlanStep::UsesIndex { table: String::new(), index: Some("links_expires_at".into()) },
            ]
        );
    }

    #[test]
    fn values_are_taken_out_of_conditions_and_names_stay() {
        for (line, plain) in [
            ("  Filter: ((email)::text = 'o''hara@example.org'::text)", "  Filter: ((email)::text = ?::text)"),
            ("  Index Cond: (id = 'f0c9a3e0-0000-4000-8000-000000000007'::uuid)", "  Index Cond: (id = ?::uuid)"),
            (
                "  Filter: ((expires_at > 17) AND (host_index = ANY ('{2,3}'::integer[])))",
                "  Filter: ((expires_at > ?) AND (host_index = ANY (?::integer[])))",
            ),
            ("  Index Cond: (bytes_32 = '\\x00ff'::bytea)", "  Index Cond: (bytes_32 = ?::bytea)"),
            (
                "  Filter: (share < 0.5 OR col2 = $1 OR \"odd 7\" = 7)",
                "  Filter: (share < ? OR col2 = $1 OR \"odd 7\" = ?)",
            ),
            ("Seq Scan on t2  (cost=0.00..1.01 rows=1 width=8)", "Seq Scan on t2  (cost=0.00..1.01 rows=1 width=8)"),
        ] {
            assert_eq!(without_values(line), plain);
        }
    }
}
