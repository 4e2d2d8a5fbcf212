//! Why a mail was not taken, by what the caller can do about it.

use std::{fmt, io, time::Duration};

use lettre::transport::smtp;

use crate::Retry;

/// The most characters of a server's reply that are kept.
const REPLY_CHARACTERS_MAX: usize = 300;

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The server refused it for good: nobody of that name, or something in the mail. Another attempt would end alike.
    #[error("the mail server refuses this mail ({step}): {reply}")]
    Refused { step: Step, reply: Reply },
    /// The server is away, busy, or asks to come back.
    #[error("the mail server takes no mail now ({step})")]
    TryLater { step: Step, source: Trouble },
    /// The server and the settings do not go together; no mail gets out until the operator does something.
    #[error("the mail server does not go together with its settings ({step})")]
    Misconfigured { step: Step, source: Trouble },
    /// The mail cannot be written. Another attempt would end alike.
    #[error("the mail cannot be written")]
    Unfit(#[from] Unfit),
}

impl MailError {
    /// Whether and how soon to try again.
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Refused { .. } | Self::Unfit(_) => Retry::Never,
            Self::TryLater { .. } => Retry::Soon,
            Self::Misconfigured { .. } => Retry::Slowly,
        }
    }

    /// What a server's refusal means at this step of the conversation.
    pub(super) fn from_reply(step: Step, reply: Reply) -> Self {
        // 421: the server is about to close, at whatever step (RFC 5321 section 3.8).
        if reply.code < 500 {
            return Self::TryLater { step, source: Trouble::Reply(reply) };
        }
        let is_about_us = match step {
            Step::Turn | Step::Connecting | Step::Greeting | Step::Encryption | Step::SignIn => true,
            // 552 and 554 speak of the mail; everything else of the sender's address, or of a missing sign-in (530).
            Step::Sender => !matches!(reply.code, 552 | 554),
            // A server that would not take anybody's mail for another one says so of each recipient.
            Step::Recipient => reply.code == 530 || reply.text.to_ascii_lowercase().contains("relay"),
            Step::Content => reply.code == 530,
        };
        if is_about_us {
            Self::Misconfigured { step, source: Trouble::Reply(reply) }
        } else {
            Self::Refused { step, reply }
        }
    }

    /// What a failure of lettre's means at this step.
    pub(super) fn from_smtp(step: Step, error: smtp::Error) -> Self {
        match error.status() {
            Some(code) => {
                let text = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                Self::from_reply(step, Reply::new(code.into(), &text))
            }
            // Of lettre's own making: the server offers no way to sign in that we know.
            None if error.is_client() => Self::Misconfigured { step, source: Trouble::Smtp(error) },
            None => Self::TryLater { step, source: Trouble::Smtp(error) },
        }
    }

    /// A failure of the stream. What the TLS library complains about does not pass by waiting.
    pub(super) fn from_io(step: Step, error: io::Error) -> Self {
        let is_tls = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
        let source = Trouble::Io(error);
        if is_tls { Self::Misconfigured { step, source } } else { Self::TryLater { step, source } }
    }

    /// Whether a connection that had been kept is no good any more; another one may be.
    pub(super) fn is_of_a_stale_connection(&self) -> bool {
        match self {
            Self::TryLater { source: Trouble::Reply(reply), .. } => reply.code == 421,
            Self::TryLater { source: Trouble::Smtp(_) | Trouble::Io(_), .. } => true,
            _ => false,
        }
    }
}

/// What kept a mail from being taken.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("it says {0}")]
    Reply(Reply),
    #[error("it cannot be spoken with")]
    Io(#[source] io::Error),
    #[error("it speaks another protocol")]
    Smtp(#[source] smtp::Error),
    #[error("it was not done within {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("it offers no STARTTLS, and tls=required asks for it")]
    NoStartTls,
    #[error("it offers no STARTTLS, and a password would pass unencrypted")]
    PlainPassword,
    #[error("somebody on the way sent words of their own before the encryption")]
    Injected,
}

/// What is wrong with a mail by itself.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("its attachments have {bytes} bytes together; at most {max} are allowed")]
    AttachmentsTooLarge { bytes: usize, max: usize },
    #[error("it has {count} attachments; at most {max} are allowed")]
    TooManyAttachments { count: usize, max: usize },
    #[error("{media_type} is no media type such as text/csv")]
    MediaType { media_type: String },
    #[error("an identifier of mails has 1 to {max} letters, digits, dots, hyphens and underscores")]
    MessageId { max: usize },
    #[error("the mail server takes no addresses beyond ASCII")]
    AddressBeyondAscii,
    #[error("mail cannot be written with this address")]
    Address(#[source] lettre::address::AddressError),
    #[error("mail cannot be written with these headers")]
    Headers(#[source] lettre::error::Error),
    #[error("its layout cannot be filled")]
    Layout(#[source] minijinja::Error),
}

/// How far an attempt had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Waiting for one of the connections.
    Turn,
    Connecting,
    Greeting,
    Encryption,
    SignIn,
    Sender,
    Recipient,
    /// The mail itself. When the connection breaks here, the server may have taken it.
    Content,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Turn => "waiting for a connection",
            Self::Connecting => "connecting",
            Self::Greeting => "greeting",
            Self::Encryption => "encrypting",
            Self::SignIn => "signing in",
            Self::Sender => "naming the sender",
            Self::Recipient => "naming the recipient",
            Self::Content => "handing the mail over",
        })
    }
}

/// A server's words (RFC 5321 section 4.2), on one line of bounded length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    pub text: String,
}

impl Reply {
    pub(super) fn new(code: u16, text: &str) -> Self {
        let text = text.chars().take(REPLY_CHARACTERS_MAX).map(|c| if c.is_control() { ' ' } else { c });
        Self { code, text: text.collect() }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(step: Step, code: u16, text: &str) -> Retry {
        MailError::from_reply(step, Reply::new(code, text)).retry()
    }

    #[test]
    fn a_reply_is_understood_by_its_code_and_by_when_it_comes() {
        for (step, code, text, expected) in [
            (Step::Greeting, 421, "too busy", Retry::Soon),
            (Step::Greeting, 554, "your address is on a list", Retry::Slowly),
            (Step::SignIn, 454, "4.7.0 temporary failure", Retry::Soon),
            (Step::SignIn, 535, "5.7.8 wrong password", Retry::Slowly),
            (Step::Sender, 530, "5.7.0 sign in first", Retry::Slowly),
            (Step::Sender, 553, "5.7.1 not your address", Retry::Slowly),
            (Step::Sender, 552, "5.3.4 too large", Retry::Never),
            (Step::Recipient, 450, "4.2.0 greylisted", Retry::Soon),
            (Step::Recipient, 550, "5.1.1 nobody of that name", Retry::Never),
            (Step::Recipient, 554, "5.7.1 Relay access denied", Retry::Slowly),
            (Step::Content, 451, "4.3.0 disk full", Retry::Soon),
            (Step::Content, 554, "5.7.1 looks like spam", Retry::Never),
        ] {
            assert_eq!(retry(step, code, text), expected, "{step}: {code} {text}");
        }
    }

    #[test]
    fn a_servers_words_stay_on_one_line_of_bounded_length() {
        let reply = Reply::new(550, &format!("no\r\nway\u{1b}[31m{}", "x".repeat(10_000)));
        assert!(!reply.text.contains(['\r', '\n', '\u{1b}']));
        assert_eq!(reply.text.chars().count(), REPLY_CHARACTERS_MAX);
    }

    #[test]
    fn a_certificate_that_is_not_trusted_is_for_the_operator_and_a_broken_line_is_not() {
        let refused = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let certificate = io::Error::new(io::ErrorKind::InvalidData, refused);
        assert_eq!(MailError::from_io(Step::Encryption, certificate).retry(), Retry::Slowly);
        let broken = io::Error::from(io::ErrorKind::UnexpectedEof);
        assert_eq!(MailError::from_io(Step::Encryption, broken).retry(), Retry::Soon);
    }
}
