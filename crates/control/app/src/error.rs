//! Why a use case was refused or failed, for two audiences: the caller gets a code and its arguments, which every face
//! turns into words; the operator gets the cause, which is logged where it becomes an answer.

use std::{borrow::Cow, error::Error, time::Duration};

use warren_auth::{Refused, SealError};
use warren_model::{Invalid, Network};
use warren_storage::{Conflict, StorageError};

use crate::records::csv::FileProblem;

/// What a use case answers instead of its result.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Values that cannot be used, each with its field.
    #[error("some values cannot be used")]
    Invalid(Vec<FieldError>),
    /// A file that cannot be used; nothing of it was done.
    #[error("the file cannot be used: {0}")]
    Unusable(FileProblem),
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    NotSignedIn,
    /// The e-mail address or the password is wrong; which of them is not said.
    #[error("the e-mail address or the password is wrong")]
    SignInRefused,
    /// The caller sees the thing but may not do this.
    #[error("this takes a right that the caller does not hold")]
    Forbidden,
    /// There is no such thing, or none that the caller may see.
    #[error("not found: {0:?}")]
    NotFound(Thing),
    /// The change contradicts what is there.
    #[error("contradicts what is there: {0:?}")]
    Contradiction(Contradiction),
    /// Somebody else changed the thing first.
    #[error("the thing was changed since it was read")]
    Stale,
    /// The link was used, replaced or has expired.
    #[error("the link was used, replaced or has expired")]
    LinkSpent,
    /// The operator has suspended the organisation.
    #[error("the organisation is suspended")]
    Suspended,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    IdempotencyMismatch,
    /// The request was carried out before, and the secret of its answer was shown then.
    #[error("the secret was shown once already")]
    SecretGone,
    /// More work than can be done now.
    #[error("too much at once")]
    Busy { retry_after: Duration },
    /// The database cannot be used now.
    #[error("the database cannot be used: {0}")]
    Unavailable(#[source] StorageError),
    /// A fault of ours.
    #[error("internal fault")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

/// A value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name in the API, with dots for nested ones.
    pub field: Cow<'static, str>,
    pub invalid: Invalid,
}

/// The kinds of things that can be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    Organisation,
    Person,
    Network,
    Device,
    Gateway,
    Page,
    Job,
    File,
    Schedule,
    Webhook,
    Delivery,
    Mail,
    Dependency,
}

impl Thing {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Organisation,
        Self::Person,
        Self::Network,
        Self::Device,
        Self::Gateway,
        Self::Page,
        Self::Job,
        Self::File,
        Self::Schedule,
        Self::Webhook,
        Self::Delivery,
        Self::Mail,
        Self::Dependency,
    ];

    /// The catalogue key of its name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Organisation => "thing-organisation",
            Self::Person => "thing-person",
            Self::Network => "thing-network",
            Self::Device => "thing-device",
            Self::Gateway => "thing-gateway",
            Self::Page => "thing-page",
            Self::Job => "thing-job",
            Self::File => "thing-file",
            Self::Schedule => "thing-schedule",
            Self::Webhook => "thing-webhook",
            Self::Delivery => "thing-delivery",
            Self::Mail => "thing-mail",
            Self::Dependency => "thing-dependency",
        }
    }
}

/// How a change can contradict what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contradiction {
    SlugTaken,
    NetworkNameTaken,
    GatewayNameTaken,
    PersonAlreadyThere,
    PublicKeyTaken,
    AddressesExhausted,
    PortsExhausted,
    /// Two networks of one organisation would share addresses.
    PrefixesOverlap {
        other: String,
        prefix: String,
    },
    /// The prefixes cannot change while devices hold addresses.
    PrefixesInUse {
        devices: u64,
    },
    NetworkInUse {
        devices: u64,
    },
    GatewayInUse {
        networks: u64,
    },
    NetworksExhausted {
        max: u64,
    },
    NoGateway,
    /// There are several gateways and the request names none.
    GatewayAmbiguous,
    LastAdmin,
    DeviceRevoked,
    AlreadySetUp,
    AlreadyJoined,
    JobEnded,
    JobNotEnded,
    MailIsOff,
    FileNotWhole,
    WebhookDisabled,
    WebhooksExhausted {
        max: u64,
    },
    SchedulesExhausted {
        max: u64,
    },
}

impl Contradiction {
    /// The catalogue key of its sentence.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SlugTaken => "conflict-slug-taken",
            Self::NetworkNameTaken => "conflict-network-name-taken",
            Self::GatewayNameTaken => "conflict-gateway-name-taken",
            Self::PersonAlreadyThere => "conflict-person-already-there",
            Self::PublicKeyTaken => "conflict-public-key-taken",
            Self::AddressesExhausted => "conflict-addresses-exhausted",
            Self::PortsExhausted => "conflict-ports-exhausted",
            Self::PrefixesOverlap { .. } => "conflict-prefixes-overlap",
            Self::PrefixesInUse { .. } => "conflict-prefixes-in-use",
            Self::NetworkInUse { .. } => "conflict-network-in-use",
            Self::GatewayInUse { .. } => "conflict-gateway-in-use",
            Self::NetworksExhausted { .. } => "conflict-networks-exhausted",
            Self::NoGateway => "conflict-no-gateway",
            Self::GatewayAmbiguous => "conflict-gateway-ambiguous",
            Self::LastAdmin => "conflict-last-admin",
            Self::DeviceRevoked => "conflict-device-revoked",
            Self::AlreadySetUp => "conflict-already-set-up",
            Self::AlreadyJoined => "conflict-already-joined",
            Self::JobEnded => "conflict-job-ended",
            Self::JobNotEnded => "conflict-job-not-ended",
            Self::MailIsOff => "conflict-mail-is-off",
            Self::FileNotWhole => "conflict-file-not-whole",
            Self::WebhookDisabled => "conflict-webhook-disabled",
            Self::WebhooksExhausted { .. } => "conflict-webhooks-exhausted",
            Self::SchedulesExhausted { .. } => "conflict-schedules-exhausted",
        }
    }

    /// Every code, for the catalogues' completeness test.
    pub const CODES: &'static [&'static str] = &[
        "conflict-slug-taken",
        "conflict-network-name-taken",
        "conflict-gateway-name-taken",
        "conflict-person-already-there",
        "conflict-public-key-taken",
        "conflict-addresses-exhausted",
        "conflict-ports-exhausted",
        "conflict-prefixes-overlap",
        "conflict-prefixes-in-use",
        "conflict-network-in-use",
        "conflict-gateway-in-use",
        "conflict-networks-exhausted",
        "conflict-no-gateway",
        "conflict-gateway-ambiguous",
        "conflict-last-admin",
        "conflict-device-revoked",
        "conflict-already-set-up",
        "conflict-already-joined",
        "conflict-job-ended",
        "conflict-job-not-ended",
        "conflict-mail-is-off",
        "conflict-file-not-whole",
        "conflict-webhook-disabled",
        "conflict-webhooks-exhausted",
        "conflict-schedules-exhausted",
    ];

    /// The values that its sentence speaks of.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::PrefixesOverlap { other, prefix } => vec![("other", other.clone()), ("prefix", prefix.clone())],
            Self::PrefixesInUse { devices } | Self::NetworkInUse { devices } => vec![("devices", devices.to_string())],
            Self::GatewayInUse { networks } => vec![("networks", networks.to_string())],
            Self::NetworksExhausted { max } => vec![("max", max.to_string())],
            Self::WebhooksExhausted { max } | Self::SchedulesExhausted { max } => vec![("max", max.to_string())],
            _ => Vec::new(),
        }
    }
}

impl AppError {
    /// Every code that [`AppError::code`] gives, for the catalogues' completeness test.
    pub const CODES: &'static [&'static str] = &[
        "problem-invalid",
        "problem-file",
        "problem-not-signed-in",
        "problem-sign-in-refused",
        "problem-forbidden",
        "problem-not-found",
        "problem-conflict",
        "problem-stale",
        "problem-link-spent",
        "problem-suspended",
        "problem-idempotency-mismatch",
        "problem-secret-gone",
        "problem-busy",
        "problem-unavailable",
        "problem-internal",
    ];

    /// The catalogue key of the problem: `…-title` and `…-detail` are its texts. The detail of `problem-conflict` is the
    /// sentence of its [`Contradiction`] instead, that of `problem-file` the sentence of its [`FileProblem`].
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "problem-invalid",
            Self::Unusable(_) => "problem-file",
            Self::NotSignedIn => "problem-not-signed-in",
            Self::SignInRefused => "problem-sign-in-refused",
            Self::Forbidden => "problem-forbidden",
            Self::NotFound(_) => "problem-not-found",
            Self::Contradiction(_) => "problem-conflict",
            Self::Stale => "problem-stale",
            Self::LinkSpent => "problem-link-spent",
            Self::Suspended => "problem-suspended",
            Self::IdempotencyMismatch => "problem-idempotency-mismatch",
            Self::SecretGone => "problem-secret-gone",
            Self::Busy { .. } => "problem-busy",
            Self::Unavailable(_) => "problem-unavailable",
            Self::Internal(_) => "problem-internal",
        }
    }

    /// One field that cannot be used.
    pub fn field(field: &'static str, invalid: Invalid) -> Self {
        Self::Invalid(vec![FieldError { field: Cow::Borrowed(field), invalid }])
    }
}

impl From<Contradiction> for AppError {
    fn from(contradiction: Contradiction) -> Self {
        Self::Contradiction(contradiction)
    }
}

impl From<FileProblem> for AppError {
    fn from(problem: FileProblem) -> Self {
        Self::Unusable(problem)
    }
}

impl From<StorageError> for AppError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict(conflict) => match conflict {
                Conflict::SlugTaken => Contradiction::SlugTaken.into(),
                Conflict::NetworkNameTaken => Contradiction::NetworkNameTaken.into(),
                Conflict::GatewayNameTaken => Contradiction::GatewayNameTaken.into(),
                Conflict::MembershipExists => Contradiction::PersonAlreadyThere.into(),
                Conflict::PublicKeyTaken => Contradiction::PublicKeyTaken.into(),
                Conflict::AddressesExhausted => Contradiction::AddressesExhausted.into(),
                Conflict::PortsExhausted => Contradiction::PortsExhausted.into(),
                Conflict::NetworksExhausted => {
                    Contradiction::NetworksExhausted { max: Network::PER_ORGANISATION_MAX.into() }.into()
                }
                // Two requests raced for the same thing; whoever lost reads again and sees the other's.
                _ => Self::Stale,
            },
            // A row that was read before is gone or differs now.
            StorageError::NotFound | StorageError::Stale | StorageError::Referenced => Self::Stale,
            StorageError::Busy => Self::Busy { retry_after: Duration::from_secs(1) },
            fault @ StorageError::WrongTenant => Self::Internal(Box::new(fault)),
            other => Self::Unavailable(other),
        }
    }
}

impl From<Refused> for AppError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Invisible => Self::NotFound(Thing::Organisation),
            Refused::Forbidden => Self::Forbidden,
        }
    }
}

impl From<SealError> for AppError {
    fn from(error: SealError) -> Self {
        Self::Internal(Box::new(error))
    }
}
