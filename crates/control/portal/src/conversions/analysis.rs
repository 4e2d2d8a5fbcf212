//! What an analysis of the databases found.

use warren_app::analysis::{AnalysedDatabase, Analysis, Finding, Statement, Table};
use warren_model::OrganisationId;
use warren_wire::rest::v1;

pub fn analysis(found: Analysis) -> v1::DatabaseAnalysis {
    let left_out = |(database, reason)| v1::LeftOutDatabase { database, reason };
    v1::DatabaseAnalysis {
        engine: found.engine.to_owned(),
        counted_since: found.counted_since,
        compared_with: found.compared_with,
        databases: found.databases.into_iter().map(database).collect(),
        left_out: found.left_out.into_iter().map(left_out).collect(),
        findings: found.findings.into_iter().map(finding).collect(),
        slowest_by_total: found.by_total.into_iter().map(statement).collect(),
        slowest_by_worst: found.by_worst.into_iter().map(statement).collect(),
        tables: found.tables.into_iter().map(table).collect(),
    }
}

fn database(found: AnalysedDatabase) -> v1::AnalysedDatabase {
    v1::AnalysedDatabase {
        database: found.place,
        organisation_id: found.organisation.map(OrganisationId::uuid),
        explained: found.explained as u64,
        unexplained: found.unexplained as u64,
    }
}

fn finding(found: Finding) -> v1::DatabaseFinding {
    v1::DatabaseFinding {
        kind: found.kind.as_str().to_owned(),
        database: found.place,
        organisation_id: found.organisation.map(OrganisationId::uuid),
        table: found.table,
        index: found.index,
        columns: found.columns,
        statement: found.statement,
        meaning: found.meaning,
        advice: found.advice,
    }
}

fn statement(found: Statement) -> v1::AnalysedStatement {
    let Statement { kind, text, count, total_us, mean_us, longest_us } = found;
    v1::AnalysedStatement { kind: kind.to_owned(), text, count, total_us, mean_us, longest_us }
}

fn table(found: Table) -> v1::AnalysedTable {
    v1::AnalysedTable {
        database: found.place,
        organisation_id: found.organisation.map(OrganisationId::uuid),
        table: found.table,
        rows: found.rows,
        size_bytes: found.size_bytes,
        more_rows: found.more_rows,
        more_bytes: found.more_bytes,
    }
}
