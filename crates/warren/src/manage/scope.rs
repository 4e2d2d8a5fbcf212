//! Options that the management commands share: which server, which organisation, which form of output.

use std::path::PathBuf;

use clap::Args;
use warren_model::OrganisationSlug;
use warren_wire::rest::v1::{Organisation, Page};

use super::{
    client::Client,
    console::{Console, Output},
};
use crate::{Failure, folder};

/// Which server, and how its answers are shown.
#[derive(Debug, Clone, Args)]
pub struct Reach {
    /// The data folder of the server.
    #[arg(long, env = "WARREN_DATA", default_value = folder::DEFAULT, value_name = "DIR", global = true)]
    data: PathBuf,
    /// Print the API's JSON, unchanged.
    #[arg(long, global = true)]
    json: bool,
}

impl Reach {
    /// Whether programs read the output.
    pub const fn output(&self) -> Output {
        if self.json { Output::Json } else { Output::Human }
    }
    /// The console for it.
    pub fn console(&self) -> Console {
        Console::new(Client::new(self.data.clone()), self.output())
    }
}

/// Which organisation of which server.
#[derive(Debug, Clone, Args)]
pub struct Scope {
    #[command(flatten)]
    pub reach: Reach,
    /// The organisation's slug; needed only where there are several.
    #[arg(long, short, env = "WARREN_ORGANISATION", value_name = "SLUG", global = true)]
    organisation: Option<OrganisationSlug>,
}

impl Scope {
    /// The console, and the path of the organisation that was meant.
    ///
    /// # Errors
    /// [`Failure::Unnamed`] when there is not exactly one and none was named.
    pub async fn enter(&self) -> Result<(Console, String), Failure> {
        let console = self.reach.console();
        let slug = match &self.organisation {
            Some(slug) => slug.to_string(),
            None => only_organisation(&console).await?,
        };
        Ok((console, organisation_path(&slug)))
    }
}

/// Where an organisation stands in the API.
pub fn organisation_path(slug: &str) -> String {
    format!("/api/v1/organisations/{slug}")
}

async fn only_organisation(console: &Console) -> Result<String, Failure> {
    let page: Page<Organisation> = console.client.get("/api/v1/organisations?limit=20").await?.read()?;
    match page.items.as_slice() {
        [] => Err(Failure::Unnamed("there is no organisation yet; see: warren set-up-link".into())),
        [only] if page.next_cursor.is_none() => Ok(only.slug.clone()),
        several => {
            let slugs: Vec<&str> = several.iter().map(|organisation| organisation.slug.as_str()).collect();
            let more = if page.next_cursor.is_some() { ", …" } else { "" };
            Err(Failure::Unnamed(format!("say which organisation with --organisation: {}{more}", slugs.join(", "))))
        }
    }
}
