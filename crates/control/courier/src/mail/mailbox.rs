//! Whom a mail is for, by what it is known, and what is attached to it. None of them can hold a line break.

use std::{fmt, str::FromStr};

use lettre::message::header::ContentType;
use warren_model::{Email, PersonName};

use super::error::Unfit;
use crate::{SettingsError, letters::one_line};

/// An address, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    pub name: Option<PersonName>,
    pub address: Email,
}

impl Mailbox {
    /// Nobody's name is known.
    pub const fn of(address: Email) -> Self {
        Self { name: None, address }
    }

    pub(super) fn domain(&self) -> &str {
        self.address.as_str().rsplit_once('@').map_or("localhost", |(_, domain)| domain)
    }

    pub(super) fn to_lettre(&self) -> Result<lettre::message::Mailbox, Unfit> {
        let address = self.address.as_str().parse().map_err(Unfit::Address)?;
        Ok(lettre::message::Mailbox::new(self.name.as_ref().map(|name| name.as_str().to_owned()), address))
    }
}

impl FromStr for Mailbox {
    type Err = SettingsError;
    /// Reads `anna@example.org` and `Anna <anna@example.org>`.
    fn from_str(text: &str) -> Result<Self, SettingsError> {
        let refused = |_| SettingsError::Mailbox { text: one_line(text) };
        let text = text.trim();
        let Some((name, address)) = text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) else {
            return text.parse().map(Self::of).map_err(refused);
        };
        let name = name.trim().trim_matches('"');
        let name = if name.is_empty() { None } else { Some(name.parse().map_err(refused)?) };
        Ok(Self { name, address: address.parse().map_err(refused)? })
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => self.address.fmt(f),
        }
    }
}

/// What makes a mail the same mail when it is sent again: the part before the `@` of its `Message-ID` (RFC 5322 section 3.6.4).
/// Whoever sends chooses it once and keeps it over all attempts; a receiver can tell a repeated mail by it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// The longest that is accepted.
    pub const CHARACTERS_MAX: usize = 100;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MessageId {
    type Err = Unfit;
    fn from_str(text: &str) -> Result<Self, Unfit> {
        let is_atom =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if text.len() > Self::CHARACTERS_MAX || !text.split('.').all(is_atom) {
            return Err(Unfit::MessageId { max: Self::CHARACTERS_MAX });
        }
        Ok(Self(text.to_owned()))
    }
}

/// A file that goes with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    name: String,
    media_type: String,
    bytes: Vec<u8>,
}

impl Attachment {
    /// The longest name, in characters.
    pub const NAME_CHARACTERS_MAX: usize = 120;
    /// The most that one mail may have.
    pub const COUNT_MAX: usize = 10;
    /// The most bytes of all attachments of a mail together: in Base64 they stay below the 10 MB that servers commonly allow.
    pub const BYTES_MAX: usize = 7 * 1024 * 1024;

    /// A file. Characters that mean something to a file system are replaced in its name.
    ///
    /// # Errors
    /// [`Unfit::MediaType`] and [`Unfit::AttachmentsTooLarge`].
    pub fn new(name: &str, media_type: &str, bytes: Vec<u8>) -> Result<Self, Unfit> {
        let (count, max) = (bytes.len(), Self::BYTES_MAX);
        if count > max {
            return Err(Unfit::AttachmentsTooLarge { bytes: count, max });
        }
        let unfit = || Unfit::MediaType { media_type: one_line(media_type) };
        if ContentType::parse(media_type).is_err() || !media_type.chars().all(|c| matches!(c, ' '..='~')) {
            return Err(unfit());
        }
        let name: String = one_line(name).replace(['/', '\\', ':', '"'], "_");
        let name = name.trim_start_matches('.').chars().take(Self::NAME_CHARACTERS_MAX).collect::<String>();
        let name = if name.is_empty() { "attachment".to_owned() } else { name };
        Ok(Self { name, media_type: media_type.to_owned(), bytes })
    }

    pub fn name(&self) -> &str {
        &self.name
    }
    pub fn media_type(&self) -> &str {
        &self.media_type
    }
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether so many may go with one mail.
    pub(super) fn check(all: &[Self]) -> Result<(), Unfit> {
        if all.len() > Self::COUNT_MAX {
            return Err(Unfit::TooManyAttachments { count: all.len(), max: Self::COUNT_MAX });
        }
        let bytes = all.iter().map(|attachment| attachment.bytes.len()).sum();
        if bytes > Self::BYTES_MAX {
            return Err(Unfit::AttachmentsTooLarge { bytes, max: Self::BYTES_MAX });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_an_address_with_or_without_a_name() {
        let read = |text: &str| text.parse::<Mailbox>().map(|mailbox| mailbox.to_string());
        assert_eq!(read("warren@example.org").unwrap(), "warren@example.org");
        assert_eq!(read("\"Warren, the VPN\" <warren@Example.org>").unwrap(), "Warren, the VPN <warren@example.org>");
        assert_eq!(read(" <warren@example.org> ").unwrap(), "warren@example.org");
        for bad in
            ["", "Warren", "Warren <>", "a\r\nBcc: b@example.org <a@example.org>", "<a@example.org\r\nb@example.org>"]
        {
            read(bad).unwrap_err();
        }
    }

    #[test]
    fn an_identifier_is_one_word_without_brackets_or_line_breaks() {
        for good in ["0192f3a4-7b1c-7000-8000-000000000001", "job.17_b"] {
            assert_eq!(good.parse::<MessageId>().unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a>", "a@b", "a\r\nBcc", ".a", "a..b", "é", &"x".repeat(101)] {
            bad.parse::<MessageId>().unwrap_err();
        }
    }

    #[test]
    fn an_attachment_has_a_harmless_name_and_a_media_type() {
        let name = |text: &str| Attachment::new(text, "text/csv", Vec::new()).unwrap().name().to_owned();
        assert_eq!(name("usage.csv"), "usage.csv");
        assert_eq!(name("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(name("a\"\r\nBcc: b.csv"), "a_ Bcc_ b.csv");
        assert_eq!(name("..."), "attachment");
        assert_eq!(name(&"ü".repeat(500)).chars().count(), Attachment::NAME_CHARACTERS_MAX);
        for bad in ["", "csv", "text/csv\r\nBcc: a@example.org", "text/\u{fc}"] {
            assert!(matches!(Attachment::new("a", bad, Vec::new()), Err(Unfit::MediaType { .. })), "{bad}");
        }
    }

    #[test]
    fn attachments_are_bounded_in_number_and_size() {
        let one = |bytes| Attachment::new("a", "text/csv", vec![0; bytes]).unwrap();
        Attachment::check(&[one(Attachment::BYTES_MAX)]).unwrap();
        Attachment::check(&[one(Attachment::BYTES_MAX), one(1)]).unwrap_err();
        Attachment::check(&vec![one(0); Attachment::COUNT_MAX + 1]).unwrap_err();
        Attachment::new("a", "text/csv", vec![0; Attachment::BYTES_MAX + 1]).unwrap_err();
    }
}
