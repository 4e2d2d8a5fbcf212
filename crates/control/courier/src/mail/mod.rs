//! Mail over SMTP: one letter to one person at a time.

mod config;
mod connection;
mod deadline;
mod dependency;
mod error;
mod mailbox;
mod message;
mod pool;
mod stream;

use std::time::Duration;

use tokio::time::Instant;
use warren_model::Timestamp;

pub use config::{Encryption, MailConfig, SmtpConfig, SmtpUrl, TIME_LIMIT, Transport, read_password};
use connection::Server;
pub use dependency::dependency_settings;
pub use error::{MailError, Reply, Step, Trouble, Unfit};
pub use mailbox::{Attachment, Mailbox, MessageId};
use pool::Pool;

use crate::{Language, Letter, Rendered, SettingsError, letters::Letters};

/// A letter to somebody.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The same over all attempts.
    pub id: MessageId,
    pub to: Mailbox,
    pub language: Language,
    pub letter: Letter,
    pub attachments: Vec<Attachment>,
    /// Its date, the same over all attempts.
    pub written_at: Timestamp,
}

/// What became of a mail.
#[derive(Debug)]
pub enum Receipt {
    /// The server has taken it and brings it further.
    Taken {
        /// Its words, which often hold the name that it knows the mail by.
        reply: Reply,
        took: Duration,
    },
    /// Nobody sends it; it is for the caller to keep and show.
    Kept(Box<KeptMail>),
}

/// A mail that was not sent, as it would have been.
#[derive(Debug, Clone)]
pub struct KeptMail {
    pub from: Mailbox,
    pub to: Mailbox,
    pub rendered: Rendered,
    pub attachments: Vec<Attachment>,
    /// All of it (RFC 5322), as a mail program opens it from a file that ends in `.eml`.
    pub raw: Vec<u8>,
}

/// Writes letters and hands them to the mail server. Cheap to share behind an `Arc`; holds up to
/// [`CONNECTIONS_MAX`](pool::CONNECTIONS_MAX) connections.
pub struct Mailer {
    config: MailConfig,
    letters: Letters,
    /// None when mails are kept.
    pool: Option<Pool>,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Mailer {
    /// Reads the certificates and the layouts. Connects to nobody.
    ///
    /// # Errors
    /// When the settings contradict each other or a file cannot be used.
    pub fn build(config: MailConfig) -> Result<Self, SettingsError> {
        let pool = match &config.transport {
            Transport::Kept => None,
            Transport::Smtp(smtp) => Some(Pool::new(Server::new(smtp, config.from.domain())?, smtp.time_limit)),
        };
        Ok(Self { letters: Letters::new(config.site.clone()), config, pool })
    }

    /// Sends one mail, once, within the time limit. Dropping the future closes its connection; whether the server had taken the
    /// mail by then, nobody knows.
    ///
    /// # Errors
    /// [`MailError`]; its [`retry`](MailError::retry) says whether another attempt helps. After one that failed at
    /// [`Step::Content`] the mail may arrive twice, under the same identifier.
    pub async fn send(&self, mail: &Mail) -> Result<Receipt, MailError> {
        let rendered = self.letters.render(&mail.letter, mail.language, mail.attachments.len())?;
        let envelope = message::write(mail, &rendered, &self.config)?;
        let Some(pool) = &self.pool else {
            return Ok(Receipt::Kept(Box::new(KeptMail {
                from: self.config.from.clone(),
                to: mail.to.clone(),
                rendered,
                attachments: mail.attachments.clone(),
                raw: envelope.content,
            })));
        };
        let started = Instant::now();
        let reply = pool.deliver(&envelope).await?;
        Ok(Receipt::Taken { reply, took: started.elapsed() })
    }

    /// Connects, encrypts and signs in, and says goodbye; nothing when mails are kept.
    ///
    /// # Errors
    /// As [`Mailer::send`].
    pub async fn check(&self) -> Result<(), MailError> {
        match &self.pool {
            Some(pool) => pool.check().await,
            None => Ok(()),
        }
    }

    /// Whether mails go to a server.
    pub const fn sends(&self) -> bool {
        self.pool.is_some()
    }

    /// A letter as it would look, for an operator's eyes.
    ///
    /// # Errors
    /// [`MailError::Unfit`] when the layout cannot be filled, which the tests rule out.
    pub fn preview(&self, letter: &Letter, language: Language) -> Result<Rendered, MailError> {
        self.letters.render(letter, language, 0).map_err(MailError::from)
    }
}
