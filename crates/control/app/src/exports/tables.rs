//! The tables of archives, and how things of the domain become their lines.

use std::collections::HashMap;

use warren_model::{
    AccountId, Device, GatewayId, Network, Organisation, Person, Tunnel,
    audit::{Actor, AuditEntry, Source},
    device::PresharedKeyUse,
    gateway::Gateway,
};

use super::lines::Cell;
use crate::devices::DeviceView;

pub(super) const ORGANISATION: &[&str] = &["organisation_id", "slug", "name", "state", "created_at"];

pub(super) fn organisation(it: &Organisation) -> Vec<Cell> {
    vec![
        Cell::text(it.id),
        Cell::text(&it.slug),
        Cell::text(&it.name),
        Cell::text(it.state.as_str()),
        Cell::Moment(it.created_at),
    ]
}

pub(super) const PEOPLE: &[&str] = &["account_id", "email", "name", "role", "standing", "member_since"];

pub(super) fn person(it: &Person) -> Vec<Cell> {
    vec![
        Cell::text(it.account),
        Cell::text(&it.email),
        Cell::text(&it.name),
        Cell::text(it.role.as_str()),
        Cell::text(it.standing.as_str()),
        Cell::Moment(it.created_at),
    ]
}

pub(super) const NETWORKS: &[&str] = &[
    "network_id",
    "name",
    "ipv4",
    "ipv6",
    "dns_servers",
    "search_domains",
    "tunnel",
    "routes",
    "device_traffic",
    "mtu_bytes",
    "keepalive_seconds",
    "endpoint",
    "public_key",
    "created_at",
];

pub(super) fn network(it: &Network, gateways: &HashMap<GatewayId, Gateway>) -> Vec<Cell> {
    fn list<T: ToString>(items: &[T]) -> Cell {
        Cell::List(items.iter().map(ToString::to_string).collect())
    }
    let settings = &it.settings;
    let (tunnel, routes) = match &settings.tunnel {
        Tunnel::Full => ("full", Cell::Absent),
        Tunnel::Split { routes } => ("split", list(routes)),
    };
    vec![
        Cell::text(it.id),
        Cell::text(&settings.name),
        Cell::text_or_none(settings.prefixes.ipv4()),
        Cell::text_or_none(settings.prefixes.ipv6()),
        list(settings.dns.servers()),
        list(settings.dns.search_domains()),
        Cell::text(tunnel),
        routes,
        Cell::text(settings.device_traffic.as_str()),
        Cell::Number(settings.mtu.bytes().into()),
        Cell::Number(settings.keepalive.seconds().into()),
        Cell::text_or_none(gateways.get(&it.gateway).map(|gateway| gateway.endpoint.with_port(it.listen_port))),
        Cell::text(it.public_key),
        Cell::Moment(it.created_at),
    ]
}

/// Devices, with the columns of an import among others.
pub(super) const DEVICES: &[&str] = &[
    "device_id",
    "name",
    "owner",
    "owner_id",
    "owner_name",
    "network",
    "public_key",
    "expires",
    "state",
    "addresses",
    "preshared_key",
    "enrolled_at",
];

/// `emails` are those of people who belong to the organisation still.
pub(super) fn device(view: &DeviceView, emails: &HashMap<AccountId, String>) -> Vec<Cell> {
    let it: &Device = &view.device;
    let addresses = it.addresses.map_or(Vec::new(), |all| all.iter().map(|address| address.to_string()).collect());
    vec![
        Cell::text(it.id),
        Cell::text(&it.name),
        Cell::text_or_none(emails.get(&it.owner)),
        Cell::text(it.owner),
        Cell::text(&view.owner_name),
        Cell::text(&view.network_name),
        Cell::text(it.public_key),
        Cell::moment_or_none(it.expires_at),
        Cell::text(view.state.as_str()),
        Cell::List(addresses),
        Cell::text(match it.preshared_key {
            PresharedKeyUse::Used => "used",
            PresharedKeyUse::Unused => "unused",
        }),
        Cell::Moment(it.created_at),
    ]
}

pub(super) const USAGE: &[&str] =
    &["device_id", "device", "received_bytes", "sent_bytes", "last_handshake_at", "last_endpoint"];

pub(super) fn usage(view: &DeviceView) -> Vec<Cell> {
    vec![
        Cell::text(view.device.id),
        Cell::text(&view.device.name),
        Cell::Number(view.usage.received_bytes),
        Cell::Number(view.usage.sent_bytes),
        Cell::moment_or_none(view.usage.last_handshake_at),
        Cell::text_or_none(view.usage.last_endpoint),
    ]
}

pub(crate) const ACTIVITY: &[&str] =
    &["entry_id", "at", "actor", "actor_id", "action", "subject_id", "subject", "changes", "source", "request_id"];

/// Whether it is shown from where somebody acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sources {
    Shown,
    /// Only those of this account: from where others act is not for it to know.
    Of(AccountId),
}

pub(crate) fn activity(it: &AuditEntry, sources: Sources) -> Vec<Cell> {
    let (name, id) = match &it.actor {
        Actor::Account { id, name } => (name.clone(), Some(*id)),
        Actor::LocalOperator { user } => (format!("{user} (local)"), None),
        Actor::LinkHolder => ("link holder".to_owned(), None),
        Actor::System => ("system".to_owned(), None),
    };
    let source = match it.source {
        Source::Address(address) => address.to_string(),
        Source::Local => "local".to_owned(),
        Source::Internal => "internal".to_owned(),
    };
    let is_shown = sources == Sources::Shown || id.is_some_and(|id| sources == Sources::Of(id));
    let shown = |text: String| if is_shown { Cell::Text(text) } else { Cell::Absent };
    vec![
        Cell::text(it.id),
        Cell::Moment(it.at),
        Cell::Text(name),
        Cell::text_or_none(id),
        Cell::text(it.action.as_str()),
        Cell::text(it.subject),
        Cell::text(&it.subject_name),
        Cell::Changes(it.changes.clone()),
        shown(source),
        shown(it.request.to_string()),
    ]
}
