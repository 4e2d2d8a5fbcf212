//! `warren organisations`: each customer of the installation.

use clap::{Args, Subcommand};
use warren_model::OrganisationSlug;
use warren_wire::rest::v1::{CreateOrganisation, Organisation, Overview, UpdateOrganisation};

use super::{
    console::ListOptions,
    format,
    scope::{Reach, organisation_path},
    table::{Particulars, Table},
};
use crate::Failure;

const PATH: &str = "/api/v1/organisations";

/// Organisations.
#[derive(Debug, Args)]
pub struct Organisations {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List them.
    List(ListOptions),
    /// Show one, in numbers.
    Show { slug: OrganisationSlug },
    /// Create one with a database of its own.
    Create {
        /// Its name in addresses, as `northwind`; never changes.
        slug: OrganisationSlug,
        /// What it calls itself.
        name: String,
    },
    /// Give one another name; its slug stays.
    Rename { slug: OrganisationSlug, name: String },
    /// Shut one: nobody can work in it and its gateways carry nothing for it. Its data stay.
    Suspend { slug: OrganisationSlug },
    /// Open a suspended one again.
    Resume { slug: OrganisationSlug },
}

impl Organisations {
    pub async fn run(self) -> Result<(), Failure> {
        let console = self.reach.console();
        match self.verb {
            Verb::List(options) => {
                console.list(PATH, &[], &options, table, "There is no organisation yet; see: warren set-up-link").await
            }
            Verb::Show { slug } => {
                let path = organisation_path(slug.as_str());
                let answer = console.client.get(&path).await?;
                let overview: Overview = console.client.get(&format!("{path}/overview")).await?.read()?;
                console.show(&answer, |organisation| particulars(&organisation, &overview))
            }
            Verb::Create { slug, name } => {
                let body = CreateOrganisation { slug: slug.to_string(), name };
                let answer = console.client.post(PATH, &body).await?;
                console.show(&answer, |made: Organisation| format!("Created {} ({}).", made.name, made.slug))
            }
            Verb::Rename { slug, name } => {
                change(&self.reach, &slug, UpdateOrganisation { name: Some(name), state: None }).await
            }
            Verb::Suspend { slug } => change(&self.reach, &slug, state("suspended")).await,
            Verb::Resume { slug } => change(&self.reach, &slug, state("active")).await,
        }
    }
}

async fn change(reach: &Reach, slug: &OrganisationSlug, body: UpdateOrganisation) -> Result<(), Failure> {
    let console = reach.console();
    let path = organisation_path(slug.as_str());
    let read = console.client.get(&path).await?;
    let answer = console.client.patch(&path, &read, &body).await?;
    console.show(&answer, |now: Organisation| format!("{} ({}) is {}.", now.name, now.slug, now.state))
}

fn state(state: &str) -> UpdateOrganisation {
    UpdateOrganisation { name: None, state: Some(state.to_owned()) }
}

fn table(items: &[Organisation]) -> Table {
    Table::new(&["SLUG", "NAME", "STATE", "CREATED", "ID"]).rows(items, |organisation| {
        vec![
            organisation.slug.clone(),
            organisation.name.clone(),
            organisation.state.clone(),
            format::moment(Some(organisation.created_at)),
            organisation.id.to_string(),
        ]
    })
}

fn particulars(organisation: &Organisation, overview: &Overview) -> Particulars {
    let devices = overview.devices;
    Particulars::of(&organisation.name)
        .line("slug", &organisation.slug)
        .line("state", &organisation.state)
        .line("people", overview.people.to_string())
        .line("networks", overview.networks.to_string())
        .line(
            "devices",
            format!(
                "{} active ({} online), {} disabled, {} expired, {} revoked",
                devices.active, devices.online, devices.disabled, devices.expired, devices.revoked
            ),
        )
        .line("created", format::moment(Some(organisation.created_at)))
        .line("id", organisation.id.to_string())
}
