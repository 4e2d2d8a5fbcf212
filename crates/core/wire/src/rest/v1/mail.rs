//! Letters that went out by mail, or were kept to be looked at.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A letter on record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Mail {
    /// Also the identifier of the job that sent it.
    pub id: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    #[schema(example = "ben@example.org")]
    pub to: String,
    #[schema(example = "Join Northwind")]
    pub subject: String,
    /// Which sort of letter: `invitation`, `report_ready`, `export_ready`, `import_finished`, `operator_alert` or `test_mail`.
    #[schema(example = "invitation")]
    pub letter: String,
    /// `sent` once the mail server has taken it, `refused` when it never will, `kept` where there is no mail server.
    #[schema(example = "sent")]
    pub state: String,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "the mail server refuses the recipient: 550 5.1.1 nobody of that name")]
    pub error: Option<String>,
    /// The organisation that it speaks for; absent for the installation's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<Uuid>,
    /// What stands in it, of one that was kept, and only where one letter is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<MailContent>,
}

/// What stands in a letter. It may hold a link that lets its reader in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MailContent {
    #[schema(example = "<!doctype html><title>Join Northwind</title>")]
    pub html: String,
    #[schema(example = "Join Northwind")]
    pub text: String,
}

/// Where a letter goes that says that mail works.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendTestMail {
    #[schema(example = "anna@example.org", max_length = 254)]
    pub to: String,
}

/// A test letter on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TestMailOnItsWay {
    /// The job that sends it.
    pub job_id: Uuid,
}
