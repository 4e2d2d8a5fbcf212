//! The trail of one organisation. Entries are only ever added.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select};
use warren_model::{
    AccountId, AuditId, Period,
    audit::AuditEntry,
    page::{Page, PageRequest},
};
use warren_schema::tenant::audit_entry as table;

use crate::{
    AuditFilter, Source, StorageError, Writer,
    audit::AuditColumns,
    source::{At, sealed::Source as _},
    stored::{Undecodable, micros},
};

/// The trail of one organisation.
#[derive(Debug)]
pub struct AuditEntries<'a, C> {
    pub(crate) on: &'a C,
}

impl<C: Source> AuditEntries<'_, C> {
    /// A page of the trail, newest first.
    pub async fn page(&self, filter: &AuditFilter, request: &PageRequest) -> Result<Page<AuditEntry>, StorageError> {
        let mut query = table::Entity::find();
        if let Some(after) = request.after() {
            query = query.filter(table::Column::Id.lt(after));
        }
        let mut rows = match (filter.actor.map(AccountId::uuid), filter.actions()) {
            (None, None) => self.newest(query, request).await?,
            (Some(actor), None) => self.newest(query.filter(table::Column::ActorAccountId.eq(actor)), request).await?,
            // Within what one person did, which is indexed.
            (Some(actor), Some(actions)) => {
                let query = query.filter(table::Column::ActorAccountId.eq(actor));
                self.newest(query.filter(table::Column::Action.is_in(actions)), request).await?
            }
            // The newest of each action, from its own stretch of the index, and of those the newest.
            (None, Some(actions)) => {
                let mut newest = Vec::new();
                for action in actions {
                    let of_one = query.clone().filter(table::Column::Action.eq(action));
                    newest.append(&mut self.newest(of_one, request).await?);
                }
                newest
            }
        };
        rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.id));
        rows.truncate(usize::from(request.limit()) + 1);
        let entries = rows.into_iter().map(decode).collect::<Result<Vec<_>, _>>().at(self.on)?;
        Ok(Page::from_rows(request, entries, |entry| entry.id.uuid()))
    }

    /// Whether this entry stands in the trail already.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn holds(&self, id: AuditId) -> Result<bool, StorageError> {
        let found = table::Entity::find_by_id(id.uuid()).select_only().column(table::Column::Id);
        Ok(found.into_tuple::<uuid::Uuid>().one(self.on.connection()).await.at(self.on)?.is_some())
    }

    /// A page of what happened in `period`, newest first.
    pub async fn page_of_period(
        &self,
        period: Period,
        request: &PageRequest,
    ) -> Result<Page<AuditEntry>, StorageError> {
        let rows = of_period(table::Entity::find(), period, request).all(self.on.connection()).await.at(self.on)?;
        let entries = rows.into_iter().map(decode).collect::<Result<Vec<_>, _>>().at(self.on)?;
        Ok(Page::from_rows(request, entries, |entry| entry.id.uuid()))
    }

    async fn newest(
        &self,
        query: Select<table::Entity>,
        request: &PageRequest,
    ) -> Result<Vec<table::Model>, StorageError> {
        let newest_first = query.order_by_desc(table::Column::Id).limit(u64::from(request.limit()) + 1);
        newest_first.all(self.on.connection()).await.at(self.on)
    }
}

impl AuditEntries<'_, Writer> {
    /// Adds an entry. Adding it again changes nothing. Use cases add theirs by `App::record`, so that webhooks hear of them.
    pub async fn append(&self, entry: &AuditEntry) -> Result<(), StorageError> {
        let AuditColumns { id, at, actor_account_id, action, body } = AuditColumns::of(entry);
        let row = table::Model { id, at, actor_account_id, action, body };
        table::Entity::insert(row.into_active_model())
            .on_conflict_do_nothing_on([table::Column::Id])
            .exec_without_returning(self.on.connection())
            .await
            .at(self.on)?;
        Ok(())
    }
}

/// Identifiers follow time to the microsecond: the stretch of the primary key that may hold the period, and of it what does.
fn of_period(query: Select<table::Entity>, period: Period, request: &PageRequest) -> Select<table::Entity> {
    let end = period.to() + time::Duration::microseconds(1);
    let until = request.after().unwrap_or_else(|| AuditId::least_at(end).uuid());
    query
        .filter(table::Column::Id.gte(AuditId::least_at(period.from()).uuid()))
        .filter(table::Column::Id.lt(until))
        .filter(table::Column::At.gte(micros(period.from())))
        .filter(table::Column::At.lt(micros(period.to())))
        .order_by_desc(table::Column::Id)
        .limit(u64::from(request.limit()) + 1)
}

fn decode(row: table::Model) -> Result<AuditEntry, Undecodable> {
    let table::Model { id, at, actor_account_id, action, body } = row;
    AuditColumns { id, at, actor_account_id, action, body }.entry()
}
