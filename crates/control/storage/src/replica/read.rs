//! One database on the replicas: its pools there, and reads that never fail because of them.

use std::sync::Arc;

use sea_orm::Statement;
use tokio::time::timeout;

use super::{Chosen, Fallback, READ_WITHIN, Replicas};
use crate::{
    StorageError, WorkContext,
    engine::{Answer, Fault, Role, Target},
    pool::{Bounds, Counts, Pool, PoolTally},
    statements::{Observer, Statements},
};

/// One database on each replica.
#[derive(Debug)]
pub(crate) struct DatabaseReplicas {
    replicas: Arc<Replicas>,
    on_each: Vec<OnReplica>,
}

#[derive(Debug)]
struct OnReplica {
    pool: Pool,
    observer: Observer,
}

impl DatabaseReplicas {
    /// The database `on_primary` where `replicas` have it. No connection is opened before there is something to read.
    pub fn new(
        on_primary: &Target,
        replicas: &Arc<Replicas>,
        bounds: Bounds,
        counts: &Arc<Counts>,
        statements: &Arc<Statements>,
    ) -> Self {
        let on_each = replicas.members().iter().map(|member| {
            let target = on_primary.on(&member.url);
            let budget = Some(Arc::clone(&member.budget));
            // A plan is the replica's own, and so are the connections that it is asked for on.
            let observer = Observer::new(Arc::clone(statements), &target, budget.clone());
            OnReplica { pool: Pool::new(target, Role::Replica, bounds, budget, PoolTally::within(counts)), observer }
        });
        Self { on_each: on_each.collect(), replicas: Arc::clone(replicas) }
    }

    /// What a replica answers, if there is one that may be asked by the author of `work` and it does answer.
    pub async fn read<A: Answer>(&self, work: &WorkContext, statement: &Statement) -> Option<A> {
        let chosen = self.replicas.choose(work)?;
        let (on, member) = (&self.on_each[chosen.replica], &self.replicas.members()[chosen.replica]);
        let Ok(outcome) = timeout(READ_WITHIN, on.read(work, statement)).await else {
            return self.fall_back(chosen, Fallback::TimedOut, Suspicion::OfReplica);
        };
        match outcome {
            Ok(answer) => {
                self.replicas.saw(work, chosen);
                member.served_one();
                Some(answer)
            }
            Err((reason, suspicion)) => self.fall_back(chosen, reason, suspicion),
        }
    }

    fn fall_back<A>(&self, chosen: Chosen, reason: Fallback, suspicion: Suspicion) -> Option<A> {
        let member = &self.replicas.members()[chosen.replica];
        member.fell_back(reason);
        if suspicion == Suspicion::OfReplica {
            member.failed(reason, self.replicas.lag_max());
        }
        tracing::debug!(replica = %member.place, reason = reason.as_str(), "a read goes to the primary after all");
        None
    }

    /// Notes that the author of `work` wrote, or read from the primary what others wrote.
    pub fn saw_the_primary(&self, work: &WorkContext) {
        self.replicas.saw_the_primary(work);
    }

    pub fn pools(&self) -> impl Iterator<Item = &Pool> {
        self.on_each.iter().map(|on| &on.pool)
    }

    /// Lets nobody read here any more, and closes the connections.
    pub async fn close(&self) {
        for on in &self.on_each {
            on.observer.sampler().stop().await;
            on.pool.close().await;
        }
    }
}

/// Whom a failure speaks against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suspicion {
    /// The next read would meet the same.
    OfReplica,
    /// This read, or this moment.
    OfThisRead,
}

impl OnReplica {
    async fn read<A: Answer>(&self, work: &WorkContext, statement: &Statement) -> Result<A, (Fallback, Suspicion)> {
        let mut lease = match self.pool.acquire(work, None).await {
            Ok(lease) => lease,
            Err(error) => return Err((Fallback::NoConnection, self.suspicion_of(&error))),
        };
        let answer = lease.ask(statement.clone(), &self.observer).await;
        answer.map_err(|error| match Fault::of(&error) {
            Fault::Disconnected | Fault::Unreachable => (Fallback::Disconnected, Suspicion::OfReplica),
            Fault::Retry(_) | Fault::StatementTimeout => (Fallback::Cancelled, Suspicion::OfReplica),
            _ => (Fallback::Refused, Suspicion::OfThisRead),
        })
    }

    /// What it says of the replica that there was no connection.
    fn suspicion_of(&self, error: &StorageError) -> Suspicion {
        match error {
            // The database has not come to it yet.
            StorageError::NotFound => Suspicion::OfThisRead,
            // Others are being served.
            StorageError::Busy if self.pool.glance().now.active > 0 => Suspicion::OfThisRead,
            _ => Suspicion::OfReplica,
        }
    }
}
