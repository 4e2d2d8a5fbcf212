//! Where the server is, and as whom to speak with it.

use std::{fmt, path::PathBuf, str::FromStr};

use url::Url;
use warren_runtime::Secret;

/// Where the server is, and as whom to speak with it.
#[derive(Debug, Clone)]
pub struct NatsConfig {
    pub url: ServerUrl,
    pub credentials: Credentials,
    /// Who vouches for the server's certificate, in PEM; without it, whom the machine trusts.
    pub ca_file: Option<PathBuf>,
    /// Sets installations apart that share a server.
    pub prefix: Prefix,
}

/// As whom to speak with it. Files are read at each connection, so that they can be replaced.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// As the URL says.
    OfUrl,
    /// As the URL's user, with the password that a file holds.
    PasswordFile(PathBuf),
    /// By a credentials file, as `nsc` makes them.
    File(PathBuf),
}

/// Why a server cannot be named so. No message holds a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NatsConfigError {
    #[error(
        "the address of NATS cannot be used; write it as nats://USER:PASSWORD@HOST:4222, or tls://… where it has a certificate"
    )]
    Url,
    #[error("the prefix “{0}” cannot be used; take 1 to 32 of a–z, 0–9, - and _")]
    Prefix(String),
}

/// `nats://[USER[:PASSWORD]@]HOST[:PORT]`, or `tls://…`, which insists on TLS.
#[derive(Clone)]
pub struct ServerUrl {
    /// Without user and password.
    server: String,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret<String>>,
}

impl ServerUrl {
    /// The address without user and password, to be shown.
    pub fn server(&self) -> &str {
        &self.server
    }
}

impl FromStr for ServerUrl {
    type Err = NatsConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url: Url = text.trim().parse().map_err(|_| NatsConfigError::Url)?;
        let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        let host = url.host_str().filter(|host| !host.is_empty());
        let (Some(host), "nats" | "tls", true) = (host, url.scheme(), is_bare) else {
            return Err(NatsConfigError::Url);
        };
        let plain = |text: &str| -> Result<String, NatsConfigError> {
            let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
            decoded.map(|text| text.into_owned()).map_err(|_| NatsConfigError::Url)
        };
        let user = (!url.username().is_empty()).then(|| plain(url.username())).transpose()?;
        let password = url.password().map(plain).transpose()?.map(Secret::new);
        let server = format!("{}://{host}:{}", url.scheme(), url.port().unwrap_or(PORT));
        Ok(Self { server, user, password })
    }
}

/// NATS's own.
const PORT: u16 = 4222;

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.server)
    }
}

/// Begins the subjects of an installation, `<prefix>.jobs.<queue>`, and the name of its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    const CHARACTERS_MAX: usize = 32;

    pub(crate) fn subject(&self, queue: warren_model::Queue) -> String {
        format!("{}.jobs.{queue}", self.0)
    }
    pub(crate) fn every_subject(&self) -> String {
        format!("{}.jobs.*", self.0)
    }
    /// `WARREN_JOBS` for the prefix `warren`.
    pub(crate) fn stream(&self) -> String {
        format!("{}_JOBS", self.0.to_ascii_uppercase())
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self("warren".to_owned())
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Prefix {
    type Err = NatsConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let may = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if (1..=Self::CHARACTERS_MAX).contains(&text.len()) && text.chars().all(may) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NatsConfigError::Prefix(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_and_never_shows_its_password() {
        let url: ServerUrl = "nats://warren:s%40fe@nats.example.org\n".parse().unwrap();
        assert_eq!(url.server(), "nats://nats.example.org:4222");
        assert_eq!(url.user.as_deref(), Some("warren"));
        assert_eq!(url.password.as_ref().map(|secret| secret.expose().as_str()), Some("s@fe"));
        assert!(!format!("{url:?}").contains("s@fe"));
        assert_eq!("tls://[::1]:4333".parse::<ServerUrl>().unwrap().server(), "tls://[::1]:4333");
    }

    #[test]
    fn what_is_no_address_of_nats_is_refused_without_its_password() {
        for bad in
            ["nats.example.org", "http://secret@x", "nats://", "nats://x/jobs", "redis://a:secret@x", "nats://x?tls"]
        {
            let refused = bad.parse::<ServerUrl>().unwrap_err().to_string();
            assert!(!refused.contains("secret"), "{bad}: {refused}");
        }
    }

    #[test]
    fn a_prefix_is_one_word_of_a_subject() {
        let prefix: Prefix = "acme-1".parse().unwrap();
        assert_eq!(prefix.subject(warren_model::Queue::Mail), "acme-1.jobs.mail");
        assert_eq!((prefix.stream().as_str(), Prefix::default().stream().as_str()), ("ACME-1_JOBS", "WARREN_JOBS"));
        for bad in ["", "a.b", "Acme", "a b", "*", &"a".repeat(33)] {
            assert_eq!(bad.parse::<Prefix>(), Err(NatsConfigError::Prefix(bad.to_owned())));
        }
    }
}
