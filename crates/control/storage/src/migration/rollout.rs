//! Brings the databases of all organisations in one direction: a canary first, then some, then the rest; so many at once, until
//! too many fail. What becomes of each is noted in the system database, several in one transaction.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::{Id, JoinError, JoinSet};
use warren_model::{OrganisationId, OrganisationState};

use super::{Direction, PARALLEL_MAX, RolloutOptions, Stage, TenantEntry, maintenance::change};
use crate::{
    StorageError, SystemModels, TransactionOptions, WorkContext,
    database::Kind,
    engine::Site,
    system::{TenantMigration, TenantMigrationState},
};

/// So many organisations are noted as running, or as ended, in one transaction.
const NOTED_TOGETHER_MAX: usize = 64;
/// What ended is noted after this long at the latest, as long as anything else ends.
const NOTED_WITHIN: Duration = Duration::from_millis(500);

/// What happens in a rollout.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A stage with so many organisations begins.
    Stage(Stage, usize),
    /// The database of an organisation is done with, well or not.
    Tenant { slug: &'a str, outcome: &'a TenantOutcome, ended: usize, organisations: usize },
}

/// What became of one organisation's database.
#[derive(Debug, Clone)]
pub enum TenantOutcome {
    /// There was nothing to do.
    Current,
    /// These were applied, or rolled back.
    Changed(Vec<&'static str>),
    Failed(StorageError),
}

/// What a rollout came to.
#[derive(Debug, Clone, Default)]
pub struct RolloutReport {
    pub organisations: usize,
    /// Those that there was something to do for, and it was done.
    pub changed: usize,
    /// Those that there was nothing to do for.
    pub current: usize,
    /// By slug.
    pub failed: Vec<(String, StorageError)>,
    /// Why it ended before all were tried.
    pub stopped: Option<Stopped>,
}

/// Why a rollout ended before all organisations were tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    CanaryFailed,
    TooManyFailed,
}

impl RolloutReport {
    /// Those whose turn did not come.
    pub fn not_begun(&self) -> usize {
        self.organisations - self.changed - self.current - self.failed.len()
    }
}

pub(super) struct Rollout<'a, P> {
    site: &'a Site,
    tenant: &'a Kind,
    system: &'a SystemModels,
    direction: Direction,
    options: &'a RolloutOptions,
    progress: P,
    version: String,
    rows: HashMap<OrganisationId, TenantMigration>,
    /// Rows that are not written yet.
    unwritten: Vec<TenantMigration>,
    written_at: Instant,
    report: RolloutReport,
}

type Task = (TenantEntry, Result<Vec<&'static str>, StorageError>);

impl<'a, P: FnMut(Progress<'_>)> Rollout<'a, P> {
    pub async fn new(
        site: &'a Site,
        tenant: &'a Kind,
        system: &'a SystemModels,
        (direction, options): (Direction, &'a RolloutOptions),
        progress: P,
    ) -> Result<Self, StorageError> {
        let rows = system.tenant_migrations().all().await?;
        let left = match direction {
            Direction::Up => tenant.migrations.len(),
            Direction::Down { migrations, .. } => tenant.migrations.len().saturating_sub(migrations),
        };
        let version = tenant.migrations[..left].last().map_or_else(String::new, |migration| migration.name.to_owned());
        Ok(Self {
            site,
            tenant,
            system,
            direction,
            options,
            progress,
            version,
            rows: rows.into_iter().map(|row| (row.organisation, row)).collect(),
            unwritten: Vec::new(),
            written_at: Instant::now(),
            report: RolloutReport::default(),
        })
    }

    /// Goes through all stages, or stops.
    pub async fn run(mut self, organisations: Vec<TenantEntry>) -> Result<RolloutReport, StorageError> {
        self.report.organisations = organisations.len();
        let failures_max = self.options.stop_after.failures(organisations.len());
        for entry in &organisations {
            self.note(entry.id, TenantMigrationState::Pending, None);
        }
        self.write().await?;
        for (stage, members) in self.stages(organisations) {
            if members.is_empty() {
                continue;
            }
            (self.progress)(Progress::Stage(stage, members.len()));
            let stops_at = if stage == Stage::Canary { 1 } else { failures_max };
            self.work_off(members.into(), stops_at).await?;
            if self.report.failed.len() >= stops_at {
                let why = if stage == Stage::Canary { Stopped::CanaryFailed } else { Stopped::TooManyFailed };
                self.report.stopped = (self.report.not_begun() > 0).then_some(why);
                break;
            }
        }
        Ok(self.report)
    }

    /// Who goes when; the same each time, so that a rollout which is done again finds the same canary.
    fn stages(&self, mut organisations: Vec<TenantEntry>) -> [(Stage, Vec<TenantEntry>); 3] {
        let first = self.options.first(organisations.len());
        let is_canary = |entry: &TenantEntry| match self.options.canary {
            Some(id) => entry.id == id,
            None => entry.state == OrganisationState::Active,
        };
        let at = organisations.iter().position(is_canary);
        let canary: Vec<TenantEntry> = at.map(|at| organisations.remove(at)).into_iter().collect();
        let rest = organisations.split_off((first - canary.len().min(first)).min(organisations.len()));
        [(Stage::Canary, canary), (Stage::Some, organisations), (Stage::Rest, rest)]
    }

    /// Migrates `waiting`, so many at once, until all are done or `stops_at` have failed.
    async fn work_off(&mut self, mut waiting: VecDeque<TenantEntry>, stops_at: usize) -> Result<(), StorageError> {
        let (mut claimed, mut running) = (VecDeque::<TenantEntry>::new(), JoinSet::<Task>::new());
        let mut whose: HashMap<Id, TenantEntry> = HashMap::new();
        loop {
            let goes_on = self.report.failed.len() < stops_at;
            while goes_on && running.len() < self.options.parallel.clamp(1, PARALLEL_MAX) {
                let Some(entry) = claimed.pop_front() else {
                    if waiting.is_empty() {
                        break;
                    }
                    claimed.extend(waiting.drain(..waiting.len().min(NOTED_TOGETHER_MAX)));
                    for entry in &claimed {
                        self.note(entry.id, TenantMigrationState::Running, None);
                    }
                    self.write().await?;
                    continue;
                };
                let task = running.spawn(self.task(entry.clone()));
                whose.insert(task.id(), entry);
            }
            let Some(joined) = running.join_next_with_id().await else { break };
            self.ended(joined, &mut whose);
            if self.unwritten.len() >= NOTED_TOGETHER_MAX || self.written_at.elapsed() > NOTED_WITHIN {
                self.write().await?;
            }
        }
        for entry in claimed {
            self.note(entry.id, TenantMigrationState::Pending, None);
        }
        self.write().await
    }

    fn task(&self, entry: TenantEntry) -> impl Future<Output = Task> + Send + 'static {
        let (target, known) = (self.site.tenant(entry.id), self.tenant.migrations);
        let (direction, clock) = (self.direction, Arc::clone(&self.tenant.clock));
        async move {
            let outcome = change(&target, known, direction, clock.as_ref()).await;
            (entry, outcome)
        }
    }

    fn ended(&mut self, joined: Result<(Id, Task), JoinError>, whose: &mut HashMap<Id, TenantEntry>) {
        let (entry, outcome) = match joined {
            Ok((id, task)) => {
                whose.remove(&id);
                task
            }
            Err(error) => {
                let Some(entry) = whose.remove(&error.id()) else { return };
                let place = self.site.tenant(entry.id).place();
                (entry, Err(StorageError::Unavailable { place, source: Arc::new(error) }))
            }
        };
        let outcome = match outcome {
            Ok(names) if names.is_empty() => {
                self.report.current += 1;
                self.note(entry.id, TenantMigrationState::Done, None);
                TenantOutcome::Current
            }
            Ok(names) => {
                self.report.changed += 1;
                self.note(entry.id, TenantMigrationState::Done, None);
                TenantOutcome::Changed(names)
            }
            Err(error) => {
                self.report.failed.push((entry.slug.clone(), error.clone()));
                self.note(entry.id, TenantMigrationState::Failed, Some(error.to_string()));
                TenantOutcome::Failed(error)
            }
        };
        let organisations = self.report.organisations;
        let ended = organisations - self.report.not_begun();
        (self.progress)(Progress::Tenant { slug: &entry.slug, outcome: &outcome, ended, organisations });
    }

    /// Notes where the database of `organisation` stands. What was done before stays done, unless
    /// it fails this time.
    fn note(&mut self, organisation: OrganisationId, state: TenantMigrationState, error: Option<String>) {
        let now = self.tenant.clock.now();
        let before = self.rows.get(&organisation).filter(|row| row.version == self.version);
        let was = before.map(|row| row.state);
        let is_no_news = match state {
            TenantMigrationState::Pending => {
                matches!(was, Some(TenantMigrationState::Done | TenantMigrationState::Pending))
            }
            TenantMigrationState::Running | TenantMigrationState::Done => was == Some(TenantMigrationState::Done),
            TenantMigrationState::Failed => false,
        };
        if is_no_news {
            return;
        }
        let begins = state == TenantMigrationState::Running;
        let row = TenantMigration {
            organisation,
            version: self.version.clone(),
            state,
            error,
            attempts: before.map_or(0, |row| row.attempts) + u32::from(begins),
            started_at: if begins { Some(now) } else { before.and_then(|row| row.started_at) },
            finished_at: matches!(state, TenantMigrationState::Done | TenantMigrationState::Failed).then_some(now),
        };
        self.rows.insert(organisation, row.clone());
        self.unwritten.push(row);
    }

    async fn write(&mut self) -> Result<(), StorageError> {
        let rows = std::mem::take(&mut self.unwritten);
        self.written_at = Instant::now();
        if rows.is_empty() {
            return Ok(());
        }
        // The last that is noted of an organisation counts.
        let latest: HashMap<OrganisationId, TenantMigration> =
            rows.into_iter().map(|row| (row.organisation, row)).collect();
        let latest: Vec<TenantMigration> = latest.into_values().collect();
        let options = TransactionOptions::idempotent();
        self.system
            .with_transaction(&WorkContext::BACKGROUND, options, async |tx| {
                tx.tenant_migrations().store_many(&latest).await
            })
            .await
    }
}
