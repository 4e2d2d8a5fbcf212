//! The opened tenant databases: at most so many, each kept open while somebody holds it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;
use warren_model::OrganisationId;

use crate::{
    StorageError, SystemModels, TenantModels,
    database::{Database, Kind, Pools},
    engine::{Site, Target},
    migration::Notes,
};

/// One of so many places is kept free for who comes next; with fewer places, none is.
const SPARE_PART: usize = 16;

/// The registry of opened tenant databases.
#[derive(Debug)]
pub(crate) struct Tenants {
    site: Site,
    open_max: usize,
    kind: Arc<Kind>,
    /// What becomes of databases that are migrated when they are opened.
    notes: Notes,
    slots: Mutex<Slots>,
    /// Those who wait for a place.
    waiting: AtomicUsize,
    /// Those who waited for one in vain.
    refused: AtomicU64,
    /// Rung whenever a slot changes or a handle is let go.
    changed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Slots {
    by_organisation: HashMap<OrganisationId, Slot>,
    /// Counts the uses, so that the least recent one is known.
    uses: u64,
    closed: bool,
}

/// Where a tenant database is in its life. All of these count towards the bound.
#[derive(Debug)]
enum Slot {
    Opening,
    Open { tenant: Arc<OpenTenant>, last_use: u64 },
    Closing,
}

/// An opened tenant database and how many handles keep it so.
#[derive(Debug)]
struct OpenTenant {
    database: Database,
    holders: AtomicUsize,
}

/// Keeps a tenant database open.
#[derive(Debug)]
pub(crate) struct Held {
    tenant: Arc<OpenTenant>,
    changed: Arc<Notify>,
}

impl Held {
    fn new(tenant: Arc<OpenTenant>, changed: Arc<Notify>) -> Self {
        tenant.holders.fetch_add(1, Ordering::AcqRel);
        Self { tenant, changed }
    }
    pub fn pools(&self) -> &Arc<Pools> {
        &self.tenant.database.pools
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.tenant), Arc::clone(&self.changed))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.tenant.holders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.changed.notify_waiters();
        }
    }
}

/// What there is to do for somebody who asks for a tenant.
enum Step {
    Take(Held),
    Open,
    Close(OrganisationId, Arc<OpenTenant>),
    Wait,
    /// Every place is taken by a database that somebody holds.
    WaitForPlace,
    Refuse,
}

impl Tenants {
    pub fn new(site: Site, open_max: usize, kind: Arc<Kind>, system: SystemModels) -> Self {
        let notes = Notes::new(system, kind.migrations.last().map_or("", |migration| migration.name));
        Self {
            site,
            open_max,
            kind,
            notes,
            slots: Mutex::default(),
            waiting: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            changed: Arc::default(),
        }
    }

    pub const fn site(&self) -> &Site {
        &self.site
    }

    pub const fn open_max(&self) -> usize {
        self.open_max
    }

    pub const fn kind(&self) -> &Arc<Kind> {
        &self.kind
    }

    /// Those that are open now.
    pub fn open_now(&self) -> Vec<(OrganisationId, Arc<Pools>)> {
        let slots = self.slots();
        let open = slots.by_organisation.iter().filter_map(|(id, slot)| match slot {
            Slot::Open { tenant, .. } => Some((*id, Arc::clone(&tenant.database.pools))),
            Slot::Opening | Slot::Closing => None,
        });
        open.collect()
    }

    /// How many wait for a place, and how many waited in vain up to now.
    pub fn crowd(&self) -> (usize, u64) {
        (self.waiting.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }

    pub fn count(&self) -> usize {
        self.slots().by_organisation.values().filter(|slot| matches!(slot, Slot::Open { .. })).count()
    }

    /// A handle on the database of `id`, which is opened if it is not. Waits at most the configured time for a place.
    pub async fn open(self: Arc<Self>, id: OrganisationId) -> Result<TenantModels, StorageError> {
        let deadline = tokio::time::Instant::now() + self.kind.writing.acquire_timeout;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Listening begins before looking, so that nothing that happens in between is missed.
            changed.as_mut().enable();
            match self.next_step(id) {
                Step::Take(held) => return Ok(TenantModels::new(id, held)),
                // In a task of its own: somebody who stops waiting does not leave the slot half open.
                Step::Open => match tokio::spawn(Arc::clone(&self).fill(id)).await {
                    Ok(opened) => {
                        let opened = opened?;
                        self.make_room();
                        return Ok(TenantModels::new(id, opened));
                    }
                    Err(error) => {
                        let place = self.site.tenant(id).place();
                        return Err(StorageError::Unavailable { place, source: Arc::new(error) });
                    }
                },
                // Whoever asks closes one at a time, or all that nobody holds would go to make room for one.
                Step::Close(victim, tenant) => {
                    let closing = tokio::spawn(Arc::clone(&self).empty(victim, tenant));
                    let _ = tokio::time::timeout_at(deadline, closing).await.map_err(|_| StorageError::Busy)?;
                }
                Step::Wait => {
                    tokio::time::timeout_at(deadline, changed).await.map_err(|_| StorageError::Busy)?;
                }
                Step::WaitForPlace => {
                    let _waiting = Waiting::among(&self.waiting);
                    if tokio::time::timeout_at(deadline, changed).await.is_err() {
                        self.refused.fetch_add(1, Ordering::Relaxed);
                        return Err(StorageError::Busy);
                    }
                }
                Step::Refuse => return Err(StorageError::Busy),
            }
        }
    }

    fn next_step(&self, id: OrganisationId) -> Step {
        let mut slots = self.slots();
        if slots.closed {
            return Step::Refuse;
        }
        slots.uses += 1;
        let now = slots.uses;
        match slots.by_organisation.get_mut(&id) {
            Some(Slot::Open { tenant, last_use }) => {
                *last_use = now;
                return Step::Take(Held::new(Arc::clone(tenant), Arc::clone(&self.changed)));
            }
            Some(Slot::Opening | Slot::Closing) => return Step::Wait,
            None => {}
        }
        if slots.by_organisation.len() < self.open_max {
            slots.by_organisation.insert(id, Slot::Opening);
            return Step::Open;
        }
        match slots.least_recent_unheld() {
            Some((victim, tenant)) => {
                slots.by_organisation.insert(victim, Slot::Closing);
                Step::Close(victim, tenant)
            }
            None if slots.by_organisation.values().all(|slot| matches!(slot, Slot::Open { .. })) => Step::WaitForPlace,
            None => Step::Wait,
        }
    }

    /// Closes those unused for longest until a few places are free, so that whoever comes next need not wait for it.
    fn make_room(self: &Arc<Self>) {
        let spare = self.open_max / SPARE_PART;
        loop {
            let (victim, tenant) = {
                let mut slots = self.slots();
                let staying = slots.by_organisation.values().filter(|slot| !matches!(slot, Slot::Closing)).count();
                if slots.closed || staying + spare <= self.open_max {
                    return;
                }
                let Some((victim, tenant)) = slots.least_recent_unheld() else { return };
                slots.by_organisation.insert(victim, Slot::Closing);
                (victim, tenant)
            };
            tokio::spawn(Arc::clone(self).empty(victim, tenant));
        }
    }

    async fn fill(self: Arc<Self>, id: OrganisationId) -> Result<Held, StorageError> {
        // The slot is given back even if opening panics.
        let mut claim = Claim { tenants: &self, id, then: None };
        let target = self.site.tenant(id);
        if let Target::File(_) = &target
            && !target.exists().await?
        {
            return Err(StorageError::NotFound);
        }
        let opened = Database::open(target, &self.kind).await;
        let outcome = opened.as_ref().map(|database| database.applied.as_slice());
        self.notes.opened(id, outcome, self.kind.clock.as_ref()).await;
        let database = opened?;
        let tenant = Arc::new(OpenTenant { database, holders: AtomicUsize::new(0) });
        let held = Held::new(Arc::clone(&tenant), Arc::clone(&self.changed));
        claim.then = Some(tenant);
        Ok(held)
    }

    async fn empty(self: Arc<Self>, id: OrganisationId, tenant: Arc<OpenTenant>) {
        let _claim = Claim { tenants: &self, id, then: None };
        tenant.database.pools.close().await;
    }

    /// Closes the database of `id` if nobody holds it.
    pub async fn close(self: &Arc<Self>, id: OrganisationId) {
        let unheld = {
            let mut slots = self.slots();
            match slots.by_organisation.get(&id) {
                Some(Slot::Open { tenant, .. }) if tenant.holders.load(Ordering::Acquire) == 0 => {
                    let tenant = Arc::clone(tenant);
                    slots.by_organisation.insert(id, Slot::Closing);
                    Some(tenant)
                }
                _ => None,
            }
        };
        if let Some(tenant) = unheld {
            Arc::clone(self).empty(id, tenant).await;
        }
    }

    /// Opens no more, and closes what is open once the statements under way are done.
    pub async fn close_all(self: &Arc<Self>) {
        self.slots().closed = true;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let next = {
                let mut slots = self.slots();
                let open = slots.by_organisation.iter().find_map(|(id, slot)| match slot {
                    Slot::Open { tenant, .. } => Some((*id, Arc::clone(tenant))),
                    Slot::Opening | Slot::Closing => None,
                });
                if open.is_none() && slots.by_organisation.is_empty() {
                    return;
                }
                if let Some((id, _)) = &open {
                    slots.by_organisation.insert(*id, Slot::Closing);
                }
                open
            };
            match next {
                Some((id, tenant)) => Arc::clone(self).empty(id, tenant).await,
                None => changed.await,
            }
        }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    fn least_recent_unheld(&self) -> Option<(OrganisationId, Arc<OpenTenant>)> {
        let unheld = self.by_organisation.iter().filter_map(|(id, slot)| match slot {
            Slot::Open { tenant, last_use } if tenant.holders.load(Ordering::Acquire) == 0 => {
                Some((*last_use, *id, tenant))
            }
            _ => None,
        });
        unheld.min_by_key(|(last_use, ..)| *last_use).map(|(_, id, tenant)| (id, Arc::clone(tenant)))
    }
}

/// One more who waits, while it lives.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn among(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A slot that is being worked on: when done it holds what was opened, or is free.
struct Claim<'a> {
    tenants: &'a Tenants,
    id: OrganisationId,
    then: Option<Arc<OpenTenant>>,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut slots = self.tenants.slots();
        match self.then.take() {
            Some(tenant) => {
                let last_use = slots.uses;
                slots.by_organisation.insert(self.id, Slot::Open { tenant, last_use });
            }
            None => drop(slots.by_organisation.remove(&self.id)),
        }
        drop(slots);
        self.tenants.changed.notify_waiters();
    }
}
