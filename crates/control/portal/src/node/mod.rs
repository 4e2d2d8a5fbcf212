//! What gateways speak with: enrolment, and the link over which they learn what to carry (`warren_wire::node::v1`).

mod conversions;
mod enrol;
mod link;
mod upgrade;

use axum::{
    Router,
    routing::{get, post},
};
use warren_wire::node::v1::{ENROL_PATH, LINK_PATH};

use crate::PortalState;

pub(crate) fn router() -> Router<PortalState> {
    Router::new().route(ENROL_PATH, post(enrol::enrol)).route(LINK_PATH, get(upgrade::upgrade))
}
