//! `POST /node/v1/enrol`: a one-time token becomes a gateway's credential.

use axum::{Json, extract::State};
use warren_app::gateways;
use warren_wire::node::v1::{EnrolAnswer, EnrolRequest};

use crate::{PortalState, body::Body, caller::Visitor, conversions::access, problem::Rejection, request::RequestFacts};

pub(super) async fn enrol(
    State(state): State<PortalState>,
    facts: RequestFacts,
    Visitor(cx): Visitor,
    Body(body): Body<EnrolRequest>,
) -> Result<Json<EnrolAnswer>, Rejection> {
    let work = async { gateways::enrol(&cx, &access::read_token(&body.token)?).await };
    let enrolled = state.prove(&facts, work).await?;
    Ok(Json(EnrolAnswer {
        gateway: enrolled.id.uuid(),
        name: enrolled.name.to_string(),
        credential: enrolled.credential.expose(),
    }))
}
