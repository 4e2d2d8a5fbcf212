//! How the databases are: pools, transactions, statements and who has what in hand.

use std::sync::Arc;

use warren_model::OrganisationId;

use crate::{
    Databases, Engine, KeptOnPrimary, Place, ReplicaStatus, TransactionTallyView,
    database::{Kind, Pools},
    pool::{LeaseView, PoolState, PoolTallyView},
    replica::Replicas,
    statements::{SlowStatement, StatementView},
};

/// How the databases were at one moment.
#[derive(Debug, Clone)]
pub struct StorageStatus {
    pub engine: Engine,
    /// Connections to the server, and the most that there may be; none on SQLite.
    pub server_connections: Option<(u32, u32)>,
    /// The servers that follow the primary; empty on SQLite.
    pub replicas: Vec<ReplicaStatus>,
    /// Reads that replicas were not asked for.
    pub kept_on_primary: KeptOnPrimary,
    pub system: KindStatus,
    pub tenants: KindStatus,
    pub open_tenants: usize,
    pub open_tenants_max: usize,
    /// The system database first, then the organisations' databases that are open.
    pub databases: Vec<DatabaseStatus>,
}

/// What all databases of one kind counted since the start, closed ones included.
#[derive(Debug, Clone)]
pub struct KindStatus {
    pub name: &'static str,
    /// Pools that write, and on a server also read.
    pub written: PoolTallyView,
    /// Pools that only read: SQLite's, and those on replicas.
    pub read: PoolTallyView,
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
    /// Who has its connections.
    pub leases: Vec<LeaseView>,
}

impl Databases {
    /// How the databases are now.
    pub fn status(&self) -> StorageStatus {
        let system = self.system_models().pools();
        let mut databases = vec![of_database(system, None)];
        let open = self.tenants().open_now();
        databases.extend(open.iter().map(|(id, pools)| of_database(pools, Some(*id))));
        let (system_kind, tenant_kind) = self.kinds();
        StorageStatus {
            engine: system.engine(),
            server_connections: system_kind.budget.as_ref().map(|budget| budget.now()),
            replicas: self.replicas().map(Replicas::status).unwrap_or_default(),
            kept_on_primary: self.replicas().map(Replicas::kept_on_primary).unwrap_or_default(),
            system: of_kind(system_kind),
            tenants: of_kind(tenant_kind),
            open_tenants: open.len(),
            open_tenants_max: self.tenants().open_max(),
            databases,
        }
    }
}

fn of_kind(kind: &Arc<Kind>) -> KindStatus {
    KindStatus {
        name: kind.name,
        written: kind.written.view(),
        read: kind.read.view(),
        transactions: kind.transactions.view(),
        statements: kind.statements.view(),
        slow: kind.statements.slow(),
    }
}

fn of_database(pools: &Arc<Pools>, organisation: Option<OrganisationId>) -> DatabaseStatus {
    let status = |(role, pool): (&'static str, &crate::pool::Pool)| PoolStatus {
        role,
        place: pool.target().place(),
        now: pool.now(),
        tally: pool.tally().view(),
        leases: pool.leases().iter().map(|record| record.view()).collect(),
    };
    DatabaseStatus { place: pools.place().clone(), organisation, pools: pools.each().into_iter().map(status).collect() }
}
