//! How far each organisation's database got with its migrations. The database's own ledger is what counts; this one lets the
//! whole installation be seen at once. No proof is asked for: Warren writes it for itself.

use std::str::FromStr;

use sea_orm::{EntityTrait, IntoActiveModel, QueryOrder, sea_query::OnConflict};
use warren_model::{OrganisationId, Timestamp};
use warren_schema::system::tenant_migration as table;

use crate::{
    Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, micros, moment_or_none, narrowed, parsed},
};

/// So many rows go into one statement.
const ROWS_PER_STATEMENT: usize = 100;
/// What is kept of an error.
const ERROR_CHARACTERS_MAX: usize = 1000;

/// How far each organisation's database got with its migrations.
#[derive(Debug)]
pub struct TenantMigrations<'a, C> {
    pub(crate) on: &'a C,
}

/// How far one organisation's database got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantMigration {
    pub organisation: OrganisationId,
    /// The migration that it has reached, or is to reach; empty for the state before the first.
    pub version: String,
    pub state: TenantMigrationState,
    /// Why it failed.
    pub error: Option<String>,
    /// How often it was tried to reach `version`.
    pub attempts: u32,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

/// Where the migration of one database stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TenantMigrationState {
    Pending,
    /// Under way; or cut off, when nothing runs any more.
    Running,
    Done,
    Failed,
}

impl TenantMigrationState {
    /// The word for it in the database and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for TenantMigrationState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [Self::Pending, Self::Running, Self::Done, Self::Failed];
        all.into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

impl<C: Source> TenantMigrations<'_, C> {
    /// What is noted of every organisation's database, at most one row for each.
    pub async fn all(&self) -> Result<Vec<TenantMigration>, StorageError> {
        let rows = table::Entity::find()
            .order_by_asc(table::Column::OrganisationId)
            .all(self.on.connection())
            .await
            .at(self.on)?;
        rows.into_iter().map(decode).collect::<Result<_, _>>().at(self.on)
    }

    /// What is noted of one organisation's database.
    pub async fn of(&self, organisation: OrganisationId) -> Result<Option<TenantMigration>, StorageError> {
        let row = table::Entity::find_by_id(organisation.uuid()).one(self.on.connection()).await.at(self.on)?;
        row.map(decode).transpose().at(self.on)
    }
}

impl TenantMigrations<'_, Writer> {
    /// Notes these in place of what was noted of the same organisations.
    pub async fn store_many(&self, rows: &[TenantMigration]) -> Result<(), StorageError> {
        for rows in rows.chunks(ROWS_PER_STATEMENT) {
            let again = OnConflict::column(table::Column::OrganisationId)
                .update_columns([
                    table::Column::Version,
                    table::Column::State,
                    table::Column::Error,
                    table::Column::Attempts,
                    table::Column::StartedAt,
                    table::Column::FinishedAt,
                ])
                .to_owned();
            let rows = rows.iter().map(|row| encode(row).into_active_model());
            table::Entity::insert_many(rows)
                .on_conflict(again)
                .exec_without_returning(self.on.connection())
                .await
                .at(self.on)?;
        }
        Ok(())
    }
}

fn encode(row: &TenantMigration) -> table::Model {
    table::Model {
        organisation_id: row.organisation.uuid(),
        version: row.version.clone(),
        state: row.state.as_str().to_owned(),
        error: row.error.as_ref().map(|error| error.chars().take(ERROR_CHARACTERS_MAX).collect()),
        attempts: i32::try_from(row.attempts).unwrap_or(i32::MAX),
        started_at: row.started_at.map(micros),
        finished_at: row.finished_at.map(micros),
    }
}

pub(crate) fn decode(row: table::Model) -> Result<TenantMigration, Undecodable> {
    Ok(TenantMigration {
        organisation: OrganisationId::from_uuid(row.organisation_id),
        version: row.version,
        state: parsed(&row.state, "state")?,
        error: row.error,
        attempts: narrowed(row.attempts, "attempts")?,
        started_at: moment_or_none(row.started_at, "started_at")?,
        finished_at: moment_or_none(row.finished_at, "finished_at")?,
    })
}
