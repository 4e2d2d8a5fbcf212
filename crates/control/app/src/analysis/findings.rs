//! What the figures mean, in plain words, and what to do about it.

use std::collections::HashSet;

use warren_model::OrganisationId;
use warren_storage::{DatabaseAnalysis, IndexUse, KindStatus, StorageAnalysis};

use super::{Statement, Table, statement};

/// Findings that are told; what matters most stands first.
const FINDINGS_MAX: usize = 100;
/// To read through a smaller table costs nothing worth a finding, and neither does an index on it.
const ROWS_MIN: u64 = 1000;
/// A statement whose mean is longer is a finding.
const MEAN_US_MAX: u64 = 50_000;
/// So is one that once took longer, if it was sent this often.
const LONGEST_US_MAX: u64 = 1_000_000;
const COUNT_MIN: u64 = 3;
/// A table that has grown by half, or by this many rows, since the last analysis.
const MORE_ROWS_MAX: i64 = 100_000;

/// Something to think about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub kind: FindingKind,
    /// The database it was found in; others of the same kind may share it. None where it holds for all.
    pub place: Option<String>,
    pub organisation: Option<OrganisationId>,
    pub table: Option<String>,
    pub index: Option<String>,
    pub columns: Vec<String>,
    pub statement: Option<String>,
    /// What it means.
    pub meaning: String,
    /// What to do.
    pub advice: String,
}

/// What sort of finding it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindingKind {
    /// A statement filters by columns that no index serves.
    IndexMissing,
    /// A statement reads a whole table without any filter.
    TableReadThrough,
    StatementSlow,
    TableGrows,
    IndexUnused,
}

impl FindingKind {
    /// The word for it in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IndexMissing => "index_missing",
            Self::TableReadThrough => "table_read_through",
            Self::StatementSlow => "statement_slow",
            Self::TableGrows => "table_grows",
            Self::IndexUnused => "index_unused",
        }
    }

    fn about(self, meaning: String, advice: &str) -> Finding {
        let (place, organisation, table, index, statement) = (None, None, None, None, None);
        let advice = advice.to_owned();
        Finding { kind: self, place, organisation, table, index, columns: Vec::new(), statement, meaning, advice }
    }
}

/// All of them.
pub(super) fn of(found: &StorageAnalysis, kinds: &[&KindStatus], tables: &[Table]) -> Vec<Finding> {
    let mut findings = Vec::new();
    // What holds for one organisation's database holds for the next; it is told once.
    let mut told = HashSet::new();
    for database in &found.databases {
        for finding in read_through(database) {
            let name = (finding.kind, finding.table.clone(), finding.statement.clone());
            if told.insert(name) {
                findings.push(finding);
            }
        }
    }
    findings.extend(kinds.iter().flat_map(|kind| slow(kind)));
    findings.extend(tables.iter().filter_map(growing));
    findings.extend(unused(found));
    findings.truncate(FINDINGS_MAX);
    findings
}

fn read_through(database: &DatabaseAnalysis) -> Vec<Finding> {
    let mut findings = Vec::new();
    for statement in &database.statements {
        for table in statement.plan.tables_read_through() {
            let rows = database.tables.iter().find(|figures| figures.table == table).map_or(0, |figures| figures.rows);
            if rows < ROWS_MIN {
                continue;
            }
            let columns = statement.filters_by(table);
            let finding = if columns.is_empty() {
                FindingKind::TableReadThrough.about(
                    format!("A statement reads all {rows} rows of {table}: it takes longer the more there are."),
                    "This is fine for what is wanted whole and seldom. Where it is sent often, report it to Warren's makers with the statement.",
                )
            } else {
                FindingKind::IndexMissing.about(
                    format!("To find rows by {}, a statement reads all {rows} rows of {table}.", columns.join(", ")),
                    "Report it to Warren's makers with the statement: its next version can bring the index. An index that you add yourself helps at once; Warren leaves it alone.",
                )
            };
            findings.push(Finding {
                place: Some(database.place.to_string()),
                organisation: database.organisation,
                table: Some(table.to_owned()),
                columns,
                statement: Some(statement.text.to_string()),
                ..finding
            });
        }
    }
    findings
}

fn slow(kind: &KindStatus) -> Vec<Finding> {
    let is_slow =
        |one: &Statement| one.mean_us >= MEAN_US_MAX || (one.longest_us >= LONGEST_US_MAX && one.count >= COUNT_MIN);
    let finding = |one: Statement| {
        let meaning = format!(
            "A statement on the {} databases takes {} ms in the mean and took {} ms at worst, {} times in all.",
            kind.name,
            one.mean_us / 1000,
            one.longest_us / 1000,
            one.count
        );
        let advice = "Where it is found here to read through a table, mend that first. If only its worst time is long, the disk or the server was busy: look at what else ran then.";
        Finding { statement: Some(one.text), ..FindingKind::StatementSlow.about(meaning, advice) }
    };
    kind.statements.iter().map(|view| statement(kind.name, view)).filter(is_slow).map(finding).collect()
}

fn growing(table: &Table) -> Option<Finding> {
    let more = table.more_rows?;
    let before = i64::try_from(table.rows).unwrap_or(i64::MAX).saturating_sub(more);
    let is_much = more >= MORE_ROWS_MAX || (table.rows >= ROWS_MIN && more > 0 && more >= before / 2);
    is_much.then(|| Finding {
        place: Some(table.place.clone()),
        organisation: table.organisation,
        table: Some(table.table.clone()),
        ..FindingKind::TableGrows.about(
            format!("{} has {more} more rows than at the last analysis, {} now.", table.table, table.rows),
            "Look whether the growth is what you expect. If not, the activity tells who made the rows; see that the disk has room.",
        )
    })
}

/// Indexes that none of the databases of their kind uses.
fn unused(found: &StorageAnalysis) -> Vec<Finding> {
    let (system, tenants): (Vec<_>, Vec<_>) =
        found.databases.iter().partition(|database| database.organisation.is_none());
    let mut findings = Vec::new();
    for databases in [system, tenants] {
        let Some(first) = databases.first() else { continue };
        for index in &first.indexes {
            let everywhere = |database: &&DatabaseAnalysis| {
                database.indexes.iter().any(|other| other.index == index.index && other.is_idle())
            };
            let is_large = |database: &&DatabaseAnalysis| {
                database.tables.iter().any(|figures| figures.table == index.table && figures.rows >= ROWS_MIN)
            };
            if !databases.iter().all(everywhere) || !databases.iter().any(is_large) {
                continue;
            }
            let meaning = match index.used {
                IndexUse::Counted(_) => {
                    format!("The server has never used the index {} of {}.", index.index, index.table)
                }
                _ => format!("No statement seen since the start uses the index {} of {}.", index.index, index.table),
            };
            findings.push(Finding {
                place: (databases.len() == 1).then(|| first.place.to_string()),
                organisation: first.organisation.filter(|_| databases.len() == 1),
                table: Some(index.table.clone()),
                index: Some(index.index.clone()),
                ..FindingKind::IndexUnused.about(
                    meaning,
                    "It costs room, and time at each change. Leave Warren's own indexes in place: rare work, such as clearing away, may need them. One of your own that is still unused after weeks can go.",
                )
            });
        }
    }
    findings
}
