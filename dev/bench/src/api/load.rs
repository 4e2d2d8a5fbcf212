//! The client: so many connections, each of which asks again as soon as it has its answer.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::Context;
use http::Method;
use tokio::task::JoinSet;

use super::{Contender, Load, Operation, servers::Servers};
use crate::{figures::Times, warren::enrolment};

/// What came out of one measurement.
#[derive(Debug, Clone)]
pub struct Sample {
    pub requests_per_second: f64,
    pub times: Times,
}

/// Names of devices, for all measurements.
static NUMBER: AtomicUsize = AtomicUsize::new(1_000_000);

/// Asks for `length`.
///
/// # Errors
/// When a request is refused.
pub async fn measure(servers: &Servers, contender: Contender, load: Load, length: Duration) -> anyhow::Result<Sample> {
    let mut work = JoinSet::new();
    let mut connections = Vec::new();
    for _ in 0..load.connections {
        connections.push(servers.connect(contender, load.operation).await?);
    }
    let (begin, network) = (Instant::now(), servers.network);
    for (mut connection, path) in connections {
        work.spawn(async move {
            let mut taken = Vec::new();
            while begin.elapsed() < length {
                let (method, body) = match load.operation {
                    Operation::List => (Method::GET, None),
                    Operation::Enrol => {
                        (Method::POST, Some(enrolment(network, NUMBER.fetch_add(1, Ordering::Relaxed))?))
                    }
                };
                let asked = Instant::now();
                connection.send(method, &path, body).await?;
                taken.push(asked.elapsed());
            }
            anyhow::Ok(taken)
        });
    }
    let mut all = Vec::new();
    while let Some(taken) = work.join_next().await {
        all.extend(taken.context("a connection's task panicked")??);
    }
    let took = begin.elapsed();
    Ok(Sample { requests_per_second: all.len() as f64 / took.as_secs_f64(), times: all.into_iter().collect() })
}
