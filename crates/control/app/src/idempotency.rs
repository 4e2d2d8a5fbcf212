//! Creations that are sent twice and happen once.

use uuid::Uuid;
use warren_storage::{Claim, IdempotencyKeys, Reader, Writer};

use crate::{AppError, IdempotencyKey, OpContext};

impl OpContext {
    /// Claims the request's idempotency key, if it has one, for the creation of `resource`. Gives the earlier resource when
    /// the same request was carried out before.
    pub(crate) async fn claim(
        &self,
        keys: &IdempotencyKeys<'_, Writer>,
        resource: Uuid,
    ) -> Result<Option<Uuid>, AppError> {
        let Some(key) = &self.idempotency else { return Ok(None) };
        let now = self.app.clock().now();
        // Each claim clears away what nobody asks for any more, so that no database keeps keys for ever.
        keys.forget_before(now - time::Duration::hours(IdempotencyKey::REMEMBERED_HOURS)).await?;
        outcome(keys.claim(&self.idempotency_scope(), key.key(), key.fingerprint(), resource, now).await?)
    }

    /// The resource that the same request made before, without claiming anything.
    pub(crate) async fn earlier(&self, keys: &IdempotencyKeys<'_, Reader>) -> Result<Option<Uuid>, AppError> {
        let Some(key) = &self.idempotency else { return Ok(None) };
        outcome(keys.look_up(&self.idempotency_scope(), key.key(), key.fingerprint()).await?)
    }

    /// Keys of different callers never meet.
    fn idempotency_scope(&self) -> String {
        self.subject.account().map_or_else(|| "local".to_owned(), |account| account.to_string())
    }
}

fn outcome(claim: Claim) -> Result<Option<Uuid>, AppError> {
    match claim {
        Claim::Fresh => Ok(None),
        Claim::Replay(earlier) => Ok(Some(earlier)),
        Claim::Mismatch => Err(AppError::IdempotencyMismatch),
    }
}
