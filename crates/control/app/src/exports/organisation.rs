//! The archive of an organisation.

use std::{collections::HashMap, io::Write};

use serde_json::json;
use warren_auth::permission::Oversee;
use warren_model::{GatewayId, gateway::Gateway};

use super::{
    archive::{Archive, Manifest},
    tables::{self, Sources},
};
use crate::{
    Inside, Language, activity,
    devices::{self, Filter},
    people,
    records::{Interrupted, Progress},
};

pub(super) async fn write<W: Write + Send + 'static>(
    inside: &Inside<'_>,
    out: W,
    language: Language,
    progress: &dyn Progress,
) -> Result<Manifest, Interrupted> {
    inside.authorise(Oversee)?;
    let here = &inside.organisation;
    let mut archive = Archive::begin(out, inside.app().clock().now(), progress);
    archive.small_table("organisation", tables::ORGANISATION, vec![tables::organisation(here)]).await?;
    archive
        .table("people", tables::PEOPLE, async |request| {
            Ok(people::page(inside, &request).await?.map(|person| tables::person(&person)))
        })
        .await?;
    let gateways = inside.cx.system().gateways().all().await?;
    let gateways: HashMap<GatewayId, Gateway> = gateways.into_iter().map(|gateway| (gateway.id, gateway)).collect();
    let gateways = &gateways;
    archive
        .table("networks", tables::NETWORKS, async |request| {
            let page = inside.tenant.networks().page(&request).await?;
            Ok(page.map(|network| tables::network(&network, gateways)))
        })
        .await?;
    archive
        .table("devices", tables::DEVICES, async |request| {
            let page = devices::page(inside, Filter::default(), &request).await?;
            let emails = devices::emails_of_owners(inside, &page.items).await?;
            Ok(page.map(|view| tables::device(&view, &emails)))
        })
        .await?;
    archive
        .table("usage", tables::USAGE, async |request| {
            Ok(devices::page(inside, Filter::default(), &request).await?.map(|view| tables::usage(&view)))
        })
        .await?;
    archive
        .table("activity", tables::ACTIVITY, async |request| {
            let page = activity::page(inside, activity::Filter::default(), &request).await?;
            Ok(page.map(|entry| tables::activity(&entry, Sources::Shown)))
        })
        .await?;
    let about = json!({ "kind": "organisation", "id": here.id.to_string(), "slug": here.slug.as_str() });
    archive.finish(about, "export-readme-organisation", language).await
}
