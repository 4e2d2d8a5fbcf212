//! What has happened in an organisation until now, as its trail tells it.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
};

use time::Duration;
use uuid::Uuid;
use warren_model::{
    AccountId, AuditId, MembershipStanding, Organisation, RequestId, Role, Timestamp,
    ambient::random_bytes,
    audit::{Action, Actor, AuditEntry, FieldChange, Source},
    device::Standing,
};
use warren_storage::{Account, Membership};

use super::{MadeNetwork, draw::Draw};

/// Writes entries by people, each from the address that they have at home or at work.
struct Pen<'a> {
    draw: &'a Draw,
    homes: HashMap<AccountId, IpAddr>,
    entries: Vec<AuditEntry>,
}

/// The trail, the oldest entry first.
pub(super) fn of(
    organisation: &Organisation,
    people: &[(Account, Membership)],
    networks: &[MadeNetwork],
    draw: &Draw,
    until: Timestamp,
) -> Vec<AuditEntry> {
    let mut pen = Pen { draw, homes: HashMap::new(), entries: Vec::new() };
    let Some((first, _)) = people.first() else { return Vec::new() };
    let accounts: HashMap<AccountId, &Account> = people.iter().map(|(account, _)| (account.id, account)).collect();
    let made = (organisation.id.uuid(), organisation.name.to_string());
    let created = entry(draw, organisation.created_at, Actor::LocalOperator { user: "root".into() }, made);
    pen.entries.push(AuditEntry { action: Action::OrganisationCreated, source: Source::Local, ..created });
    for (account, membership) in people {
        pen.arrives(account, membership, first, until);
    }
    for made in networks {
        let network = &made.network;
        let prefixes: Vec<String> = network.settings.prefixes.iter().map(|prefix| prefix.to_string()).collect();
        let subject = (network.id.uuid(), network.settings.name.to_string());
        pen.write(
            first,
            network.created_at,
            Action::NetworkCreated,
            subject,
            &[("prefixes", None, prefixes.join(", "))],
        );
        for (device, _) in &made.devices {
            let owner = accounts.get(&device.owner).copied().unwrap_or(first);
            let subject = || (device.id.uuid(), device.name.to_string());
            let enrolled =
                [("network", None, network.settings.name.to_string()), ("owner", None, owner.name.to_string())];
            pen.write(owner, device.created_at, Action::DeviceEnrolled, subject(), &enrolled);
            let later =
                || draw.at_work(device.created_at + Duration::seconds(1), until + Duration::seconds(2)).min(until);
            match device.standing {
                Standing::Enabled => {}
                Standing::Disabled => pen.write(first, later(), Action::DeviceDisabled, subject(), &[]),
                Standing::Revoked => pen.write(first, later(), Action::DeviceRevoked, subject(), &[]),
            }
        }
    }
    pen.entries.sort_by_key(|entry| (entry.at, entry.id));
    pen.entries
}

impl Pen<'_> {
    fn arrives(&mut self, account: &Account, membership: &Membership, first: &Account, until: Timestamp) {
        let subject = || (account.id.uuid(), account.name.to_string());
        let came = account.created_at;
        if account.id != first.id {
            let role = [("role", None, membership.role.as_str().to_owned())];
            self.write(first, came, Action::PersonInvited, subject(), &role);
        }
        if membership.standing == MembershipStanding::Joined {
            let joined = (came + Duration::minutes(3 + i64::try_from(self.draw.below(300)).unwrap_or(0))).min(until);
            self.write(account, joined, Action::PersonJoined, subject(), &[]);
        }
        if membership.role == Role::Admin && account.id != first.id {
            let change = [("role", Some(Role::Member.as_str()), Role::Admin.as_str().to_owned())];
            let at = (came + Duration::days(1)).min(until);
            self.write(first, at, Action::PersonChanged, subject(), &change);
        }
    }

    fn write(
        &mut self,
        by: &Account,
        at: Timestamp,
        action: Action,
        subject: (Uuid, String),
        changes: &[(&str, Option<&str>, String)],
    ) {
        let draw = self.draw;
        let home = *self.homes.entry(by.id).or_insert_with(|| {
            let [host] = random_bytes(draw);
            IpAddr::V4(Ipv4Addr::new(192, 0, 2, host))
        });
        let actor = Actor::Account { id: by.id, name: by.name.to_string() };
        let change = |(field, before, after): &(&str, Option<&str>, String)| FieldChange {
            field: (*field).to_owned(),
            before: before.map(str::to_owned),
            after: Some(after.clone()),
        };
        let changes = changes.iter().map(change).collect();
        let written = entry(draw, at, actor, subject);
        self.entries.push(AuditEntry { action, changes, source: Source::Address(home), ..written });
    }
}

/// An entry whose action and source are still to be said.
pub(super) fn entry(draw: &Draw, at: Timestamp, actor: Actor, (subject, subject_name): (Uuid, String)) -> AuditEntry {
    AuditEntry {
        id: AuditId::generate(at, draw),
        at,
        actor,
        action: Action::OrganisationCreated,
        subject,
        subject_name,
        changes: Vec::new(),
        source: Source::Internal,
        request: RequestId::generate(at, draw),
    }
}
