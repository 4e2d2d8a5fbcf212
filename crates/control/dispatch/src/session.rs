//! One connection, from its making to its end.

use std::{
    sync::{Arc, atomic::AtomicU64, atomic::Ordering},
    time::Duration,
};

use async_nats::{
    Client, ConnectOptions, Event, HeaderMap,
    jetstream::{
        AckKind, Context, ContextBuilder,
        consumer::{AckPolicy, Consumer, DeliverPolicy, pull},
        stream,
    },
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use parking_lot::Mutex;
use tokio::sync::Notify;
use warren_model::Queue;

use crate::{BellError, Bells, Credentials, Listener, bells::ANSWER_WITHIN};

/// Rings for one queue within this long are one.
const COALESCED_FOR: Duration = Duration::from_millis(5);
/// A ring is of no use after this long: everybody has looked.
const RING_LIVES: Duration = Duration::from_secs(60);
/// A ring that was sent twice within this long is one.
const TWICE_WITHIN: Duration = Duration::from_secs(10);
/// One that waits says as much as many.
const RINGS_OF_QUEUE_MAX: i64 = 1;
const RING_BYTES_MAX: i32 = 1024;
/// Who took a ring and is silent for this long is gone.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
/// How long one request for a ring waits.
const PULL_FOR: Duration = Duration::from_secs(5);
/// After a request that brought nothing.
const PULL_AGAIN_AFTER: Duration = Duration::from_millis(10);
/// Messages that wait to be sent, in this process.
const OUTGOING_MAX: usize = 64;

type Pull = Consumer<pull::Config>;

/// One connection.
pub(crate) struct Session<'a> {
    bells: &'a Bells,
    context: Context,
    sent: AtomicU64,
}

impl Session<'_> {
    /// Connects, and carries rings until the connection ends. Says why it did, or was never made.
    pub async fn carry(bells: &Bells, listener: &dyn Listener) -> BellError {
        let ending = Arc::<Ending>::default();
        let connecting = bells.dependency.call(|_| connect(bells, Arc::clone(&ending)));
        let client = match connecting.await {
            Ok(client) => client,
            Err(failure) => return failure.into(),
        };
        let context = ContextBuilder::new().timeout(ANSWER_WITHIN).ack_timeout(ANSWER_WITHIN).build(client);
        let session = Session { bells, context, sent: AtomicU64::new(0) };
        let queues = listener.queues();
        let consumers = match bells.dependency.call(|_| session.furnish(&queues)).await {
            Ok(consumers) => consumers,
            Err(failure) => return ending.reason().map_or_else(|| failure.into(), |reason| session.lost(reason)),
        };
        bells.ledger.connected(bells.config.url.server());
        let mut listening: FuturesUnordered<_> =
            consumers.iter().map(|(queue, consumer)| session.listen(*queue, consumer, listener)).collect();
        tokio::select! {
            () = ending.happened.notified() => session.lost(ending.reason().unwrap_or_default()),
            error = session.publish() => error,
            // A process may work on no queue, and only ring.
            Some(error) = listening.next() => error,
        }
    }

    fn lost(&self, reason: String) -> BellError {
        BellError::Lost { server: self.bells.config.url.server().to_owned(), reason }
    }

    /// Makes what rings are kept in, and what they are taken from: one consumer a queue, which all processes share.
    async fn furnish(&self, queues: &[Queue]) -> Result<Vec<(Queue, Pull)>, BellError> {
        let (prefix, server) = (&self.bells.config.prefix, self.bells.config.url.server());
        let refused = |source| BellError::NoStream { server: server.to_owned(), source };
        let stream = stream::Config {
            name: prefix.stream(),
            description: Some("Warren: there is work in a queue".to_owned()),
            subjects: vec![prefix.every_subject()],
            retention: stream::RetentionPolicy::WorkQueue,
            storage: stream::StorageType::Memory,
            discard: stream::DiscardPolicy::Old,
            max_age: RING_LIVES,
            max_messages: RINGS_OF_QUEUE_MAX * i64::try_from(Queue::ALL.len()).unwrap_or(i64::MAX),
            max_messages_per_subject: RINGS_OF_QUEUE_MAX,
            max_message_size: RING_BYTES_MAX,
            duplicate_window: TWICE_WITHIN,
            num_replicas: 1,
            ..stream::Config::default()
        };
        self.context.create_or_update_stream(stream).await.map_err(|error| refused(Box::new(error)))?;
        let mut consumers = Vec::new();
        for queue in queues {
            let config = pull::Config {
                durable_name: Some(queue.to_string()),
                deliver_policy: DeliverPolicy::All,
                ack_policy: AckPolicy::Explicit,
                ack_wait: ANSWERED_WITHIN,
                filter_subject: prefix.subject(*queue),
                ..pull::Config::default()
            };
            let made = self.context.create_consumer_on_stream(config, prefix.stream()).await;
            consumers.push((*queue, made.map_err(|error| refused(Box::new(error)))?));
        }
        Ok(consumers)
    }

    /// Sends what is rung here. Ends only when that fails; the ring is kept for the next connection.
    async fn publish(&self) -> BellError {
        loop {
            for queue in self.bells.take() {
                if let Err(error) = self.send(queue).await {
                    self.bells.ring(queue);
                    return error;
                }
                self.bells.ledger.published();
            }
            tokio::time::sleep(COALESCED_FOR).await;
            self.bells.rung().await;
        }
    }

    async fn send(&self, queue: Queue) -> Result<(), BellError> {
        let (me, number) = (&self.bells.me, self.sent.fetch_add(1, Ordering::Relaxed));
        let mut headers = HeaderMap::new();
        // Known by this, a second attempt is no second ring.
        headers.insert(async_nats::header::NATS_MESSAGE_ID, format!("{me}-{queue}-{number}"));
        let subject = self.bells.config.prefix.subject(queue);
        let attempt = |_| async {
            let taken = |error| BellError::Ring(Box::new(error));
            let payload = me.clone().into_bytes().into();
            let sent = self.context.publish_with_headers(subject.clone(), headers.clone(), payload).await;
            sent.map_err(taken)?.await.map_err(taken)?;
            Ok::<_, BellError>(())
        };
        Ok(self.bells.dependency.idempotent().run(attempt).await?)
    }

    /// Takes rings while there is room here. Ends only when that fails.
    async fn listen(&self, queue: Queue, consumer: &Pull, listener: &dyn Listener) -> BellError {
        loop {
            listener.room(queue).await;
            let mut rings = match consumer.batch().max_messages(1).expires(PULL_FOR).messages().await {
                Ok(rings) => rings,
                Err(error) => return BellError::Listen(Box::new(error)),
            };
            let mut some = false;
            while let Some(ring) = rings.next().await {
                some = true;
                let taken = match ring {
                    Ok(ring) => self.answer(queue, &ring, listener).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = taken {
                    return BellError::Listen(error);
                }
            }
            if !some {
                tokio::time::sleep(PULL_AGAIN_AFTER).await;
            }
        }
    }

    async fn answer(
        &self,
        queue: Queue,
        ring: &async_nats::jetstream::Message,
        listener: &dyn Listener,
    ) -> Result<(), async_nats::Error> {
        if !listener.has_room(queue) {
            self.bells.ledger.passed_on();
            return ring.ack_with(AckKind::Nak(None)).await;
        }
        self.bells.ledger.received();
        // Who rang itself has called itself already.
        if ring.payload != self.bells.me.as_bytes() {
            listener.rung(queue);
        }
        ring.ack().await
    }
}

/// Why the connection ended.
#[derive(Debug, Default)]
struct Ending {
    reason: Mutex<Option<String>>,
    happened: Notify,
}

impl Ending {
    fn reason(&self) -> Option<String> {
        self.reason.lock().clone()
    }

    fn note(&self, event: &Event) {
        let reason = match event {
            Event::Disconnected | Event::Closed => "it was closed".to_owned(),
            Event::LameDuckMode => "the server is about to stop".to_owned(),
            Event::ServerError(error) => error.to_string(),
            Event::Connected | Event::Draining | Event::SlowConsumer(_) | Event::ClientError(_) => return,
        };
        self.reason.lock().get_or_insert(reason);
        self.happened.notify_one();
    }
}

async fn connect(bells: &Bells, ending: Arc<Ending>) -> Result<Client, BellError> {
    let config = &bells.config;
    let options = ConnectOptions::new()
        .name("warren")
        .connection_timeout(ANSWER_WITHIN)
        .request_timeout(Some(ANSWER_WITHIN))
        .client_capacity(OUTGOING_MAX)
        // A connection that is lost is made again by whoever made this one: what it carried may be gone as well.
        .max_reconnects(1)
        .event_callback(move |event| {
            let ending = Arc::clone(&ending);
            async move { ending.note(&event) }
        });
    let options = match &config.ca_file {
        Some(file) => options.add_root_certificates(file.clone()),
        None => options,
    };
    let options = signed_in(options, config).await?;
    let server = config.url.server();
    options.connect(server).await.map_err(|error| BellError::connecting(server, error))
}

async fn signed_in(options: ConnectOptions, config: &crate::NatsConfig) -> Result<ConnectOptions, BellError> {
    let user = || config.url.user.clone().unwrap_or_default();
    match &config.credentials {
        Credentials::OfUrl => Ok(match &config.url.password {
            Some(password) => options.user_and_password(user(), password.expose().clone()),
            // A word alone is a token, to NATS.
            None if config.url.user.is_some() => options.token(user()),
            None => options,
        }),
        Credentials::PasswordFile(path) => {
            let read = tokio::fs::read_to_string(path).await;
            let password = read.map_err(|source| BellError::Credentials { path: path.clone(), source })?;
            Ok(options.user_and_password(user(), password.trim_end_matches(['\n', '\r']).to_owned()))
        }
        Credentials::File(path) => {
            let read = options.credentials_file(path).await;
            read.map_err(|source| BellError::Credentials { path: path.clone(), source })
        }
    }
}
