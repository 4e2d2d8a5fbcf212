//! Looking a receiver's name up.

use std::{
    fmt, io,
    net::{IpAddr, ToSocketAddrs},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

/// Names that are looked up at once. The system's resolver keeps a thread for each until it answers, however long that takes.
const AT_ONCE_MAX: usize = 16;

/// What knows the addresses of names.
pub trait Resolve: Send + Sync + fmt::Debug {
    /// Every address of `host`; an empty list or an error when there is none.
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver, getaddrinfo(3).
#[derive(Debug, Clone)]
pub struct SystemResolver {
    turns: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE_MAX)) }
    }
}

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            // Goes with the thread, which goes on when nobody waits for it any more.
            let turn = self.turns.clone().acquire_owned().await.map_err(io::Error::other)?;
            let host = host.to_owned();
            let looked_up = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                (host.as_str(), 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect())
            });
            looked_up.await.map_err(io::Error::other)?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_system_knows_this_machine() {
        let found = SystemResolver::default().resolve("localhost").await.unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
        SystemResolver::default().resolve("nothing.invalid").await.unwrap_err();
    }
}
