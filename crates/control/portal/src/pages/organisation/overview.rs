//! `/o/{organisation}`: what is going on now, and what to do next.

use std::cmp::Reverse;

use askama::Template;
use axum::response::Response;
use warren_app::{
    devices::{self, Filter},
    networks,
    organisations::{self, Overview},
};
use warren_model::{OrganisationState, Role, page::PageRequest};

use super::super::{
    page::Page,
    reader::Reader,
    shown,
    views::{Device, Network},
};
use crate::{path::Slug, problem::Rejection};

/// The devices that the overview names.
const DEVICES_MAX: usize = 6;
/// The networks that the overview names.
const NETWORKS_MAX: i64 = 6;

#[derive(Template)]
#[template(path = "organisation/overview.html")]
struct Shown {
    page: Page,
    suspended: bool,
    /// Admins see the organisation in numbers.
    counts: Option<Overview>,
    networks: Vec<Network>,
    devices: Vec<Device>,
    steps: Steps,
}

/// The path from nothing to a connection; each step is `done`, `now` or `later`.
struct Steps {
    network: &'static str,
    device: &'static str,
    connect: &'static str,
}

impl Steps {
    fn of(has_network: bool, has_device: bool, has_connected: bool) -> Self {
        let word = |done, before| match (done, before) {
            (true, _) => "done",
            (false, true) => "now",
            (false, false) => "later",
        };
        Self {
            network: word(has_network, true),
            device: word(has_device, has_network),
            connect: word(has_connected, has_device),
        }
    }
    fn is_complete(&self) -> bool {
        self.connect == "done"
    }
}

pub(super) async fn show(reader: Reader, Slug(slug): Slug) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let counts = match inside.insider.role() {
        Role::Admin => Some(organisations::overview(&inside).await?),
        Role::Member => None,
    };
    let some = PageRequest::new(Some(NETWORKS_MAX), None).expect("within the limits of a page");
    let networks: Vec<Network> = networks::page(&inside, &some).await?.items.iter().map(Network::from).collect();
    let mut devices = devices::page(&inside, Filter::default(), &PageRequest::first_of_most()).await?.items;
    devices.sort_by_key(|view| (Reverse(view.online), Reverse(view.usage.last_handshake_at), Reverse(view.device.id)));
    let has_connected = devices.iter().any(|view| view.usage.last_handshake_at.is_some());
    let devices: Vec<Device> = devices.iter().take(DEVICES_MAX).map(Device::from).collect();
    shown(&Shown {
        page: reader.page(&inside, "overview").await?,
        suspended: inside.organisation.state == OrganisationState::Suspended,
        counts,
        steps: Steps::of(!networks.is_empty(), !devices.is_empty(), has_connected),
        networks,
        devices,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_shows_the_one_next_step() {
        let words = |steps: Steps| [steps.network, steps.device, steps.connect];
        assert_eq!(words(Steps::of(false, false, false)), ["now", "later", "later"]);
        assert_eq!(words(Steps::of(true, false, false)), ["done", "now", "later"]);
        assert_eq!(words(Steps::of(true, true, false)), ["done", "done", "now"]);
        assert!(Steps::of(true, true, true).is_complete());
    }
}
