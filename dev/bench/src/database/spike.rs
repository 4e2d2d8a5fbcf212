//! A pool under a spike: many ask at once, few connections are open, and opening one takes far longer than a query
//! (<https://github.com/brettwooldridge/HikariCP/blob/dev/documents/Welcome-To-The-Jungle.md>).

use std::{
    collections::BTreeMap,
    fmt::Write,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use sqlx::{
    ConnectOptions, PgConnection, Postgres,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use warren_storage::PoolProbe;
use warren_testkit::servers::{DatabaseServer, ServerKind};

use super::{
    Rounds, in_turn,
    peers::{self, Asks, Contender, Tested},
    wire::{Delays, SlowWire},
};
use crate::{
    figures::{Times, ranged, verdict},
    page,
};

const CALLERS: usize = 50;
const IDLE: usize = 5;
/// Twice the idle ones: growing is allowed, and tempting.
const CONNECTIONS_MAX: u32 = 10;
const DELAYS: Delays = Delays { first: Duration::from_millis(150), next: Duration::from_millis(2) };
/// What the five connections need for fifty queries.
const IDEAL: Duration = Duration::from_millis(20);
/// How far from the ideal we may be.
const GOAL: f64 = 1.2;
const QUERY: &str = "SELECT 1";
/// Between two spikes: for connections that come too late to come to rest.
const SETTLE: Duration = Duration::from_millis(200);
const SPIKE_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// Five tasks with a connection each, and no pool.
    Bare,
    Warren,
    Bb8,
    Deadpool,
    SqlxUntested,
    Sqlx,
}

impl Who {
    const ALL: [Self; 6] = [Self::Bare, Self::Warren, Self::Bb8, Self::Deadpool, Self::SqlxUntested, Self::Sqlx];

    const fn name(self) -> &'static str {
        match self {
            Self::Bare => "five connections, ten queries on each, no pool",
            Self::Warren => "**Warren**",
            Self::Bb8 => "bb8 0.9",
            Self::Deadpool => "deadpool 0.13",
            Self::SqlxUntested => "sqlx 0.9, not testing connections",
            Self::Sqlx => "sqlx 0.9 as it comes",
        }
    }
}

/// One spike.
#[derive(Debug)]
struct Sample {
    /// Until everybody was served.
    took: Duration,
    /// How long each waited for a connection.
    waited: Times,
    /// Connections opened in the meantime.
    opened: usize,
}

/// Measures, and returns the section of the page.
///
/// # Errors
/// When the server does not start, or a pool does not serve everybody.
pub fn run(rounds: Rounds) -> anyhow::Result<String> {
    let server = DatabaseServer::start(ServerKind::PostgreSql)?;
    let wire = SlowWire::to(server.port(), DELAYS)?;
    let url = server.url("postgres").replace(&format!(":{}/", server.port()), &format!(":{}/", wire.port));
    let runtime = super::runtime()?;
    let mut samples: BTreeMap<Who, Vec<Sample>> = BTreeMap::new();
    for round in 0..=rounds.many() {
        for who in in_turn(&Who::ALL, round) {
            let sample = runtime.block_on(async { timeout(SPIKE_WITHIN, measure(who, &url, &wire)).await });
            let sample = sample.with_context(|| format!("{who:?} does not serve everybody"))??;
            // The first round is for caches.
            if round > 0 {
                page::progress(&format!("round {round}: spike: {who:?}: {:.2} ms", sample.took.as_secs_f64() * 1e3));
                samples.entry(who).or_default().push(sample);
            }
        }
    }
    section(&samples, rounds)
}

async fn measure(who: Who, url: &str, wire: &SlowWire) -> anyhow::Result<Sample> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.ssl_mode(PgSslMode::Disable);
    let of_sqlx = |tested| peers::of_sqlx::<Postgres>(options.clone(), CONNECTIONS_MAX, tested);
    match who {
        Who::Bare => without_pool(&options).await,
        Who::Warren => {
            spike(PoolProbe::of_server(format!("{url}?sslmode=disable").parse()?, CONNECTIONS_MAX), wire).await
        }
        Who::Bb8 => spike(peers::of_bb8::<PgConnection>(options, CONNECTIONS_MAX), wire).await,
        Who::Deadpool => spike(peers::of_deadpool::<PgConnection>(options, CONNECTIONS_MAX)?, wire).await,
        Who::SqlxUntested => spike(of_sqlx(Tested::Never), wire).await,
        Who::Sqlx => spike(of_sqlx(Tested::Before), wire).await,
    }
}

async fn spike(pool: impl Contender, wire: &SlowWire) -> anyhow::Result<Sample> {
    let at_first = wire.opened();
    pool.warm(IDLE, QUERY).await?;
    sleep(SETTLE).await;
    let before = wire.opened();
    ensure!(before - at_first == IDLE, "{} connections are open before the spike", before - at_first);
    let (begun, mut callers) = (Instant::now(), JoinSet::new());
    for _ in 0..CALLERS {
        let pool = pool.clone();
        callers.spawn(async move { pool.ask(QUERY).await });
    }
    let mut waited = Vec::with_capacity(CALLERS);
    while let Some(caller) = callers.join_next().await {
        waited.push(caller.context("a caller panicked")??);
    }
    let (took, opened) = (begun.elapsed(), wire.opened() - before);
    sleep(SETTLE).await;
    Ok(Sample { took, waited: waited.into_iter().collect(), opened })
}

async fn without_pool(options: &PgConnectOptions) -> anyhow::Result<Sample> {
    let mut connections = Vec::with_capacity(IDLE);
    for _ in 0..IDLE {
        let mut connection = options.connect().await?;
        connection.ask(QUERY).await?;
        connections.push(connection);
    }
    let (begun, mut callers) = (Instant::now(), JoinSet::new());
    for mut connection in connections {
        callers.spawn(async move {
            for _ in 0..CALLERS / IDLE {
                connection.ask(QUERY).await?;
            }
            Ok::<_, sqlx::Error>(())
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.context("a caller panicked")??;
    }
    Ok(Sample { took: begun.elapsed(), waited: Times::default(), opened: 0 })
}

fn section(samples: &BTreeMap<Who, Vec<Sample>>, rounds: Rounds) -> anyhow::Result<String> {
    let mut text = String::from("## A pool under a spike\n\n");
    writeln!(
        text,
        "{CALLERS} callers ask PostgreSQL at once for one query each. {IDLE} connections are open and idle, {CONNECTIONS_MAX} \
         are allowed; the way to the server makes an answer take {} ms and opening a connection {} ms. The ideal is {} ms, all \
         of it on the connections that are there; what this machine and driver make of it without any pool stands in the \
         first row. {} interleaved rounds: medians, and in brackets the lowest and the highest.\n",
        DELAYS.next.as_millis(),
        DELAYS.first.as_millis(),
        IDEAL.as_millis(),
        rounds.many(),
    )?;
    writeln!(text, "| pool | all served ms | half wait at most ms | longest wait ms | opened meanwhile |")?;
    writeln!(text, "|---|---:|---:|---:|---:|")?;
    for (who, taken) in samples {
        let of = |figure: &dyn Fn(&Sample) -> f64| taken.iter().map(figure).collect::<Vec<_>>();
        let took = ranged(of(&|sample| sample.took.as_secs_f64() * 1e3), 1);
        let (half, longest, opened) = if *who == Who::Bare {
            (String::new(), String::new(), String::new())
        } else {
            (
                ranged(of(&|sample| sample.waited.percentile(50.0).as_secs_f64() * 1e3), 1),
                ranged(of(&|sample| sample.waited.max().as_secs_f64() * 1e3), 1),
                ranged(of(&|sample| sample.opened as f64), 0),
            )
        };
        writeln!(text, "| {} | {took} | {half} | {longest} | {opened} |", who.name())?;
    }
    let ours = samples[&Who::Warren].iter().map(|sample| sample.took.as_secs_f64() / IDEAL.as_secs_f64());
    let (ours, ..) = crate::figures::median(ours.collect());
    writeln!(
        text,
        "\nThe goal is at most {GOAL} times the ideal; {}.\n",
        verdict(ours <= GOAL, &format!("{ours:.2} times"))
    )?;
    Ok(text)
}
