//! Signed-in browsers. The session is itself the proof of who somebody is, so none is asked for here.

use std::{net::IpAddr, time::Duration};

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationDef,
};
use warren_auth::TokenHash;
use warren_model::{AccountId, SessionId, Timestamp};
use warren_schema::system::{account, session as table};

use super::accounts::{self, Account};
use crate::{
    Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, micros, moment, parsed},
};

/// Signed-in browsers.
#[derive(Debug)]
pub struct Sessions<'a, C> {
    pub(crate) on: &'a C,
}

/// One signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub account: AccountId,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
    /// The latest end, however much it is used.
    pub expires_at: Timestamp,
    /// Where it was started from.
    pub source_address: IpAddr,
    /// What the browser called itself; at most [`Session::USER_AGENT_CHARACTERS_MAX`] are kept.
    pub user_agent: String,
}

impl Session {
    /// The longest name of a browser that is kept, in characters.
    pub const USER_AGENT_CHARACTERS_MAX: usize = 256;
}

impl<C: Source> Sessions<'_, C> {
    /// The session with this token and its account, unless it has expired or was not used for `idle_max`.
    pub async fn by_token_hash(
        &self,
        token: &TokenHash,
        now: Timestamp,
        idle_max: Duration,
    ) -> Result<Option<(Session, Account)>, StorageError> {
        let found = table::Entity::find()
            .filter(table::Column::TokenHash.eq(token.as_bytes().to_vec()))
            .filter(table::Column::ExpiresAt.gt(micros(now)))
            .filter(table::Column::LastUsedAt.gt(micros(now - idle_max)))
            .join(JoinType::InnerJoin, to_account())
            .select_also(account::Entity)
            .one(self.on.connection())
            .await
            .at(self.on)?;
        found.map(decode).transpose().at(self.on)
    }
}

impl<C: Source> Sessions<'_, C> {
    /// The sessions of an account, also those that are over and not cleared away yet, at most `limit`.
    pub async fn of_account(&self, account: AccountId, limit: u64) -> Result<Vec<Session>, StorageError> {
        let found = table::Entity::find().filter(table::Column::AccountId.eq(account.uuid())).limit(limit);
        let rows = found.all(self.on.connection()).await.at(self.on)?;
        rows.into_iter().map(session).collect::<Result<_, _>>().at(self.on)
    }
}

impl Sessions<'_, Writer> {
    /// Starts a session.
    pub async fn insert(&self, session: &Session, token: &TokenHash) -> Result<(), StorageError> {
        let row = table::Model {
            id: session.id.uuid(),
            token_hash: token.as_bytes().to_vec(),
            account_id: session.account.uuid(),
            created_at: micros(session.created_at),
            last_used_at: micros(session.last_used_at),
            expires_at: micros(session.expires_at),
            source_address: session.source_address.to_string(),
            user_agent: session.user_agent.chars().take(Session::USER_AGENT_CHARACTERS_MAX).collect(),
        };
        let insert = table::Entity::insert(row.into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Notes that the session was used. A session that has ended meanwhile stays ended.
    pub async fn touch(&self, id: SessionId, now: Timestamp) -> Result<(), StorageError> {
        let change = table::ActiveModel { last_used_at: Set(micros(now)), ..table::ActiveModel::default() };
        table::Entity::update_many()
            .set(change)
            .filter(table::Column::Id.eq(id.uuid()))
            .filter(table::Column::LastUsedAt.lt(micros(now)))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        Ok(())
    }

    /// Ends a session. Ending it twice changes nothing.
    pub async fn remove(&self, id: SessionId) -> Result<(), StorageError> {
        table::Entity::delete_by_id(id.uuid()).exec(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Ends all sessions of an account and returns how many there were.
    pub async fn remove_of_account(&self, account: AccountId) -> Result<u64, StorageError> {
        let done = table::Entity::delete_many()
            .filter(table::Column::AccountId.eq(account.uuid()))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        Ok(done.rows_affected)
    }

    /// Clears away at most `limit` sessions that have expired or were not used for `idle_max`, and returns how many.
    pub async fn remove_ended(&self, now: Timestamp, idle_max: Duration, limit: u64) -> Result<u64, StorageError> {
        // One index after the other: for either condition in one statement, PostgreSQL reads the whole table.
        let mut ids = self.ended(table::Column::ExpiresAt, now, limit).await?;
        let left = limit.saturating_sub(ids.len() as u64);
        let idle = self.ended(table::Column::LastUsedAt, now - idle_max, left).await?;
        ids.extend(idle.into_iter().filter(|id| !ids.contains(id)).collect::<Vec<_>>());
        let mut removed = 0;
        for id in ids {
            let done = table::Entity::delete_by_id(id).exec(self.on.connection()).await.at(self.on)?;
            removed += done.rows_affected;
        }
        Ok(removed)
    }

    /// At most `limit` sessions whose `moment` is not later than `until`, the earliest first.
    async fn ended(
        &self,
        moment: table::Column,
        until: Timestamp,
        limit: u64,
    ) -> Result<Vec<uuid::Uuid>, StorageError> {
        // Read first: not every engine takes a limit in DELETE, or the same table in its subquery.
        table::Entity::find()
            .select_only()
            .column(table::Column::Id)
            .filter(moment.lte(micros(until)))
            .order_by_asc(moment)
            .limit(limit)
            .into_tuple()
            .all(self.on.connection())
            .await
            .at(self.on)
    }
}

fn to_account() -> RelationDef {
    table::Entity::belongs_to(account::Entity).from(table::Column::AccountId).to(account::Column::Id).into()
}

fn decode((row, account): (table::Model, Option<account::Model>)) -> Result<(Session, Account), Undecodable> {
    let account = account.ok_or(Undecodable { column: "account_id" })?;
    Ok((session(row)?, accounts::decode(account)?))
}

fn session(row: table::Model) -> Result<Session, Undecodable> {
    Ok(Session {
        id: SessionId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        created_at: moment(row.created_at, "created_at")?,
        last_used_at: moment(row.last_used_at, "last_used_at")?,
        expires_at: moment(row.expires_at, "expires_at")?,
        source_address: parsed(&row.source_address, "source_address")?,
        user_agent: row.user_agent,
    })
}
