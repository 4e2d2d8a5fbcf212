//! The task that keeps up with the other processes: it connects, tells what is owed, and hears what they gave up.

use std::{convert::Infallible, future::Future, pin::Pin, sync::Arc, time::Duration};

use redis::{Value, aio::MultiplexedConnection};
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};
use warren_model::ambient::random_bytes;
use warren_resilience::Backoff;

use super::{
    CERTAIN_FOR, Cluster, FORGOTTEN_AFTER, HEARTBEAT_EVERY, SETTLES_WITHIN, SILENT_AFTER, scripts::Answer,
    scripts::Unreadable, trouble::Trouble, word,
};
use crate::{
    grounds::Grounds,
    status::ClusterState,
    tag::{INVALIDATIONS_MAX, Mark, Which},
};

/// Entries of the log on Redis. Who has missed more gives everything up.
pub const LOG_ENTRIES_MAX: usize = 1000;
/// Marks that are remembered on Redis each by itself.
pub const SHARED_MARKS_MAX: usize = 131_072;
const HEARD_AT_ONCE_MAX: usize = 100;
const RECONNECT_AFTER_FIRST: Duration = Duration::from_millis(50);
const RECONNECT_AFTER_MAX: Duration = Duration::from_millis(500);
/// Between attempts on a connection that does not answer in time.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// How long who leaves tries to tell what is owed.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

pub(super) struct Link {
    cluster: Arc<Cluster>,
    grounds: Arc<Grounds>,
    /// Up to where the log was heard.
    known: Option<Known>,
    sessions: u64,
}

struct Known {
    epoch: Arc<str>,
    sequence: u64,
    entry: String,
}

/// Whether a new epoch is begun in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Epoch {
    AsItIs,
    Anew,
}

/// Why a session ended.
enum End {
    Asked,
    Trouble(Trouble),
}

impl From<Trouble> for End {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<Unreadable> for Trouble {
    fn from(Unreadable: Unreadable) -> Self {
        Self::Unreadable
    }
}

type Listening = Pin<Box<dyn Future<Output = Result<Value, redis::RedisError>> + Send>>;

impl Link {
    pub fn new(cluster: Arc<Cluster>, grounds: Arc<Grounds>) -> Self {
        Self { cluster, grounds, known: None, sessions: 0 }
    }

    /// Follows the others until the process ends.
    pub async fn run(mut self) -> Result<(), Infallible> {
        let mut backoff = Backoff::new(RECONNECT_AFTER_FIRST, RECONNECT_AFTER_MAX);
        loop {
            let End::Trouble(trouble) = self.session(&mut backoff).await else { break };
            self.cluster.line.shut();
            let random = u64::from_be_bytes(random_bytes(&*self.cluster.random));
            let wait = backoff.after_failure(random);
            // A connection that is there again at once is not worth a line.
            if backoff.failures() > 1 || !self.is_certain() {
                self.apart(&trouble);
            }
            debug!(%trouble, ?wait, "connecting to Redis again");
            tokio::select! {
                () = sleep(wait) => {}
                () = self.cluster.shutdown.requested() => break,
            }
        }
        self.leave().await;
        Ok(())
    }

    async fn session(&mut self, backoff: &mut Backoff) -> End {
        let shutdown = self.cluster.shutdown.clone();
        let begun = tokio::select! {
            begun = self.begin() => begun,
            () = shutdown.requested() => return End::Asked,
        };
        match begun {
            Ok((connection, listener)) => self.follow(&connection, &listener, backoff).await,
            Err(trouble) => trouble.into(),
        }
    }

    /// Connects and joins the others.
    async fn begin(&mut self) -> Result<(MultiplexedConnection, MultiplexedConnection), Trouble> {
        let line = &self.cluster.line;
        let (connection, listener) = (line.connect().await?, line.connect().await?);
        let run = self.run_of(&connection).await?;
        if run != self.run_of(&listener).await? {
            return Err(Trouble::Lost);
        }
        self.join(&connection, &run, Epoch::AsItIs).await?;
        Ok((connection, listener))
    }

    /// Which run of the server it is: another after each restart (Redis manual, INFO).
    async fn run_of(&self, connection: &MultiplexedConnection) -> Result<String, Trouble> {
        let mut info = redis::cmd("INFO");
        info.arg("server");
        let text: String = self.cluster.line.command(connection, &info).await?;
        let run = text.lines().find_map(|line| line.strip_prefix("run_id:"));
        run.map(|run| run.trim().to_owned()).ok_or(Trouble::Unreadable)
    }

    async fn join(&mut self, connection: &MultiplexedConnection, run: &str, epoch: Epoch) -> Result<(), Trouble> {
        let cluster = &self.cluster;
        let mut script = cluster.scripts.join.prepare_invoke();
        script.key(&cluster.names.common).arg(&cluster.node).arg(run).arg(word(&*cluster.random));
        script.arg(match epoch {
            Epoch::AsItIs => "",
            Epoch::Anew => "anew",
        });
        let mut answer = cluster.line.run(connection, &script).await?;
        let (epoch, sequence, entry) = (answer.text()?, answer.number()?, answer.text()?);
        if self.known.as_ref().is_none_or(|known| *known.epoch != *epoch) {
            if self.known.is_some() {
                info!("Redis has begun anew, and so do all caches");
            }
            // What was given up between the epochs is not in the log.
            self.grounds.trust.withdraw();
            self.grounds.marks.note(&Which::Everything);
            self.known = Some(Known { epoch: epoch.as_str().into(), sequence, entry });
            self.cluster.seen().renewals += 1;
        }
        self.sessions += 1;
        self.cluster.line.set_open(connection.clone(), epoch.into(), self.sessions);
        Ok(())
    }

    async fn follow(
        &mut self,
        connection: &MultiplexedConnection,
        listener: &MultiplexedConnection,
        backoff: &mut Backoff,
    ) -> End {
        let mut listening = self.listen(listener);
        loop {
            let wait = match self.turn(connection).await {
                Ok(()) => {
                    backoff.reset();
                    HEARTBEAT_EVERY
                }
                Err(trouble) if trouble.ends_connection() || !self.is_certain() => return trouble.into(),
                Err(trouble) => {
                    self.cluster.seen().last_trouble = Some(trouble.to_string());
                    RETRY_AFTER
                }
            };
            let (cluster, mut wake) = (Arc::clone(&self.cluster), Box::pin(sleep(wait)));
            loop {
                tokio::select! {
                    heard = &mut listening => match heard {
                        Ok(_) => listening = self.listen(listener),
                        Err(error) => return Trouble::of(error).into(),
                    },
                    () = cluster.owed.added.notified() => {}
                    () = cluster.line.broken.notified() => {
                        if cluster.line.open().is_some() {
                            // Of a connection before this one.
                            continue;
                        }
                        return Trouble::Closed.into();
                    }
                    () = &mut wake => {}
                    () = cluster.shutdown.requested() => return End::Asked,
                }
                break;
            }
        }
    }

    /// Waits on Redis for an entry of the log, or for the time of a heartbeat.
    fn listen(&self, listener: &MultiplexedConnection) -> Listening {
        let mut command = redis::cmd("XREAD");
        let entry = self.known.as_ref().map_or("$", |known| known.entry.as_str());
        command.arg("COUNT").arg(1).arg("BLOCK").arg(HEARTBEAT_EVERY.as_millis() as u64);
        command.arg("STREAMS").arg(self.cluster.names.log()).arg(entry);
        let mut listener = listener.clone();
        Box::pin(async move { command.query_async(&mut listener).await })
    }

    /// Tells what is owed; only who owes nothing lets the others hear that they are there.
    async fn turn(&mut self, connection: &MultiplexedConnection) -> Result<(), Trouble> {
        self.tell(connection).await?;
        self.hear(connection).await
    }

    async fn tell(&mut self, connection: &MultiplexedConnection) -> Result<(), Trouble> {
        let cluster = Arc::clone(&self.cluster);
        while let Some((which, ticket)) = cluster.owed.take() {
            if let Err(trouble) = self.publish(connection, &which).await {
                cluster.owed.put_back(which);
                return Err(trouble);
            }
            // Again: what was read from Redis meanwhile may be from before.
            self.grounds.marks.note(&which);
            cluster.owed.tell(ticket);
            cluster.seen().told += 1;
        }
        Ok(())
    }

    async fn publish(&mut self, connection: &MultiplexedConnection, which: &Which) -> Result<(), Trouble> {
        let (cluster, Some(known)) = (&self.cluster, &self.known) else { return Err(Trouble::Closed) };
        let Which::Marks(marks) = which else {
            let run = self.run_of(connection).await?;
            return self.join(connection, &run, Epoch::Anew).await;
        };
        let marks: Vec<String> = marks.iter().map(|Mark(mark)| format!("{mark:016x}")).collect();
        for some in marks.chunks(INVALIDATIONS_MAX) {
            let mut script = cluster.scripts.publish.prepare_invoke();
            script.key(&cluster.names.common).arg(&*known.epoch).arg(&cluster.node);
            script.arg(LOG_ENTRIES_MAX).arg(SHARED_MARKS_MAX).arg(some);
            cluster.line.run(connection, &script).await?;
        }
        Ok(())
    }

    /// Hears what the others gave up, and is certain for a while if that is all there can be.
    async fn hear(&mut self, connection: &MultiplexedConnection) -> Result<(), Trouble> {
        loop {
            let at = self.grounds.timeline.now();
            let mut answer = self.sync(connection).await?;
            if answer.word == "gone" {
                let processes = answer.number()?;
                warn!(processes, "processes of this installation were not heard for a minute; all caches begin anew");
                return Err(Trouble::Lost);
            }
            let (sequence, last, silent) = (answer.number()?, answer.text()?, answer.number()?);
            let settles = Duration::from_millis(answer.number()?);
            let entries = answer.list()?;
            let is_all = entries.len() < HEARD_AT_ONCE_MAX;
            self.note(entries)?;
            self.cluster.seen().round_trip = Some(self.grounds.timeline.now().since(at));
            if !is_all {
                continue;
            }
            self.catch_up(sequence, last);
            if silent == 0 && settles.is_zero() {
                self.grounds.trust.extend(at + CERTAIN_FOR);
                self.together(ClusterState::Certain);
            } else {
                self.grounds.trust.withdraw();
                self.together(if silent > 0 { ClusterState::OthersSilent(silent) } else { ClusterState::Settling });
            }
            return Ok(());
        }
    }

    async fn sync(&self, connection: &MultiplexedConnection) -> Result<Answer, Trouble> {
        let (cluster, Some(known)) = (&self.cluster, &self.known) else { return Err(Trouble::Closed) };
        let mut script = cluster.scripts.sync.prepare_invoke();
        script.key(&cluster.names.common).arg(&*known.epoch).arg(&cluster.node).arg(&known.entry);
        script.arg(HEARD_AT_ONCE_MAX);
        for span in [SILENT_AFTER, FORGOTTEN_AFTER, SETTLES_WITHIN] {
            script.arg(span.as_millis() as u64);
        }
        script.arg(word(&*cluster.random));
        cluster.line.run(connection, &script).await
    }

    /// Gives up what entries of the log name; everything, when one is missing.
    fn note(&mut self, entries: Vec<Answer>) -> Result<(), Trouble> {
        let Some(known) = &mut self.known else { return Ok(()) };
        for mut entry in entries {
            let (number, node, marks) = (entry.number()?, entry.text()?, entry.text()?);
            if number != known.sequence + 1 {
                self.grounds.marks.note(&Which::Everything);
            } else if node != self.cluster.node {
                self.grounds.marks.note(&Which::Marks(read(&marks)?.into_iter().collect()));
                self.cluster.seen().heard += 1;
            }
            (known.sequence, known.entry) = (number, entry.word);
        }
        Ok(())
    }

    /// Gives everything up when the log did not have all that was given up.
    fn catch_up(&mut self, sequence: u64, last: String) {
        let Some(known) = &mut self.known else { return };
        if known.sequence != sequence {
            debug!(known = known.sequence, sequence, "the log of invalidations lacks some; all entries are given up");
            self.grounds.marks.note(&Which::Everything);
            (known.sequence, known.entry) = (sequence, last);
        }
    }

    fn is_certain(&self) -> bool {
        self.grounds.trust.is_certain(self.grounds.timeline.now())
    }

    /// Tells what is owed and says farewell. Without farewell the others are cautious until they forget this process.
    async fn leave(&mut self) {
        let Some(open) = self.cluster.line.open() else { return };
        let farewell = async {
            self.tell(&open.connection).await?;
            let mut command = redis::cmd("ZREM");
            command.arg(self.cluster.names.nodes()).arg(&self.cluster.node);
            self.cluster.line.command::<u64>(&open.connection, &command).await
        };
        match timeout(LEAVE_WITHIN, farewell).await {
            Ok(Ok(_)) => {}
            Ok(Err(trouble)) => warn!(%trouble, "what was changed last may be seen late by other processes"),
            Err(_) => warn!("Redis does not answer; what was changed last may be seen late by other processes"),
        }
        self.grounds.trust.withdraw();
        self.cluster.line.shut();
        self.cluster.seen().state = ClusterState::Closed;
    }

    fn together(&self, state: ClusterState) {
        let mut seen = self.cluster.seen();
        let before = std::mem::replace(&mut seen.state, state);
        drop(seen);
        match (before, state) {
            (before, now) if before == now => {}
            // Others, too, are only just coming back.
            (ClusterState::Apart, _) => info!("Redis can be used again"),
            (ClusterState::OthersSilent(_), ClusterState::OthersSilent(_)) => {}
            (_, ClusterState::OthersSilent(processes)) => warn!(
                processes,
                "processes of this installation are not heard; until they are, only what was just read is kept"
            ),
            (ClusterState::OthersSilent(_), _) => info!("all processes of this installation are heard"),
            _ => {}
        }
    }

    fn apart(&self, trouble: &Trouble) {
        let trouble = match trouble {
            // That it is left alone is a consequence.
            Trouble::NotAsked(_) => self.cluster.line.last_failure(),
            _ => None,
        }
        .unwrap_or_else(|| trouble.to_string());
        let mut seen = self.cluster.seen();
        let before = std::mem::replace(&mut seen.state, ClusterState::Apart);
        seen.last_trouble = Some(trouble.clone());
        drop(seen);
        if before != ClusterState::Apart {
            warn!(cause = trouble, "Redis cannot be used; until it can, only what was just read is kept");
        }
    }
}

fn read(marks: &str) -> Result<Vec<Mark>, Trouble> {
    let marks = marks.split_ascii_whitespace();
    marks.map(|mark| u64::from_str_radix(mark, 16).map(Mark).map_err(|_| Trouble::Unreadable)).collect()
}
