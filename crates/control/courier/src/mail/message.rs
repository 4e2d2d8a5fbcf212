//! A mail as it goes over the wire (RFC 5322, MIME).

use lettre::{
    Message,
    message::{
        Body, MaybeString, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};

use super::{Attachment, Mail, MailConfig, connection::Envelope, error::Unfit};
use crate::letters::Rendered;

/// Writes a mail. The same mail is written the same each time.
pub(super) fn write(mail: &Mail, rendered: &Rendered, config: &MailConfig) -> Result<Envelope, Unfit> {
    Attachment::check(&mail.attachments)?;
    let (from, to) = (config.from.to_lettre()?, mail.to.to_lettre()?);
    let mut message = Message::builder()
        .from(from.clone())
        .to(to.clone())
        .subject(rendered.subject.clone())
        .message_id(Some(format!("<{}@{}>", mail.id.as_str(), config.from.domain())))
        .date(mail.written_at.into())
        // Programs that answer to mail leave it alone then (RFC 3834).
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("Content-Language", mail.language.tag()));
    if let Some(reply_to) = &config.reply_to {
        message = message.reply_to(reply_to.to_lettre()?);
    }
    let message = message.multipart(parts(mail, rendered)?).map_err(Unfit::Headers)?;
    Ok(Envelope { from: from.email, to: to.email, content: message.formatted() })
}

fn parts(mail: &Mail, rendered: &Rendered) -> Result<MultiPart, Unfit> {
    let both = MultiPart::alternative()
        .boundary(boundary("alternative", mail))
        .singlepart(text(ContentType::TEXT_PLAIN, &rendered.text))
        .singlepart(text(ContentType::TEXT_HTML, &rendered.html));
    if mail.attachments.is_empty() {
        return Ok(both);
    }
    let mut all = MultiPart::mixed().boundary(boundary("mixed", mail)).multipart(both);
    for attachment in &mail.attachments {
        let unfit = |_| Unfit::MediaType { media_type: attachment.media_type().to_owned() };
        let media_type = ContentType::parse(attachment.media_type()).map_err(unfit)?;
        let part = lettre::message::Attachment::new(attachment.name().to_owned());
        let body = encoded(attachment.bytes().to_vec(), ContentTransferEncoding::Base64);
        all = all.singlepart(part.body(body, media_type));
    }
    Ok(all)
}

fn text(content_type: ContentType, text: &str) -> SinglePart {
    let body = encoded(text.to_owned(), ContentTransferEncoding::QuotedPrintable);
    SinglePart::builder().header(content_type).body(body)
}

/// Left to itself, lettre would leave text without an encoding, in which somebody may have written a boundary.
fn encoded(content: impl Into<MaybeString>, encoding: ContentTransferEncoding) -> Body {
    Body::new_with_encoding(content, encoding).expect("both encodings can hold anything")
}

/// No part can hold it: in both encodings in use, an underscore never follows an equals sign.
fn boundary(kind: &str, mail: &Mail) -> String {
    // At most 70 characters (RFC 2046 section 5.1.1).
    format!("=_{kind}_{}", mail.id.as_str().chars().take(50).collect::<String>())
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
