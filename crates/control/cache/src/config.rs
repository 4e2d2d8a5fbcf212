//! What caches are given.

use std::{fmt, path::PathBuf, str::FromStr};

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

use crate::CacheError;

/// Bounds of the caches of a process, and the Redis that they share with others.
#[derive(Debug, Clone)]
pub struct Config {
    /// What all caches together may keep in memory.
    pub memory_bytes_max: u64,
    /// Without it the process is alone: others' changes are seen when the time of an entry is over.
    pub redis: Option<RedisConfig>,
}

impl Config {
    /// Memory alone.
    pub const fn in_memory(memory_bytes_max: u64) -> Self {
        Self { memory_bytes_max, redis: None }
    }
}

/// A Redis server of version 7 or later, not a cluster of them.
#[derive(Debug, Clone)]
pub struct RedisConfig {
    pub url: RedisUrl,
    /// The certificates, in PEM, of who vouches for the server; those of the system when there is none. Needs `rediss://`.
    pub ca_file: Option<PathBuf>,
    /// What all keys begin with, before a colon. Every installation on one server needs its own.
    pub prefix: String,
}

impl RedisConfig {
    /// What keys begin with unless said otherwise.
    pub const PREFIX: &'static str = "warren";

    /// The server at `url`, with the usual prefix.
    pub fn new(url: RedisUrl) -> Self {
        Self { url, ca_file: None, prefix: Self::PREFIX.to_owned() }
    }
}

/// Where Redis is and as whom to speak with it: `redis://user:password@host:6379/0`, or `rediss://` for TLS.
#[derive(Clone)]
pub struct RedisUrl(pub(crate) ConnectionInfo);

impl RedisUrl {
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self.0.addr(), ConnectionAddr::TcpTls { .. })
    }
}

impl FromStr for RedisUrl {
    type Err = CacheError;
    fn from_str(text: &str) -> Result<Self, CacheError> {
        let wrong = |detail: &str| CacheError::RedisUrl { detail: detail.to_owned() };
        let info = match text.split_once("://") {
            Some(("redis" | "rediss", _)) => text.into_connection_info(),
            _ => return Err(wrong("it begins with neither redis:// nor rediss://")),
        };
        // The library's words name no part of the URL, which may hold a password.
        let info = info.map_err(|error| wrong(error.detail().unwrap_or("it does not read as a URL")))?;
        match info.addr() {
            ConnectionAddr::TcpTls { insecure: true, .. } => {
                Err(wrong("#insecure is not supported; name the CA's file"))
            }
            _ => Ok(Self(info)),
        }
    }
}

/// Host and port; no user and no password.
impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls() { "rediss" } else { "redis" };
        write!(f, "{scheme}://{}", self.0.addr())
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_and_shown_without_its_password() {
        let url: RedisUrl = "rediss://warren:secret@cache.example.org:6380/2".parse().unwrap();
        assert_eq!(url.to_string(), "rediss://cache.example.org:6380");
        assert!(!format!("{url:?}").contains("secret"));
        assert_eq!(url.0.redis_settings().username(), Some("warren"));
        assert_eq!(url.0.redis_settings().db(), 2);
        assert!(!"redis://127.0.0.1".parse::<RedisUrl>().unwrap().is_tls());
    }

    #[test]
    fn what_is_no_url_of_redis_is_refused_in_words_without_the_password() {
        for bad in [
            "",
            "redis",
            "http://u:secret@h",
            "redis://u:secret@h:port",
            "redis://u:secret@h/x",
            "rediss://h/#insecure",
        ] {
            let error = bad.parse::<RedisUrl>().unwrap_err().to_string();
            assert!(error.contains("redis://user:password@host:6379"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
