//! Letters on record.

use warren_app::{AppError, mail::MailRecord};
use warren_model::{Email, OrganisationId};
use warren_wire::rest::v1;

/// # Errors
/// [`AppError::Invalid`]
pub fn read_test(body: &v1::SendTestMail) -> Result<Email, AppError> {
    body.to.parse().map_err(|invalid| AppError::field("to", invalid))
}

/// A letter in a list.
pub fn mail(record: &MailRecord) -> v1::Mail {
    v1::Mail {
        id: record.id.uuid(),
        at: record.at,
        to: record.recipient.clone(),
        subject: record.subject.clone(),
        letter: record.letter.clone(),
        state: record.state.as_str().to_owned(),
        error: record.error.clone(),
        organisation_id: record.organisation.map(OrganisationId::uuid),
        content: None,
    }
}

/// A letter by itself, with what stands in it.
pub fn mail_in_full(record: MailRecord) -> v1::Mail {
    let shown = mail(&record);
    v1::Mail { content: record.content.map(|(html, text)| v1::MailContent { html, text }), ..shown }
}
