//! People's sign-ins, known to the whole installation.

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, sea_query::ExprTrait,
};
use warren_auth::{
    Authorized, PasswordHash,
    permission::{ManagePeople, Operate, Reach},
};
use warren_model::{AccountId, Email, PersonName, Timestamp};
use warren_schema::system::account as table;

use crate::{
    Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, micros, moment, padded, parsed},
};

/// People's sign-ins.
#[derive(Debug)]
pub struct Accounts<'a, C> {
    pub(crate) on: &'a C,
}

/// A person's sign-in, without the password's hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub email: Email,
    pub name: PersonName,
    pub reach: Reach,
    pub created_at: Timestamp,
    /// Grows with each change.
    pub revision: i64,
}

/// A proof that allows to make accounts: [`Operate`], or [`ManagePeople`] in some organisation.
pub trait AccountChange {
    /// Whether it allows to make an operator.
    fn may_grant(&self, reach: Reach) -> bool;
}

impl AccountChange for Authorized<Operate> {
    fn may_grant(&self, _: Reach) -> bool {
        true
    }
}

impl AccountChange for Authorized<ManagePeople> {
    fn may_grant(&self, reach: Reach) -> bool {
        reach == Reach::OwnOrganisations
    }
}

impl<C: Source> Accounts<'_, C> {
    /// The account with this address.
    pub async fn by_email(&self, email: &Email) -> Result<Option<Account>, StorageError> {
        Ok(self.for_sign_in(email).await?.map(|(account, _)| account))
    }

    /// The account with this address and what its password is compared with; none until a password was set.
    pub async fn for_sign_in(&self, email: &Email) -> Result<Option<(Account, Option<PasswordHash>)>, StorageError> {
        let found = table::Entity::find().filter(table::Column::Email.eq(email.as_str()));
        let Some(mut row) = found.one(self.on.connection()).await.at(self.on)? else { return Ok(None) };
        let hash = row.password_hash.take().map(PasswordHash::from_stored);
        Ok(Some((decode(row).at(self.on)?, hash)))
    }

    /// The account.
    pub async fn by_id(&self, id: AccountId) -> Result<Option<Account>, StorageError> {
        let found = table::Entity::find_by_id(id.uuid()).one(self.on.connection()).await.at(self.on)?;
        found.map(decode).transpose().at(self.on)
    }

    /// The accounts with these addresses. Addresses that nobody has are left out.
    pub async fn by_emails(&self, emails: &[Email]) -> Result<Vec<Account>, StorageError> {
        if emails.is_empty() {
            return Ok(Vec::new());
        }
        let found = table::Entity::find().filter(table::Column::Email.is_in(padded(emails.iter().map(Email::as_str))));
        let rows = found.all(self.on.connection()).await.at(self.on)?;
        rows.into_iter().map(decode).collect::<Result<_, _>>().at(self.on)
    }

    /// What these people are called. Accounts that do not exist are left out.
    pub async fn names(&self, ids: &[AccountId]) -> Result<HashMap<AccountId, PersonName>, StorageError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<(uuid::Uuid, String)> = table::Entity::find()
            .select_only()
            .columns([table::Column::Id, table::Column::Name])
            .filter(table::Column::Id.is_in(padded(ids.iter().map(|id| id.uuid()))))
            .into_tuple()
            .all(self.on.connection())
            .await
            .at(self.on)?;
        let named = |(id, name): (uuid::Uuid, String)| Ok((AccountId::from_uuid(id), parsed(&name, "name")?));
        rows.into_iter().map(named).collect::<Result<_, Undecodable>>().at(self.on)
    }

    /// Whether the installation has an operator.
    pub async fn is_set_up(&self) -> Result<bool, StorageError> {
        let operator: Option<uuid::Uuid> = table::Entity::find()
            .select_only()
            .column(table::Column::Id)
            .filter(table::Column::Reach.eq(reach_word(Reach::Installation)))
            .limit(1)
            .into_tuple()
            .one(self.on.connection())
            .await
            .at(self.on)?;
        Ok(operator.is_some())
    }
}

impl Accounts<'_, Writer> {
    /// Adds an account, with a password or without one until it is set through a link.
    ///
    /// # Errors
    /// [`crate::Conflict::EmailTaken`]; [`StorageError::WrongTenant`] when the proof does not allow to make an operator.
    pub async fn insert(
        &self,
        proof: &impl AccountChange,
        account: &Account,
        password: Option<&PasswordHash>,
    ) -> Result<(), StorageError> {
        if !proof.may_grant(account.reach) {
            return Err(StorageError::WrongTenant);
        }
        let insert = table::Entity::insert(row(account, password).into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Sets password and name. The caller holds a consumed link or the account's own session; there is no other proof.
    ///
    /// # Errors
    /// [`StorageError::NotFound`]
    pub async fn set_password(
        &self,
        id: AccountId,
        hash: &PasswordHash,
        name: &PersonName,
    ) -> Result<(), StorageError> {
        let change = table::ActiveModel {
            password_hash: Set(Some(hash.as_str().to_owned())),
            name: Set(name.as_str().to_owned()),
            ..table::ActiveModel::default()
        };
        let done = table::Entity::update_many()
            .set(change)
            .col_expr(table::Column::Revision, table::Column::Revision.into_expr().add(1))
            .filter(table::Column::Id.eq(id.uuid()))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        if done.rows_affected == 1 { Ok(()) } else { Err(StorageError::NotFound) }
    }
}

pub(super) fn row(account: &Account, password: Option<&PasswordHash>) -> table::Model {
    table::Model {
        id: account.id.uuid(),
        email: account.email.as_str().to_owned(),
        name: account.name.as_str().to_owned(),
        password_hash: password.map(|hash| hash.as_str().to_owned()),
        reach: reach_word(account.reach).to_owned(),
        created_at: micros(account.created_at),
        revision: account.revision,
    }
}

pub(super) fn decode(row: table::Model) -> Result<Account, Undecodable> {
    Ok(Account {
        id: AccountId::from_uuid(row.id),
        email: parsed(&row.email, "email")?,
        name: parsed(&row.name, "name")?,
        reach: match row.reach.as_str() {
            "own" => Reach::OwnOrganisations,
            "installation" => Reach::Installation,
            _ => return Err(Undecodable { column: "reach" }),
        },
        created_at: moment(row.created_at, "created_at")?,
        revision: row.revision,
    })
}

const fn reach_word(reach: Reach) -> &'static str {
    match reach {
        Reach::OwnOrganisations => "own",
        Reach::Installation => "installation",
    }
}
