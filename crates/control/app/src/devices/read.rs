//! What people see of devices.

use std::collections::{BTreeSet, HashMap};

use warren_auth::permission::{ManageDevicesOf, Oversee};
use warren_model::{
    AccountId, Device, DeviceId, DeviceState, NetworkId, NetworkName, OrganisationId, PersonName, Role,
    device::Usage,
    page::{Page, PageRequest},
};
use warren_storage::{DeviceFilter, Staleness};

use super::reach::within_reach;
use crate::{App, AppError, Inside, Thing};

/// A device and what belongs to it.
#[derive(Debug, Clone)]
pub struct DeviceView {
    pub device: Device,
    pub state: DeviceState,
    pub network_name: NetworkName,
    pub owner_name: PersonName,
    pub usage: Usage,
    /// Whether it holds a session now.
    pub online: bool,
}

/// Which devices are asked for; none means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub network: Option<NetworkId>,
    pub owner: Option<AccountId>,
    /// Part of a name, in any case.
    pub text: Option<String>,
}

/// Devices that the caller may see: admins all of them, members their own.
///
/// # Errors
/// [`AppError::Unavailable`]
pub async fn page(inside: &Inside<'_>, filter: Filter, request: &PageRequest) -> Result<Page<DeviceView>, AppError> {
    let owner = match inside.insider.role() {
        Role::Admin => {
            inside.authorise(Oversee)?;
            filter.owner
        }
        Role::Member => {
            let own = inside.insider.account().ok_or(AppError::Forbidden)?;
            inside.authorise(ManageDevicesOf { owner: own })?;
            Some(own)
        }
    };
    let filter = DeviceFilter { network: filter.network, owner, text: filter.text };
    let page = inside.tenant.allowing(Staleness::Bounded).devices().page(&filter, request).await?;
    Ok(Page { items: views(inside, page.items, Staleness::Bounded).await?, next_cursor: page.next_cursor })
}

/// One device. Its owner, and admins; nobody else learns that it exists.
///
/// # Errors
/// [`AppError::NotFound`]
pub async fn show(inside: &Inside<'_>, id: DeviceId) -> Result<DeviceView, AppError> {
    let (device, _) = within_reach(inside, id).await?;
    views(inside, vec![device], Staleness::Current).await?.pop().ok_or(AppError::NotFound(Thing::Device))
}

/// The addresses of the owners of devices, as far as they belong to the organisation still.
pub(crate) async fn emails_of_owners(
    inside: &Inside<'_>,
    devices: &[DeviceView],
) -> Result<HashMap<AccountId, String>, AppError> {
    let owners: BTreeSet<AccountId> = devices.iter().map(|view| view.device.owner).collect();
    let owners: Vec<AccountId> = owners.into_iter().collect();
    let system = inside.cx.system().allowing(Staleness::Bounded);
    let people = system.memberships().people(inside.organisation.id, &owners).await?;
    Ok(people.into_iter().map(|person| (person.account, person.email.to_string())).collect())
}

/// Finds the names and the usage of many devices in a query each.
async fn views(inside: &Inside<'_>, devices: Vec<Device>, staleness: Staleness) -> Result<Vec<DeviceView>, AppError> {
    if devices.is_empty() {
        return Ok(Vec::new());
    }
    let (app, organisation) = (inside.app(), inside.organisation.id);
    let ids: Vec<DeviceId> = devices.iter().map(|device| device.id).collect();
    // Most devices of a page belong to few people.
    let owners: BTreeSet<AccountId> = devices.iter().map(|device| device.owner).collect();
    let owners: Vec<AccountId> = owners.into_iter().collect();
    let (system, tenant) = (inside.cx.system().allowing(staleness), inside.tenant.allowing(staleness));
    let stored = tenant.usage().of_many(&ids).await?;
    let names = system.accounts().names(&owners).await?;
    let networks = tenant.networks().all().await?;
    let networks: HashMap<NetworkId, NetworkName> = networks.into_iter().map(|n| (n.id, n.settings.name)).collect();
    let mut views = Vec::with_capacity(devices.len());
    for device in devices {
        // A network that has been removed since has taken its devices with it.
        let (Some(network_name), Some(owner_name)) = (networks.get(&device.network), names.get(&device.owner)) else {
            continue;
        };
        let (network_name, owner_name) = (network_name.clone(), owner_name.clone());
        let id = device.id;
        let mut view = view_of(app, organisation, device, network_name, owner_name);
        if app.live().usage(organisation, id).is_none() {
            view.usage = stored.get(&id).cloned().unwrap_or_default();
            view.online = view.state == DeviceState::Active && view.usage.is_online(app.clock().now());
        }
        views.push(view);
    }
    Ok(views)
}

/// The view of a device whose names are known, with the usage that is in memory.
pub(super) fn view_of(
    app: &App,
    organisation: OrganisationId,
    device: Device,
    network_name: NetworkName,
    owner_name: PersonName,
) -> DeviceView {
    let now = app.clock().now();
    let state = device.state(now);
    let usage = app.live().usage(organisation, device.id).unwrap_or_default();
    let online = state == DeviceState::Active && usage.is_online(now);
    DeviceView { device, state, network_name, owner_name, usage, online }
}
