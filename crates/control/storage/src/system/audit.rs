//! The installation's own trail, and entries on their way to an organisation's.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select};
use warren_model::{
    AuditId, OrganisationId, Period,
    audit::AuditEntry,
    page::{Page, PageRequest},
};
use warren_schema::system::{audit_entry as table, audit_outbox as outbox};

use crate::{
    Source, StorageError, Writer,
    audit::AuditColumns,
    source::{At, sealed::Source as _},
    stored::{Undecodable, micros, padded},
};

/// The installation's own trail.
#[derive(Debug)]
pub struct SystemAudit<'a, C> {
    pub(crate) on: &'a C,
}

/// Entries that belong to an organisation's trail and were written with a change in the system database. They are taken over
/// there (which is idempotent) and then removed here, so that none is lost or doubled.
#[derive(Debug)]
pub struct AuditOutbox<'a, C> {
    pub(crate) on: &'a C,
}

impl<C: Source> SystemAudit<'_, C> {
    /// A page of the trail, newest first, each with the organisation it is about.
    pub async fn page(
        &self,
        request: &PageRequest,
    ) -> Result<Page<(AuditEntry, Option<OrganisationId>)>, StorageError> {
        let mut query = table::Entity::find().order_by_desc(table::Column::Id).limit(u64::from(request.limit()) + 1);
        if let Some(after) = request.after() {
            query = query.filter(table::Column::Id.lt(after));
        }
        self.entries(query, request).await
    }

    /// A page of what happened in `period`, newest first, each with the organisation it is about.
    pub async fn page_of_period(
        &self,
        period: Period,
        request: &PageRequest,
    ) -> Result<Page<(AuditEntry, Option<OrganisationId>)>, StorageError> {
        // As in an organisation's trail.
        let end = period.to() + time::Duration::microseconds(1);
        let until = request.after().unwrap_or_else(|| AuditId::least_at(end).uuid());
        let query = table::Entity::find()
            .filter(table::Column::Id.gte(AuditId::least_at(period.from()).uuid()))
            .filter(table::Column::Id.lt(until))
            .filter(table::Column::At.gte(micros(period.from())))
            .filter(table::Column::At.lt(micros(period.to())))
            .order_by_desc(table::Column::Id)
            .limit(u64::from(request.limit()) + 1);
        self.entries(query, request).await
    }

    async fn entries(
        &self,
        query: Select<table::Entity>,
        request: &PageRequest,
    ) -> Result<Page<(AuditEntry, Option<OrganisationId>)>, StorageError> {
        let rows = query.all(self.on.connection()).await.at(self.on)?;
        let decode = |row: table::Model| {
            let about = row.organisation_id.map(OrganisationId::from_uuid);
            let columns = AuditColumns {
                id: row.id,
                at: row.at,
                actor_account_id: row.actor_account_id,
                action: row.action,
                body: row.body,
            };
            Ok((columns.entry()?, about))
        };
        let items = rows.into_iter().map(decode).collect::<Result<Vec<_>, Undecodable>>().at(self.on)?;
        Ok(Page::from_rows(request, items, |(entry, _)| entry.id.uuid()))
    }
}

impl SystemAudit<'_, Writer> {
    /// Adds an entry, about an organisation or about the installation.
    pub async fn append(&self, entry: &AuditEntry, about: Option<OrganisationId>) -> Result<(), StorageError> {
        let AuditColumns { id, at, actor_account_id, action, body } = AuditColumns::of(entry);
        let organisation_id = about.map(OrganisationId::uuid);
        let row = table::Model { id, organisation_id, at, actor_account_id, action, body };
        let insert = table::Entity::insert(row.into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }
}

impl<C: Source> AuditOutbox<'_, C> {
    /// The oldest entries that wait, at most `limit`.
    pub async fn take(&self, limit: u64) -> Result<Vec<(OrganisationId, AuditEntry)>, StorageError> {
        let rows = outbox::Entity::find()
            .order_by_asc(outbox::Column::Id)
            .limit(limit)
            .all(self.on.connection())
            .await
            .at(self.on)?;
        let decode = |row: outbox::Model| {
            let organisation = OrganisationId::from_uuid(row.organisation_id);
            let columns = AuditColumns {
                id: row.id,
                at: row.at,
                actor_account_id: row.actor_account_id,
                action: row.action,
                body: row.body,
            };
            Ok((organisation, columns.entry()?))
        };
        rows.into_iter().map(decode).collect::<Result<_, Undecodable>>().at(self.on)
    }
}

impl AuditOutbox<'_, Writer> {
    /// Leaves an entry for the trail of `organisation`.
    pub async fn push(&self, entry: &AuditEntry, organisation: OrganisationId) -> Result<(), StorageError> {
        let AuditColumns { id, at, actor_account_id, action, body } = AuditColumns::of(entry);
        let row = outbox::Model { id, organisation_id: organisation.uuid(), at, actor_account_id, action, body };
        let insert = outbox::Entity::insert(row.into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Removes entries that have been taken over.
    pub async fn remove(&self, ids: &[AuditId]) -> Result<(), StorageError> {
        if ids.is_empty() {
            return Ok(());
        }
        outbox::Entity::delete_many()
            .filter(outbox::Column::Id.is_in(padded(ids.iter().map(|id| id.uuid()))))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        Ok(())
    }
}
