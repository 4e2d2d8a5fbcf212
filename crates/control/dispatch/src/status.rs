//! How the connection is, as operators see it.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::BellError;

/// How the connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BellsStatus {
    /// The server, without a password.
    pub server: String,
    /// For how long there has been a connection; none while there is none.
    pub connected_for: Option<Duration>,
    /// Rings of this process that the server has taken.
    pub published: u64,
    /// Rings that this process took, its own among them.
    pub received: u64,
    /// Rings that it gave back, as it had no room left.
    pub passed_on: u64,
    /// Why there was no connection, the last time.
    pub last_error: Option<String>,
}

/// What is counted and remembered of it.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    connected_at: Option<Instant>,
    published: u64,
    received: u64,
    passed_on: u64,
    last_error: Option<String>,
    /// Whether that error was told, and nothing has been well since.
    told: bool,
}

impl Ledger {
    pub fn connected(&self, server: &str) {
        let mut entries = self.0.lock();
        entries.connected_at = Some(Instant::now());
        entries.told = false;
        drop(entries);
        tracing::info!(server, "rings for jobs go over NATS");
    }

    /// Notes a failure, and tells it unless it is the one that was told last. Says whether there was a connection.
    pub fn failed(&self, server: &str, error: &BellError) -> bool {
        let text = error.to_string();
        let mut entries = self.0.lock();
        let was_connected = entries.connected_at.take().is_some();
        // That it is left alone says less than why.
        if error.is_refusal() && entries.last_error.is_some() {
            return was_connected;
        }
        let told_before = std::mem::replace(&mut entries.told, true) && entries.last_error.as_ref() == Some(&text);
        entries.last_error = Some(text);
        drop(entries);
        if told_before {
            tracing::debug!(cause = %error, server, "NATS is still away");
        } else {
            tracing::warn!(cause = %error, server, "no rings go over NATS; jobs are found by looking, and it is tried again");
        }
        was_connected
    }

    pub fn published(&self) {
        self.0.lock().published += 1;
    }
    pub fn received(&self) {
        self.0.lock().received += 1;
    }
    pub fn passed_on(&self) {
        self.0.lock().passed_on += 1;
    }

    pub fn view(&self, server: &str) -> BellsStatus {
        let entries = self.0.lock();
        BellsStatus {
            server: server.to_owned(),
            connected_for: entries.connected_at.map(|at| at.elapsed()),
            published: entries.published,
            received: entries.received,
            passed_on: entries.passed_on,
            last_error: entries.last_error.clone(),
        }
    }
}
