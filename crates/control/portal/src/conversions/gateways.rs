//! Gateways, as operators and admins see them.

use warren_app::{
    AppError,
    gateways::{Change, Create, GatewayView, JoinToken},
};
use warren_model::{GatewayId, GatewayName, Invalid, gateway::Gateway};
use warren_wire::rest::v1;

use crate::fields::Fields;

/// # Errors
/// [`AppError::Invalid`] with every field that cannot be used.
pub fn read_create(body: &v1::CreateGateway) -> Result<Create, AppError> {
    let mut fields = Fields::default();
    let name = fields.read("name", body.name.parse());
    let endpoint = fields.read("endpoint_host", body.endpoint_host.parse());
    let first_port = fields.read("first_port", body.first_port.map_or(Ok(Gateway::FIRST_PORT_DEFAULT), read_port));
    let (Some(name), Some(endpoint), Some(first_port)) = (name, endpoint, first_port) else {
        return Err(fields.refuse());
    };
    Ok(Create { name, endpoint, first_port })
}

/// # Errors
/// [`AppError::Invalid`] with every field that cannot be used.
pub fn read_change(body: &v1::UpdateGateway) -> Result<Change, AppError> {
    let mut fields = Fields::default();
    let name = fields.read_optional("name", body.name.as_deref().map(str::parse));
    let endpoint = fields.read_optional("endpoint_host", body.endpoint_host.as_deref().map(str::parse));
    let (Some(name), Some(endpoint)) = (name, endpoint) else { return Err(fields.refuse()) };
    Ok(Change { name, endpoint })
}

pub fn gateway(view: &GatewayView) -> v1::Gateway {
    let gateway = &view.gateway;
    let faults = view
        .faults
        .iter()
        .map(|fault| v1::GatewayFault { network_id: fault.network.uuid(), reason: fault.reason.clone() });
    v1::Gateway {
        id: gateway.id.uuid(),
        name: gateway.name.to_string(),
        endpoint_host: gateway.endpoint.to_string(),
        first_port: gateway.first_port,
        state: view.state.as_str().to_owned(),
        software: view.software.clone(),
        backend: view.backend.map(|backend| backend.as_str().to_owned()),
        last_seen_at: view.last_seen_at,
        networks: view.networks,
        faults: faults.collect(),
        created_at: gateway.created_at,
        revision: gateway.revision,
    }
}

pub fn join(join: &JoinToken) -> v1::JoinToken {
    v1::JoinToken { token: join.token.expose(), expires_at: join.expires_at, command: join.command.clone() }
}

pub fn choice((id, name): &(GatewayId, GatewayName)) -> v1::GatewayChoice {
    v1::GatewayChoice { id: id.uuid(), name: name.to_string() }
}

/// The ports of a gateway's networks follow one another and end at 65535.
fn read_port(port: i64) -> Result<u16, Invalid> {
    let max = i64::from(u16::MAX);
    u16::try_from(port).ok().filter(|port| *port > 0).ok_or(Invalid::OutOfRange { value: port, min: 1, max })
}
