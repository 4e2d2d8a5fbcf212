//! The system database: what the whole installation shares.

mod accounts;
mod audit;
mod gateway_networks;
mod gateways;
mod links;
mod memberships;
mod organisations;
mod sessions;

use std::sync::Arc;

pub use accounts::{Account, AccountChange, Accounts};
pub use audit::{AuditOutbox, SystemAudit};
pub use gateway_networks::GatewayNetworks;
pub use gateways::{Gateways, JoinToken};
pub use links::{Link, LinkPurpose, Links};
pub use memberships::{InviterProof, Membership, Memberships};
pub use organisations::{OrganisationChange, Organisations};
pub use sessions::{Session, Sessions};

use crate::{IdempotencyKeys, Reader, StorageError, Writer, database::Database};

/// The models of the system database. Its repositories read; writing takes a [`SystemModels::transaction`].
#[derive(Debug, Clone)]
pub struct SystemModels {
    database: Arc<Database>,
}

/// An open transaction on the system database.
#[derive(Debug)]
pub struct SystemTransaction {
    writer: Writer,
}

macro_rules! repositories {
    ($($(#[$doc:meta])* $name:ident: $repository:ident),+ $(,)?) => {
        impl SystemModels {
            $($(#[$doc])* pub fn $name(&self) -> $repository<'_, Reader> { $repository { on: &self.database.reader } })+
        }
        impl SystemTransaction {
            $($(#[$doc])* pub const fn $name(&self) -> $repository<'_, Writer> { $repository { on: &self.writer } })+
        }
    };
}

repositories!(
    /// Organisations.
    organisations: Organisations,
    /// People's sign-ins.
    accounts: Accounts,
    /// Who belongs where.
    memberships: Memberships,
    /// Signed-in browsers.
    sessions: Sessions,
    /// Links that work once.
    links: Links,
    /// Gateways.
    gateways: Gateways,
    /// Which gateway carries which network.
    gateway_networks: GatewayNetworks,
    /// The installation's own trail.
    audit: SystemAudit,
    /// Entries on their way to an organisation's trail.
    audit_outbox: AuditOutbox,
    /// Requests that are done once.
    idempotency: IdempotencyKeys,
);

impl SystemModels {
    pub(crate) fn new(database: Database) -> Self {
        Self { database: Arc::new(database) }
    }

    /// Runs `work` in one transaction, alone among the writers: committed when it returns `Ok`, and otherwise (also when it
    /// panics or is dropped half-way) undone. The error is `work`'s own.
    ///
    /// # Errors
    /// What `work` returns; [`StorageError::Busy`] when the turn does not come in time; what committing gives.
    pub async fn transaction<T, E: From<StorageError>>(
        &self,
        work: impl AsyncFnOnce(&SystemTransaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = SystemTransaction { writer: self.database.gate.begin().await? };
        let outcome = work(&transaction).await;
        transaction.writer.finish(outcome).await
    }

    pub(crate) async fn close(&self) {
        self.database.close().await;
    }
}

impl SystemTransaction {
    /// Runs `effect` once the transaction has reached the disk; never when it is undone. It must not block.
    pub fn after_commit(&self, effect: impl FnOnce() + Send + 'static) {
        self.writer.after_commit(effect);
    }
}
