//! Organisations.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, JoinType, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use warren_auth::{
    Authorized,
    permission::{ManageNetworks, Operate},
};
use warren_model::{
    AccountId, MembershipStanding, Organisation, OrganisationId, OrganisationSlug, Role,
    page::{Page, PageRequest},
};
use warren_schema::system::{membership, organisation as table};

use crate::{
    Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, micros, moment, parsed},
};

/// Organisations.
#[derive(Debug)]
pub struct Organisations<'a, C> {
    pub(crate) on: &'a C,
}

/// A proof that allows to change an organisation: [`Operate`], or [`ManageNetworks`] in that organisation.
pub trait OrganisationChange {
    /// Whether the organisation `id` is within it.
    fn covers(&self, id: OrganisationId) -> bool;
}

impl OrganisationChange for Authorized<Operate> {
    fn covers(&self, _: OrganisationId) -> bool {
        true
    }
}

impl OrganisationChange for Authorized<ManageNetworks> {
    fn covers(&self, id: OrganisationId) -> bool {
        self.organisation() == Some(id)
    }
}

impl<C: Source> Organisations<'_, C> {
    /// The organisation with this slug.
    pub async fn by_slug(&self, slug: &OrganisationSlug) -> Result<Option<Organisation>, StorageError> {
        let found = table::Entity::find().filter(table::Column::Slug.eq(slug.as_str()));
        found.one(self.on.connection()).await.at(self.on)?.map(decode).transpose().at(self.on)
    }

    /// The organisation.
    pub async fn by_id(&self, id: OrganisationId) -> Result<Option<Organisation>, StorageError> {
        let found = table::Entity::find_by_id(id.uuid()).one(self.on.connection()).await.at(self.on)?;
        found.map(decode).transpose().at(self.on)
    }

    /// Those of `ids` that there are.
    pub async fn by_ids(&self, ids: &[OrganisationId]) -> Result<Vec<Organisation>, StorageError> {
        let found = table::Entity::find().filter(table::Column::Id.is_in(ids.iter().map(|id| id.uuid())));
        let rows = found.all(self.on.connection()).await.at(self.on)?;
        rows.into_iter().map(decode).collect::<Result<_, _>>().at(self.on)
    }

    /// How many there are.
    pub async fn count(&self) -> Result<u64, StorageError> {
        table::Entity::find().count(self.on.connection()).await.at(self.on)
    }

    /// All of them, in order.
    pub async fn all_ids(&self) -> Result<Vec<OrganisationId>, StorageError> {
        let ids: Vec<uuid::Uuid> = table::Entity::find()
            .select_only()
            .column(table::Column::Id)
            .order_by_asc(table::Column::Id)
            .into_tuple()
            .all(self.on.connection())
            .await
            .at(self.on)?;
        Ok(ids.into_iter().map(OrganisationId::from_uuid).collect())
    }

    /// A page of all organisations.
    pub async fn page(&self, request: &PageRequest) -> Result<Page<Organisation>, StorageError> {
        let mut query = table::Entity::find().order_by_asc(table::Column::Id).limit(u64::from(request.limit()) + 1);
        if let Some(after) = request.after() {
            query = query.filter(table::Column::Id.gt(after));
        }
        let rows = query.all(self.on.connection()).await.at(self.on)?;
        let items = rows.into_iter().map(decode).collect::<Result<Vec<_>, _>>().at(self.on)?;
        Ok(Page::from_rows(request, items, |organisation| organisation.id.uuid()))
    }

    /// A page of the organisations that `account` has joined, with the role held there.
    pub async fn page_of_account(
        &self,
        account: AccountId,
        request: &PageRequest,
    ) -> Result<Page<(Organisation, Role)>, StorageError> {
        let to_organisation = membership::Entity::belongs_to(table::Entity)
            .from(membership::Column::OrganisationId)
            .to(table::Column::Id)
            .into();
        let mut query = membership::Entity::find()
            .filter(membership::Column::AccountId.eq(account.uuid()))
            .filter(membership::Column::Standing.eq(MembershipStanding::Joined.as_str()))
            .order_by_asc(membership::Column::OrganisationId)
            .limit(u64::from(request.limit()) + 1);
        if let Some(after) = request.after() {
            query = query.filter(membership::Column::OrganisationId.gt(after));
        }
        let rows = query
            .join(JoinType::InnerJoin, to_organisation)
            .select_also(table::Entity)
            .all(self.on.connection())
            .await
            .at(self.on)?;
        let with_role = |(membership, organisation): (membership::Model, Option<table::Model>)| {
            let organisation = organisation.ok_or(Undecodable { column: "organisation_id" })?;
            Ok((decode(organisation)?, parsed(&membership.role, "role")?))
        };
        let items = rows.into_iter().map(with_role).collect::<Result<Vec<_>, Undecodable>>().at(self.on)?;
        Ok(Page::from_rows(request, items, |(organisation, _)| organisation.id.uuid()))
    }
}

impl Organisations<'_, Writer> {
    /// Adds an organisation, whose database must exist already.
    ///
    /// # Errors
    /// [`crate::Conflict::SlugTaken`]
    pub async fn insert(&self, _: &Authorized<Operate>, organisation: &Organisation) -> Result<(), StorageError> {
        let row = table::Model {
            id: organisation.id.uuid(),
            slug: organisation.slug.as_str().to_owned(),
            name: organisation.name.as_str().to_owned(),
            state: organisation.state.as_str().to_owned(),
            created_at: micros(organisation.created_at),
            revision: organisation.revision,
        };
        let insert = table::Entity::insert(row.into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Replaces name and state if the organisation is still at `expected_revision`, and returns the new revision. The slug stays.
    ///
    /// # Errors
    /// [`StorageError::Stale`], [`StorageError::NotFound`], [`StorageError::WrongTenant`]
    pub async fn update(
        &self,
        proof: &impl OrganisationChange,
        organisation: &Organisation,
        expected_revision: i64,
    ) -> Result<i64, StorageError> {
        if !proof.covers(organisation.id) {
            return Err(StorageError::WrongTenant);
        }
        let change = table::ActiveModel {
            name: Set(organisation.name.as_str().to_owned()),
            state: Set(organisation.state.as_str().to_owned()),
            revision: Set(expected_revision + 1),
            ..table::ActiveModel::default()
        };
        let done = table::Entity::update_many()
            .set(change)
            .filter(table::Column::Id.eq(organisation.id.uuid()))
            .filter(table::Column::Revision.eq(expected_revision))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        if done.rows_affected == 1 {
            return Ok(expected_revision + 1);
        }
        Err(if self.by_id(organisation.id).await?.is_some() { StorageError::Stale } else { StorageError::NotFound })
    }
}

pub(super) fn decode(row: table::Model) -> Result<Organisation, Undecodable> {
    Ok(Organisation {
        id: OrganisationId::from_uuid(row.id),
        slug: parsed(&row.slug, "slug")?,
        name: parsed(&row.name, "name")?,
        state: parsed(&row.state, "state")?,
        created_at: moment(row.created_at, "created_at")?,
        revision: row.revision,
    })
}
