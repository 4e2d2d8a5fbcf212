//! What an audit entry says: who did what to which thing, when, from where and in which request.

use std::net::IpAddr;

use crate::{AccountId, AuditId, RequestId, Timestamp};

/// One entry of an audit trail. Entries are only ever added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub id: AuditId,
    pub at: Timestamp,
    pub actor: Actor,
    pub action: Action,
    /// The identifier of the thing that was changed.
    pub subject: uuid::Uuid,
    /// What the thing was called then.
    pub subject_name: String,
    /// What changed, as `field: before → after`; never a secret. At most [`AuditEntry::CHANGES_MAX`].
    pub changes: Vec<FieldChange>,
    pub source: Source,
    pub request: RequestId,
}

impl AuditEntry {
    /// The most fields that one entry lists.
    pub const CHANGES_MAX: usize = 16;
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in person; the name as it was then.
    Account { id: AccountId, name: String },
    /// Somebody with a shell on the server's own host.
    LocalOperator { user: String },
    /// A person without an account yet, holding a one-time link.
    LinkHolder,
    /// Warren itself.
    System,
}

/// Where the request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Address(IpAddr),
    /// The admin socket.
    Local,
    /// No request: Warren's own work.
    Internal,
}

/// One field before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// Everything that leaves an audit entry.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[$doc])* $name),+ }

        impl Action {
            /// All of them, in the order of this list.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
            /// The word for it in the API, the database and the catalogues (`action-…` with dots as hyphens).
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $text),+ } }
            /// The action that `text` names.
            pub fn from_text(text: &str) -> Option<Self> { Self::ALL.iter().copied().find(|a| a.as_str() == text) }
        }
    };
}

actions!(
    InstallationSetUp = "installation.set-up",
    SessionStarted = "session.started",
    SessionRefused = "session.refused",
    SessionEnded = "session.ended",
    OrganisationCreated = "organisation.created",
    OrganisationChanged = "organisation.changed",
    PersonInvited = "person.invited",
    PersonJoined = "person.joined",
    PersonChanged = "person.changed",
    PersonRemoved = "person.removed",
    NetworkCreated = "network.created",
    NetworkChanged = "network.changed",
    NetworkRemoved = "network.removed",
    DeviceEnrolled = "device.enrolled",
    DeviceChanged = "device.changed",
    DeviceDisabled = "device.disabled",
    DeviceEnabled = "device.enabled",
    DeviceRevoked = "device.revoked",
    GatewayCreated = "gateway.created",
    GatewayEnrolled = "gateway.enrolled",
    GatewayChanged = "gateway.changed",
    GatewayRemoved = "gateway.removed",
    MailTested = "mail.tested",
    JobCancelled = "job.cancelled",
    JobReplayed = "job.replayed",
    QueueReplayed = "queue.replayed",
    QueuePaused = "queue.paused",
    QueueResumed = "queue.resumed",
    ImportStarted = "import.started",
    BulkChangeStarted = "bulk-change.started",
    ExportStarted = "export.started",
    ReportRequested = "report.requested",
    FileFetched = "file.fetched",
    FileRemoved = "file.removed",
    ScheduleCreated = "schedule.created",
    ScheduleChanged = "schedule.changed",
    ScheduleRemoved = "schedule.removed",
    WebhookCreated = "webhook.created",
    WebhookChanged = "webhook.changed",
    WebhookRemoved = "webhook.removed",
    WebhookSecretRotated = "webhook.secret-rotated",
    WebhookReplayed = "webhook.replayed",
    WebhookGivenUp = "webhook.given-up",
    DependencyForced = "dependency.forced",
);
