//! Requests that carry a key are done once, however often they are sent.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;
use warren_model::Timestamp;
use warren_schema::idempotency_key as table;

use crate::{
    Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::micros,
};

/// Keys of requests; in the system database for what is created there, in a tenant's for the rest.
#[derive(Debug)]
pub struct IdempotencyKeys<'a, C> {
    pub(crate) on: &'a C,
}

/// What is known of a request's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: carry it out.
    Fresh,
    /// The same request was carried out and made this.
    Replay(Uuid),
    /// Another request had the same key.
    Mismatch,
}

impl IdempotencyKeys<'_, Writer> {
    /// Claims `key` within `scope` for the request whose body hashes to `fingerprint` and which is about to make `resource`.
    /// The claim stands or falls with the transaction.
    pub async fn claim(
        &self,
        scope: &str,
        key: &str,
        fingerprint: &[u8; 32],
        resource: Uuid,
        now: Timestamp,
    ) -> Result<Claim, StorageError> {
        let connection = self.on.connection();
        let known = table::Entity::find_by_id((scope.to_owned(), key.to_owned())).one(connection).await.at(self.on)?;
        if let Some(known) = known {
            let same = known.fingerprint == fingerprint;
            return Ok(if same { Claim::Replay(known.resource) } else { Claim::Mismatch });
        }
        let row = table::Model {
            scope: scope.to_owned(),
            key: key.to_owned(),
            fingerprint: fingerprint.to_vec(),
            resource,
            created_at: micros(now),
        };
        table::Entity::insert(row.into_active_model()).exec_without_returning(connection).await.at(self.on)?;
        Ok(Claim::Fresh)
    }

    /// Forgets the keys claimed before `moment` and returns how many there were.
    pub async fn forget_before(&self, moment: Timestamp) -> Result<u64, StorageError> {
        let done = table::Entity::delete_many()
            .filter(table::Column::CreatedAt.lt(micros(moment)))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        Ok(done.rows_affected)
    }
}

impl<C: Source> IdempotencyKeys<'_, C> {
    /// What is known of `key`, without claiming it.
    pub async fn look_up(&self, scope: &str, key: &str, fingerprint: &[u8; 32]) -> Result<Claim, StorageError> {
        let known =
            table::Entity::find_by_id((scope.to_owned(), key.to_owned())).one(self.on.connection()).await.at(self.on)?;
        Ok(match known {
            None => Claim::Fresh,
            Some(known) if known.fingerprint == fingerprint => Claim::Replay(known.resource),
            Some(_) => Claim::Mismatch,
        })
    }
}
