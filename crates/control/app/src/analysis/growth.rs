//! How tables grow from one analysis to the next. Sizes are remembered since the start of the process, not beyond: growth is
//! of interest while somebody watches, and a dashboard that keeps it for years stands beside Warren already.

use std::collections::HashMap;

use warren_model::Timestamp;
use warren_storage::{Place, StorageAnalysis, TableFigures};

use super::Table;

/// Tables whose sizes are remembered; with more, all are forgotten and the next analysis begins anew.
const TABLES_REMEMBERED_MAX: usize = 10_000;

/// The sizes that the last analyses found.
#[derive(Debug, Default)]
pub(crate) struct History {
    sizes: HashMap<(Place, String), TableFigures>,
    last_at: Option<Timestamp>,
}

impl History {
    /// When the last analysis was.
    pub const fn last_at(&self) -> Option<Timestamp> {
        self.last_at
    }

    /// Every table that was found, the largest first, beside what is remembered of it.
    pub fn compare(&self, found: &StorageAnalysis) -> Vec<Table> {
        let mut tables: Vec<Table> = Vec::new();
        for database in &found.databases {
            for figures in &database.tables {
                let before = self.sizes.get(&(database.place.clone(), figures.table.clone()));
                let sizes = |figures: &TableFigures| figures.size_bytes;
                tables.push(Table {
                    place: database.place.to_string(),
                    organisation: database.organisation,
                    table: figures.table.clone(),
                    rows: figures.rows,
                    size_bytes: figures.size_bytes,
                    more_rows: before.map(|before| difference(figures.rows, before.rows)),
                    more_bytes: before.and_then(|before| Some(difference(sizes(figures)?, sizes(before)?))),
                });
            }
        }
        tables.sort_by_key(|table| std::cmp::Reverse((table.size_bytes, table.rows)));
        tables
    }

    /// Remembers what was found.
    pub fn note(&mut self, found: &StorageAnalysis, now: Timestamp) {
        if self.sizes.len() > TABLES_REMEMBERED_MAX {
            self.sizes.clear();
        }
        for database in &found.databases {
            for figures in &database.tables {
                self.sizes.insert((database.place.clone(), figures.table.clone()), figures.clone());
            }
        }
        self.last_at = Some(now);
    }
}

fn difference(now: u64, before: u64) -> i64 {
    i64::try_from(i128::from(now) - i128::from(before)).unwrap_or(i64::MAX)
}
