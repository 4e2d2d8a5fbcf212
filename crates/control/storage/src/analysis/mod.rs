//! How databases cope with what is asked of them: plans of the statements seen, sizes of tables, use of indexes.

mod indexes;
mod tables;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use warren_model::{OrganisationId, page::PageRequest};

pub use self::{
    indexes::{IndexFigures, IndexRole, IndexUse},
    tables::TableFigures,
};
use crate::{
    Databases, Engine, HistogramView, Place, Plan, StorageError, TenantModels,
    database::{Kind, Pools},
    explain::{Example, Explainer, NoPlan},
    statements::StatementView,
};

/// How much is looked at.
#[derive(Debug, Clone, Copy)]
pub struct AnalysisBounds {
    /// Organisations' databases, the open ones first.
    pub tenants_max: usize,
    /// Shapes of statements in each database, those that took most time first.
    pub statements_max: usize,
    /// Past this time what is left is not looked at.
    pub within: Duration,
}

impl Default for AnalysisBounds {
    /// 5 organisations, 500 shapes, 10 seconds.
    fn default() -> Self {
        Self { tenants_max: 5, statements_max: 500, within: Duration::from_secs(10) }
    }
}

/// What was found in the databases that were looked at.
#[derive(Debug, Clone)]
pub struct StorageAnalysis {
    pub engine: Engine,
    /// The system database first.
    pub databases: Vec<DatabaseAnalysis>,
    /// Databases that could not be looked at, or not in the time there was, and why.
    pub left_out: Vec<(Place, String)>,
}

/// What was found in one database.
#[derive(Debug, Clone)]
pub struct DatabaseAnalysis {
    pub place: Place,
    /// Whose it is; none for the system's.
    pub organisation: Option<OrganisationId>,
    /// The statements of its kind that took most time in all come first.
    pub statements: Vec<ExplainedStatement>,
    /// Shapes for which it gave no plan.
    pub unexplained: usize,
    /// The largest comes first.
    pub tables: Vec<TableFigures>,
    pub indexes: Vec<IndexFigures>,
}

/// A statement, and how one database goes about it.
#[derive(Debug, Clone)]
pub struct ExplainedStatement {
    pub text: Arc<str>,
    /// How long it took in all databases of its kind.
    pub took: HistogramView,
    pub plan: Plan,
}

impl ExplainedStatement {
    /// The columns of `table` by which it looks for rows.
    pub fn filters_by(&self, table: &str) -> Vec<String> {
        filtered_columns(&self.text, table)
    }
}

impl Databases {
    /// Looks at the system database and some of the organisations'. Statements are planned, never run, on connections that
    /// no pool misses; what the tables hold is counted, or estimated where counting takes long.
    ///
    /// # Errors
    /// What keeps the system database from being looked at; [`StorageError::Busy`] when the server has no connection to spare.
    pub async fn analyse(&self, bounds: AnalysisBounds) -> Result<StorageAnalysis, StorageError> {
        let deadline = Instant::now() + bounds.within;
        let (system_kind, tenant_kind) = self.kinds();
        let pools = self.system_models().pools();
        let system = analyse(pools, system_kind, None, bounds, deadline).await?;
        let (mut databases, mut left_out) = (vec![system], Vec::new());
        for id in self.sample(bounds.tenants_max).await? {
            let place = self.place_of(id);
            if Instant::now() >= deadline {
                left_out.push((place, "the time for the analysis was over".to_owned()));
                continue;
            }
            // Held until it was looked at, so that it is not closed meanwhile.
            let found = match self.tenant_models(id).await {
                Ok(tenant) => analyse(TenantModels::pools(&tenant), tenant_kind, Some(id), bounds, deadline).await,
                Err(error) => Err(error),
            };
            match found {
                Ok(found) => databases.push(found),
                Err(error) => left_out.push((place, error.to_string())),
            }
        }
        Ok(StorageAnalysis { engine: pools.engine(), databases, left_out })
    }

    /// Some organisations: those whose databases are open, and the first of the others.
    async fn sample(&self, max: usize) -> Result<Vec<OrganisationId>, StorageError> {
        let mut sample: Vec<OrganisationId> = self.tenants().open_now().into_iter().map(|(id, _)| id).collect();
        sample.sort_unstable();
        if sample.len() < max {
            let some = self.system_models().organisations().page(&PageRequest::first_of_most()).await?;
            let others: Vec<_> = some.items.into_iter().map(|organisation| organisation.id).collect();
            sample.extend(others.into_iter().filter(|id| !sample.contains(id)).collect::<Vec<_>>());
        }
        sample.truncate(max);
        Ok(sample)
    }
}

async fn analyse(
    pools: &Arc<Pools>,
    kind: &Kind,
    organisation: Option<OrganisationId>,
    bounds: AnalysisBounds,
    deadline: Instant,
) -> Result<DatabaseAnalysis, StorageError> {
    let target = pools.for_writing().target();
    let mut explainer = Explainer::connect(target, kind.budget.as_ref()).await.map_err(|error| error.means(target))?;
    let found = look(&mut explainer, kind.statements.examples(), bounds, deadline).await;
    explainer.close().await;
    let (statements, unexplained, tables, mut indexes) = found.map_err(|error| error.means(target))?;
    for index in &mut indexes {
        index.note_plans(&statements);
    }
    Ok(DatabaseAnalysis { place: pools.place().clone(), organisation, statements, unexplained, tables, indexes })
}

type Found = (Vec<ExplainedStatement>, usize, Vec<TableFigures>, Vec<IndexFigures>);

async fn look(
    explainer: &mut Explainer,
    examples: Vec<(StatementView, Example)>,
    bounds: AnalysisBounds,
    deadline: Instant,
) -> Result<Found, NoPlan> {
    let tables = tables::of(explainer.connection()).await?;
    let indexes = indexes::of(explainer.connection()).await?;
    let (mut statements, mut unexplained) = (Vec::new(), 0);
    for (view, example) in examples.into_iter().take(bounds.statements_max) {
        if Instant::now() >= deadline {
            unexplained += 1;
            continue;
        }
        match explainer.plan(&example).await {
            Ok(plan) => statements.push(ExplainedStatement { text: view.text, took: view.took, plan }),
            Err(NoPlan::NotExplained) => {}
            Err(NoPlan::Database(_)) => unexplained += 1,
            Err(error) => return Err(error),
        }
    }
    Ok((statements, unexplained, tables, indexes))
}

/// The columns of `table` that stand behind WHERE, where statements name every column with its table.
fn filtered_columns(text: &str, table: &str) -> Vec<String> {
    let Some((_, conditions)) = text.split_once(" WHERE ") else { return Vec::new() };
    let ends = [" ORDER BY ", " GROUP BY ", " LIMIT "].into_iter().filter_map(|word| conditions.find(word));
    let conditions = &conditions[..ends.min().unwrap_or(conditions.len())];
    let mut columns = Vec::new();
    for quote in ['"', '`'] {
        for (at, found) in conditions.match_indices(&format!("{quote}{table}{quote}.{quote}")) {
            let Some(column) = conditions[at + found.len()..].split(quote).next() else { continue };
            if !columns.iter().any(|known| known == column) {
                columns.push(column.to_owned());
            }
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_those_behind_where() {
        let text = r#"SELECT "devices"."id", "devices"."name" FROM "devices" LEFT JOIN "networks" ON 1 WHERE "devices"."standing" = ? AND ("devices"."expires_at" > ? OR "networks"."name" = ?) AND "devices"."standing" <> ? ORDER BY "devices"."id" ASC LIMIT ?"#;
        assert_eq!(filtered_columns(text, "devices"), ["standing", "expires_at"]);
        assert_eq!(filtered_columns(text, "networks"), ["name"]);
        assert_eq!(filtered_columns("DELETE FROM `links` WHERE `links`.`expires_at` < ?", "links"), ["expires_at"]);
        assert!(filtered_columns(r#"SELECT "devices"."id" FROM "devices""#, "devices").is_empty());
    }
}
