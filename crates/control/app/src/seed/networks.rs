//! The private networks of an organisation, in ranges that do not overlap.

use ipnet::{Ipv4Net, Ipv6Net};
use time::Duration;
use warren_model::{
    GatewayId, Network, NetworkId, Organisation, Timestamp, Tunnel,
    address::Prefixes,
    ambient::random_bytes,
    network::{DeviceTraffic, Dns, Keepalive, Mtu, NetworkSettings},
};

use super::{MadeNetwork, SeedError, Sizes, company::Company, draw::Draw, words};
use crate::devices::generate_key_pair;

/// Addresses of 10.0.0.0/8.
const ROOM: u64 = 1 << 24;
/// The smallest range that a network gets: a /24.
const BITS_MIN: u32 = 8;

/// The networks of `organisation`, without devices. Their gateway and port are known when they are stored.
pub(super) fn of(
    company: &Company,
    organisation: &Organisation,
    number: u32,
    sizes: Sizes,
    draw: &Draw,
    until: Timestamp,
) -> Result<Vec<MadeNetwork>, SeedError> {
    let count = u64::from(sizes.networks);
    // Room for its part of the devices and as many again.
    let devices = u64::from(sizes.devices).div_ceil(count.max(1)) * 2 + 3;
    let bits = devices.next_power_of_two().trailing_zeros().max(BITS_MIN);
    let size = 1_u64 << bits;
    if size * count > ROOM {
        return Err(SeedError::NoRoom);
    }
    // Each organisation begins elsewhere, where there is room to.
    let starts = (ROOM - size * count) / size + 1;
    let start = (u64::from(number) * 16 * 256 / size.min(16 * 256)).wrapping_mul(7) % starts;
    let [a, b, c, d, e] = random_bytes::<5>(draw);
    let founded = organisation.created_at;
    let settled = founded + Duration::MICROSECOND + (until - founded) / 6;
    let network = |at: u32| {
        let ipv4 = (10 << 24) + u32::try_from((start + u64::from(at)) * size).unwrap_or(0);
        let ipv4 = Ipv4Net::new(ipv4.into(), u8::try_from(32 - bits).unwrap_or(24)).map_err(|_| SeedError::NoRoom)?;
        let group = |high, low| u16::from_be_bytes([high, low]);
        let subnet = u16::try_from(at + 1).unwrap_or(u16::MAX);
        let ipv6 = [group(0xfd, a), group(b, c), group(d, e), subnet, 0, 0, 0, 0];
        let ipv6 = Ipv6Net::new_assert(ipv6.into(), 64);
        let made = draw.at_work(founded, settled);
        let (private_key, public_key) = generate_key_pair(draw);
        let network = Network {
            id: NetworkId::generate(made, draw),
            settings: settings(company, at, ipv4, ipv6, draw),
            gateway: GatewayId::from_uuid(uuid::Uuid::nil()),
            listen_port: 0,
            public_key,
            created_at: made,
            revision: 1,
        };
        Ok(MadeNetwork { network, private_key, devices: Vec::new(), released: Vec::new() })
    };
    (0..sizes.networks).map(network).collect()
}

fn settings(company: &Company, at: u32, ipv4: Ipv4Net, ipv6: Ipv6Net, draw: &Draw) -> NetworkSettings {
    let name = match company.places.get(at as usize) {
        Some(place) => place.clone(),
        None => numbered(at, draw),
    };
    // What lies behind the gateway of each place.
    let behind = format!("192.168.{}.0/24", 10 + at % 200).parse().expect("a prefix");
    let server = format!("192.168.{}.53", 10 + at % 200).parse().expect("an address");
    let domain = format!("{}.{}", words::plain(&name).replace('.', "-"), company.domain());
    let dns = domain.parse().ok().and_then(|domain| Dns::new(vec![server], vec![domain]).ok()).unwrap_or_default();
    let tunnel = if name == "On the road" { Tunnel::Full } else { Tunnel::split(vec![behind]).unwrap_or(Tunnel::Full) };
    NetworkSettings {
        name: name.parse().expect("the words make a name"),
        prefixes: Prefixes::new(Some(ipv4), Some(ipv6)).expect("private ranges of usual lengths"),
        dns,
        tunnel,
        device_traffic: if draw.happens(40) { DeviceTraffic::Allowed } else { DeviceTraffic::Blocked },
        mtu: Mtu::default(),
        keepalive: Keepalive::default(),
    }
}

/// A name that no other network of the organisation has: towns first, then towns with numbers.
fn numbered(at: u32, draw: &Draw) -> String {
    let towns = u32::try_from(words::TOWNS.len()).unwrap_or(1);
    let (place, town) = (draw.one_of(&words::PLACES), words::TOWNS[(at % towns) as usize]);
    match at / towns {
        0 => format!("{place} {town}"),
        round => format!("{place} {town} {}", round + 1),
    }
}
