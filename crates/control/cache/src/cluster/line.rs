//! The way to Redis: every call passes here, within a time limit, and past a breaker.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, ScriptInvocation, Value, aio::MultiplexedConnection};
use tokio::{sync::Notify, time::timeout};
use warren_resilience::{BreakerSettings, Window};
use warren_runtime::dependency::{AtOnce, Dependency, DependencySettings};

use super::{scripts::Answer, trouble::Trouble};

/// How long one call may take.
pub const CALL_WITHIN: Duration = Duration::from_millis(100);
/// How long connecting may take, with TLS and the password.
pub const CONNECT_WITHIN: Duration = Duration::from_millis(500);
/// Calls at once, and as many may wait.
const CALLS_MAX: u32 = 256;
/// The longest that Redis is left alone. As short as it is because a process must come back before the others go on.
pub const LEFT_ALONE_MAX: Duration = Duration::from_millis(500);

/// How Redis is called.
pub(super) fn dependency_settings() -> DependencySettings {
    DependencySettings {
        breaker: BreakerSettings {
            window: Window::Time { span: Duration::from_secs(5), buckets: 10 },
            calls_min: 4,
            probes: 2,
            open_first: LEFT_ALONE_MAX / 2,
            open_max: LEFT_ALONE_MAX,
            ..BreakerSettings::default()
        },
        at_once: AtOnce::Fixed(CALLS_MAX),
        waiting_max: CALLS_MAX,
        wait_max: CALL_WITHIN,
        time_limit: CALL_WITHIN,
        ..DependencySettings::default()
    }
}

#[derive(Debug)]
pub(super) struct Line {
    client: Client,
    dependency: Arc<Dependency>,
    open: RwLock<Option<Open>>,
    /// Told when a call finds that the connection is of no use.
    pub broken: Notify,
}

/// A connection to a server whose run and epoch are known.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub connection: MultiplexedConnection,
    pub epoch: Arc<str>,
    number: u64,
}

impl Line {
    pub fn new(client: Client, dependency: Arc<Dependency>) -> Self {
        Self { client, dependency, open: RwLock::new(None), broken: Notify::new() }
    }

    /// A connection of its own. The library would make another one by itself, behind which another server could be.
    pub async fn connect(&self) -> Result<MultiplexedConnection, Trouble> {
        let entered = self.dependency.enter().await.map_err(|refused| Trouble::NotAsked(refused.to_string()))?;
        // Limits are kept here.
        let settings = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        match timeout(CONNECT_WITHIN, self.client.get_multiplexed_async_connection_with_config(&settings)).await {
            Ok(Ok(connection)) => {
                entered.succeeded();
                Ok(connection)
            }
            Ok(Err(error)) => {
                let trouble = Trouble::of(error);
                entered.failed(&trouble);
                Err(trouble)
            }
            Err(_) => {
                entered.timed_out();
                Err(Trouble::Late(CONNECT_WITHIN))
            }
        }
    }

    /// Runs a script.
    pub async fn run(
        &self,
        connection: &MultiplexedConnection,
        script: &ScriptInvocation<'_>,
    ) -> Result<Answer, Trouble> {
        let call = |_| {
            let mut connection = connection.clone();
            async move {
                let values: Vec<Value> = script.invoke_async(&mut connection).await.map_err(Trouble::of)?;
                let answer = Answer::of(values).map_err(|_| Trouble::Unreadable)?;
                match answer.word.as_str() {
                    "lost" => Err(Trouble::Lost),
                    "forgotten" => Err(Trouble::Forgotten),
                    _ => Ok(answer),
                }
            }
        };
        self.dependency.once().judged_by(Trouble::blame).run(call).await.map_err(Trouble::from_failure)
    }

    /// Runs a command.
    pub async fn command<T: FromRedisValue>(
        &self,
        connection: &MultiplexedConnection,
        command: &Cmd,
    ) -> Result<T, Trouble> {
        let call = |_| {
            let mut connection = connection.clone();
            async move { command.query_async(&mut connection).await.map_err(Trouble::of) }
        };
        self.dependency.once().judged_by(Trouble::blame).run(call).await.map_err(Trouble::from_failure)
    }

    /// What went wrong last, though nobody be asked just now.
    pub fn last_failure(&self) -> Option<String> {
        self.dependency.status().last_failure.map(|failure| failure.text)
    }

    /// The connection that values may be asked of; none while there is not.
    pub fn open(&self) -> Option<Open> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets values be asked of a connection.
    pub fn set_open(&self, connection: MultiplexedConnection, epoch: Arc<str>, number: u64) {
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = Some(Open { connection, epoch, number });
    }

    /// Lets nothing be asked.
    pub fn shut(&self) {
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Runs a script on the open connection, which is shut when that shows it to be of no use.
    pub async fn ask(&self, open: &Open, script: &ScriptInvocation<'_>) -> Result<Answer, Trouble> {
        let result = self.run(&open.connection, script).await;
        if let Err(trouble) = &result
            && trouble.ends_connection()
        {
            let mut shut = self.open.write().unwrap_or_else(PoisonError::into_inner);
            if shut.as_ref().is_some_and(|now| now.number == open.number) {
                *shut = None;
                self.broken.notify_one();
            }
        }
        result
    }
}
