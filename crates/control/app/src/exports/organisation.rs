//! The archive of an organisation.

use std::{collections::HashMap, io::Write};

use serde_json::json;
use warren_auth::permission::Oversee;
use warren_model::{GatewayId, gateway::Gateway};

use super::{
    archive::{Archive, Manifest},
    pages::Pages,
    tables,
};
use crate::{
    Inside, Language,
    devices::Filter,
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
    let settings = [tables::organisation(here)];
    archive.table("organisation", tables::ORGANISATION, Pages::Known(&settings)).await?;
    archive.table("people", tables::PEOPLE, Pages::People(inside)).await?;
    let gateways = inside.cx.system().gateways().all().await?;
    let gateways: HashMap<GatewayId, Gateway> = gateways.into_iter().map(|gateway| (gateway.id, gateway)).collect();
    archive.table("networks", tables::NETWORKS, Pages::Networks(inside, &gateways)).await?;
    archive.table("devices", tables::DEVICES, Pages::Devices(inside, Filter::default())).await?;
    archive.table("usage", tables::USAGE, Pages::Usage(inside, Filter::default())).await?;
    archive.table("activity", tables::ACTIVITY, Pages::Activity(inside)).await?;
    let about = json!({ "kind": "organisation", "id": here.id.to_string(), "slug": here.slug.as_str() });
    archive.finish(about, "export-readme-organisation", language).await
}
