//! Links that work once: set-up and invitation. Consuming one is itself the proof of what it was made for.

use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};
use warren_auth::TokenHash;
use warren_model::{AccountId, LinkId, OrganisationId, Timestamp};
use warren_schema::system::link as table;

use crate::{
    Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, micros, moment, moment_or_none},
};

/// Links that work once.
#[derive(Debug)]
pub struct Links<'a, C> {
    pub(crate) on: &'a C,
}

/// A link that works once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub id: LinkId,
    pub purpose: LinkPurpose,
    /// Whom it is for; none before there is an account.
    pub account: Option<AccountId>,
    pub organisation: Option<OrganisationId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

impl Link {
    /// Whether it can still be consumed at the moment `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.used_at.is_none() && now < self.expires_at
    }
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkPurpose {
    /// To make the operator and the first organisation.
    SetUp,
    /// To join an organisation.
    Invitation,
}

impl LinkPurpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SetUp => "set_up",
            Self::Invitation => "invitation",
        }
    }
}

impl<C: Source> Links<'_, C> {
    /// The link with this token, also when it was used or has expired.
    pub async fn by_token_hash(&self, token: &TokenHash) -> Result<Option<Link>, StorageError> {
        let found = table::Entity::find().filter(table::Column::TokenHash.eq(token.as_bytes().to_vec()));
        found.one(self.on.connection()).await.at(self.on)?.map(decode).transpose().at(self.on)
    }
}

impl Links<'_, Writer> {
    /// Adds a link, in place of earlier unused ones of the same purpose, account and organisation.
    ///
    /// # Errors
    /// [`StorageError::Referenced`] without such an account or organisation.
    pub async fn insert(&self, link: &Link, token: &TokenHash) -> Result<(), StorageError> {
        let row = table::Model {
            id: link.id.uuid(),
            token_hash: token.as_bytes().to_vec(),
            purpose: link.purpose.as_str().to_owned(),
            account_id: link.account.map(AccountId::uuid),
            organisation_id: link.organisation.map(OrganisationId::uuid),
            created_at: micros(link.created_at),
            expires_at: micros(link.expires_at),
            used_at: link.used_at.map(micros),
        };
        let same = Condition::all()
            .add(match row.account_id {
                Some(id) => table::Column::AccountId.eq(id),
                None => table::Column::AccountId.is_null(),
            })
            .add(match row.organisation_id {
                Some(id) => table::Column::OrganisationId.eq(id),
                None => table::Column::OrganisationId.is_null(),
            })
            .add(table::Column::Purpose.eq(row.purpose.as_str()))
            .add(table::Column::UsedAt.is_null());
        table::Entity::delete_many().filter(same).exec(self.on.connection()).await.at(self.on)?;
        let insert = table::Entity::insert(row.into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Uses the link up. Of several who try at once, one succeeds.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] when it was used, has expired, or never was.
    pub async fn consume(&self, id: LinkId, now: Timestamp) -> Result<(), StorageError> {
        let change = table::ActiveModel { used_at: Set(Some(micros(now))), ..table::ActiveModel::default() };
        let done = table::Entity::update_many()
            .set(change)
            .filter(table::Column::Id.eq(id.uuid()))
            .filter(table::Column::UsedAt.is_null())
            .filter(table::Column::ExpiresAt.gt(micros(now)))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        if done.rows_affected == 1 { Ok(()) } else { Err(StorageError::NotFound) }
    }

    /// Clears away links that have expired, used or not, and returns how many.
    pub async fn remove_ended(&self, now: Timestamp) -> Result<u64, StorageError> {
        let done = table::Entity::delete_many()
            .filter(table::Column::ExpiresAt.lte(micros(now)))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        Ok(done.rows_affected)
    }
}

fn decode(row: table::Model) -> Result<Link, Undecodable> {
    Ok(Link {
        id: LinkId::from_uuid(row.id),
        purpose: [LinkPurpose::SetUp, LinkPurpose::Invitation]
            .into_iter()
            .find(|purpose| purpose.as_str() == row.purpose)
            .ok_or(Undecodable { column: "purpose" })?,
        account: row.account_id.map(AccountId::from_uuid),
        organisation: row.organisation_id.map(OrganisationId::from_uuid),
        created_at: moment(row.created_at, "created_at")?,
        expires_at: moment(row.expires_at, "expires_at")?,
        used_at: moment_or_none(row.used_at, "used_at")?,
    })
}
