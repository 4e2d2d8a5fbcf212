//! `/o/{organisation}/devices`: all of them for admins, their own for members.

use askama::Template;
use axum::response::Response;
use serde::Deserialize;
use warren_app::{
    devices::{self, Filter},
    networks, people,
};
use warren_model::{DeviceName, Role, page::PageRequest};

use super::super::{
    page::Page,
    pager::{CursorGiven, Pager},
    reader::Reader,
    shown,
    views::{Choice, Device},
};
use crate::{
    fields::Fields,
    paging::{Asked, Paging},
    path::Slug,
    problem::Rejection,
};

#[derive(Template)]
#[template(path = "devices/list.html")]
struct List {
    page: Page,
    devices: Vec<Device>,
    filter: Query,
    filtered: bool,
    searchable: bool,
    can_enrol: bool,
    networks: Vec<Choice>,
    people: Vec<Choice>,
    pager: Pager,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    q: String,
    network: String,
    owner: String,
}

impl Query {
    fn read(&self) -> Result<Filter, Rejection> {
        let present = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let mut fields = Fields::default();
        let network = fields.read_optional("network", present(&self.network).map(|id| id.parse()));
        let owner = fields.read_optional("owner", present(&self.owner).map(|id| id.parse()));
        let (Some(network), Some(owner)) = (network, owner) else { return Err(fields.refuse().into()) };
        // A name that long is part of no name.
        let text = present(&self.q).map(|text| text.chars().take(DeviceName::CHARACTERS_MAX + 1).collect());
        Ok(Filter { network, owner, text })
    }
    fn is_empty(&self) -> bool {
        [&self.q, &self.network, &self.owner].iter().all(|text| text.trim().is_empty())
    }
}

pub(super) async fn show(
    reader: Reader,
    Slug(slug): Slug,
    Asked(query): Asked<Query>,
    Paging(request): Paging,
) -> Result<Response, Rejection> {
    let filter = query.read()?;
    let inside = reader.enter(&slug).await?;
    let found = devices::page(&inside, filter, &request).await?;
    let networks = networks::page(&inside, &PageRequest::first_of_most()).await?.items;
    let people = match inside.insider.role() {
        Role::Admin => people::page(&inside, &PageRequest::first_of_most()).await?.items,
        Role::Member => Vec::new(),
    };
    let kept = [("q", query.q.as_str()), ("network", query.network.as_str()), ("owner", query.owner.as_str())];
    let pager = Pager::of(&found, &format!("/o/{slug}/devices"), &kept, CursorGiven::of(&request));
    let network_entries =
        networks.iter().map(|view| (view.network.id.to_string(), view.network.settings.name.to_string()));
    let person_entries = people.iter().map(|person| (person.account.to_string(), person.name.to_string()));
    shown(&List {
        page: reader.page(&inside, "devices").await?,
        devices: found.items.iter().map(Device::from).collect(),
        filtered: !query.is_empty(),
        searchable: !query.is_empty() || !found.items.is_empty(),
        can_enrol: !networks.is_empty(),
        networks: Choice::list(network_entries, &query.network),
        people: Choice::list(person_entries, &query.owner),
        filter: query,
        pager,
    })
}
