//! Eight writers on one SQLite database: behind our gate, and in the ways that SQLite itself lets them in.

use std::{
    collections::BTreeMap,
    fmt::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use sqlx::{SqlitePool, pool::PoolOptions, query};
use tempfile::TempDir;
use tokio::task::JoinSet;
use uuid::Uuid;
use warren_auth::{Authorized, permission::ManageNetworks};
use warren_model::{
    AuditId, Clock, NetworkId, OrganisationId, RequestId,
    audit::{Action, Actor, AuditEntry, Source},
};
use warren_runtime::{SystemClock, SystemRandom};
use warren_storage::{Databases, TenantModels};

use super::{
    Rounds, in_turn,
    layer::{self, Texts},
};
use crate::{
    figures::{self, Times, median, milliseconds, ranged},
    page,
};

const WRITERS: usize = 8;
/// Length of one measurement.
const LENGTH: Duration = Duration::from_secs(1);
/// How often one transaction is attempted by the peers; Warren has its own bound.
const ATTEMPTS_MAX: u32 = 100_000;

/// What Warren writes of such an entry.
const BODY: &str = r#"{"v":"1","actor":{"kind":"system"},"subject":"019ad000-0000-7000-8000-000000000000","subject_name":"Office","source":"internal","request":"019ad000-0000-7000-8000-000000000000"}"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Warren,
    OneWriter,
    Immediate,
    Deferred,
}

impl Who {
    const ALL: [Self; 4] = [Self::Warren, Self::OneWriter, Self::Immediate, Self::Deferred];

    const fn name(self) -> &'static str {
        match self {
            Self::Warren => "**Warren**: a gate before one writer",
            Self::OneWriter => "sqlx, a pool of one connection",
            Self::Immediate => "sqlx, a pool of eight, `BEGIN IMMEDIATE`, SQLite waits 5 s",
            Self::Deferred => "sqlx, a pool of eight, `BEGIN DEFERRED`, SQLite waits 5 s",
        }
    }

    /// The connections and what begins a transaction, for the peers.
    const fn peer(self) -> Option<(u32, &'static str)> {
        match self {
            Self::Warren => None,
            Self::OneWriter => Some((1, "BEGIN IMMEDIATE")),
            Self::Immediate => Some((8, "BEGIN IMMEDIATE")),
            Self::Deferred => Some((8, "BEGIN DEFERRED")),
        }
    }
}

/// What came out of one measurement.
#[derive(Debug)]
struct Sample {
    per_second: f64,
    times: Times,
    /// Processor time for one transaction.
    processor: Duration,
    /// Attempts that the database refused.
    refused: u64,
}

/// The database, and what is sent to it.
struct Ground {
    databases: Databases,
    tenant: TenantModels,
    network: NetworkId,
    look: &'static str,
    append: &'static str,
    folder: TempDir,
}

/// Measures, and returns the section of the page.
///
/// # Errors
/// When a transaction fails for another reason than that others write.
pub fn run(rounds: Rounds) -> anyhow::Result<String> {
    let runtime = super::runtime()?;
    let ground = Arc::new(runtime.block_on(Ground::new())?);
    let mut samples: BTreeMap<Who, Vec<Sample>> = BTreeMap::new();
    for round in 0..=rounds.few() {
        for who in in_turn(&Who::ALL, round) {
            let sample = runtime.block_on(measure(&ground, who))?;
            if round > 0 {
                page::progress(&format!("round {round}: writers: {who:?}: {:.0} a second", sample.per_second));
                samples.entry(who).or_default().push(sample);
            }
        }
    }
    let ground = Arc::into_inner(ground).context("a task still holds the database")?;
    runtime.block_on(async {
        drop(ground.tenant);
        ground.databases.close().await;
    });
    section(&samples, rounds)
}

impl Ground {
    async fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = layer::standing_of_sqlite(folder.path());
        let databases = Databases::open(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
        let organisation = OrganisationId::generate(SystemClock.now(), &SystemRandom);
        databases.create_tenant(organisation).await?;
        let tenant = databases.tenant_models(organisation).await?;
        let network = layer::network()?;
        let proof = Authorized::for_system(organisation, ManageNetworks);
        tenant.transaction(async |tx| tx.networks().insert(&proof, &network, b"sealed").await).await?;
        write(&tenant, network.id).await?;
        let sent = Texts::sent(&databases);
        let (look, append) =
            (sent.with(&["SELECT networks.id", "WHERE networks.id ="])?, sent.with(&["INSERT INTO audit_entries "])?);
        Ok(Self { databases, tenant, network: network.id, look, append, folder })
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("tenants").join(format!("{}.sqlite", self.tenant.organisation()))
    }
}

async fn measure(ground: &Arc<Ground>, who: Who) -> anyhow::Result<Sample> {
    let peer = who.peer().map(|(connections, begin)| (open(&ground.file(), connections), begin));
    let (mut work, begun, processor) = (JoinSet::new(), Instant::now(), figures::processor_time()?);
    for _ in 0..WRITERS {
        let (ground, peer) = (Arc::clone(ground), peer.clone());
        work.spawn(async move {
            let (mut times, mut refused) = (Vec::new(), 0);
            while begun.elapsed() < LENGTH {
                let asked = Instant::now();
                match &peer {
                    None => write(&ground.tenant, ground.network).await?,
                    Some((pool, begin)) => refused += write_plainly(&ground, pool, begin).await?,
                }
                times.push(asked.elapsed());
            }
            anyhow::Ok((times, refused))
        });
    }
    let (mut all, mut refused) = (Vec::new(), 0);
    while let Some(done) = work.join_next().await {
        let (times, of_one) = done.context("a writer panicked")??;
        all.extend(times);
        refused += of_one;
    }
    let took = begun.elapsed();
    let processor = (figures::processor_time()? - processor).div_f64(all.len() as f64);
    if let Some((pool, _)) = peer {
        pool.close().await;
    }
    Ok(Sample {
        per_second: all.len() as f64 / took.as_secs_f64(),
        times: all.into_iter().collect(),
        processor,
        refused,
    })
}

fn open(file: &Path, connections: u32) -> SqlitePool {
    let options = layer::sqlite_options(file);
    PoolOptions::new().max_connections(connections).test_before_acquire(false).connect_lazy_with(options)
}

/// Looks the network up and adds an entry to the trail, in one transaction.
async fn write(tenant: &TenantModels, network: NetworkId) -> anyhow::Result<()> {
    let entry = AuditEntry {
        id: AuditId::generate(SystemClock.now(), &SystemRandom),
        at: SystemClock.now(),
        actor: Actor::System,
        action: Action::ALL[0],
        subject: network.uuid(),
        subject_name: "Office".into(),
        changes: Vec::new(),
        source: Source::Internal,
        request: RequestId::generate(SystemClock.now(), &SystemRandom),
    };
    tenant
        .transaction(async |tx| {
            tx.networks().by_id(network).await?;
            tx.audit().append(&entry).await
        })
        .await?;
    Ok(())
}

/// The same with the driver alone, and how many attempts were refused before one was not.
async fn write_plainly(ground: &Ground, pool: &SqlitePool, begin: &'static str) -> anyhow::Result<u64> {
    let id = AuditId::generate(SystemClock.now(), &SystemRandom).uuid();
    for refused in 0..ATTEMPTS_MAX {
        match attempt(ground, pool, begin, id).await {
            Ok(()) => return Ok(refused.into()),
            Err(error) => ensure!(is_busy(&error), "{error}"),
        }
    }
    anyhow::bail!("a transaction was refused {ATTEMPTS_MAX} times")
}

async fn attempt(ground: &Ground, pool: &SqlitePool, begin: &'static str, id: Uuid) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin_with(begin).await?;
    let look = query(ground.look).bind(ground.network.uuid());
    let look = if ground.look.ends_with("LIMIT ?") { look.bind(1_i64) } else { look };
    look.fetch_optional(&mut *transaction).await?;
    query(ground.append)
        .bind(id)
        .bind(0_i64)
        .bind(None::<Uuid>)
        .bind(Action::ALL[0].as_str())
        .bind(BODY)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

/// SQLITE_BUSY (5) in all its forms (<https://www.sqlite.org/rescode.html#busy>).
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

fn section(samples: &BTreeMap<Who, Vec<Sample>>, rounds: Rounds) -> anyhow::Result<String> {
    let mut text = String::from("## Eight writers on SQLite\n\n");
    writeln!(
        text,
        "Each of {WRITERS} writers looks a network up and adds an entry to the trail, in one transaction that is on the disk \
         before it is acknowledged, and begins the next. A transaction that SQLite refuses because others write is undone and \
         begun again at once. {} interleaved rounds of {} s: medians, and in brackets the lowest and the highest; the longest \
         is that of all rounds.\n",
        rounds.few(),
        LENGTH.as_secs()
    )?;
    writeln!(
        text,
        "| writers | transactions a second | p50 ms | p99 ms | longest ms | CPU µs each | refused attempts for each done |"
    )?;
    writeln!(text, "|---|---:|---:|---:|---:|---:|---:|")?;
    for (who, taken) in samples {
        let rate = ranged(taken.iter().map(|sample| sample.per_second).collect(), 0);
        let percentile = |percent| {
            let of_rounds = taken.iter().map(|sample| sample.times.percentile(percent).as_secs_f64());
            milliseconds(Duration::from_secs_f64(median(of_rounds.collect()).0))
        };
        let longest = milliseconds(taken.iter().map(|sample| sample.times.max()).max().unwrap_or_default());
        let processor = median(taken.iter().map(|sample| sample.processor.as_secs_f64() * 1e6).collect()).0;
        let done: usize = taken.iter().map(|sample| sample.times.count()).sum();
        let refused: u64 = taken.iter().map(|sample| sample.refused).sum();
        let (name, p50, p99) = (who.name(), percentile(50.0), percentile(99.0));
        let refused = refused as f64 / done.max(1) as f64;
        writeln!(text, "| {name} | {rate} | {p50} | {p99} | {longest} | {processor:.0} | {refused:.2} |")?;
    }
    text.push('\n');
    Ok(text)
}
