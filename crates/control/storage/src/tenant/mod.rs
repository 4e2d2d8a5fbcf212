//! A tenant database: what belongs to one organisation alone.

mod audit;
mod devices;
mod files;
mod leases;
mod many;
mod networks;
mod outbox;
mod usage;
mod webhooks;

use std::panic::Location;

pub use audit::AuditEntries;
pub use devices::{DeviceCounts, DeviceFilter, DevicePeer, Devices};
pub use files::{CHUNK_BYTES, FilePurpose, Files, StoredFile, WholeFile};
pub use many::ReleasedPlace;
pub use networks::Networks;
pub use outbox::JobOutbox;
pub use usage::DeviceUsage;
use warren_model::{OrganisationId, page::PageRequest};
use warren_schema::{idempotency_key::Entity as IdempotencyKey, tenant as entity};
pub use webhooks::{Delivery, DeliveryAnswer, DeliveryState, Webhook, WebhookDeliveries, WebhookStanding, Webhooks};

use crate::{
    AuditFilter, IdempotencyKeys, Reader, Staleness, StorageError, TransactionOptions, WorkContext, Writer,
    models::models,
    tenants::Held,
    transaction::{self, Opened},
};

/// The models of one organisation's database. Its repositories read; writing takes a [`TenantModels::transaction`].
///
/// The database stays open while a handle lives: keep it for a piece of work, not for ever.
#[derive(Debug, Clone)]
pub struct TenantModels {
    organisation: OrganisationId,
    held: Held,
    reader: Reader,
}

/// An open transaction on one organisation's database.
#[derive(Debug)]
pub struct TenantTransaction {
    organisation: OrganisationId,
    writer: Writer,
}

models!(
    TenantModels,
    TenantTransaction,
    /// Networks.
    networks: Networks [entity::network::Entity],
    /// Devices.
    devices: Devices [entity::device::Entity, entity::released_address::Entity],
    /// What has passed through the devices' tunnels.
    usage: DeviceUsage [entity::device_usage::Entity],
    /// The organisation's trail.
    audit: AuditEntries [entity::audit_entry::Entity],
    /// Jobs on their way to the queue.
    job_outbox: JobOutbox [entity::job_outbox::Entity],
    /// Files.
    files: Files [entity::file::Entity, entity::file_chunk::Entity],
    /// Webhooks.
    webhooks: Webhooks [entity::webhook::Entity],
    /// Events on their way to webhooks.
    deliveries: WebhookDeliveries [entity::webhook_delivery::Entity],
    /// Requests that are done once.
    idempotency: IdempotencyKeys [IdempotencyKey],
);

impl TenantModels {
    pub(crate) fn new(organisation: OrganisationId, held: Held) -> Self {
        let reader = Reader::new(held.pools().clone(), WorkContext::BACKGROUND);
        Self { organisation, held, reader }
    }

    /// Whose database this is.
    pub const fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    /// The same models, for one piece of work.
    pub fn within(&self, work: WorkContext) -> Self {
        Self { reader: self.reader.with(work), held: self.held.clone(), ..*self }
    }

    /// The same models, whose reads may be as old as `staleness` says.
    pub fn allowing(&self, staleness: Staleness) -> Self {
        Self { reader: self.reader.allowing(staleness), held: self.held.clone(), ..*self }
    }

    /// Runs `work` in one transaction as [`TenantModels::with_transaction`] does, with the usual options.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn transaction<T, E: From<StorageError>>(
        &self,
        work: impl AsyncFnOnce(&mut TenantTransaction) -> Result<T, E> + Clone,
    ) -> impl Future<Output = Result<T, E>> {
        self.run(*self.reader.work(), TransactionOptions::default(), Location::caller(), work)
    }

    /// The same for what has to be right together with something outside of this database: it begins when the one before it that
    /// was run in turn has ended, and sees what that did.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn in_turn<T, E: From<StorageError>>(
        &self,
        work: impl AsyncFnOnce(&mut TenantTransaction) -> Result<T, E> + Clone,
    ) -> impl Future<Output = Result<T, E>> {
        self.run(*self.reader.work(), TransactionOptions::in_turn(), Location::caller(), work)
    }

    /// Runs `work` in one transaction: committed when it returns `Ok`, and otherwise (also when it panics, takes too long or is
    /// dropped half-way) undone. It is called again when the database asks for another attempt, so it has no effects but on
    /// the transaction; the others go into [`TenantTransaction::after_commit`].
    ///
    /// # Errors
    /// What `work` returns, as it was; [`StorageError::Busy`] when no connection comes free or the attempts are used up,
    /// [`StorageError::TimedOut`], [`StorageError::CommitUnknown`], and what the database gives.
    #[track_caller]
    pub fn with_transaction<T, E: From<StorageError>>(
        &self,
        cx: &WorkContext,
        options: TransactionOptions,
        work: impl AsyncFnOnce(&mut TenantTransaction) -> Result<T, E> + Clone,
    ) -> impl Future<Output = Result<T, E>> {
        self.run(*cx, options, Location::caller(), work)
    }

    async fn run<T, E: From<StorageError>>(
        &self,
        cx: WorkContext,
        options: TransactionOptions,
        place: &'static Location<'static>,
        work: impl AsyncFnOnce(&mut TenantTransaction) -> Result<T, E> + Clone,
    ) -> Result<T, E> {
        let (pools, organisation) = (self.held.pools(), self.organisation);
        let open = |writer| TenantTransaction { organisation, writer };
        pools.manager().with_transaction(&cx, (pools, Some(organisation)), &options, place, open, work).await
    }

    pub(crate) fn pools(&self) -> &std::sync::Arc<crate::database::Pools> {
        self.held.pools()
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

    /// Runs `effect` once the transaction is committed; never when it is undone. It must not block.
    pub fn after_commit(&self, effect: impl FnOnce() + Send + 'static) {
        self.writer.after_commit(effect);
    }

    /// Runs `work` in a transaction within this one: what it did is kept when it returns `Ok`, and otherwise undone while this
    /// one goes on.
    ///
    /// # Errors
    /// What `work` returns, and what the database gives.
    pub async fn nested<T, E: From<StorageError>>(
        &mut self,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        transaction::nested(self, work).await
    }
}

impl Opened for TenantTransaction {
    fn writer(&self) -> &Writer {
        &self.writer
    }
    fn into_writer(self) -> Writer {
        self.writer
    }
}
