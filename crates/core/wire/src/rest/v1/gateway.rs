//! Gateways.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Gateway {
    pub id: Uuid,
    #[schema(example = "fra-1")]
    pub name: String,
    /// The host that devices dial.
    #[schema(example = "vpn.example.org")]
    pub endpoint_host: String,
    /// The UDP port of its first network; later ones count up.
    #[schema(example = 51820)]
    pub first_port: u16,
    /// `pending` until it enrols, then `online` or `offline`.
    #[schema(example = "online")]
    pub state: String,
    /// The software's version, while online.
    #[schema(example = "0.1.0")]
    pub software: Option<String>,
    /// `userspace` or `kernel`, while online.
    #[schema(example = "userspace")]
    pub backend: Option<String>,
    /// When it was last heard of.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_seen_at: Option<OffsetDateTime>,
    pub networks: u64,
    /// Networks that it could not bring into their desired state.
    pub faults: Vec<GatewayFault>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    pub revision: i64,
}

/// A network that a gateway could not bring into its desired state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GatewayFault {
    pub network_id: Uuid,
    #[schema(example = "UDP port 51820 is in use by another program; stop it or move the network")]
    pub reason: String,
}

/// A new gateway on another host.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateGateway {
    #[schema(example = "fra-1", max_length = 60)]
    pub name: String,
    #[schema(example = "vpn.example.org", max_length = 253)]
    pub endpoint_host: String,
    /// By default 51820.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 51820)]
    pub first_port: Option<i64>,
}

/// A gateway and the token by which it enrols. The token is shown this once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedGateway {
    pub gateway: Gateway,
    pub join: JoinToken,
}

/// Lets a host become the gateway, once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct JoinToken {
    #[schema(example = "GGkQXH0-fSfHTmUvLtNQ0HJvWgMKTKfkGuJ8h5DN9Xk")]
    pub token: String,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// What to run on the gateway's host.
    #[schema(
        example = "warren gateway join --server https://vpn.example.org --token GGkQXH0-fSfHTmUvLtNQ0HJvWgMKTKfkGuJ8h5DN9Xk"
    )]
    pub command: String,
}

/// What is absent stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateGateway {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "fra-2", max_length = 60)]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "vpn2.example.org", max_length = 253)]
    pub endpoint_host: Option<String>,
}

/// The `gateway` event of the live stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GatewayLive {
    pub gateway_id: Uuid,
    #[schema(example = "online")]
    pub state: String,
}

/// A gateway that a new network can use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GatewayChoice {
    pub id: Uuid,
    #[schema(example = "fra-1")]
    pub name: String,
}
