//! Makes a report of what storage tells.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use warren_model::{OrganisationId, Timestamp};
use warren_storage::{DatabaseStatus, ShortageOf, StorageStatus};

use super::{
    Busy, Kind, KindStatus, Lease, Limits, Names, PoolState, PoolsOfKind, Report, Shortage, Slow, State, Statement,
    Suspicion,
};
use crate::App;

/// What is read for a report.
pub(super) struct Reading<'a> {
    pub app: &'a App,
    pub status: &'a StorageStatus,
    pub names: &'a Names,
}

impl Reading<'_> {
    pub fn report(&self, limits: Limits) -> Report {
        let status = self.status;
        let kinds = [&status.system, &status.tenants].map(|kind| self.kind(kind, limits));
        let states = kinds.iter().flat_map(|kind| &kind.pools).map(|pools| pools.state);
        let shortest = if status.shortages.is_empty() { State::Fine } else { State::RunningOut };
        let crowded = if status.open_tenants_waiting > 0 { State::Waiting } else { State::Fine };
        let mut leases: Vec<Lease> = status.databases.iter().flat_map(|database| self.leases(database)).collect();
        leases.sort_by_key(|lease| lease.since);
        leases.truncate(limits.leases);
        Report {
            engine: status.engine.as_str(),
            place: status.databases.first().map_or_else(String::new, |system| system.place.to_string()),
            state: states.fold(shortest.max(crowded), State::max),
            server: status.server,
            open: status.open_tenants,
            open_max: status.open_tenants_max,
            open_waiting: status.open_tenants_waiting,
            shortages: status.shortages.iter().map(|shortage| self.shortage(shortage)).collect(),
            kinds,
            organisations: status
                .busiest()
                .into_iter()
                .take(limits.organisations)
                .filter_map(|one| self.busy(one))
                .collect(),
            leases,
            suspicions: status.suspicions.iter().take(limits.suspicions).map(|one| self.suspicion(one)).collect(),
            suspicions_counted: status.suspicions_counted.clone(),
            slow_statements: latest_slow(status, limits).into_iter().map(|one| self.slow(one)).collect(),
        }
    }

    fn kind(&self, kind: &KindStatus, limits: Limits) -> Kind {
        let is_system = kind.name == self.status.system.name;
        let databases = || self.status.databases.iter().filter(|one| one.organisation.is_none() == is_system);
        let pools = kind.pools.iter().map(|(role, tally)| {
            let of_role = databases().flat_map(|one| &one.pools).filter(|pool| pool.role == *role);
            let now = of_role.fold(PoolState::default(), |all, pool| all.with(&pool.now));
            let shortage = self.status.shortages.iter().find(|shortage| match &shortage.of {
                ShortageOf::Pool { organisation, role: of, .. } => organisation.is_none() == is_system && of == role,
                ShortageOf::Server | ShortageOf::OpenTenants => false,
            });
            PoolsOfKind { role, state: state(shortage, now.waiting), now, tally: *tally }
        });
        let statements = kind.statements.iter().take(limits.statements);
        Kind {
            name: kind.name,
            pools: pools.collect(),
            transactions: kind.transactions.clone(),
            statements: statements
                .map(|one| Statement { text: Arc::clone(&one.text), took: one.took, failed: one.failed })
                .collect(),
        }
    }

    fn busy(&self, database: &DatabaseStatus) -> Option<Busy> {
        let id = database.organisation?;
        let shortage = self.status.shortages.iter().find(|shortage| owner_of(&shortage.of) == Some(id));
        let (pools, recent) = (|| database.pools.iter(), database.pools.iter().map(|pool| pool.recent));
        let acquired: u64 = recent.clone().map(|recent| recent.acquired).sum();
        let waited: Duration = recent.map(|recent| recent.waited).sum();
        Some(Busy {
            organisation: self.names.owner(id),
            state: state(shortage, database.waiting()),
            waiting: database.waiting(),
            active: database.active(),
            connections_max: pools().map(|pool| pool.now.connections_max).sum(),
            used_thousandths: database.used_lately(),
            acquired,
            mean_wait: waited.checked_div(u32::try_from(acquired).unwrap_or(u32::MAX)).unwrap_or_default(),
            refused: pools().map(|pool| pool.tally.timeouts + pool.tally.turned_away).sum(),
        })
    }

    fn shortage(&self, shortage: &warren_storage::Shortage) -> Shortage {
        let (database, role) = match &shortage.of {
            ShortageOf::Pool { database, role, .. } => (Some(database.to_string()), Some(*role)),
            ShortageOf::Server | ShortageOf::OpenTenants => (None, None),
        };
        Shortage {
            of: shortage.of.as_str(),
            database,
            organisation: owner_of(&shortage.of).map(|id| self.names.owner(id)),
            role,
            sign: shortage.sign,
            since: self.moment(shortage.since),
        }
    }

    fn leases<'s>(&'s self, database: &'s DatabaseStatus) -> impl Iterator<Item = Lease> + 's {
        let leases = database.pools.iter().flat_map(|pool| &pool.leases);
        leases.map(|lease| Lease {
            database: database.place.to_string(),
            organisation: database.organisation.map(|id| self.names.owner(id)),
            asked_at: lease.place.clone(),
            span: lease.span,
            request: lease.request,
            since: self.app.clock().now() - lease.held,
            phase: lease.phase.clone(),
            in_phase: lease.in_phase,
            in_transaction: lease.in_transaction,
        })
    }

    fn suspicion(&self, one: &warren_storage::SuspicionView) -> Suspicion {
        Suspicion {
            kind: one.kind,
            database: one.database.to_string(),
            organisation: one.organisation.map(|id| self.names.owner(id)),
            asked_at: one.asked_at.clone(),
            span: one.span,
            request: one.request,
            statement: one.statement.clone(),
            since: self.moment(one.since),
            state: one.state,
        }
    }

    fn slow(&self, one: &warren_storage::SlowStatement) -> Slow {
        Slow {
            text: Arc::clone(&one.text),
            database: one.place.to_string(),
            organisation: one.organisation.map(|id| self.names.owner(id)),
            took: one.took,
            at: self.moment(one.at),
            request: one.request,
            asked_at: one.asked_at.clone(),
            plan: one.plan.clone(),
        }
    }

    /// The time of day at which `instant` was.
    fn moment(&self, instant: Instant) -> Timestamp {
        self.app.clock().now() - instant.elapsed()
    }
}

/// How a pool is, given what runs out of it and who waits.
fn state(shortage: Option<&warren_storage::Shortage>, waiting: u32) -> State {
    match (shortage, waiting) {
        (Some(_), _) => State::RunningOut,
        (None, 0) => State::Fine,
        (None, _) => State::Waiting,
    }
}

/// The slow statements that are told.
pub(super) fn latest_slow(status: &StorageStatus, limits: Limits) -> Vec<&warren_storage::SlowStatement> {
    let mut slow: Vec<_> = status.system.slow.iter().chain(&status.tenants.slow).collect();
    slow.sort_by_key(|one| std::cmp::Reverse(one.at));
    slow.truncate(limits.slow_statements);
    slow
}

/// Whose connections run out; none when it is not one organisation alone.
pub(super) fn owner_of(of: &ShortageOf) -> Option<OrganisationId> {
    match of {
        ShortageOf::Pool { organisation, .. } => *organisation,
        ShortageOf::Server | ShortageOf::OpenTenants => None,
    }
}
