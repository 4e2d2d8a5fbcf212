//! A connection to the mail server: opened, encrypted and signed in; and one mail over it.
//!
//! STARTTLS is spoken here and not by lettre, which keeps what it has read before the encryption: whoever is on the way could put
//! answers there (CVE-2021-38371 is the same fault of another client).

use std::{io, sync::Arc};

use lettre::{
    Address,
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::AsyncSmtpConnection,
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
        response::Response,
    },
};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use warren_runtime::Secret;

use super::{
    config::{Encryption, SmtpConfig, SmtpUrl},
    deadline::Deadline,
    error::{MailError, Reply, Step, Trouble, Unfit},
    stream::Stream,
};
use crate::{SettingsError, tls};

/// The most bytes of a reply before the encryption.
const REPLY_BYTES_MAX: u64 = 8 * 1024;

/// The server and how to get in.
pub(super) struct Server {
    url: SmtpUrl,
    tls: TlsConnector,
    ehlo: ClientId,
    account: Option<(String, Secret<String>)>,
}

/// What the server is told about a mail, and the mail.
#[derive(Debug)]
pub(super) struct Envelope {
    pub from: Address,
    pub to: Address,
    pub content: Vec<u8>,
}

/// A server that has let us in.
pub(super) struct Connection {
    smtp: AsyncSmtpConnection,
}

impl Server {
    pub fn new(config: &SmtpConfig, own_domain: &str) -> Result<Self, SettingsError> {
        let name = config.ehlo_name.as_ref().map_or(own_domain, |name| name.as_str());
        Ok(Self {
            account: config.account()?,
            tls: TlsConnector::from(Arc::new(tls::client_config(config.ca_file.as_deref())?)),
            ehlo: ClientId::Domain(name.to_owned()),
            url: config.url.clone(),
        })
    }

    /// Connects, encrypts and signs in.
    pub async fn open(&self, deadline: Deadline) -> Result<Connection, MailError> {
        let io = |step| move |error| MailError::from_io(step, error);
        let address = (self.url.host.as_str(), self.url.port);
        let stream =
            deadline.hold(Step::Connecting, TcpStream::connect(address)).await?.map_err(io(Step::Connecting))?;
        stream.set_nodelay(true).map_err(io(Step::Connecting))?;
        let (stream, is_encrypted) = match self.url.encryption {
            Encryption::None => (Stream::plain(stream), false),
            Encryption::Implicit => (Stream::encrypted(self.encrypt(stream, deadline).await?), true),
            Encryption::Required | Encryption::Opportunistic => self.start_tls(stream, deadline).await?,
        };
        let greeted = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.ehlo);
        let greeted = deadline.hold(Step::Greeting, greeted).await?;
        let mut smtp = greeted.map_err(|error| MailError::from_smtp(Step::Greeting, error))?;
        if let Some((user, password)) = &self.account {
            if !is_encrypted && !self.url.is_this_machine() {
                return Err(MailError::Misconfigured { step: Step::SignIn, source: Trouble::PlainPassword });
            }
            let credentials = Credentials::new(user.clone(), password.expose().clone());
            let signed_in = smtp.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
            let signed_in = deadline.hold(Step::SignIn, signed_in).await?;
            signed_in.map_err(|error| MailError::from_smtp(Step::SignIn, error))?;
        }
        Ok(Connection { smtp })
    }

    async fn encrypt(
        &self,
        stream: TcpStream,
        deadline: Deadline,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, MailError> {
        let io = |error| MailError::from_io(Step::Encryption, error);
        let name = ServerName::try_from(self.url.host.clone());
        let name = name.map_err(|_| io(io::Error::other(rustls::Error::UnsupportedNameType)))?;
        deadline.hold(Step::Encryption, self.tls.connect(name, stream)).await?.map_err(io)
    }

    /// Asks for encryption in the clear (RFC 3207).
    async fn start_tls(&self, stream: TcpStream, deadline: Deadline) -> Result<(Stream, bool), MailError> {
        let mut wire = BufReader::new(stream);
        deadline.hold(Step::Greeting, converse(&mut wire, Step::Greeting, "")).await??;
        let hello = format!("EHLO {}\r\n", self.ehlo);
        let offered = deadline.hold(Step::Greeting, converse(&mut wire, Step::Greeting, &hello)).await??;
        let is_offered = offered.message().any(|line| line.trim().eq_ignore_ascii_case("STARTTLS"));
        let refused = |source| MailError::Misconfigured { step: Step::Encryption, source };
        match (is_offered, self.url.encryption) {
            (true, _) => {}
            (false, Encryption::Opportunistic) => return Ok((Stream::plain(wire.into_inner()).greeted(), false)),
            (false, _) => return Err(refused(Trouble::NoStartTls)),
        }
        deadline.hold(Step::Encryption, converse(&mut wire, Step::Encryption, "STARTTLS\r\n")).await??;
        if !wire.buffer().is_empty() {
            return Err(refused(Trouble::Injected));
        }
        let encrypted = self.encrypt(wire.into_inner(), deadline).await?;
        Ok((Stream::encrypted(encrypted).greeted(), true))
    }
}

/// Says `words` and reads the reply.
async fn converse(wire: &mut BufReader<TcpStream>, step: Step, words: &str) -> Result<Response, MailError> {
    let io = |error| MailError::from_io(step, error);
    wire.get_mut().write_all(words.as_bytes()).await.map_err(io)?;
    let mut text = String::new();
    let mut bounded = wire.take(REPLY_BYTES_MAX);
    loop {
        let start = text.len();
        if bounded.read_line(&mut text).await.map_err(io)? == 0 {
            return Err(io(io::ErrorKind::UnexpectedEof.into()));
        }
        // The last line of a reply has no hyphen after its code.
        if text.as_bytes().get(start + 3) != Some(&b'-') {
            break;
        }
    }
    let reply: Response = text.parse().map_err(|error| MailError::from_smtp(step, error))?;
    if !reply.is_positive() {
        let words: Vec<&str> = reply.message().collect();
        return Err(MailError::from_reply(step, Reply::new(reply.code().into(), &words.join(" "))));
    }
    Ok(reply)
}

impl Connection {
    /// Names the sender. Nothing of the mail has been said before.
    pub async fn begin(&mut self, envelope: &Envelope, deadline: Deadline) -> Result<(), MailError> {
        let mut parameters = Vec::new();
        if !AsRef::<str>::as_ref(&envelope.to).is_ascii() {
            if !self.smtp.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Unfit::AddressBeyondAscii.into());
            }
            parameters.push(MailParameter::SmtpUtfEight);
            // The address stands in the headers too.
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let sender = Mail::new(Some(envelope.from.clone()), parameters);
        let named = deadline.hold(Step::Sender, self.smtp.command(sender)).await?;
        named.map(drop).map_err(|error| MailError::from_smtp(Step::Sender, error))
    }

    /// Names the recipient and hands the mail over; returns what the server says to it.
    pub async fn finish(&mut self, envelope: &Envelope, deadline: Deadline) -> Result<Reply, MailError> {
        let recipient = Rcpt::new(envelope.to.clone(), Vec::new());
        let named = deadline.hold(Step::Recipient, self.smtp.command(recipient)).await?;
        named.map_err(|error| MailError::from_smtp(Step::Recipient, error))?;
        let content = |error| MailError::from_smtp(Step::Content, error);
        deadline.hold(Step::Content, self.smtp.command(Data)).await?.map_err(content)?;
        let taken = deadline.hold(Step::Content, self.smtp.message(&envelope.content)).await?.map_err(content)?;
        let words: Vec<&str> = taken.message().collect();
        Ok(Reply::new(taken.code().into(), &words.join(" ")))
    }

    /// Says goodbye.
    pub async fn quit(mut self, deadline: Deadline) {
        // Nothing depends on the server hearing it.
        let _ = deadline.hold(Step::Content, self.smtp.quit()).await;
    }
}
