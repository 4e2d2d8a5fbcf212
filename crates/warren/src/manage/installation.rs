//! `warren status` and `warren set-up-link`: the installation as a whole.

use clap::Args;
use warren_wire::rest::v1::{InstallationStatus, InvitationLink};

use super::{format, scope::Reach, table::Particulars};
use crate::{Failure, set_up_link};

/// How the installation is.
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    reach: Reach,
}

impl Status {
    pub async fn run(self) -> Result<(), Failure> {
        let console = self.reach.console();
        let answer = console.client.get("/api/v1/status").await?;
        console.show(&answer, |status| particulars(&status))
    }
}

/// A new link for the first use.
#[derive(Debug, Args)]
pub struct SetUpLink {
    #[command(flatten)]
    reach: Reach,
}

impl SetUpLink {
    pub async fn run(self) -> Result<(), Failure> {
        let console = self.reach.console();
        let answer = console.client.post(set_up_link::PATH, &serde_json::json!({})).await?;
        console.show(&answer, |made: InvitationLink| {
            format!(
                "Open this link to set Warren up; it works once, until {}:\n\n  {}",
                format::moment(Some(made.expires_at)),
                made.link
            )
        })
    }
}

fn particulars(status: &InstallationStatus) -> Particulars {
    let shown = Particulars::of(format!("Warren {} at {}", status.version, status.public_url))
        .line("set up", if status.set_up { "yes" } else { "not yet; see: warren set-up-link" })
        .line("running for", format::duration(status.uptime_seconds))
        .line(
            "organisations",
            format!("{} ({} of their databases open)", status.organisations, status.open_organisation_databases),
        )
        .line("gateways", format!("{} of {} online", status.gateways_online, status.gateways));
    status.notices.iter().fold(shown, |shown, notice| shown.line("notice", notice))
}
