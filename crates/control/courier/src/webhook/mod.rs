//! Webhooks: signed messages to addresses that organisations choose, and never into a network that is not meant for them.
//!
//! Whoever may enter a URL may make this process send a request there, from inside of the operator's network. So a name is
//! looked up once for each delivery, here; every address that it has must be on the public internet; and the connection goes to
//! one of those very addresses. A name that leads elsewhere a moment later changes nothing.

mod address;
mod answer;
mod error;
mod exchange;
mod resolve;
mod rules;
mod signature;

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use rustls::ClientConfig;
use tokio::time::{Instant, timeout};
use url::{Host, Url};
use warren_model::{Invalid, Timestamp};

pub use address::is_public;
pub use answer::{Answer, RETRY_AFTER_MAX, Verdict};
pub use error::DeliveryError;
pub use exchange::BODY_START_BYTES_MAX;
use exchange::{Headers, exchange};
pub use resolve::{Resolve, SystemResolver};
pub use rules::{PORT_FIRST, PlainHttp, WebhookRules, WebhookUrl};
pub use signature::{NoSecret, NotGenuine, TOLERANCE, WebhookSecret, sign, verify};

use crate::{SettingsError, tls};

/// How long one delivery may take unless said otherwise.
pub const TIME_LIMIT: Duration = Duration::from_secs(15);
/// The largest message.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// The secrets that one message is signed with at most.
pub const SECRETS_MAX: usize = 4;
/// The longest identifier, in characters.
const ID_CHARACTERS_MAX: usize = 64;
/// More addresses than any receiver has.
const ADDRESSES_MAX: usize = 64;

/// What a [`WebhookClient`] is made of.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    pub rules: WebhookRules,
    /// Authorities that are trusted besides the host's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// How long one delivery may take, from looking the name up to the end of the answer.
    pub time_limit: Duration,
    pub resolver: Arc<dyn Resolve>,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self {
            rules: WebhookRules::default(),
            ca_file: None,
            time_limit: TIME_LIMIT,
            resolver: Arc::new(SystemResolver::default()),
        }
    }
}

/// One message to one receiver.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub url: WebhookUrl,
    /// One, or two while one replaces the other; at most [`SECRETS_MAX`].
    pub secrets: Vec<WebhookSecret>,
    /// The same over all attempts, so that a receiver can tell a repeated message: letters, digits, `_` and `-`.
    pub id: String,
    /// The moment of this attempt.
    pub timestamp: Timestamp,
    /// JSON of at most [`BODY_BYTES_MAX`].
    pub body: Vec<u8>,
}

/// Sends messages to receivers. Keeps no connection.
#[derive(Debug, Clone)]
pub struct WebhookClient {
    rules: WebhookRules,
    tls: Arc<ClientConfig>,
    time_limit: Duration,
    resolver: Arc<dyn Resolve>,
}

impl WebhookClient {
    /// Reads the certificates.
    ///
    /// # Errors
    /// [`SettingsError`] when they cannot be used.
    pub fn build(config: WebhookConfig) -> Result<Self, SettingsError> {
        let mut tls = tls::client_config(config.ca_file.as_deref())?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { rules: config.rules, tls: Arc::new(tls), time_limit: config.time_limit, resolver: config.resolver })
    }

    /// As [`WebhookRules::check_url`], by this installation's rules.
    ///
    /// # Errors
    /// [`Invalid`]
    pub fn check_url(&self, text: &str) -> Result<WebhookUrl, Invalid> {
        self.rules.check_url(text)
    }

    /// Sends one message, once. An answer is one whatever its status: [`Answer::verdict`] says what it means.
    ///
    /// # Errors
    /// [`DeliveryError`] when there was no answer; its [`retry`](DeliveryError::retry) says whether another attempt helps.
    pub async fn deliver(&self, delivery: &Delivery) -> Result<Answer, DeliveryError> {
        check(delivery)?;
        let url = delivery.url.url();
        // Rules may have become stricter since the URL was entered.
        self.rules.permit(url).map_err(DeliveryError::NotAllowed)?;
        let started = Instant::now();
        let late = |_| DeliveryError::TimedOut { host: delivery.url.host().to_owned(), limit: self.time_limit };
        let (head, body) = timeout(self.time_limit, self.send(url, delivery)).await.map_err(late)??;
        Ok(Answer {
            status: head.status().as_u16(),
            took: started.elapsed(),
            body_start: answer::readable(&body),
            retry_after: answer::retry_after(head.headers(), delivery.timestamp),
        })
    }

    async fn send(&self, url: &Url, delivery: &Delivery) -> Result<(http::Response<()>, Vec<u8>), DeliveryError> {
        let addresses = self.addresses(url).await?;
        let headers = Headers {
            id: delivery.id.clone(),
            timestamp: delivery.timestamp.unix_timestamp().to_string(),
            signature: sign(&delivery.secrets, &delivery.id, delivery.timestamp, &delivery.body),
        };
        exchange(url, &addresses, &self.tls, headers, delivery.body.clone()).await
    }

    /// The addresses that the connection may go to: all that the host has, if all of them are allowed.
    async fn addresses(&self, url: &Url) -> Result<Vec<IpAddr>, DeliveryError> {
        let addresses = match url.host() {
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            Some(Host::Domain(name)) => {
                let unknown = |source| DeliveryError::Unknown { host: name.to_owned(), source };
                let found = self.resolver.resolve(name).await.map_err(unknown)?;
                if found.is_empty() || found.len() > ADDRESSES_MAX {
                    return Err(unknown(std::io::Error::other(format!("it has {} addresses", found.len()))));
                }
                found
            }
            None => return Err(DeliveryError::NotAllowed(Invalid::Url)),
        };
        match addresses.iter().find(|address| !self.rules.permits(**address)) {
            Some(address) => {
                Err(DeliveryError::Private { host: url.host_str().unwrap_or_default().to_owned(), address: *address })
            }
            None => Ok(addresses),
        }
    }
}

fn check(delivery: &Delivery) -> Result<(), DeliveryError> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !(1..=ID_CHARACTERS_MAX).contains(&delivery.id.len()) || !delivery.id.chars().all(is_word) {
        return Err(DeliveryError::Unfit("its identifier is no word of 1 to 64 letters, digits, _ and -"));
    }
    if !(1..=SECRETS_MAX).contains(&delivery.secrets.len()) {
        return Err(DeliveryError::Unfit("it has no secret to be signed with, or more than four"));
    }
    if delivery.body.len() > BODY_BYTES_MAX {
        return Err(DeliveryError::Unfit("it has more than 256 KiB"));
    }
    Ok(())
}
