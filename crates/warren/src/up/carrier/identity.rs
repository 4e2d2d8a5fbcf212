//! Which gateway of the installation the local one is. Its identifier stands in the data folder, so that it stays the
//! same when it is given another name.

use std::path::PathBuf;

use warren_app::{
    App, AppError, Expected, OpContext, Thing,
    gateways::{self, Change},
};
use warren_auth::Subject;
use warren_model::{
    GatewayId, RequestId,
    audit::Source,
    gateway::{EndpointHost, Gateway},
};
use warren_runtime::files;
use warren_wire::node::v1::EnrolAnswer;

use crate::{Failure, up::plan::Plan};

/// What it is called until somebody gives it another name.
const NAME: &str = "local";

/// What the options say about it.
#[derive(Debug)]
pub struct Wanted {
    /// The host that devices dial, where one was named.
    pub endpoint: Option<EndpointHost>,
    /// The host that they dial otherwise, when the gateway is new.
    pub host: EndpointHost,
    /// The UDP port of its first network, when the gateway is new.
    pub first_port: u16,
}

/// The local gateway as the installation knows it; none when it does not.
///
/// # Errors
/// [`Failure`] when the database or the folder cannot be used.
pub async fn known(app: &App, plan: &Plan, wanted: &Wanted) -> Result<Option<Gateway>, Failure> {
    let Some(id) = remembered(plan)? else { return Ok(None) };
    let cx = context(app);
    match gateways::show(&cx, id).await {
        Ok(view) => with_endpoint(&cx, view.gateway, wanted).await.map(Some),
        Err(AppError::NotFound(Thing::Gateway)) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// The local gateway with a new credential, which is laid into its folder. Made when there is none.
///
/// # Errors
/// [`Failure`] when the database or the folder cannot be used.
pub async fn renew(app: &App, plan: &Plan, wanted: &Wanted) -> Result<Gateway, Failure> {
    let cx = context(app);
    let name = match known(app, plan, wanted).await? {
        Some(gateway) => gateway.name,
        None => NAME.parse().expect("the name is within its limits"),
    };
    let host = wanted.endpoint.as_ref().unwrap_or(&wanted.host);
    let local = gateways::ensure_local(&cx, &name, host, wanted.first_port).await.map_err(failed)?;
    files::write_private(&path(plan), local.id.to_string().as_bytes())?;
    let identity =
        EnrolAnswer { gateway: local.id.uuid(), name: local.name.to_string(), credential: local.credential.expose() };
    warren_gateway::keep_identity(&plan.gateway_folder(), &identity)?;
    let gateway = gateways::show(&cx, local.id).await.map_err(failed)?.gateway;
    with_endpoint(&cx, gateway, wanted).await
}

/// `gateway` with the endpoint that was named, where it differs.
async fn with_endpoint(cx: &OpContext, gateway: Gateway, wanted: &Wanted) -> Result<Gateway, Failure> {
    let Some(endpoint) = wanted.endpoint.clone().filter(|endpoint| *endpoint != gateway.endpoint) else {
        return Ok(gateway);
    };
    let change = Change { name: None, endpoint: Some(endpoint) };
    let view = gateways::change(cx, gateway.id, Expected::Any, change).await.map_err(failed)?;
    Ok(view.gateway)
}

fn remembered(plan: &Plan) -> Result<Option<GatewayId>, Failure> {
    let Some(bytes) = files::read_private(&path(plan))? else { return Ok(None) };
    // Something else in the file is as good as no file: a gateway of the usual name is found or made.
    Ok(String::from_utf8(bytes).ok().and_then(|text| text.trim().parse().ok()))
}

fn path(plan: &Plan) -> PathBuf {
    plan.data.join("local-gateway")
}

fn context(app: &App) -> OpContext {
    OpContext {
        app: app.clone(),
        subject: Subject::System,
        source: Source::Internal,
        request: RequestId::generate(app.clock().now(), app.random()),
        idempotency: None,
    }
}

fn failed(error: AppError) -> Failure {
    Failure::start("register the gateway of this machine", error)
}
