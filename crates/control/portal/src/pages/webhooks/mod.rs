//! The webhooks of an organisation.

mod delivery;
mod edit;
mod remove;
mod secret;
mod show;

use askama::Template;
use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use warren_app::webhooks::{self, Webhook};
use warren_model::Timestamp;

use super::{page::Page, reader::Reader, shown};
use crate::{PortalState, path::Slug, problem::Rejection};

pub(super) fn router() -> Router<PortalState> {
    Router::new()
        .route("/o/{organisation}/webhooks", get(list))
        .route("/o/{organisation}/webhooks/new", get(edit::show_new).post(edit::submit_new))
        .route("/o/{organisation}/webhooks/{webhook}", get(show::show))
        .route("/o/{organisation}/webhooks/{webhook}/edit", get(edit::show).post(edit::submit))
        .route("/o/{organisation}/webhooks/{webhook}/remove", get(remove::show).post(remove::submit))
        .route("/o/{organisation}/webhooks/{webhook}/secret", get(secret::ask).post(secret::submit))
        .route("/o/{organisation}/webhooks/{webhook}/test", post(show::test))
        .route("/o/{organisation}/webhooks/{webhook}/deliveries/{delivery}", get(delivery::show))
        .route("/o/{organisation}/webhooks/{webhook}/deliveries/{delivery}/replay", post(delivery::replay))
}

#[derive(Template)]
#[template(path = "webhooks/list.html")]
struct List {
    page: Page,
    webhooks: Vec<Shown>,
}

/// A webhook as templates show it.
struct Shown {
    id: String,
    name: String,
    url: String,
    events: Vec<String>,
    standing: String,
    tone: &'static str,
    former_secret_until: Option<Timestamp>,
    created_at: Timestamp,
}

impl From<&Webhook> for Shown {
    fn from(webhook: &Webhook) -> Self {
        Self {
            id: webhook.id.to_string(),
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            events: webhook.events.clone(),
            standing: word(webhook.standing.as_str()),
            tone: match webhook.standing {
                webhooks::WebhookStanding::Enabled => "good",
                webhooks::WebhookStanding::Disabled => "warn",
                webhooks::WebhookStanding::GivenUp => "bad",
            },
            former_secret_until: webhook.former_secret_until,
            created_at: webhook.created_at,
        }
    }
}

/// A word of the API as it stands in the catalogues' keys.
fn word(word: &str) -> String {
    word.replace('_', "-")
}

async fn list(reader: Reader, Slug(slug): Slug) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let all = webhooks::all(&inside).await?;
    shown(&List { page: reader.page(&inside, "webhooks").await?, webhooks: all.iter().map(Shown::from).collect() })
}
