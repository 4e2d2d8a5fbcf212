//! The installation as a whole.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the installation is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InstallationStatus {
    #[schema(example = "0.1.0")]
    pub version: String,
    #[schema(example = "https://vpn.example.org")]
    pub public_url: String,
    /// Whether an operator exists.
    pub set_up: bool,
    pub uptime_seconds: u64,
    pub organisations: u64,
    pub open_organisation_databases: u64,
    pub gateways: u64,
    pub gateways_online: u64,
    /// What is not as it should be, one sentence each.
    #[schema(example = json!(["The gateway did not start: /usr/sbin/nft is missing; run: apt-get install nftables"]))]
    pub notices: Vec<String>,
}
