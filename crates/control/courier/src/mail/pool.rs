//! The connections to the mail server that are kept for the next mail.
//!
//! A connection comes back only after a mail that the server has taken. After any failure, and when whoever sends gives up
//! half-way, it is closed: nobody knows what the server expects next.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::{sync::Semaphore, time::Instant};

use super::{
    connection::{Connection, Envelope, Server},
    deadline::Deadline,
    error::{MailError, Reply, Step, Trouble},
};

/// Connections at once. Servers that many share allow few from one sender.
pub const CONNECTIONS_MAX: u32 = 4;
/// How long a connection is kept without a mail.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// After so many mails a connection is closed; servers do so after a hundred or more.
const MAILS_A_CONNECTION_MAX: u32 = 50;

/// Up to [`CONNECTIONS_MAX`] connections to one server.
pub(super) struct Pool {
    server: Server,
    limit: Duration,
    turns: Semaphore,
    kept: Mutex<Vec<Kept>>,
}

struct Kept {
    connection: Connection,
    since: Instant,
    mails: u32,
}

impl Pool {
    pub fn new(server: Server, limit: Duration) -> Self {
        Self { server, limit, turns: Semaphore::new(CONNECTIONS_MAX as usize), kept: Mutex::default() }
    }

    /// Hands a mail over within the time limit.
    pub async fn deliver(&self, envelope: &Envelope) -> Result<Reply, MailError> {
        let deadline = Deadline::after(self.limit);
        let _turn = self.turn(deadline).await?;
        let (mut connection, mails) = self.begin(envelope, deadline).await?;
        let reply = connection.finish(envelope, deadline).await?;
        if mails + 1 < MAILS_A_CONNECTION_MAX {
            self.kept.lock().push(Kept { connection, since: Instant::now(), mails: mails + 1 });
        } else {
            connection.quit(deadline).await;
        }
        Ok(reply)
    }

    /// Whether the server lets us in.
    pub async fn check(&self) -> Result<(), MailError> {
        let deadline = Deadline::after(self.limit);
        let _turn = self.turn(deadline).await?;
        let connection = self.server.open(deadline).await?;
        connection.quit(deadline).await;
        Ok(())
    }

    async fn turn(&self, deadline: Deadline) -> Result<tokio::sync::SemaphorePermit<'_>, MailError> {
        let closed = |_| MailError::TryLater { step: Step::Turn, source: Trouble::TimedOut(self.limit) };
        deadline.hold(Step::Turn, self.turns.acquire()).await?.map_err(closed)
    }

    /// A connection on which the mail has begun. One that had been kept, and that the server has closed since, is passed over.
    async fn begin(&self, envelope: &Envelope, deadline: Deadline) -> Result<(Connection, u32), MailError> {
        while let Some(Kept { mut connection, mails, .. }) = self.take() {
            match connection.begin(envelope, deadline).await {
                Ok(()) => return Ok((connection, mails)),
                Err(error) if error.is_of_a_stale_connection() => {}
                Err(error) => return Err(error),
            }
        }
        let mut connection = self.server.open(deadline).await?;
        connection.begin(envelope, deadline).await?;
        Ok((connection, 0))
    }

    fn take(&self) -> Option<Kept> {
        let now = Instant::now();
        let mut kept = self.kept.lock();
        kept.retain(|one| now.duration_since(one.since) < IDLE_MAX);
        kept.pop()
    }
}
