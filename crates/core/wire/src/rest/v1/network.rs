//! Networks.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A private network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Network {
    pub id: Uuid,
    #[schema(example = "Office")]
    pub name: String,
    #[schema(example = "10.20.0.0/24")]
    pub ipv4_prefix: Option<String>,
    #[schema(example = "fd12:3456:789a::/64")]
    pub ipv6_prefix: Option<String>,
    #[schema(example = json!(["10.20.0.53"]))]
    pub dns_servers: Vec<String>,
    #[schema(example = json!(["corp.example.org"]))]
    pub search_domains: Vec<String>,
    pub tunnel: Tunnel,
    /// `allowed` or `blocked`: whether devices of the network reach each other.
    #[schema(example = "allowed")]
    pub device_traffic: String,
    /// In bytes.
    #[schema(example = 1420)]
    pub mtu: u16,
    /// 0 for never.
    #[schema(example = 25)]
    pub keepalive_seconds: u16,
    pub gateway_id: Uuid,
    /// Where devices connect to.
    #[schema(example = "vpn.example.org:51820")]
    pub endpoint: String,
    /// The gateway's key in this network.
    #[schema(example = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=")]
    pub public_key: String,
    /// How many devices can hold an address.
    pub capacity: u32,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    pub revision: i64,
}

/// Which traffic goes through the tunnel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum Tunnel {
    /// All of it, both address families.
    Full,
    /// The network itself and these prefixes behind the gateway; at most 64.
    Split {
        #[serde(default)]
        #[schema(example = json!(["192.168.7.0/24"]))]
        routes: Vec<String>,
    },
}

/// A new network. At least one prefix is needed; what is absent takes its default.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateNetwork {
    #[schema(example = "Office", max_length = 60)]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "10.20.0.0/24")]
    pub ipv4_prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "fd12:3456:789a::/64")]
    pub ipv6_prefix: Option<String>,
    #[serde(default)]
    #[schema(example = json!(["10.20.0.53"]), max_items = 3)]
    pub dns_servers: Vec<String>,
    #[serde(default)]
    #[schema(example = json!(["corp.example.org"]), max_items = 6)]
    pub search_domains: Vec<String>,
    /// By default a split tunnel to the network alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<Tunnel>,
    /// `allowed` (default) or `blocked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "allowed")]
    pub device_traffic: Option<String>,
    /// 1280 to 9000 bytes, by default 1420.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1420)]
    pub mtu: Option<i64>,
    /// 0 (never) to 600, by default 25.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 25)]
    pub keepalive_seconds: Option<i64>,
    /// By default the installation's only gateway; needed when there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_id: Option<Uuid>,
}

/// What is absent stays as it is. Prefixes change only while no device holds an address.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateNetwork {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Head office", max_length = 60)]
    pub name: Option<String>,
    /// An empty text removes the prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "10.21.0.0/24")]
    pub ipv4_prefix: Option<String>,
    /// An empty text removes the prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "fd12:3456:789b::/64")]
    pub ipv6_prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["10.20.0.53"]), max_items = 3)]
    pub dns_servers: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["corp.example.org"]), max_items = 6)]
    pub search_domains: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<Tunnel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "blocked")]
    pub device_traffic: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1380)]
    pub mtu: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 25)]
    pub keepalive_seconds: Option<i64>,
}

/// Prefixes that no network of the organisation uses yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PrefixSuggestion {
    #[schema(example = "10.83.17.0/24")]
    pub ipv4_prefix: String,
    /// A unique local prefix with a random global identifier (RFC 4193).
    #[schema(example = "fd4b:91c2:77e0::/64")]
    pub ipv6_prefix: String,
}
