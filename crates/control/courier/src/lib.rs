//! What carries messages out of the installation: mail over SMTP, webhooks over HTTPS.
//!
//! Invariants
//! - No databases, no queues, no retries: whoever calls decides when to try again, and an error says whether that helps.
//! - Every attempt has a time limit, and everything that is read from the other side a size limit.
//! - Every word that a person reads comes from a catalogue; every value stands in its place escaped, on one line.
//! - Nothing is logged here: messages hold one-time links and addresses.

pub mod letters;
pub mod mail;
mod retry;
pub mod settings;
mod tls;
pub mod webhook;

pub use letters::{Language, Letter, Link, Rendered};
pub use mail::{Attachment, KeptMail, Mail, MailError, Mailbox, Mailer, MessageId, Receipt};
pub use retry::Retry;
pub use settings::SettingsError;
pub use webhook::{
    Answer, Delivery, DeliveryError, Verdict, WebhookClient, WebhookConfig, WebhookRules, WebhookSecret, WebhookUrl,
};
