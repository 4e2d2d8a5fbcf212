//! An organisation's bulk work: files, and the jobs that read and write them.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A file of an organisation's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct File {
    pub id: Uuid,
    #[schema(example = "people.csv")]
    pub name: String,
    #[schema(example = "text/csv")]
    pub media_type: String,
    /// `upload` for what somebody uploaded, `outcome` for what came of an import or a bulk change, line by line, `export` or
    /// `report`.
    #[schema(example = "upload")]
    pub purpose: String,
    /// Absent until all of it is there, as is `sha256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 48_211)]
    pub size_bytes: Option<u64>,
    /// In hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub sha256: Option<String>,
    /// Whose it is; absent for what belongs to no one person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<Uuid>,
    /// The job that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<Uuid>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// It is removed then.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// Imports what was uploaded.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartImport {
    /// The uploaded file.
    pub file_id: Uuid,
    /// `people` or `devices`: what its lines are.
    #[schema(example = "people")]
    pub kind: String,
    /// `dry_run` changes nothing and says what would be; `all_or_nothing` changes nothing when one line is bad; `skip_bad`
    /// carries the good lines out.
    #[schema(example = "dry_run")]
    pub mode: String,
    /// Whether people who are invited already and have not joined get new links; the ones before stop working.
    #[serde(default)]
    #[schema(example = false)]
    pub renew_pending: bool,
    /// `en` or `de`: the language in which problems are told. By default that of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "en")]
    pub language: Option<String>,
}

/// Exports everything of the organisation, or what it holds of one person.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartExport {
    /// Whom it is about; absent for the whole organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_id: Option<Uuid>,
    /// `en` or `de`: the language of its explanations. By default that of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "en")]
    pub language: Option<String>,
}

/// Makes a report for a period.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartReport {
    /// `usage` or `audit`.
    #[schema(example = "audit")]
    pub kind: String,
    /// The first day.
    #[schema(example = "2026-10-01")]
    pub first_day: String,
    /// The last day, which belongs to it.
    #[schema(example = "2026-10-31")]
    pub last_day: String,
    /// Whose days and clocks: a name of the IANA time zone database. By default UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Europe/Berlin")]
    pub zone: Option<String>,
    /// `en` or `de`. By default that of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "en")]
    pub language: Option<String>,
}

/// What an export or a report came to, as it stands in the `result` of its job: files to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MadeFiles {
    pub files: Vec<Uuid>,
}

/// A job that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StartedJob {
    pub job_id: Uuid,
}

/// What an import came to, as it stands in the `result` of its job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportResult {
    /// `planned` after a dry run, `done`, `nothing_done` where a bad line stood against it, `stopped`, or `unusable` when the
    /// file as a whole cannot be read.
    #[schema(example = "planned")]
    pub end: String,
    #[schema(example = "people")]
    pub kind: String,
    #[schema(example = "dry_run")]
    pub mode: String,
    pub renews: bool,
    /// The uploaded file.
    pub source: Uuid,
    #[schema(example = "people.csv")]
    pub source_name: String,
    /// Why the file as a whole cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Lines that were looked at; `created`, `renewed`, `there` and `failed` add up to it.
    #[schema(example = 340)]
    pub lines: u64,
    #[schema(example = 337)]
    pub created: u64,
    #[schema(example = 0)]
    pub renewed: u64,
    /// Lines that say what is there already.
    #[schema(example = 2)]
    pub there: u64,
    /// Lines that cannot be used.
    #[schema(example = 1)]
    pub failed: u64,
    /// Columns of the file that nobody looked for.
    pub ignored_columns: Vec<String>,
    /// The first 100 of what is wrong; the table of results has all of it.
    pub errors: Vec<ImportLineError>,
    /// The file with every line and what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Uuid>,
}

/// What is wrong with one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportLineError {
    /// Counted from 1, the line with the names of the columns included.
    #[schema(example = 17)]
    pub line: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "email")]
    pub column: Option<String>,
    #[schema(example = "ben@")]
    pub value: String,
    /// What is wrong and what to do.
    #[schema(example = "Not an e-mail address such as name@example.org.")]
    pub problem: String,
}
