//! The pure domain of Warren: identifiers, names, keys, addresses, networks, devices and their states.
//!
//! Invariants
//! - No async, no I/O, no ambient time or randomness: both arrive as [`Clock`] and [`Random`].
//! - Text from outside becomes a type of its own at the border (`Email`, `DeviceName`); the inside never checks again.
//! - Every entity has its own identifier type; swapped identifiers do not compile.
//! - Nothing here is serialised to the outside; that is `warren-wire`'s work.

pub mod access;
pub mod address;
pub mod ambient;
pub mod audit;
pub mod configuration;
pub mod device;
pub mod gateway;
pub mod id;
pub mod invalid;
pub mod job;
pub mod key;
pub mod name;
pub mod network;
pub mod organisation;
pub mod page;
pub mod period;
pub mod person;
pub mod schedule;
pub mod zone;

pub use access::Role;
pub use ambient::{Clock, Random, Timestamp};
pub use device::{Device, DeviceState};
pub use id::{
    AccountId, AuditId, DecisionId, DeliveryId, DeviceId, FileId, GatewayId, JobId, LinkId, MailId, NetworkId,
    OrganisationId, RequestId, ScheduleId, SessionId, WebhookId, WorkerId,
};
pub use invalid::Invalid;
pub use job::{JobPriority, JobState, Queue};
pub use key::{PresharedKey, PrivateKey, PublicKey};
pub use name::{DeviceName, Email, GatewayName, NetworkName, OrganisationName, OrganisationSlug, PersonName};
pub use network::{Network, Tunnel};
pub use organisation::{Organisation, OrganisationState};
pub use period::Period;
pub use person::{MembershipStanding, Person};
pub use schedule::Schedule;
pub use zone::Zone;
