//! Where the lines of an archive's tables come from, a page at a time.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use warren_model::{
    AccountId, GatewayId,
    audit::{Actor, AuditEntry},
    gateway::Gateway,
    page::{Page, PageRequest},
};
use warren_storage::SystemModels;

use super::{
    lines::Cell,
    tables::{self, Sources},
};
use crate::{
    AppError, Inside, activity,
    devices::{self, Filter},
    people,
};

/// The lines of a table.
pub(super) enum Pages<'a> {
    /// They are few, and known.
    Known(&'a [Vec<Cell>]),
    People(&'a Inside<'a>),
    Networks(&'a Inside<'a>, &'a HashMap<GatewayId, Gateway>),
    Devices(&'a Inside<'a>, Filter),
    Usage(&'a Inside<'a>, Filter),
    Activity(&'a Inside<'a>),
    /// Of the organisation's trail, what concerns a person.
    ActivityOf(&'a Inside<'a>, &'a Concern),
    /// The same of the installation's trail.
    InstallationActivityOf(&'a SystemModels, &'a Concern),
}

/// What concerns a person in a trail: what they did, and what was done to them or to one of their devices.
pub(super) struct Concern {
    pub account: AccountId,
    pub devices: HashSet<Uuid>,
    pub sources: Sources,
}

impl Pages<'_> {
    pub async fn page(&self, request: &PageRequest) -> Result<Page<Vec<Cell>>, AppError> {
        match self {
            Self::Known(lines) => Ok(Page { items: lines.to_vec(), next_cursor: None }),
            Self::People(inside) => Ok(people::page(inside, request).await?.map(|person| tables::person(&person))),
            Self::Networks(inside, gateways) => {
                let page = inside.tenant.networks().page(request).await?;
                Ok(page.map(|network| tables::network(&network, gateways)))
            }
            Self::Devices(inside, filter) => {
                let page = devices::page(inside, filter.clone(), request).await?;
                let emails = devices::emails_of_owners(inside, &page.items).await?;
                Ok(page.map(|view| tables::device(&view, &emails)))
            }
            Self::Usage(inside, filter) => {
                Ok(devices::page(inside, filter.clone(), request).await?.map(|view| tables::usage(&view)))
            }
            Self::Activity(inside) => {
                let page = activity::page(inside, activity::Filter::default(), request).await?;
                Ok(page.map(|entry| tables::activity(&entry, Sources::Shown)))
            }
            Self::ActivityOf(inside, concern) => {
                Ok(concern.of(inside.tenant.audit().page(&Default::default(), request).await?))
            }
            Self::InstallationActivityOf(system, concern) => {
                Ok(concern.of(system.audit().page(request).await?.map(|(entry, _)| entry)))
            }
        }
    }
}

impl Concern {
    /// The lines of those entries of a page that are of concern.
    fn of(&self, page: Page<AuditEntry>) -> Page<Vec<Cell>> {
        let items = page.items.iter().filter(|entry| self.is_about(entry));
        let items = items.map(|entry| tables::activity(entry, self.sources)).collect();
        Page { items, next_cursor: page.next_cursor }
    }

    fn is_about(&self, entry: &AuditEntry) -> bool {
        let acted = matches!(entry.actor, Actor::Account { id, .. } if id == self.account);
        acted || entry.subject == self.account.uuid() || self.devices.contains(&entry.subject)
    }
}
