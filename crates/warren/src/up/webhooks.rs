//! The options that say where webhooks may lead.

use std::path::PathBuf;

use clap::Args;
use ipnet::IpNet;
use warren_courier::{WebhookConfig, WebhookRules, webhook::PlainHttp};

/// Where webhooks may lead; without any of these, to https:// on the public internet.
#[derive(Debug, Clone, Default, Args)]
pub struct WebhookOptions {
    /// A prefix that webhooks may lead into although it is not on the public internet; may be given more than once.
    #[arg(long, value_name = "PREFIX")]
    webhook_allow: Vec<IpNet>,
    /// Webhooks may lead to http:// too, readable on the way: for development.
    #[arg(long)]
    webhook_plain_http: bool,
    /// Authorities that webhooks' receivers are trusted by besides the host's own, in PEM.
    #[arg(long, env = "WARREN_WEBHOOK_CA", value_name = "FILE")]
    webhook_ca: Option<PathBuf>,
}

impl WebhookOptions {
    /// The rules that they make.
    pub fn config(&self) -> WebhookConfig {
        let plain_http = if self.webhook_plain_http { PlainHttp::Allowed } else { PlainHttp::Refused };
        WebhookConfig {
            rules: WebhookRules { plain_http, also_allowed: self.webhook_allow.clone() },
            ca_file: self.webhook_ca.clone(),
            ..WebhookConfig::default()
        }
    }
}
