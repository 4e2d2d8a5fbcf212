//! What an operator sets up wrongly, said so that they can mend it.

use std::path::PathBuf;

use warren_runtime::files::FileError;

/// Why a setting cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not a URL of a mail server.
    #[error(
        "{text} is no mail server; write smtps://user@mail.example.org or smtp://mail.example.org:587?tls=required: {reason}"
    )]
    SmtpUrl { text: String, reason: &'static str },
    /// Command lines and environments can be read by others.
    #[error("the URL of the mail server holds a password; leave it out there and put it in a file of its own")]
    PasswordInUrl,
    /// One without the other.
    #[error("the URL of the mail server names the user {user}, and there is no password; put it in a file of its own")]
    NoPassword { user: String },
    /// The other without the one.
    #[error("there is a password for the mail server, and its URL names no user; write smtps://USER@{host}")]
    NoUser { host: String },
    /// A password would pass in the clear.
    #[error("a password for {host} would pass unencrypted; use smtps://, or tls=required")]
    PlainPassword { host: String },
    /// The password's file cannot be used.
    #[error("cannot read the mail server's password")]
    PasswordFile(#[source] FileError),
    /// The password's file holds something else.
    #[error("{} holds no password: {reason}", path.display())]
    Password { path: PathBuf, reason: &'static str },
    /// Not a mailbox.
    #[error("{text} is no mail address; write warren@example.org or Warren <warren@example.org>")]
    Mailbox { text: String },
    /// The file of certificates cannot be used.
    #[error("cannot read the certificates in {}: {reason}", path.display())]
    CaFile { path: PathBuf, reason: String },
    /// The host has no certificates that it trusts.
    #[error("this host trusts no certificate at all: install ca-certificates, or name a file of them")]
    NoRoots,
    #[error("the TLS library refused its settings")]
    Tls(#[from] rustls::Error),
}
