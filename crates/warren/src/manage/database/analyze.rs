//! `warren db analyze`: what stands in the way of the databases.

use std::fmt;

use clap::Args;
use warren_wire::rest::v1::{AnalysedStatement, AnalysedTable, DatabaseAnalysis, DatabaseFinding};

use super::super::{format, scope::Reach, table::Table};
use crate::Failure;

/// Rows of each table that people are shown; --json has all.
const ROWS_MAX: usize = 10;
/// A statement is cut off past this; --json has it whole.
const STATEMENT_CHARACTERS_MAX: usize = 200;

/// What is slow, and why.
#[derive(Debug, Args)]
pub struct Analyze {
    #[command(flatten)]
    reach: Reach,
}

impl Analyze {
    pub async fn run(self) -> Result<(), Failure> {
        let console = self.reach.console();
        let answer = console.client.get("/api/v1/database/analysis").await?;
        console.show(&answer, Shown)
    }
}

/// The report as people read it.
struct Shown(DatabaseAnalysis);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = &self.0;
        let explained: u64 = report.databases.iter().map(|database| database.explained).sum();
        writeln!(
            f,
            "{} databases on {} looked at, {explained} plans of statements seen since {}.",
            report.databases.len(),
            report.engine,
            format::moment(Some(report.counted_since)),
        )?;
        for left_out in &report.left_out {
            writeln!(f, "Left out: {}: {}", left_out.database, left_out.reason)?;
        }
        findings(f, &report.findings)?;
        writeln!(f, "\nStatements that took most time in all\n{}", statements(&report.slowest_by_total))?;
        writeln!(f, "Statements that took longest once\n{}", statements(&report.slowest_by_worst))?;
        let compared = match report.compared_with {
            Some(at) => format!("beside {}", format::moment(Some(at))),
            None => "sizes are compared from the next analysis on".to_owned(),
        };
        write!(f, "Largest tables ({compared})\n{}", tables(&report.tables))
    }
}

fn findings(f: &mut fmt::Formatter<'_>, findings: &[DatabaseFinding]) -> fmt::Result {
    if findings.is_empty() {
        return writeln!(f, "\nNothing stands out.");
    }
    for (at, finding) in findings.iter().enumerate() {
        writeln!(f, "\n{}. {} {}", at + 1, finding.meaning, finding.advice)?;
        if let Some(database) = &finding.database {
            writeln!(f, "   in {database}")?;
        }
        if let Some(statement) = &finding.statement {
            writeln!(f, "   {}", shortened(statement))?;
        }
    }
    Ok(())
}

fn statements(statements: &[AnalysedStatement]) -> Table {
    let millis = |micros: u64| format!("{}.{} ms", micros / 1000, micros % 1000 / 100);
    Table::new(&["total", "mean", "worst", "count", "on", "statement"])
        .right("total")
        .right("mean")
        .right("worst")
        .right("count")
        .rows(&statements[..statements.len().min(ROWS_MAX)], |statement| {
            vec![
                millis(statement.total_us),
                millis(statement.mean_us),
                millis(statement.longest_us),
                statement.count.to_string(),
                statement.kind.clone(),
                shortened(&statement.text),
            ]
        })
}

fn tables(tables: &[AnalysedTable]) -> Table {
    let signed = |number: Option<i64>| number.map_or_else(|| "–".to_owned(), |number| format!("{number:+}"));
    Table::new(&["table", "rows", "size", "more rows", "database"]).right("rows").right("size").right("more rows").rows(
        &tables[..tables.len().min(ROWS_MAX)],
        |table| {
            vec![
                table.table.clone(),
                table.rows.to_string(),
                table.size_bytes.map_or_else(|| "–".to_owned(), format::bytes),
                signed(table.more_rows),
                table.database.clone(),
            ]
        },
    )
}

fn shortened(statement: &str) -> String {
    match statement.char_indices().nth(STATEMENT_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &statement[..end]),
        None => statement.to_owned(),
    }
}
