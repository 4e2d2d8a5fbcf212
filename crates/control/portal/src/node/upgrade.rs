//! `GET /node/v1/link`: shows who the gateway is and becomes a WebSocket.

use axum::{
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    response::Response,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tracing::Instrument;
use warren_app::{AppError, gateways::link};
use warren_auth::SecretToken;
use warren_wire::node::v1::FRAME_BYTES_MAX;

use super::link::serve;
use crate::{
    PortalState,
    problem::{CREDENTIAL, Rejection, UPGRADE},
    request::RequestFacts,
};

pub(super) async fn upgrade(
    State(state): State<PortalState>,
    facts: RequestFacts,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Rejection> {
    let gateway = state.prove(&facts, async {
        let Some(credential) = bearer(&headers) else { return Err(AppError::SignInRefused) };
        link::authenticate(state.app(), &credential).await?.ok_or(AppError::SignInRefused)
    });
    let gateway = gateway.await.map_err(as_credential)?;
    let upgrade = upgrade.map_err(|_| {
        let rejection = Rejection::new(StatusCode::UPGRADE_REQUIRED, UPGRADE);
        rejection.with_header(header::UPGRADE, HeaderValue::from_static("websocket"))
    })?;
    let span = tracing::info_span!("link", gateway = %gateway.id, request = %facts.id);
    Ok(upgrade
        .max_message_size(FRAME_BYTES_MAX)
        .max_frame_size(FRAME_BYTES_MAX)
        .on_upgrade(move |socket| serve(state, gateway, socket).instrument(span)))
}

/// Gateways are not people: their refusal speaks of credentials.
fn as_credential(rejection: Rejection) -> Rejection {
    if rejection.status != StatusCode::UNAUTHORIZED {
        return rejection;
    }
    let challenge = HeaderValue::from_static("Bearer realm=\"warren-gateway\"");
    Rejection::new(StatusCode::UNAUTHORIZED, CREDENTIAL).with_header(header::WWW_AUTHENTICATE, challenge)
}

/// `Authorization: Bearer …` (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Option<SecretToken> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") { SecretToken::parse(token.trim()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearer_credentials_are_read() {
        let sent =
            |value: String| HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(&value).unwrap())]);
        let token = "A".repeat(43);
        assert!(bearer(&sent(format!("Bearer {token}"))).is_some());
        assert!(bearer(&sent(format!("bearer {token}"))).is_some());
        assert!(bearer(&sent(format!("Basic {token}"))).is_none());
        assert!(bearer(&sent(token)).is_none());
        assert!(bearer(&HeaderMap::new()).is_none());
    }
}
