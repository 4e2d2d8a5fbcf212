//! The system database: what the whole installation shares.

mod accounts;
mod audit;
mod decisions;
mod gateway_networks;
mod gateways;
pub(crate) mod jobs;
mod links;
mod mails;
mod many;
mod memberships;
mod organisations;
mod schedules;
mod sessions;
pub(crate) mod tenant_migrations;

use std::{panic::Location, sync::Arc};

pub use accounts::{Account, AccountChange, Accounts};
pub use audit::{AuditOutbox, SystemAudit};
pub use decisions::{ScalingDecision, ScalingDecisions};
pub use gateway_networks::GatewayNetworks;
pub use gateways::{Gateways, JoinToken};
pub use jobs::{
    Cancelled, Cursor, Enqueued, JobClaim, JobFilter, JobProgress, Jobs, NewJob, PAYLOAD_BYTES_MAX, QueueClaim,
    QueueDepth, QueueStanding, Rescued, Settlement, StoredJob, Unique, Verdict, Worker,
};
pub use links::{Link, LinkPurpose, Links};
pub use mails::{MailRecord, MailState, Mails};
pub use memberships::{InviterProof, Membership, Memberships};
pub use organisations::{OrganisationChange, Organisations};
pub use schedules::{JobSchedule, ScheduleStanding, Schedules};
pub use sessions::{Session, Sessions};
pub use tenant_migrations::{TenantMigration, TenantMigrationState, TenantMigrations};

use warren_schema::{idempotency_key::Entity as IdempotencyKey, system as entity};

use crate::{
    IdempotencyKeys, Reader, Staleness, StorageError, TransactionOptions, WorkContext, Writer,
    database::{Database, Pools},
    models::models,
    transaction::{self, Opened},
};

/// The models of the system database. Its repositories read; writing takes a [`SystemModels::transaction`].
#[derive(Debug, Clone)]
pub struct SystemModels {
    pools: Arc<Pools>,
    reader: Reader,
}

/// An open transaction on the system database.
#[derive(Debug)]
pub struct SystemTransaction {
    writer: Writer,
}

models!(
    SystemModels,
    SystemTransaction,
    /// Organisations.
    organisations: Organisations [entity::organisation::Entity],
    /// People's sign-ins.
    accounts: Accounts [entity::account::Entity],
    /// Who belongs where.
    memberships: Memberships [entity::membership::Entity],
    /// Signed-in browsers.
    sessions: Sessions [entity::session::Entity],
    /// Links that work once.
    links: Links [entity::link::Entity],
    /// Gateways.
    gateways: Gateways [entity::gateway::Entity],
    /// Which gateway carries which network.
    gateway_networks: GatewayNetworks [entity::gateway_network::Entity],
    /// The installation's own trail.
    audit: SystemAudit [entity::audit_entry::Entity],
    /// Entries on their way to an organisation's trail.
    audit_outbox: AuditOutbox [entity::audit_outbox::Entity],
    /// How far the organisations' databases got with their migrations.
    tenant_migrations: TenantMigrations [entity::tenant_migration::Entity],
    /// Jobs, and who works on them.
    jobs: Jobs [
        entity::job::Entity, entity::job_key::Entity, entity::job_worker::Entity, entity::job_queue::Entity
    ],
    /// Schedules, by which jobs come again.
    schedules: Schedules [entity::job_schedule::Entity],
    /// The record of mail.
    mails: Mails [entity::mail::Entity],
    /// The log of scaling decisions.
    scaling: ScalingDecisions [entity::scaling_decision::Entity],
    /// Requests that are done once.
    idempotency: IdempotencyKeys [IdempotencyKey],
);

impl SystemModels {
    pub(crate) fn new(database: Database) -> Self {
        let reader = Reader::new(Arc::clone(&database.pools), WorkContext::BACKGROUND);
        Self { pools: database.pools, reader }
    }

    /// The same models, for one piece of work.
    pub fn within(&self, work: WorkContext) -> Self {
        Self { pools: Arc::clone(&self.pools), reader: self.reader.with(work) }
    }

    /// The same models, whose reads may be as old as `staleness` says.
    pub fn allowing(&self, staleness: Staleness) -> Self {
        Self { pools: Arc::clone(&self.pools), reader: self.reader.allowing(staleness) }
    }

    /// Runs `work` in one transaction as [`SystemModels::with_transaction`] does, with the usual options.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn transaction<T, E: From<StorageError>>(
        &self,
        work: impl AsyncFnOnce(&mut SystemTransaction) -> Result<T, E> + Clone,
    ) -> impl Future<Output = Result<T, E>> {
        self.run(*self.reader.work(), TransactionOptions::default(), Location::caller(), work)
    }

    /// Runs `work` in one transaction: committed when it returns `Ok`, and otherwise (also when it panics, takes too long or is
    /// dropped half-way) undone. It is called again when the database asks for another attempt, so it has no effects but on
    /// the transaction; the others go into [`SystemTransaction::after_commit`].
    ///
    /// # Errors
    /// What `work` returns, as it was; [`StorageError::Busy`] when no connection comes free or the attempts are used up,
    /// [`StorageError::TimedOut`], [`StorageError::CommitUnknown`], and what the database gives.
    #[track_caller]
    pub fn with_transaction<T, E: From<StorageError>>(
        &self,
        cx: &WorkContext,
        options: TransactionOptions,
        work: impl AsyncFnOnce(&mut SystemTransaction) -> Result<T, E> + Clone,
    ) -> impl Future<Output = Result<T, E>> {
        self.run(*cx, options, Location::caller(), work)
    }

    async fn run<T, E: From<StorageError>>(
        &self,
        cx: WorkContext,
        options: TransactionOptions,
        place: &'static Location<'static>,
        work: impl AsyncFnOnce(&mut SystemTransaction) -> Result<T, E> + Clone,
    ) -> Result<T, E> {
        self.pools
            .manager()
            .with_transaction(&cx, (&self.pools, None), &options, place, |writer| SystemTransaction { writer }, work)
            .await
    }

    pub(crate) const fn pools(&self) -> &Arc<Pools> {
        &self.pools
    }
}

impl SystemTransaction {
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

impl Opened for SystemTransaction {
    fn writer(&self) -> &Writer {
        &self.writer
    }
    fn into_writer(self) -> Writer {
        self.writer
    }
}
