//! The management commands: the same use cases as the portal and the API, reached through the admin socket.

mod activity;
mod client;
mod confirm;
mod console;
pub mod database;
mod dependencies;
mod devices;
mod export;
mod files;
mod following;
mod format;
mod gateways;
mod import;
mod installation;
mod jobs;
mod lookup;
mod mail;
mod moment;
mod networks;
mod organisations;
mod people;
mod qr;
mod scope;
mod table;
mod webhooks;

use clap::Subcommand;

use crate::Failure;

pub use confirm::Confirmation;
pub use console::print;

/// What can be managed.
#[derive(Debug, Subcommand)]
pub enum Manage {
    /// Organisations: each has its own people, networks, devices and database.
    Organisations(organisations::Organisations),
    /// The people of an organisation.
    People(people::People),
    /// The private networks of an organisation.
    Networks(networks::Networks),
    /// The devices of an organisation.
    Devices(devices::Devices),
    /// Where an organisation's events are sent, and what was sent there.
    Webhooks(webhooks::Webhooks),
    /// Invite people or add devices from a table; tries it first unless told otherwise.
    Import(import::Import),
    /// Take out everything of an organisation, or what it holds of a person, as an archive.
    Export(export::Export),
    /// Report the usage or the activity of a period, as a table and a page.
    Report(export::Report),
    /// Files of an organisation: what was uploaded, and what came of imports and other jobs.
    Files(files::Files),
    /// The gateways of the installation.
    Gateways(gateways::Gateways),
    /// Work that is done outside of requests: queues, and the jobs in them.
    Jobs(jobs::Jobs),
    /// Letters that went out or were kept, and a test.
    Mail(mail::Mail),
    /// What Warren needs and cannot trust to be there: mail servers, caches, webhooks.
    Dependencies(dependencies::Dependencies),
    /// What was changed, by whom and when, the latest first.
    Activity(activity::Activity),
    /// How the installation is.
    Status(installation::Status),
    /// Make a new link for the first use of the installation; the one before stops working.
    SetUpLink(installation::SetUpLink),
}

impl Manage {
    /// Does it.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Organisations(noun) => noun.run().await,
            Self::People(noun) => noun.run().await,
            Self::Networks(noun) => noun.run().await,
            Self::Devices(noun) => noun.run().await,
            Self::Webhooks(noun) => noun.run().await,
            Self::Import(verb) => verb.run().await,
            Self::Export(verb) => verb.run().await,
            Self::Report(verb) => verb.run().await,
            Self::Files(noun) => noun.run().await,
            Self::Gateways(noun) => noun.run().await,
            Self::Jobs(noun) => noun.run().await,
            Self::Mail(noun) => noun.run().await,
            Self::Dependencies(noun) => noun.run().await,
            Self::Activity(noun) => noun.run().await,
            Self::Status(noun) => noun.run().await,
            Self::SetUpLink(noun) => noun.run().await,
        }
    }
}
