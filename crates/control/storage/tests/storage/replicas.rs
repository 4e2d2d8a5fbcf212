//! Real replicas of real servers: what is read from them, what is not, and that no read fails because of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rstest::rstest;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};
use uuid::Uuid;
use warren_model::{RequestId, page::PageRequest};
use warren_runtime::{SystemClock, SystemRandom};
use warren_storage::{
    Config, Databases, ReplicaState, ReplicaStatus, Servers, Staleness, Standing, StorageError, SystemModels,
    WorkContext,
};
use warren_testkit::servers::{DatabaseServer, ServerKind};

use crate::world::*;

const LAG_MAX: Duration = Duration::from_secs(2);
const INTERVAL: Duration = Duration::from_millis(200);
/// A test waits this long at most for what has no bound of its own.
const PATIENCE: Duration = Duration::from_secs(15);

struct Pair {
    databases: Databases,
    primary: DatabaseServer,
    replica: DatabaseServer,
}

fn servers(kind: ServerKind) -> (DatabaseServer, DatabaseServer) {
    let primary = DatabaseServer::start(kind).unwrap();
    let replica = primary.start_replica().unwrap();
    (primary, replica)
}

async fn pair(kind: ServerKind) -> Pair {
    let (primary, replica) = servers(kind);
    let url = replica.url("warren");
    pair_of(primary, replica, &url).await
}

/// Opens databases on `primary` with the replica that is reached at `url`.
async fn pair_of(primary: DatabaseServer, replica: DatabaseServer, url: &str) -> Pair {
    let servers = Servers::new(primary.url("warren").parse().unwrap(), vec![url.parse().unwrap()]).unwrap();
    let config = Config {
        replica_lag_max: LAG_MAX,
        replica_probe_interval: INTERVAL,
        ..Config::standing(Standing::Server(servers))
    };
    let databases = Databases::open(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
    let pair = Pair { databases, primary, replica };
    pair.until(|replica| replica.state == ReplicaState::Healthy).await;
    pair
}

impl Pair {
    fn status(&self) -> ReplicaStatus {
        self.databases.status().replicas.pop().unwrap()
    }

    fn served(&self) -> u64 {
        self.status().served
    }

    async fn until(&self, wanted: impl Fn(&ReplicaStatus) -> bool) {
        let begun = Instant::now();
        while !wanted(&self.status()) {
            assert!(begun.elapsed() < PATIENCE, "{:?}", self.status());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The models of the system, for reads of `author` that may be a little old.
    fn of(&self, author: u128) -> SystemModels {
        self.databases.system_models().within(by(author)).allowing(Staleness::Bounded)
    }

    async fn count(&self, author: u128) -> u64 {
        self.try_count(author).await.unwrap()
    }

    async fn try_count(&self, author: u128) -> Result<u64, StorageError> {
        self.of(author).organisations().count().await
    }

    async fn add(&self, author: u128, slug: &str) {
        let organisation = organisation(slug);
        self.of(author)
            .transaction(async |tx| tx.organisations().insert(&operate(), &organisation).await)
            .await
            .unwrap();
    }

    /// Waits until the replica answers somebody who must see everything up to now.
    async fn until_served(&self, author: u128) {
        let (begun, before) = (Instant::now(), self.served());
        while self.served() == before {
            assert!(begun.elapsed() < PATIENCE, "{:?}", self.status());
            self.count(author).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn by(author: u128) -> WorkContext {
    WorkContext::of_request(RequestId::generate(NOW, &SystemRandom), Some(Uuid::from_u128(author)))
}

const ANNA: u128 = 1;
const BERT: u128 = 2;

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::postgresql(ServerKind::PostgreSql)]
#[tokio::test(flavor = "multi_thread")]
async fn reads_that_may_be_a_little_old_go_to_a_replica_within_the_bound(#[case] kind: ServerKind) {
    let pair = pair(kind).await;
    pair.add(ANNA, "first").await;
    pair.until_served(ANNA).await;
    assert_eq!((pair.count(ANNA).await, pair.count(BERT).await), (1, 1));

    // Who asks for what is current does not get it from a replica, and neither do transactions.
    let served = pair.served();
    assert_eq!(pair.databases.system_models().within(by(BERT)).organisations().count().await.unwrap(), 1);
    pair.of(BERT).transaction(async |tx| tx.organisations().count().await).await.unwrap();
    assert_eq!(pair.served(), served);

    // A database that comes into being later is read there too, once it has come; until then from the primary.
    let id = organisation_id();
    pair.databases.create_tenant(id).await.unwrap();
    let tenant = pair.databases.tenant_models(id).await.unwrap().within(by(BERT)).allowing(Staleness::Bounded);
    let first = PageRequest::first_of_most();
    let begun = Instant::now();
    while pair.served() == served {
        assert!(begun.elapsed() < PATIENCE, "{:?}", pair.status());
        assert_eq!(tenant.networks().page(&first).await.unwrap().items.len(), 0);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    // Within the bound a replica that stands still is read from, though not by those who know better.
    pair.until_served(BERT).await;
    pair.replica.pause_replay().unwrap();
    let paused = Instant::now();
    pair.add(ANNA, "second").await;
    let served = pair.served();
    assert_eq!(pair.count(ANNA).await, 2, "Anna wrote it");
    assert_eq!(pair.served(), served);
    assert!(pair.databases.status().kept_on_primary.newer_needed > 0);
    assert_eq!(pair.count(BERT).await, 1, "Bert gets what is at most {LAG_MAX:?} old");
    assert_eq!(pair.served(), served + 1);

    // Past the bound it is not, and what is read is fresh.
    while pair.count(BERT).await == 1 {
        assert!(paused.elapsed() < LAG_MAX + INTERVAL, "what was read is too old");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(pair.count(BERT).await, 2);
    assert_eq!(pair.status().state, ReplicaState::Lagging);
    assert!(pair.status().staleness.unwrap() > LAG_MAX);

    pair.replica.resume_replay().unwrap();
    pair.until(|replica| replica.state == ReplicaState::Healthy).await;
    pair.until_served(ANNA).await;
    assert_eq!((pair.count(ANNA).await, pair.count(BERT).await), (2, 2));
    pair.databases.close().await;
}

/// Writes and reads in turn, with pauses in which replicas catch up, and returns what was read last.
async fn write_and_read(pair: &Pair, author: u128) -> u64 {
    let mut least = 0;
    for n in 0..WRITES {
        let before = pair.count(author).await;
        pair.add(author, &format!("of-{author}-{n}")).await;
        for pause in [0, 3, 40, 150] {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let now = pair.count(author).await;
            assert!(now > before, "{author} does not see what they wrote: {before} and then {now}");
            assert!(now >= least, "{author} goes back in time: {least} and then {now}");
            least = now;
        }
    }
    least
}

const WRITES: u64 = 12;

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::postgresql(ServerKind::PostgreSql)]
#[tokio::test(flavor = "multi_thread")]
async fn no_read_fails_because_of_a_replica(#[case] kind: ServerKind) {
    let pair = pair(kind).await;
    pair.add(ANNA, "first").await;
    pair.until_served(ANNA).await;

    // While many write, nobody misses what they wrote, and nobody is shown less than before.
    let served = pair.served();
    let (one, two, three) =
        tokio::join!(write_and_read(&pair, 20), write_and_read(&pair, 21), write_and_read(&pair, 22));
    let all = 1 + 3 * WRITES;
    assert!(one.max(two).max(three) <= all);
    assert!(pair.served() > served, "{:?}", pair.status());
    pair.until_served(BERT).await;

    // The replica is killed while many read: each gets an answer, and soon at that.
    let (before, killed) = (pair.served(), AtomicBool::new(false));
    let reads = async |author: u128| {
        let (mut longest, mut after) = (Duration::ZERO, 0);
        while after < 200 {
            let begun = Instant::now();
            assert_eq!(pair.count(author).await, all);
            longest = longest.max(begun.elapsed());
            after += u32::from(killed.load(Ordering::Relaxed));
        }
        longest
    };
    let kill = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        tokio::task::block_in_place(|| pair.replica.kill()).unwrap();
        killed.store(true, Ordering::Relaxed);
    };
    let ((), one, two, three) = tokio::join!(kill, reads(10), reads(11), reads(12));
    let longest = one.max(two).max(three);
    assert!(longest < Duration::from_secs(3), "a read took {longest:?}");
    assert!(pair.served() > before);
    pair.until(|replica| matches!(replica.state, ReplicaState::Unreachable(_))).await;
    assert!(pair.databases.status().kept_on_primary.none_fresh > 0);

    // It comes back, and is read from again.
    pair.replica.restart().unwrap();
    pair.until(|replica| replica.state == ReplicaState::Healthy).await;
    pair.until_served(BERT).await;

    // Without the primary, what it had is still shown within the bound.
    pair.primary.kill().unwrap();
    let killed = Instant::now();
    let mut answers = 0;
    while killed.elapsed() < LAG_MAX / 2 {
        assert_eq!(pair.try_count(BERT).await.unwrap(), all);
        answers += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(answers > 10, "{answers}");
    pair.until(|replica| replica.state == ReplicaState::Lagging).await;
    let error = pair.try_count(BERT).await.unwrap_err();
    assert!(matches!(error, StorageError::Unreachable { .. }), "{error:?}");
    pair.primary.restart().unwrap();
    pair.until(|replica| replica.state == ReplicaState::Healthy).await;
    pair.until_served(BERT).await;

    // One that is promoted is not asked any more.
    let promote = match kind {
        ServerKind::MariaDb => "STOP SLAVE; SET GLOBAL read_only = 0",
        ServerKind::PostgreSql => "SELECT pg_promote()",
    };
    pair.replica.ask(promote).unwrap();
    pair.until(|replica| replica.state == ReplicaState::TakesWrites).await;
    let served = pair.served();
    assert_eq!(pair.count(BERT).await, all);
    assert_eq!(pair.served(), served);
    assert_eq!(pair.status().staleness, None);
    pair.databases.close().await;
}

/// A way to a server on which packets vanish while it is told so.
struct Way {
    port: u16,
    open: watch::Sender<bool>,
}

impl Way {
    async fn to(server: &DatabaseServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, there) = (listener.local_addr().unwrap().port(), server.port());
        let (open, is_open) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(("127.0.0.1", there)).await else { continue };
                let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
                tokio::spawn(carry(from_near, to_far, is_open.clone()));
                tokio::spawn(carry(from_far, to_near, is_open.clone()));
            }
        });
        Self { port, open }
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut is_open: watch::Receiver<bool>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if is_open.wait_for(|open| *open).await.is_err() || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_falls_silent_holds_nobody_up_for_long() {
    let (primary, replica) = servers(ServerKind::PostgreSql);
    let way = Way::to(&replica).await;
    let url = replica.url("warren").replace(&format!(":{}/", replica.port()), &format!(":{}/", way.port));
    let pair = pair_of(primary, replica, &url).await;
    pair.until_served(ANNA).await;

    way.open.send_replace(false);
    let begun = Instant::now();
    let (one, two) = tokio::join!(pair.count(ANNA), pair.count(BERT));
    assert_eq!((one, two), (0, 0));
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    let fallen_back: u64 = pair.status().fallbacks.iter().map(|(_, count)| count).sum();
    assert!(fallen_back > 0, "{:?}", pair.status());
    pair.until(|replica| matches!(replica.state, ReplicaState::Unreachable(_))).await;
    let begun = Instant::now();
    pair.count(BERT).await;
    assert!(begun.elapsed() < Duration::from_millis(200), "nobody waits for it any more: {:?}", begun.elapsed());

    way.open.send_replace(true);
    pair.until(|replica| replica.state == ReplicaState::Healthy).await;
    pair.until_served(BERT).await;
    pair.databases.close().await;
}
