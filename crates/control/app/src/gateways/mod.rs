//! The gateways of the installation.

mod hub;
pub mod link;
mod manage;
mod membership;

pub(crate) use hub::{Hub, Touched};
pub use link::{Backend, Fault};
pub(crate) use manage::state_of;
pub use manage::{Change, Create, GatewayState, GatewayView, change, choices, create, page, remove, show};
pub use membership::{EnrolledGateway, JoinToken, LocalGateway, enrol, ensure_local, renew_join};
