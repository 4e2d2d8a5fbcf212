//! A tenant database: what belongs to one organisation alone.

mod audit;
mod devices;
mod leases;
mod networks;
mod usage;

pub use audit::AuditEntries;
pub use devices::{DeviceCounts, DeviceFilter, DevicePeer, Devices};
pub use networks::Networks;
pub use usage::DeviceUsage;
use warren_model::{OrganisationId, page::PageRequest};

use crate::{AuditFilter, IdempotencyKeys, Reader, StorageError, Writer, tenants::Held};

/// The models of one organisation's database. Its repositories read; writing takes a [`TenantModels::transaction`].
///
/// The database stays open while a handle lives: keep it for a piece of work, not for ever.
#[derive(Debug, Clone)]
pub struct TenantModels {
    organisation: OrganisationId,
    held: Held,
}

/// An open transaction on one organisation's database.
#[derive(Debug)]
pub struct TenantTransaction {
    organisation: OrganisationId,
    writer: Writer,
}

macro_rules! repositories {
    ($($(#[$doc:meta])* $name:ident: $repository:ident),+ $(,)?) => {
        impl TenantModels {
            $($(#[$doc])* pub fn $name(&self) -> $repository<'_, Reader> {
                $repository { on: &self.held.database().reader }
            })+
        }
        impl TenantTransaction {
            $($(#[$doc])* pub const fn $name(&self) -> $repository<'_, Writer> { $repository { on: &self.writer } })+
        }
    };
}

repositories!(
    /// Networks.
    networks: Networks,
    /// Devices.
    devices: Devices,
    /// What has passed through the devices' tunnels.
    usage: DeviceUsage,
    /// The organisation's trail.
    audit: AuditEntries,
    /// Requests that are done once.
    idempotency: IdempotencyKeys,
);

impl TenantModels {
    pub(crate) const fn new(organisation: OrganisationId, held: Held) -> Self {
        Self { organisation, held }
    }

    /// Whose database this is.
    pub const fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    /// Runs `work` in one transaction, alone among this organisation's writers: committed when it returns `Ok`, and otherwise
    /// (also when it panics or is dropped half-way) undone. The error is `work`'s own.
    ///
    /// # Errors
    /// What `work` returns; [`StorageError::Busy`] when the turn does not come in time; what committing gives.
    pub async fn transaction<T, E: From<StorageError>>(
        &self,
        work: impl AsyncFnOnce(&TenantTransaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let writer = self.held.database().gate.begin().await?;
        let transaction = TenantTransaction { organisation: self.organisation, writer };
        let outcome = work(&transaction).await;
        transaction.writer.finish(outcome).await
    }

    /// Whether nothing was ever kept in it.
    pub(crate) async fn is_untouched(&self) -> Result<bool, StorageError> {
        let trail = self.audit().page(&AuditFilter::default(), &PageRequest::first_of_most()).await?;
        Ok(trail.items.is_empty() && self.networks().all().await?.is_empty())
    }
}

impl TenantTransaction {
    /// Whose database this is.
    pub const fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    /// Runs `effect` once the transaction has reached the disk; never when it is undone. It must not block.
    pub fn after_commit(&self, effect: impl FnOnce() + Send + 'static) {
        self.writer.after_commit(effect);
    }
}
