//! `warren webhooks`: where an organisation's events are sent, and what was sent there.

use clap::{Args, Subcommand};
use uuid::Uuid;
use warren_wire::rest::v1::{CreateWebhook, UpdateWebhook, Webhook, WebhookDelivery, WebhookWithSecret};

use super::{
    confirm::Confirmation,
    console::{Console, ListOptions},
    format, lookup,
    scope::Scope,
    table::{Particulars, Table},
};
use crate::Failure;

/// Webhooks.
#[derive(Debug, Args)]
pub struct Webhooks {
    #[command(flatten)]
    scope: Scope,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List them.
    List(ListOptions),
    /// Show one.
    Show {
        /// A name or an identifier.
        webhook: String,
    },
    /// Add one; prints its secret, once.
    Add {
        name: String,
        url: String,
        /// An event by its name, device.* for all of a kind, or * for all; may be given 32 times.
        #[arg(long = "event", value_name = "EVENT", default_value = "*")]
        events: Vec<String>,
    },
    /// Change what is named; the rest stays.
    Change {
        /// A name or an identifier.
        webhook: String,
        /// Its new name.
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        url: Option<String>,
        /// In place of the events before; may be given 32 times.
        #[arg(long = "event", value_name = "EVENT")]
        events: Vec<String>,
        /// Events are sent, also after Warren gave it up.
        #[arg(long, conflicts_with = "disable")]
        enable: bool,
        /// Nothing is sent until it is enabled.
        #[arg(long)]
        disable: bool,
    },
    /// Remove one with the record of what was sent to it.
    Remove {
        /// A name or an identifier.
        webhook: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Replace its secret and print the new one, once; for 24 hours the one before works too.
    Rotate {
        /// A name or an identifier.
        webhook: String,
    },
    /// Send an event that says that it works.
    Test {
        /// A name or an identifier.
        webhook: String,
    },
    /// List what was sent to one, the latest first.
    Deliveries {
        /// A name or an identifier.
        webhook: String,
        #[command(flatten)]
        options: ListOptions,
    },
    /// Send a delivery again, under the same identifier.
    Replay {
        /// A name or an identifier.
        webhook: String,
        /// The delivery's identifier.
        delivery: Uuid,
    },
}

impl Webhooks {
    pub async fn run(self) -> Result<(), Failure> {
        let (console, organisation) = self.scope.enter().await?;
        let path = format!("{organisation}/webhooks");
        match self.verb {
            Verb::List(options) => {
                let empty = "There is no webhook yet; add the first: warren webhooks add NAME URL";
                console.list(&path, &[], &options, table, empty).await
            }
            Verb::Show { webhook } => {
                let answer = console.client.get(&one(&console, &path, &webhook).await?).await?;
                console.show(&answer, |webhook: Webhook| particulars(&webhook))
            }
            Verb::Add { name, url, events } => {
                let answer = console.client.post(&path, &CreateWebhook { name, url, events }).await?;
                console.show(&answer, secret)
            }
            Verb::Change { webhook, name, url, events, enable, disable } => {
                let standing = match (enable, disable) {
                    (true, _) => Some("enabled".to_owned()),
                    (_, true) => Some("disabled".to_owned()),
                    _ => None,
                };
                let change = UpdateWebhook { name, url, events: (!events.is_empty()).then_some(events), standing };
                let path = one(&console, &path, &webhook).await?;
                let read = console.client.get(&path).await?;
                let answer = console.client.patch(&path, &read, &change).await?;
                console.show(&answer, |now: Webhook| particulars(&now))
            }
            Verb::Remove { webhook, confirmation } => {
                let path = one(&console, &path, &webhook).await?;
                let read = console.client.get(&path).await?;
                let known: Webhook = read.read()?;
                confirmation.ask(&format!("Remove the webhook {}?", known.name))?;
                console.client.delete(&path, &read).await?;
                console.done(format_args!("Removed {}.", known.name))
            }
            Verb::Rotate { webhook } => {
                let path = one(&console, &path, &webhook).await?;
                let read = console.client.get(&path).await?;
                let answer = console.client.post_to(&format!("{path}/secret"), &read).await?;
                console.show(&answer, secret)
            }
            Verb::Test { webhook } => {
                let path = format!("{}/test", one(&console, &path, &webhook).await?);
                let answer = console.client.post(&path, &serde_json::json!({})).await?;
                console.show(&answer, on_its_way)
            }
            Verb::Deliveries { webhook, options } => {
                let path = format!("{}/deliveries", one(&console, &path, &webhook).await?);
                console.list(&path, &[], &options, sent, "Nothing was sent to it yet").await
            }
            Verb::Replay { webhook, delivery } => {
                let path = format!("{}/deliveries/{delivery}/replay", one(&console, &path, &webhook).await?);
                let answer = console.client.post(&path, &serde_json::json!({})).await?;
                console.show(&answer, on_its_way)
            }
        }
    }
}

/// The path of the one that `given` names.
async fn one(console: &Console, path: &str, given: &str) -> Result<String, Failure> {
    Ok(format!("{path}/{}", lookup::find::<Webhook>(console, path, &[], given).await?))
}

fn secret(made: WebhookWithSecret) -> String {
    format!("{}\nsecret, shown this once: {}", particulars(&made.webhook), made.secret)
}

fn on_its_way(delivery: WebhookDelivery) -> String {
    format!("{} is on its way as {}.", delivery.event, delivery.id)
}

fn table(items: &[Webhook]) -> Table {
    Table::new(&["NAME", "URL", "EVENTS", "STANDING", "ID"]).rows(items, |webhook| {
        vec![
            webhook.name.clone(),
            webhook.url.clone(),
            format::list(webhook.events.clone()),
            webhook.standing.clone(),
            webhook.id.to_string(),
        ]
    })
}

fn sent(items: &[WebhookDelivery]) -> Table {
    Table::new(&["WHEN", "EVENT", "STATE", "ATTEMPTS", "ANSWER", "ID"]).rows(items, |delivery| {
        let answer = delivery.answer.as_ref();
        let answer =
            answer.map(|answer| answer.status.map_or_else(|| answer.text.clone(), |status| status.to_string()));
        vec![
            format::moment(Some(delivery.created_at)),
            delivery.event.clone(),
            delivery.state.clone(),
            delivery.attempts.to_string(),
            answer.unwrap_or_default(),
            delivery.id.to_string(),
        ]
    })
}

fn particulars(webhook: &Webhook) -> Particulars {
    Particulars::of(&webhook.name)
        .line("url", &webhook.url)
        .line("events", format::list(webhook.events.clone()))
        .line("standing", &webhook.standing)
        .line("failures", format!("{} in a row", webhook.failures_in_a_row))
        .line("created", format::moment(Some(webhook.created_at)))
        .line("id", webhook.id.to_string())
}
