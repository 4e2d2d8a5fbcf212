//! Bells between processes, in effect, over a real NATS server.

mod faults;

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::Notify, task::JoinHandle, time::timeout};
use warren_model::Queue;
use warren_runtime::{Shutdown, SystemRandom, dependency::Dependencies};
use warren_testkit::servers::{NatsServer, NatsWire};

use crate::{Bells, BellsStatus, Credentials, Listener, NatsConfig, Prefix};

const SOON: Duration = Duration::from_secs(20);

/// A process that works on jobs, as bells see it.
#[derive(Debug, Default)]
struct Workers {
    queues: Vec<Queue>,
    full: AtomicBool,
    freed: Notify,
    heard: Mutex<VecDeque<Queue>>,
    hears: Notify,
}

impl Workers {
    fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
        self.freed.notify_waiters();
    }
}

impl Listener for Workers {
    fn queues(&self) -> Vec<Queue> {
        self.queues.clone()
    }
    fn has_room(&self, _: Queue) -> bool {
        !self.full.load(Ordering::SeqCst)
    }
    fn room(&self, queue: Queue) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                let freed = self.freed.notified();
                if self.has_room(queue) {
                    return;
                }
                freed.await;
            }
        })
    }
    fn rung(&self, queue: Queue) {
        self.heard.lock().push_back(queue);
        self.hears.notify_one();
    }
}

struct Process {
    bells: Arc<Bells>,
    workers: Arc<Workers>,
    dependencies: Dependencies,
    shutdown: Shutdown,
    carrying: JoinHandle<()>,
}

impl Process {
    fn start(name: &str, config: NatsConfig, queues: &[Queue]) -> Self {
        let dependencies = Dependencies::new(Arc::new(SystemRandom));
        let bells = Bells::new(config, &dependencies, Arc::new(SystemRandom), name.to_owned()).unwrap();
        let workers = Arc::new(Workers { queues: queues.to_vec(), ..Workers::default() });
        let shutdown = Shutdown::new();
        let carrying = tokio::spawn({
            let (bells, workers, shutdown) = (Arc::clone(&bells), Arc::clone(&workers), shutdown.clone());
            async move { bells.run(&*workers, &shutdown).await }
        });
        Self { bells, workers, dependencies, shutdown, carrying }
    }

    /// Waits until the status is as wanted.
    async fn until(&self, wanted: impl Fn(&BellsStatus) -> bool) -> BellsStatus {
        let looking = async {
            loop {
                let status = self.bells.status();
                if wanted(&status) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(SOON, looking).await.unwrap_or_else(|_| panic!("it never was so: {:?}", self.bells.status()))
    }

    async fn connected(&self) {
        self.until(|status| status.connected_for.is_some()).await;
    }

    /// The next ring of another process.
    async fn hears(&self) -> Queue {
        let hearing = async {
            loop {
                if let Some(queue) = self.workers.heard.lock().pop_front() {
                    return queue;
                }
                self.workers.hears.notified().await;
            }
        };
        timeout(SOON, hearing).await.unwrap_or_else(|_| panic!("no ring came: {:?}", self.bells.status()))
    }

    async fn end(self) {
        self.shutdown.request();
        self.carrying.await.unwrap();
    }
}

fn config(server: &NatsServer) -> NatsConfig {
    NatsConfig {
        url: server.url().parse().unwrap(),
        credentials: Credentials::OfUrl,
        ca_file: server.ca_file().map(ToOwned::to_owned),
        prefix: Prefix::default(),
    }
}

#[tokio::test]
async fn a_ring_is_heard_by_one_other_process_that_works_on_the_queue() {
    let server = NatsServer::start().unwrap();
    let rings = Process::start("a", config(&server), &[]);
    let mail =
        [Process::start("b", config(&server), &[Queue::Mail]), Process::start("c", config(&server), &[Queue::Mail])];
    let webhooks = Process::start("d", config(&server), &[Queue::Webhooks]);
    for process in mail.iter().chain([&rings, &webhooks]) {
        process.connected().await;
    }
    rings.bells.ring(Queue::Mail);
    let hears = mail.iter().map(|process| Box::pin(process.hears()));
    let (heard, ..) = futures_util::future::select_all(hears).await;
    assert_eq!(heard, Queue::Mail);
    rings.bells.ring(Queue::Webhooks);
    assert_eq!(webhooks.hears().await, Queue::Webhooks);
    let received: Vec<u64> = mail.iter().map(|process| process.bells.status().received).collect();
    assert_eq!(received.iter().sum::<u64>(), 1, "{received:?}");
    assert_eq!(rings.bells.status().published, 2);
    for process in mail.into_iter().chain([rings, webhooks]) {
        process.end().await;
    }
}

#[tokio::test]
async fn rings_that_come_close_together_are_few_and_who_rings_is_not_called() {
    let server = NatsServer::start().unwrap();
    let process = Process::start("a", config(&server), &[Queue::Mail]);
    process.connected().await;
    for _ in 0..1000 {
        process.bells.ring(Queue::Mail);
    }
    let status = process.until(|status| status.received > 0).await;
    assert!(status.published <= 5, "{status:?}");
    assert!(process.workers.heard.lock().is_empty());
    process.end().await;
}

#[tokio::test]
async fn a_ring_waits_for_a_process_with_room() {
    let server = NatsServer::start().unwrap();
    let full = Process::start("a", config(&server), &[Queue::Mail]);
    full.connected().await;
    // Its request for a ring is under way when it has no room any more.
    tokio::time::sleep(Duration::from_millis(200)).await;
    full.workers.set_full(true);
    let rings = Process::start("b", config(&server), &[]);
    rings.connected().await;
    rings.bells.ring(Queue::Mail);
    full.until(|status| status.passed_on == 1).await;
    let free = Process::start("c", config(&server), &[Queue::Mail]);
    assert_eq!(free.hears().await, Queue::Mail);
    free.end().await;
    rings.bells.ring(Queue::Mail);
    rings.until(|status| status.published == 2).await;
    full.workers.set_full(false);
    assert_eq!(full.hears().await, Queue::Mail);
    assert_eq!(full.bells.status().received, 1);
    full.end().await;
    rings.end().await;
}

#[tokio::test]
async fn tls_and_files_with_passwords_work_and_a_stranger_s_certificate_is_refused() {
    let server = NatsServer::start_with(NatsWire::Tls).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{}\n", server.password())).unwrap();
    let url = format!("tls://warren@127.0.0.1:{}", server.port());
    let given = NatsConfig {
        url: url.parse().unwrap(),
        credentials: Credentials::PasswordFile(file.path().to_owned()),
        ..config(&server)
    };
    let process = Process::start("a", given, &[Queue::Mail]);
    process.connected().await;
    process.end().await;
    let stranger = Process::start("b", NatsConfig { ca_file: None, ..config(&server) }, &[Queue::Mail]);
    let status = stranger.until(|status| status.last_error.is_some()).await;
    assert!(status.last_error.unwrap().contains("--nats-ca"));
    assert!(status.connected_for.is_none());
    stranger.end().await;
}

/// Lets everything that is ready go on once.
async fn pass() {
    let mut passed = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut passed, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
