//! Identifiers. Each is a UUID of version 7 (RFC 9562), so that order of identifiers is order of creation.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use crate::{Invalid, Random, Timestamp, ambient::random_bytes};

macro_rules! identifier {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier that sorts after all those made at earlier moments.
            pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
                Self(version_7(now, random))
            }
            /// The least that one made at `at` can be: those made before are less, those made then or later are not.
            pub fn least_at(at: Timestamp) -> Self {
                Self(version_7(at, &Zeros))
            }
            /// The identifier that `uuid` stands for, as read from storage.
            pub const fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }
            /// The bare UUID, for storage and for `warren-wire`.
            pub const fn uuid(self) -> Uuid { self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.hyphenated().fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!(stringify!($name), "({})"), self.0) }
        }
        impl FromStr for $name {
            type Err = Invalid;
            fn from_str(text: &str) -> Result<Self, Invalid> {
                Uuid::try_parse(text).map(Self).map_err(|_| Invalid::Identifier)
            }
        }
    )+};
}

identifier!(
    /// One customer of the installation, and the tenant database that holds what is its own.
    OrganisationId,
    /// One person's sign-in, known to the whole installation.
    AccountId,
    /// One signed-in browser.
    SessionId,
    /// One link that works once: set-up, invitation.
    LinkId,
    /// One private network of an organisation.
    NetworkId,
    /// One device that may join one network.
    DeviceId,
    /// One gateway of the installation.
    GatewayId,
    /// One entry of an audit trail.
    AuditId,
    /// One request, from its arrival to its last log line.
    RequestId,
    /// One job: work that is done outside of the request that asked for it.
    JobId,
    /// One process that works on jobs.
    WorkerId,
    /// One schedule, by which jobs come again and again.
    ScheduleId,
    /// One file of an organisation: what was uploaded, or what a job made.
    FileId,
    /// One address that an organisation's events are sent to.
    WebhookId,
    /// One event on its way to a webhook.
    DeliveryId,
    /// One letter that was sent by mail, or kept.
    MailId,
    /// One decision to work on more or fewer jobs at once.
    DecisionId,
);

/// No randomness: the least of all bits.
#[derive(Debug)]
struct Zeros;

impl Random for Zeros {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

/// The time in milliseconds, then its fraction in 1/4096 ms where RFC 9562 allows randomness (section 6.2, method 3), so that
/// identifiers made one after the other within a millisecond keep their order; then 62 random bits.
fn version_7(now: Timestamp, random: &dyn Random) -> Uuid {
    let nanos = u64::try_from(now.unix_timestamp_nanos()).unwrap_or(0);
    let (millis, rest) = (nanos / 1_000_000, nanos % 1_000_000);
    let mut bytes: [u8; 10] = random_bytes(random);
    let fraction = u16::try_from(rest * 4096 / 1_000_000).unwrap_or(0);
    bytes[..2].copy_from_slice(&fraction.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use time::{Duration, OffsetDateTime};

    use super::*;

    #[derive(Debug)]
    struct Ones;
    impl Random for Ones {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0xff);
        }
    }

    #[test]
    fn the_least_of_a_moment_stands_between_before_and_after() {
        let at = OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(1_790_000_000_123) + Duration::microseconds(456);
        let before = AuditId::generate(at - Duration::microseconds(1), &Ones);
        assert!(before < AuditId::least_at(at) && AuditId::least_at(at) < AuditId::generate(at, &Ones));
    }

    #[test]
    fn identifiers_made_a_microsecond_apart_keep_their_order() {
        let mut last = DeviceId::from_uuid(Uuid::nil());
        for micros in 0..3000 {
            let id = DeviceId::generate(OffsetDateTime::UNIX_EPOCH + Duration::microseconds(micros), &Ones);
            assert!(id > last, "{micros}");
            assert_eq!(id.uuid().get_version_num(), 7);
            last = id;
        }
    }
}
