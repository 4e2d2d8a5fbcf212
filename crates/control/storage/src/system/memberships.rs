//! Who belongs to which organisation, and as what.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, JoinType, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, RelationDef, Select, sea_query::ExprTrait,
};
use warren_auth::{
    Authorized,
    permission::{ManagePeople, Operate},
};
use warren_model::{
    AccountId, MembershipStanding, Organisation, OrganisationId, Person, Role, Timestamp,
    page::{Page, PageRequest},
};
use warren_schema::system::{account, membership as table, organisation};

use super::organisations;
use crate::{
    Conflict, Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, micros, moment, padded, parsed},
};

/// Who belongs where.
#[derive(Debug)]
pub struct Memberships<'a, C> {
    pub(crate) on: &'a C,
}

/// That somebody belongs to an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    pub account: AccountId,
    pub organisation: OrganisationId,
    pub role: Role,
    pub standing: MembershipStanding,
    pub created_at: Timestamp,
}

/// A proof that allows to bring people into an organisation: [`ManagePeople`] there, or [`Operate`] (its first admin).
pub trait InviterProof {
    /// Whether the organisation `id` is within it.
    fn admits_to(&self, id: OrganisationId) -> bool;
}

impl InviterProof for Authorized<ManagePeople> {
    fn admits_to(&self, id: OrganisationId) -> bool {
        self.organisation() == Some(id)
    }
}

impl InviterProof for Authorized<Operate> {
    fn admits_to(&self, _: OrganisationId) -> bool {
        true
    }
}

impl<C: Source> Memberships<'_, C> {
    /// How many people belong to `organisation`, invited ones among them.
    pub async fn count(&self, organisation: OrganisationId) -> Result<u64, StorageError> {
        table::Entity::find()
            .filter(table::Column::OrganisationId.eq(organisation.uuid()))
            .count(self.on.connection())
            .await
            .at(self.on)
    }

    /// The role of `account` in `organisation`; none before it has joined.
    pub async fn role_of(
        &self,
        account: AccountId,
        organisation: OrganisationId,
    ) -> Result<Option<Role>, StorageError> {
        let role: Option<String> = row_of(account, organisation)
            .select_only()
            .column(table::Column::Role)
            .filter(table::Column::Standing.eq(MembershipStanding::Joined.as_str()))
            .into_tuple()
            .one(self.on.connection())
            .await
            .at(self.on)?;
        role.map(|role| parsed(&role, "role")).transpose().at(self.on)
    }

    /// The person that `account` is in `organisation`, joined or invited.
    pub async fn person(
        &self,
        organisation: OrganisationId,
        account: AccountId,
    ) -> Result<Option<Person>, StorageError> {
        let found = row_of(account, organisation)
            .join(JoinType::InnerJoin, to_account())
            .select_also(account::Entity)
            .one(self.on.connection())
            .await
            .at(self.on)?;
        found.map(decode).transpose().at(self.on)
    }

    /// The organisations that `account` belongs to, joined or invited, and as what; at most `limit`.
    pub async fn of_account(
        &self,
        account: AccountId,
        limit: u64,
    ) -> Result<Vec<(Organisation, Membership)>, StorageError> {
        let rows = table::Entity::find()
            .filter(table::Column::AccountId.eq(account.uuid()))
            .join(JoinType::InnerJoin, to_organisation())
            .select_also(organisation::Entity)
            .order_by_asc(table::Column::OrganisationId)
            .limit(limit)
            .all(self.on.connection())
            .await
            .at(self.on)?;
        let with_organisation = |(row, found): (table::Model, Option<organisation::Model>)| {
            let found = found.ok_or(Undecodable { column: "organisation_id" })?;
            Ok((organisations::decode(found)?, membership(&row)?))
        };
        rows.into_iter().map(with_organisation).collect::<Result<_, Undecodable>>().at(self.on)
    }

    /// Those of `accounts` who belong to `organisation`, joined or invited.
    pub async fn people(
        &self,
        organisation: OrganisationId,
        accounts: &[AccountId],
    ) -> Result<Vec<Person>, StorageError> {
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let rows = table::Entity::find()
            .filter(table::Column::OrganisationId.eq(organisation.uuid()))
            .filter(table::Column::AccountId.is_in(padded(accounts.iter().map(|account| account.uuid()))))
            .join(JoinType::InnerJoin, to_account())
            .select_also(account::Entity)
            .all(self.on.connection())
            .await
            .at(self.on)?;
        rows.into_iter().map(decode).collect::<Result<_, _>>().at(self.on)
    }

    /// A page of an organisation's people, joined and invited.
    pub async fn page_of_people(
        &self,
        organisation: OrganisationId,
        request: &PageRequest,
    ) -> Result<Page<Person>, StorageError> {
        let mut query = table::Entity::find()
            .filter(table::Column::OrganisationId.eq(organisation.uuid()))
            .order_by_asc(table::Column::AccountId)
            .limit(u64::from(request.limit()) + 1);
        if let Some(after) = request.after() {
            query = query.filter(table::Column::AccountId.gt(after));
        }
        let rows = query
            .join(JoinType::InnerJoin, to_account())
            .select_also(account::Entity)
            .all(self.on.connection())
            .await
            .at(self.on)?;
        let people = rows.into_iter().map(decode).collect::<Result<Vec<_>, _>>().at(self.on)?;
        Ok(Page::from_rows(request, people, |person| person.account.uuid()))
    }

    /// How many admins have joined; an organisation keeps at least one.
    pub async fn joined_admins(&self, organisation: OrganisationId) -> Result<u64, StorageError> {
        table::Entity::find()
            .filter(table::Column::OrganisationId.eq(organisation.uuid()))
            .filter(table::Column::Role.eq(Role::Admin.as_str()))
            .filter(table::Column::Standing.eq(MembershipStanding::Joined.as_str()))
            .count(self.on.connection())
            .await
            .at(self.on)
    }
}

impl Memberships<'_, Writer> {
    /// Adds a membership at revision 1.
    ///
    /// # Errors
    /// [`crate::Conflict::MembershipExists`], [`StorageError::Referenced`] without such an account or organisation,
    /// [`StorageError::WrongTenant`]
    pub async fn insert(&self, proof: &impl InviterProof, membership: &Membership) -> Result<(), StorageError> {
        if !proof.admits_to(membership.organisation) {
            return Err(StorageError::WrongTenant);
        }
        let insert = table::Entity::insert(row(membership).into_active_model());
        match insert.exec_without_returning(self.on.connection()).await.at(self.on) {
            // Not every engine says whose primary key it was.
            Err(StorageError::Conflict(Conflict::Exists)) => Err(Conflict::MembershipExists.into()),
            outcome => outcome.map(drop),
        }
    }

    /// Changes the role if the membership is still at `expected_revision`, and returns the new revision.
    ///
    /// # Errors
    /// [`StorageError::Stale`], [`StorageError::NotFound`], [`StorageError::WrongTenant`]
    pub async fn set_role(
        &self,
        proof: &Authorized<ManagePeople>,
        account: AccountId,
        role: Role,
        expected_revision: i64,
    ) -> Result<i64, StorageError> {
        let organisation = proof.organisation().ok_or(StorageError::WrongTenant)?;
        let change = table::ActiveModel {
            role: Set(role.as_str().to_owned()),
            revision: Set(expected_revision + 1),
            ..table::ActiveModel::default()
        };
        let done = table::Entity::update_many()
            .set(change)
            .filter(table::Column::AccountId.eq(account.uuid()))
            .filter(table::Column::OrganisationId.eq(organisation.uuid()))
            .filter(table::Column::Revision.eq(expected_revision))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        if done.rows_affected == 1 {
            return Ok(expected_revision + 1);
        }
        let there = self.person(organisation, account).await?.is_some();
        Err(if there { StorageError::Stale } else { StorageError::NotFound })
    }

    /// Takes up an invitation. The caller holds the consumed link; there is no other proof. Joining twice changes nothing.
    ///
    /// # Errors
    /// [`StorageError::NotFound`]
    pub async fn join(&self, account: AccountId, organisation: OrganisationId) -> Result<(), StorageError> {
        let done = table::Entity::update_many()
            .col_expr(table::Column::Standing, sea_orm::sea_query::Expr::val(MembershipStanding::Joined.as_str()))
            .col_expr(table::Column::Revision, table::Column::Revision.into_expr().add(1))
            .filter(table::Column::AccountId.eq(account.uuid()))
            .filter(table::Column::OrganisationId.eq(organisation.uuid()))
            .filter(table::Column::Standing.eq(MembershipStanding::Invited.as_str()))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        if done.rows_affected == 1 || self.role_of(account, organisation).await?.is_some() {
            Ok(())
        } else {
            Err(StorageError::NotFound)
        }
    }

    /// Ends a membership in the organisation of `proof`.
    ///
    /// # Errors
    /// [`StorageError::NotFound`], [`StorageError::WrongTenant`]
    pub async fn remove(&self, proof: &Authorized<ManagePeople>, account: AccountId) -> Result<(), StorageError> {
        let organisation = proof.organisation().ok_or(StorageError::WrongTenant)?;
        let done = table::Entity::delete_many()
            .filter(table::Column::AccountId.eq(account.uuid()))
            .filter(table::Column::OrganisationId.eq(organisation.uuid()))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        if done.rows_affected == 1 { Ok(()) } else { Err(StorageError::NotFound) }
    }
}

pub(super) fn row(membership: &Membership) -> table::Model {
    table::Model {
        account_id: membership.account.uuid(),
        organisation_id: membership.organisation.uuid(),
        role: membership.role.as_str().to_owned(),
        standing: membership.standing.as_str().to_owned(),
        created_at: micros(membership.created_at),
        revision: 1,
    }
}

fn row_of(account: AccountId, organisation: OrganisationId) -> Select<table::Entity> {
    table::Entity::find_by_id((account.uuid(), organisation.uuid()))
}

fn to_organisation() -> RelationDef {
    table::Entity::belongs_to(organisation::Entity)
        .from(table::Column::OrganisationId)
        .to(organisation::Column::Id)
        .into()
}

fn membership(row: &table::Model) -> Result<Membership, Undecodable> {
    Ok(Membership {
        account: AccountId::from_uuid(row.account_id),
        organisation: OrganisationId::from_uuid(row.organisation_id),
        role: parsed(&row.role, "role")?,
        standing: parsed(&row.standing, "standing")?,
        created_at: moment(row.created_at, "created_at")?,
    })
}

fn to_account() -> RelationDef {
    table::Entity::belongs_to(account::Entity).from(table::Column::AccountId).to(account::Column::Id).into()
}

fn decode((row, account): (table::Model, Option<account::Model>)) -> Result<Person, Undecodable> {
    let account = account.ok_or(Undecodable { column: "account_id" })?;
    Ok(Person {
        account: AccountId::from_uuid(row.account_id),
        email: parsed(&account.email, "email")?,
        name: parsed(&account.name, "name")?,
        role: parsed(&row.role, "role")?,
        standing: parsed(&row.standing, "standing")?,
        created_at: moment(row.created_at, "created_at")?,
        revision: row.revision,
    })
}
