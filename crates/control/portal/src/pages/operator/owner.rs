//! Whose something is, with the way to that organisation's pages.

use std::collections::HashMap;

use warren_app::{AppError, OpContext, organisations};
use warren_model::{Organisation, OrganisationId};

use super::super::page::Page;

/// An organisation, or the installation itself.
#[derive(Debug, Clone)]
pub(super) struct OwnerShown {
    pub name: String,
    /// None for the installation, and for an organisation that is gone.
    pub slug: Option<String>,
}

/// The names of organisations.
pub(super) struct Owners(HashMap<OrganisationId, Organisation>);

impl Owners {
    /// Those that something speaks of.
    pub async fn of(cx: &OpContext, spoken_of: Vec<Option<OrganisationId>>) -> Result<Self, AppError> {
        Ok(Self(organisations::named(cx, spoken_of.into_iter().flatten()).await?))
    }

    pub fn show(&self, page: &Page, organisation: Option<OrganisationId>) -> OwnerShown {
        let Some(id) = organisation else { return OwnerShown { name: page.text("place-installation"), slug: None } };
        match self.0.get(&id) {
            Some(known) => OwnerShown { name: known.name.to_string(), slug: Some(known.slug.to_string()) },
            None => OwnerShown { name: id.to_string(), slug: None },
        }
    }
}
