//! The devices of an organisation, and what they have used.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use time::Duration;
use warren_model::{
    Device, DeviceId, MembershipStanding, PublicKey, Timestamp,
    address::HostIndex,
    ambient::random_bytes,
    device::{PresharedKeyUse, Standing, Usage, UsageRecord},
};
use warren_storage::{Account, Membership, ReleasedPlace};

use super::{MadeNetwork, company::Company, draw::Draw, words};

/// So many in a hundred are revoked, disabled, or expire some day.
const REVOKED_PERCENT: u64 = 6;
const DISABLED_PERCENT: u64 = 4;
const EXPIRING_PERCENT: u64 = 12;
/// So many are things of the organisation and not of one person.
const SHARED_PERCENT: u64 = 30;

/// Spreads `count` devices of `people` over the networks.
pub(super) fn fill(
    networks: &mut [MadeNetwork],
    company: &Company,
    people: &[(Account, Membership)],
    count: u32,
    draw: &Draw,
    until: Timestamp,
) {
    let owners: Vec<&Account> = people
        .iter()
        .filter(|(_, membership)| membership.standing == MembershipStanding::Joined)
        .map(|(account, _)| account)
        .collect();
    let mut things = company.things.iter().cycle();
    let of_network = networks.len();
    for number in 0..count as usize {
        let into = &mut networks[number % of_network];
        let (owner, name) = if draw.happens(SHARED_PERCENT) {
            (owners[0], thing(&mut things, number, company.things.len()))
        } else {
            let owner = *draw.one_of(&owners);
            let given = owner.name.as_str().split(' ').next().unwrap_or_default();
            (owner, format!("{given}'s {}", draw.one_of(&words::PERSONAL)))
        };
        add(into, owner, &name, draw, until);
    }
    for network in networks {
        // Places are given in the order of enrolment.
        network.devices.sort_by_key(|(device, _)| device.created_at);
        place(network, draw, until);
    }
}

/// The next thing; from the second round on it has a number.
fn thing<'a>(things: &mut impl Iterator<Item = &'a String>, number: usize, round: usize) -> String {
    let thing = things.next().map_or("Thing", String::as_str);
    if number < round { thing.to_owned() } else { format!("{thing} · {}", number + 1) }
}

fn add(into: &mut MadeNetwork, owner: &Account, name: &str, draw: &Draw, until: Timestamp) {
    let possible = owner.created_at.max(into.network.created_at) + Duration::minutes(1);
    let created_at = draw.at_work(possible.min(until - Duration::seconds(1)), until);
    let expires_at = draw.happens(EXPIRING_PERCENT).then(|| {
        let ahead = until + Duration::days(120);
        draw.between(created_at + Duration::days(5), ahead.max(created_at + Duration::days(30)))
    });
    let device = Device {
        id: DeviceId::generate(created_at, draw),
        network: into.network.id,
        owner: owner.id,
        name: name.parse().expect("the words make a name"),
        public_key: public_key(draw),
        preshared_key: PresharedKeyUse::Unused,
        host_index: None,
        addresses: None,
        standing: standing(draw),
        expires_at,
        created_at,
        revision: 1,
    };
    let usage = usage(&device, draw, until);
    into.devices.push((device, usage));
}

fn standing(draw: &Draw) -> Standing {
    match draw.below(100) {
        n if n < REVOKED_PERCENT => Standing::Revoked,
        n if n < REVOKED_PERCENT + DISABLED_PERCENT => Standing::Disabled,
        _ => Standing::Enabled,
    }
}

/// Random bytes: nobody has the private half.
fn public_key(draw: &Draw) -> PublicKey {
    loop {
        // All but a handful of values are keys.
        if let Ok(key) = PublicKey::from_bytes(random_bytes(draw)) {
            return key;
        }
    }
}

fn usage(device: &Device, draw: &Draw, until: Timestamp) -> UsageRecord {
    // A few were never turned on.
    if draw.happens(7) {
        return UsageRecord::default();
    }
    let recent = match draw.below(10) {
        0..=4 => Duration::minutes(40),
        5..=7 => Duration::days(2),
        _ => Duration::days(25),
    };
    let last = draw.between((until - recent).max(device.created_at), until);
    let days = (last - device.created_at).whole_days().unsigned_abs() + 1;
    let received_bytes = days * (2_000_000 + draw.below(90_000_000));
    // From the ranges that are kept for examples (RFC 5737).
    let [host, high, low] = random_bytes(draw);
    let net = if host % 2 == 0 { [203, 0, 113] } else { [198, 51, 100] };
    let address = Ipv4Addr::new(net[0], net[1], net[2], host);
    let port = u16::from_be_bytes([high, low]).max(1024);
    let usage = Usage {
        received_bytes,
        sent_bytes: received_bytes / 3 + draw.below(received_bytes * 4),
        last_handshake_at: Some(last),
        last_endpoint: Some(SocketAddr::new(IpAddr::V4(address), port)),
    };
    UsageRecord { usage, ..UsageRecord::default() }
}

/// Gives each device its place; revoked ones have given theirs back.
fn place(network: &mut MadeNetwork, draw: &Draw, until: Timestamp) {
    let prefixes = network.network.settings.prefixes;
    for (index, (device, _)) in (HostIndex::FIRST_DEVICE.0..).map(HostIndex).zip(&mut network.devices) {
        if device.standing != Standing::Enabled {
            device.revision = 2;
        }
        if device.standing == Standing::Revoked {
            let at = draw.at_work(device.created_at + Duration::seconds(1), until + Duration::seconds(2));
            network.released.push(ReleasedPlace { network: network.network.id, index, at: at.min(until) });
        } else {
            device.host_index = Some(index);
            device.addresses = Some(prefixes.at(index));
        }
    }
}
