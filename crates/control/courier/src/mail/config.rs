//! Where mail goes, and in whose name.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use percent_encoding::percent_decode_str;
use url::Url;
use warren_model::name::DomainName;
use warren_runtime::{Secret, files::read_private};

use super::Mailbox;
use crate::{Link, SettingsError};

/// How long one attempt may take unless said otherwise.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);
/// The longest password, in bytes.
const PASSWORD_BYTES_MAX: usize = 1024;

/// What a [`super::Mailer`] is made of.
#[derive(Debug)]
pub struct MailConfig {
    pub transport: Transport,
    /// Whom mails come from; also the envelope's sender, to whom a server returns what it cannot deliver.
    pub from: Mailbox,
    pub reply_to: Option<Mailbox>,
    /// The portal's address, at the foot of each mail.
    pub site: Option<Link>,
}

/// What becomes of mails.
#[derive(Debug)]
pub enum Transport {
    /// They are handed back, for development and for an installation that has no mail server yet.
    Kept,
    /// They go to a mail server.
    Smtp(SmtpConfig),
}

/// A mail server that takes mails and brings them further.
#[derive(Debug)]
pub struct SmtpConfig {
    pub url: SmtpUrl,
    pub password: Option<Secret<String>>,
    /// Authorities that are trusted besides the host's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// What this host calls itself (RFC 5321 section 4.1.1.1); the domain of [`MailConfig::from`] when there is none.
    pub ehlo_name: Option<DomainName>,
    /// How long one attempt may take, from waiting for a connection to the server's last word.
    pub time_limit: Duration,
}

/// How the way to the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte (RFC 8314 section 3.3).
    Implicit,
    /// By STARTTLS (RFC 3207), without which nothing is sent.
    Required,
    /// By STARTTLS where the server offers it. Somebody on the way can hide the offer.
    Opportunistic,
    /// Not at all.
    None,
}

/// A mail server's address, such as `smtps://user@mail.example.org` or `smtp://mail.example.org:587?tls=required`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    pub host: String,
    pub port: u16,
    pub user: Option<String>,
    pub encryption: Encryption,
}

impl SmtpConfig {
    /// A server with nothing else said.
    pub fn new(url: SmtpUrl) -> Self {
        Self { url, password: None, ca_file: None, ehlo_name: None, time_limit: TIME_LIMIT }
    }

    /// User and password; none when the server asks for none.
    ///
    /// # Errors
    /// When one is there without the other, or the password would pass unencrypted to another machine.
    pub(super) fn account(&self) -> Result<Option<(String, Secret<String>)>, SettingsError> {
        let host = || self.url.host.clone();
        match (&self.url.user, &self.password) {
            (None, None) => Ok(None),
            (Some(user), None) => Err(SettingsError::NoPassword { user: user.clone() }),
            (None, Some(_)) => Err(SettingsError::NoUser { host: host() }),
            (Some(_), Some(_)) if self.url.encryption == Encryption::None && !self.url.is_this_machine() => {
                Err(SettingsError::PlainPassword { host: host() })
            }
            (Some(user), Some(password)) => Ok(Some((user.clone(), password.clone()))),
        }
    }
}

/// Reads a password from a file that only its owner may read; white space around it is left out.
///
/// # Errors
/// [`SettingsError::PasswordFile`] and [`SettingsError::Password`].
pub fn read_password(path: &std::path::Path) -> Result<Secret<String>, SettingsError> {
    let refused = |reason| SettingsError::Password { path: path.to_owned(), reason };
    let bytes =
        Secret::new(read_private(path).map_err(SettingsError::PasswordFile)?.ok_or(refused("there is no such file"))?);
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| refused("it is not text"))?.trim();
    match text.len() {
        0 => Err(refused("it is empty")),
        1..=PASSWORD_BYTES_MAX => Ok(Secret::new(text.to_owned())),
        _ => Err(refused("it has more than 1024 bytes")),
    }
}

impl SmtpUrl {
    /// Whether nobody else can listen on the way.
    pub(super) fn is_this_machine(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for SmtpUrl {
    type Err = SettingsError;
    fn from_str(text: &str) -> Result<Self, SettingsError> {
        let refused = |reason| SettingsError::SmtpUrl { text: without_password(text), reason };
        let url = Url::parse(text.trim()).map_err(|_| refused("it does not read as a URL"))?;
        if url.password().is_some() {
            return Err(SettingsError::PasswordInUrl);
        }
        let implicit = match url.scheme() {
            "smtps" => true,
            "smtp" => false,
            _ => return Err(refused("it begins with smtps:// or smtp://")),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(refused("nothing but ?tls=… may follow the port"));
        }
        let tls: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let encryption = match (implicit, tls.as_slice()) {
            (true, []) => Encryption::Implicit,
            (true, _) => return Err(refused("smtps:// is always encrypted and takes no ?…")),
            (false, []) => Encryption::Required,
            (false, [(name, value)]) if name == "tls" => match value.as_str() {
                "required" => Encryption::Required,
                "opportunistic" => Encryption::Opportunistic,
                "none" => Encryption::None,
                _ => return Err(refused("tls is required, opportunistic or none")),
            },
            (false, _) => return Err(refused("nothing but ?tls=… may follow the port")),
        };
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
        let is_host = host.parse::<std::net::IpAddr>().is_ok()
            || (!host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')));
        if !is_host {
            return Err(refused("it names no host"));
        }
        let user = percent_decode_str(url.username()).decode_utf8().map_err(|_| refused("the user is not text"))?;
        if user.chars().any(char::is_control) {
            return Err(refused("the user holds a control character"));
        }
        let user = (!user.is_empty()).then(|| user.into_owned());
        let port = url.port().unwrap_or(if implicit { 465 } else { 587 });
        if port == 0 {
            return Err(refused("there is no port 0"));
        }
        Ok(Self { host, port, user, encryption })
    }
}

/// A text that may be shown although somebody wrote a password into it.
fn without_password(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((before, after)) if before.matches(':').count() > 1 => {
            format!("{}:…@{after}", before.rsplit_once(':').map_or("", |(user, _)| user))
        }
        _ => text.to_owned(),
    }
}

impl fmt::Display for SmtpUrl {
    /// The server without the user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> SmtpUrl {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_url_says_where_as_whom_and_how() {
        let url = |host: &str, port, user: Option<&str>, encryption| SmtpUrl {
            host: host.to_owned(),
            port,
            user: user.map(str::to_owned),
            encryption,
        };
        assert_eq!(
            read("smtps://warren@mail.example.org"),
            url("mail.example.org", 465, Some("warren"), Encryption::Implicit)
        );
        assert_eq!(read("smtp://mail.example.org"), url("mail.example.org", 587, None, Encryption::Required));
        assert_eq!(
            read("smtp://a@b.org@Mail.Example.org:2525?tls=opportunistic"),
            url("mail.example.org", 2525, Some("a@b.org"), Encryption::Opportunistic)
        );
        assert_eq!(read("smtp://a%40b@[::1]:25?tls=none"), url("::1", 25, Some("a@b"), Encryption::None));
        assert_eq!(read("smtp://127.0.0.1:25/?tls=none").host, "127.0.0.1");
    }

    #[test]
    fn what_is_no_mail_server_is_refused_with_the_reason() {
        for (bad, reason) in [
            ("mail.example.org", "does not read as a URL"),
            ("https://mail.example.org", "begins with smtps://"),
            ("smtps://mail.example.org?tls=none", "always encrypted"),
            ("smtp://mail.example.org?tls=maybe", "required, opportunistic or none"),
            ("smtp://mail.example.org?tls=none&tls=required", "nothing but"),
            ("smtp://mail.example.org/ehlo", "nothing but"),
            ("smtp://mail.example.org:0", "no port 0"),
            ("smtp:///", "no host"),
            ("smtp://mail%0d%0a.example.org", "no host"),
            ("smtp://a%0d%0aRCPT@mail.example.org", "control character"),
        ] {
            let error = bad.parse::<SmtpUrl>().unwrap_err().to_string();
            assert!(error.contains(reason), "{bad}: {error}");
        }
    }

    #[test]
    fn a_password_in_the_url_is_refused_and_not_repeated() {
        for bad in ["smtps://warren:hunter2@mail.example.org", "ftp://warren:hunter2@mail.example.org"] {
            let error = bad.parse::<SmtpUrl>().unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn user_and_password_come_together_and_encrypted() {
        let account = |url: &str, password: Option<&str>| {
            let password = password.map(|password| Secret::new(password.to_owned()));
            SmtpConfig { password, ..SmtpConfig::new(read(url)) }.account()
        };
        assert!(account("smtps://mail.example.org", None).unwrap().is_none());
        assert_eq!(account("smtps://warren@mail.example.org", Some("secret")).unwrap().unwrap().0, "warren");
        assert!(account("smtp://warren@127.0.0.1?tls=none", Some("secret")).is_ok());
        for (url, password) in [
            ("smtps://warren@mail.example.org", None),
            ("smtps://mail.example.org", Some("secret")),
            ("smtp://warren@mail.example.org?tls=none", Some("secret")),
        ] {
            account(url, password).unwrap_err();
        }
    }

    #[test]
    fn a_password_is_the_files_content_without_white_space_around_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        assert!(read_password(&path).unwrap_err().to_string().contains("no such file"));
        warren_runtime::files::write_private(&path, b" correct horse \n").unwrap();
        assert_eq!(read_password(&path).unwrap().expose(), "correct horse");
        for bad in [&b"\n"[..], &[0xff], &[b'x'; PASSWORD_BYTES_MAX + 1]] {
            warren_runtime::files::write_private(&path, bad).unwrap();
            read_password(&path).unwrap_err();
        }
    }
}
