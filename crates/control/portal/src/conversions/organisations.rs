//! Organisations.

use warren_app::{
    AppError,
    organisations::{Change, Create, Membership, Overview},
};
use warren_wire::rest::v1;

use crate::fields::Fields;

/// # Errors
/// [`AppError::Invalid`] with every field that cannot be used.
pub fn read_create(body: &v1::CreateOrganisation) -> Result<Create, AppError> {
    let mut fields = Fields::default();
    read_create_fields(body, &mut fields).ok_or_else(|| fields.refuse())
}

pub(super) fn read_create_fields(body: &v1::CreateOrganisation, fields: &mut Fields) -> Option<Create> {
    let slug = fields.read("slug", body.slug.parse());
    let name = fields.read("name", body.name.parse());
    Some(Create { slug: slug?, name: name? })
}

/// # Errors
/// [`AppError::Invalid`] with every field that cannot be used.
pub fn read_change(body: &v1::UpdateOrganisation) -> Result<Change, AppError> {
    let mut fields = Fields::default();
    let name = fields.read_optional("name", body.name.as_deref().map(str::parse));
    let state = fields.read_optional("state", body.state.as_deref().map(str::parse));
    let (Some(name), Some(state)) = (name, state) else { return Err(fields.refuse()) };
    Ok(Change { name, state })
}

pub fn membership(membership: &Membership) -> v1::Organisation {
    let organisation = &membership.organisation;
    v1::Organisation {
        id: organisation.id.uuid(),
        slug: organisation.slug.to_string(),
        name: organisation.name.to_string(),
        state: organisation.state.as_str().to_owned(),
        role: membership.role.as_str().to_owned(),
        created_at: organisation.created_at,
        revision: organisation.revision,
    }
}

pub fn overview(overview: &Overview) -> v1::Overview {
    let devices = &overview.devices;
    v1::Overview {
        people: overview.people,
        networks: overview.networks,
        devices: v1::DeviceCounts {
            active: devices.active,
            online: devices.online,
            disabled: devices.disabled,
            expired: devices.expired,
            revoked: devices.revoked,
        },
    }
}
