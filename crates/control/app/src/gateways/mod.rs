//! The gateways of the installation.

mod hub;
pub mod link;
mod manage;
mod membership;
mod presence;

pub(crate) use hub::{Hub, Touched};
pub(crate) use manage::state_of;
pub use manage::{Change, Create, GatewayState, GatewayView, change, choices, create, page, remove, renew_join, show};
pub use membership::{EnrolledGateway, JoinToken, LocalGateway, enrol, ensure_local};
pub use presence::{Backend, Fault, Hello};
