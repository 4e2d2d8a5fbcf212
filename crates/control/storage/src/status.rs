//! How the databases are: pools, transactions, statements and who has what in hand.

use std::sync::Arc;

use warren_model::OrganisationId;

use crate::{
    Databases, Engine, KeptOnPrimary, Place, ReplicaStatus, TransactionTallyView,
    database::{Kind, Pools},
    engine::Role,
    pool::{LeaseView, PoolState, PoolTallyView},
    replica::Replicas,
    statements::{SlowStatement, StatementView},
    watch::{Recent, Shortage, SuspicionKind, SuspicionView, WatchView},
};

/// How the databases were at one moment.
#[derive(Debug, Clone)]
pub struct StorageStatus {
    pub engine: Engine,
    /// What concerns the server as a whole; none on SQLite.
    pub server: Option<ServerStatus>,
    /// The servers that follow the primary; empty on SQLite.
    pub replicas: Vec<ReplicaStatus>,
    /// Reads that replicas were not asked for.
    pub kept_on_primary: KeptOnPrimary,
    pub system: KindStatus,
    pub tenants: KindStatus,
    pub open_tenants: usize,
    pub open_tenants_max: usize,
    /// Those who wait until an open database is let go and another can be opened in its place.
    pub open_tenants_waiting: usize,
    /// What runs out now, the longest first.
    pub shortages: Vec<Shortage>,
    /// How many shortages there were, by what was short.
    pub shortages_counted: Vec<(&'static str, u64)>,
    /// What took, or takes, longer than it should; the latest come first.
    pub suspicions: Vec<SuspicionView>,
    /// How many suspicions there were.
    pub suspicions_counted: Vec<(SuspicionKind, u64)>,
    /// The system database first, then the organisations' databases that are open.
    pub databases: Vec<DatabaseStatus>,
}

/// The connections to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerStatus {
    pub connections: u32,
    pub connections_max: u32,
    /// Connections that are wanted and have to wait until another is closed.
    pub waiting: usize,
}

/// What all databases of one kind counted since the start, closed ones included.
#[derive(Debug, Clone)]
pub struct KindStatus {
    pub name: &'static str,
    /// Its pools by what they are for: `write` and `read` on SQLite, `both` on a server; and `replica`.
    pub pools: Vec<(&'static str, PoolTallyView)>,
    pub transactions: TransactionTallyView,
    /// The statements that took most time in all come first.
    pub statements: Vec<StatementView>,
    /// The latest come first.
    pub slow: Vec<SlowStatement>,
}

/// One open database.
#[derive(Debug, Clone)]
pub struct DatabaseStatus {
    pub place: Place,
    /// Whose it is; none for the system's.
    pub organisation: Option<OrganisationId>,
    pub pools: Vec<PoolStatus>,
}

/// One pool of a database.
#[derive(Debug, Clone)]
pub struct PoolStatus {
    /// `write`, `read`, `both`, or `replica`.
    pub role: &'static str,
    /// The database that it is connected to, on a replica another one than the primary's.
    pub place: Place,
    pub now: PoolState,
    pub tally: PoolTallyView,
    /// How it was used lately.
    pub recent: Recent,
    /// Who has its connections.
    pub leases: Vec<LeaseView>,
}

impl StorageStatus {
    /// The organisations' open databases, the busiest first: by those who wait, then by how much connections were used lately.
    pub fn busiest(&self) -> Vec<&DatabaseStatus> {
        let mut tenants: Vec<&DatabaseStatus> = self.databases.iter().filter(|of| of.organisation.is_some()).collect();
        tenants.sort_by_key(|of| std::cmp::Reverse((of.waiting(), of.used_lately(), of.active())));
        tenants
    }
}

impl DatabaseStatus {
    /// Those who stand in line for one of its connections.
    pub fn waiting(&self) -> u32 {
        self.pools.iter().map(|pool| pool.now.waiting).sum()
    }
    /// Its connections in somebody's hands.
    pub fn active(&self) -> u32 {
        self.pools.iter().map(|pool| pool.now.active).sum()
    }
    /// How many of its connections were in use on average in the last window, in thousandths.
    pub fn used_lately(&self) -> u64 {
        self.pools.iter().map(|pool| pool.recent.busy_thousandths()).sum()
    }
}

impl Databases {
    /// How the databases are now.
    pub fn status(&self) -> StorageStatus {
        let WatchView { shortages, shortages_counted, suspicions, suspicions_counted, recent } = self.watch().view();
        let recent = |organisation, role| recent.get(&(organisation, role)).copied().unwrap_or_default();
        let system = self.system_models().pools();
        let mut databases = vec![of_database(system, None, recent)];
        let open = self.tenants().open_now();
        databases.extend(open.iter().map(|(id, pools)| of_database(pools, Some(*id), recent)));
        let (system_kind, tenant_kind) = self.kinds();
        StorageStatus {
            engine: system.engine(),
            server: system_kind.budget.as_ref().map(|budget| {
                let (connections, connections_max) = budget.now();
                ServerStatus { connections, connections_max, waiting: budget.waiting() }
            }),
            system: of_kind(system_kind, system.engine()),
            tenants: of_kind(tenant_kind, system.engine()),
            replicas: self.replicas().map(Replicas::status).unwrap_or_default(),
            kept_on_primary: self.replicas().map(Replicas::kept_on_primary).unwrap_or_default(),
            open_tenants: open.len(),
            open_tenants_max: self.tenants().open_max(),
            open_tenants_waiting: self.tenants().crowd().0,
            shortages,
            shortages_counted,
            suspicions,
            suspicions_counted,
            databases,
        }
    }

    /// What runs out now, the longest first.
    pub fn shortages(&self) -> Vec<Shortage> {
        self.watch().view().shortages
    }
}

fn of_kind(kind: &Arc<Kind>, engine: Engine) -> KindStatus {
    let pools = if engine.writes_alone() {
        vec![(Role::Writer.as_str(), kind.written.view()), (Role::Reader.as_str(), kind.read.view())]
    } else {
        vec![(Role::Both.as_str(), kind.written.view()), (Role::Replica.as_str(), kind.read.view())]
    };
    KindStatus {
        name: kind.name,
        pools,
        transactions: kind.transactions.view(),
        statements: kind.statements.view(),
        slow: kind.statements.slow(),
    }
}

fn of_database(
    pools: &Arc<Pools>,
    organisation: Option<OrganisationId>,
    recent: impl Fn(Option<OrganisationId>, &'static str) -> Recent,
) -> DatabaseStatus {
    let status = |(role, pool): (&'static str, &crate::pool::Pool)| {
        let glance = pool.glance();
        PoolStatus {
            role,
            place: pool.target().place(),
            now: glance.now,
            tally: pool.tally().view(),
            recent: recent(organisation, role),
            leases: glance.leases.iter().map(|record| record.view()).collect(),
        }
    };
    DatabaseStatus { place: pools.place().clone(), organisation, pools: pools.each().into_iter().map(status).collect() }
}
