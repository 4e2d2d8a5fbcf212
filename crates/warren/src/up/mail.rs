//! The options that say what becomes of letters.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use warren_courier::{
    Language, Mailbox, Mailer, SettingsError,
    mail::{MailConfig, SmtpConfig, Transport, read_password},
};

use crate::Failure;

/// What becomes of letters; without any of these there is no mail.
#[derive(Debug, Clone, Default, Args)]
pub struct MailOptions {
    /// The mail server that letters go to, as smtps://USER@HOST or smtp://HOST:PORT?tls=required.
    #[arg(long, env = "WARREN_SMTP_URL", value_name = "URL", conflicts_with = "keep_mail")]
    smtp_url: Option<String>,
    /// A file that holds the password of the URL's user, and that only its owner may read, such as a systemd credential.
    #[arg(long, env = "WARREN_SMTP_PASSWORD_FILE", value_name = "FILE", requires = "smtp_url")]
    smtp_password_file: Option<PathBuf>,
    /// Authorities whose certificates are trusted besides the host's, in PEM.
    #[arg(long, env = "WARREN_SMTP_CA", value_name = "FILE", requires = "smtp_url")]
    smtp_ca: Option<PathBuf>,
    /// Whom letters come from, as 'Warren <warren@example.org>'.
    #[arg(long, env = "WARREN_MAIL_FROM", value_name = "MAILBOX")]
    mail_from: Option<String>,
    /// The language of letters: en or de.
    #[arg(long, env = "WARREN_MAIL_LANGUAGE", value_name = "LANGUAGE", default_value = "en", value_parser = language)]
    mail_language: Language,
    /// Keep letters to be looked at in the portal instead of sending them: nobody receives them.
    #[arg(long)]
    keep_mail: bool,
}

/// In whose name letters are kept that nobody sends: a name that is nobody's (RFC 2606 section 2).
const KEPT_FROM: &str = "Warren <warren@warren.invalid>";

impl MailOptions {
    /// What sends letters, with the portal's address at their foot; none where mail is off.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the options do not go together, [`Failure::Mail`] when one of them cannot be used.
    pub fn mailer(&self, public_url: &str) -> Result<Option<Arc<Mailer>>, Failure> {
        let Some((transport, from)) = self.transport()? else { return Ok(None) };
        let config = MailConfig { transport, from, reply_to: None, site: public_url.parse().ok() };
        Ok(Some(Arc::new(Mailer::build(config)?)))
    }

    /// The language of letters.
    pub const fn language(&self) -> Language {
        self.mail_language
    }

    /// What to say of it at the start; nothing where mail is off.
    pub fn describe(&self) -> Option<String> {
        match (&self.smtp_url, self.keep_mail) {
            // The URL was read before anything is said.
            (Some(url), _) => url.parse().ok().map(|url: warren_courier::mail::SmtpUrl| format!("goes to {url}")),
            (None, true) => Some("is kept to be looked at, and nobody receives it (--keep-mail)".to_owned()),
            (None, false) => None,
        }
    }

    fn transport(&self) -> Result<Option<(Transport, Mailbox)>, Failure> {
        let from = self.mail_from.as_deref().map(str::parse::<Mailbox>).transpose()?;
        match (&self.smtp_url, from) {
            (Some(url), Some(from)) => Ok(Some((Transport::Smtp(self.smtp(url)?), from))),
            (Some(_), None) => Err(Failure::Usage(
                "--smtp-url says where letters go, and not whom they come from; add --mail-from, such as 'Warren \
                 <warren@example.org>', in whose name the mail server lets you send"
                    .to_owned(),
            )),
            (None, from) if self.keep_mail => {
                let from = from.map_or_else(|| KEPT_FROM.parse(), Ok)?;
                Ok(Some((Transport::Kept, from)))
            }
            (None, Some(_)) => Err(Failure::Usage(
                "--mail-from says whom letters come from, and not where they go; add --smtp-url, or --keep-mail to keep \
                 them to be looked at"
                    .to_owned(),
            )),
            (None, None) => Ok(None),
        }
    }

    fn smtp(&self, url: &str) -> Result<SmtpConfig, SettingsError> {
        let password = self.smtp_password_file.as_deref().map(read_password).transpose()?;
        Ok(SmtpConfig { password, ca_file: self.smtp_ca.clone(), ..SmtpConfig::new(url.parse()?) })
    }
}

fn language(tag: &str) -> Result<Language, String> {
    Language::from_tag(tag).ok_or_else(|| "letters are written in en and de".to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt;

    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: MailOptions,
    }

    fn options(arguments: &[&str]) -> MailOptions {
        Line::parse_from(std::iter::once(&"up").chain(arguments)).options
    }

    fn refused(arguments: &[&str]) -> String {
        options(arguments).mailer("https://vpn.example.org").unwrap_err().to_string()
    }

    #[test]
    fn without_options_there_is_no_mail() {
        assert!(options(&[]).mailer("https://vpn.example.org").unwrap().is_none());
    }

    #[test]
    fn letters_go_to_a_server_or_are_kept() {
        let sends = |arguments: &[&str]| options(arguments).mailer("https://vpn.example.org").unwrap().unwrap().sends();
        assert!(sends(&["--smtp-url", "smtp://localhost:25?tls=none", "--mail-from", "warren@example.org"]));
        assert!(!sends(&["--keep-mail"]));
        let both = Line::try_parse_from(["up", "--keep-mail", "--smtp-url", "smtp://localhost"]).unwrap_err();
        assert_eq!(both.kind(), clap::error::ErrorKind::ArgumentConflict);
    }

    #[test]
    fn what_does_not_go_together_is_refused_with_what_is_missing() {
        let url = ["--smtp-url", "smtps://mail.example.org"];
        assert!(refused(&url).contains("--mail-from"));
        assert!(refused(&["--mail-from", "warren@example.org"]).contains("--smtp-url"));
        assert!(refused(&["--keep-mail", "--mail-from", "nobody"]).contains("warren@example.org"));
        let secret = refused(&["--smtp-url", "smtps://u:hunter2@mail.example.org", "--mail-from", "w@example.org"]);
        assert!(secret.contains("file of its own") && !secret.contains("hunter2"), "{secret}");
        let user = refused(&["--smtp-url", "smtps://u@mail.example.org", "--mail-from", "w@example.org"]);
        assert!(user.contains("no password"), "{user}");
    }

    #[test]
    fn the_password_comes_from_a_file_that_only_its_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        let file = |mode| {
            let path = folder.path().join(format!("password-{mode:o}"));
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create(true).mode(mode).open(&path).unwrap();
            std::io::Write::write_all(&mut file, b"secret\n").unwrap();
            path.display().to_string()
        };
        let with = |path: &str| {
            let url = "smtps://u@mail.example.org";
            options(&["--smtp-url", url, "--mail-from", "w@example.org", "--smtp-password-file", path])
        };
        assert!(with(&file(0o600)).mailer("https://vpn.example.org").is_ok());
        assert!(with(&file(0o644)).mailer("https://vpn.example.org").is_err());
    }
}
