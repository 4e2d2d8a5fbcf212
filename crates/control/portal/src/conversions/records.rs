//! Files, and what is asked of jobs that read and write them.

use time::Date;
use warren_app::{
    AppError, Language,
    files::{FilePurpose, StoredFile},
    imports::{Kind, Mode, PendingInvitations, Start},
    reports::{self, Request},
};
use warren_model::{AccountId, FileId, Invalid, JobId, Period, Zone};
use warren_wire::rest::v1;

use crate::fields::Fields;

pub fn file(file: &StoredFile) -> v1::File {
    v1::File {
        id: file.id.uuid(),
        name: file.name.clone(),
        media_type: file.media_type.clone(),
        purpose: file.purpose.as_str().to_owned(),
        size_bytes: file.whole.map(|whole| whole.size_bytes),
        sha256: file.whole.map(|whole| whole.sha256.iter().map(|byte| format!("{byte:02x}")).collect()),
        owner_id: file.owner.map(AccountId::uuid),
        job_id: file.job.map(JobId::uuid),
        created_at: file.created_at,
        expires_at: file.expires_at,
    }
}

pub fn started(job: JobId) -> v1::StartedJob {
    v1::StartedJob { job_id: job.uuid() }
}

/// # Errors
/// [`AppError::Invalid`]
pub fn read_purpose(text: Option<&str>) -> Result<FilePurpose, AppError> {
    let known = Invalid::Unknown { known: "upload, outcome, export, report" };
    text.and_then(FilePurpose::from_text).ok_or_else(|| AppError::field("purpose", known))
}

/// `reader` is the language of who asks.
///
/// # Errors
/// [`AppError::Invalid`] with every field that cannot be used.
pub fn read_import(body: &v1::StartImport, reader: Language) -> Result<Start, AppError> {
    let mut fields = Fields::default();
    let kind = fields.read("kind", Kind::from_text(&body.kind).ok_or(Invalid::Unknown { known: "people, devices" }));
    let mode = Mode::from_text(&body.mode).ok_or(Invalid::Unknown { known: "dry_run, all_or_nothing, skip_bad" });
    let mode = fields.read("mode", mode);
    let language = fields.read("language", body.language.as_deref().map_or(Ok(reader), read_language));
    let (Some(kind), Some(mode), Some(language)) = (kind, mode, language) else { return Err(fields.refuse()) };
    let pending = if body.renew_pending { PendingInvitations::Renew } else { PendingInvitations::Keep };
    Ok(Start { file: FileId::from_uuid(body.file_id), kind, mode, pending, language })
}

/// `reader` is the language of who asks.
///
/// # Errors
/// [`AppError::Invalid`]
pub fn read_export(body: &v1::StartExport, reader: Language) -> Result<(Option<AccountId>, Language), AppError> {
    let language = body.language.as_deref().map_or(Ok(reader), read_language);
    let language = language.map_err(|invalid| AppError::field("language", invalid))?;
    Ok((body.person_id.map(AccountId::from_uuid), language))
}

/// `reader` is the language of who asks.
///
/// # Errors
/// [`AppError::Invalid`] with every field that cannot be used.
pub fn read_report(body: &v1::StartReport, reader: Language) -> Result<(reports::Kind, Request), AppError> {
    let mut fields = Fields::default();
    let known = Invalid::Unknown { known: "usage, audit" };
    let kind = fields.read("kind", reports::Kind::from_text(&body.kind).ok_or(known));
    let first = fields.read("first_day", read_day(&body.first_day));
    let last = fields.read("last_day", read_day(&body.last_day));
    let zone = fields.read("zone", body.zone.as_deref().unwrap_or("UTC").parse::<Zone>());
    let language = fields.read("language", body.language.as_deref().map_or(Ok(reader), read_language));
    let (Some(kind), Some(first), Some(last), Some(zone), Some(language)) = (kind, first, last, zone, language) else {
        return Err(fields.refuse());
    };
    let period = Period::of_days(first, last, &zone).map_err(|invalid| AppError::field("last_day", invalid))?;
    Ok((kind, Request { period, zone, language }))
}

/// A day such as `2026-10-31`.
fn read_day(text: &str) -> Result<Date, Invalid> {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    Date::parse(text.trim(), &format).map_err(|_| Invalid::Unknown { known: "a day such as 2026-10-31" })
}

/// The language that files for a reader are written in.
pub fn read_language(tag: &str) -> Result<Language, Invalid> {
    Language::from_tag(tag).ok_or(Invalid::Unknown { known: "en, de" })
}
