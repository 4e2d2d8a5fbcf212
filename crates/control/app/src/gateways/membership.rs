//! How a host becomes a gateway: by a one-time token, or as the gateway that `warren up` starts beside itself.

use time::Duration;
use warren_auth::{Authorized, SecretToken};
use warren_model::{
    GatewayId, GatewayName, Timestamp,
    audit::{Action, Actor},
    gateway::{EndpointHost, Enrolment, Gateway},
};

use crate::{App, AppError, OpContext};

/// How long a join token works.
const JOIN_TOKEN_LASTS: Duration = Duration::hours(24);

/// Lets a host become a gateway, once.
#[derive(Debug, Clone)]
pub struct JoinToken {
    pub token: SecretToken,
    pub expires_at: Timestamp,
    /// What to run on that host.
    pub command: String,
}

/// A host that has become a gateway. The credential is shown this once.
#[derive(Debug)]
pub struct EnrolledGateway {
    pub id: GatewayId,
    pub name: GatewayName,
    pub credential: SecretToken,
}

/// The gateway that runs beside the portal.
#[derive(Debug)]
pub struct LocalGateway {
    pub id: GatewayId,
    pub name: GatewayName,
    /// A fresh credential; earlier ones stop working.
    pub credential: SecretToken,
}

/// Exchanges a join token for a credential, once.
///
/// # Errors
/// [`AppError::LinkSpent`] for a token that is unknown, used or expired.
pub async fn enrol(cx: &OpContext, join: &SecretToken) -> Result<EnrolledGateway, AppError> {
    let credential = SecretToken::generate(cx.app.random());
    let now = cx.app.clock().now();
    let gateway = cx
        .system()
        .transaction(async |tx| -> Result<Gateway, AppError> {
            let enrolled = tx.gateways().enrol(&join.hash(), &credential.hash(), now).await;
            let gateway = match enrolled {
                Err(warren_storage::StorageError::NotFound) => return Err(AppError::LinkSpent),
                other => other?,
            };
            let entry = cx.entry_by(Actor::LinkHolder, Action::GatewayEnrolled, gateway.id.uuid(), &gateway.name);
            tx.audit().append(&entry, None).await?;
            Ok(gateway)
        })
        .await?;
    // The credential before this one is worth nothing any more, and neither is the link that it opened.
    cx.app.hub().forget(gateway.id);
    tracing::info!(gateway = %gateway.id, "a gateway enrolled");
    Ok(EnrolledGateway { id: gateway.id, name: gateway.name, credential })
}

/// The gateway that runs beside this process: found by its name or made, with a fresh credential. An endpoint that the
/// operator changed in the portal stays; `endpoint` and `first_port` count when the gateway is made.
///
/// # Errors
/// [`AppError::Unavailable`]
pub async fn ensure_local(
    cx: &OpContext,
    name: &GatewayName,
    endpoint: &EndpointHost,
    first_port: u16,
) -> Result<LocalGateway, AppError> {
    let app = &cx.app;
    let proof = Authorized::for_installation();
    let credential = SecretToken::generate(app.random());
    let now = app.clock().now();
    let gateway = cx
        .system()
        .transaction(async |tx| -> Result<Gateway, AppError> {
            let gateway = match tx.gateways().by_name(name).await? {
                Some(gateway) => gateway,
                None => {
                    let gateway = Gateway {
                        id: GatewayId::generate(now, app.random()),
                        name: name.clone(),
                        endpoint: endpoint.clone(),
                        first_port,
                        enrolment: Enrolment::Pending,
                        created_at: now,
                        revision: 1,
                    };
                    tx.gateways().insert(&proof, &gateway, None).await?;
                    let entry = cx.entry(&proof, Action::GatewayCreated, gateway.id.uuid(), name);
                    tx.audit().append(&entry, None).await?;
                    gateway
                }
            };
            tx.gateways().set_credential(&proof, gateway.id, &credential.hash(), now).await?;
            Ok(gateway)
        })
        .await?;
    Ok(LocalGateway { id: gateway.id, name: gateway.name, credential })
}

pub(super) fn new_join_token(app: &App) -> JoinToken {
    let token = SecretToken::generate(app.random());
    let command = format!("warren gateway join --server {} --token {}", app.public_url(), token.expose());
    JoinToken { expires_at: app.clock().now() + JOIN_TOKEN_LASTS, token, command }
}
