//! Whether the process answers, and whether it can work: for load balancers and supervisors.

use axum::extract::State;
use warren_app::installation;

use crate::{PortalState, problem::Rejection};

/// `GET /health`: the process answers.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// `GET /ready`: the process is not ending and its database can be read.
pub(crate) async fn ready(State(state): State<PortalState>) -> Result<&'static str, Rejection> {
    if state.shutdown().is_requested() {
        return Err(Rejection::busy(std::time::Duration::from_secs(5)));
    }
    installation::is_set_up(state.app()).await?;
    Ok("ready\n")
}
