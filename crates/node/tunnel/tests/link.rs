//! The link: versions, faults, reports and counters.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod system;

use system::{Sent, System, device_id, moment, network, network_id, peer};
use warren_model::{DeviceId, NetworkId};
use warren_tunnel::{CommandId, Failure, Gateway, Identity, LinkError, PeerStats, Remains};
use warren_wire::node::v1::{Backend, Change, Fault, FromGateway, PeerReport, ToGateway};

fn gateway() -> Gateway {
    let identity = Identity { software: "test".into(), boot: uuid::Uuid::from_u128(1), backend: Backend::Userspace };
    let mut gateway = Gateway::new(identity);
    gateway.handle_connected();
    assert!(matches!(gateway.poll_frame(), Some(FromGateway::Hello { .. })));
    gateway.handle_frame(ToGateway::SnapshotBegin { version: 1, networks: vec![network(0, 0)] }, moment(0)).unwrap();
    gateway.handle_frame(ToGateway::SnapshotEnd { version: 1 }, moment(0)).unwrap();
    gateway
}

fn change(gateway: &mut Gateway, version: u64, changes: Vec<Change>) {
    gateway.handle_frame(ToGateway::Change { version, changes }, moment(0)).unwrap();
}

fn set(device: u8) -> Change {
    Change::PeerSet { network: network_id(0), peer: peer(device, device + 1, device + 2, None) }
}

fn carry_out_all(gateway: &mut Gateway) -> CommandId {
    let mut last = CommandId::default();
    while let Some(command) = gateway.poll_command() {
        last = command.id;
        gateway.handle_applied(command.id);
    }
    last
}

fn applied(gateway: &mut Gateway) -> Option<(u64, Vec<Fault>)> {
    match gateway.poll_frame()? {
        FromGateway::Applied { version, faults } => Some((version, faults)),
        other => panic!("{other:?}"),
    }
}

fn stats(device: u8, received_bytes: u64) -> PeerStats {
    PeerStats {
        device: DeviceId::from_uuid(device_id(device)),
        last_handshake_at: Some(moment(5)),
        endpoint: Some("192.0.2.1:4000".parse().unwrap()),
        received_bytes,
        sent_bytes: 2 * received_bytes,
    }
}

#[test]
fn a_version_counts_as_applied_when_its_commands_were_carried_out() {
    let mut gateway = gateway();
    assert_eq!(applied(&mut gateway), Some((0, vec![])));
    carry_out_all(&mut gateway);
    assert_eq!(applied(&mut gateway), Some((1, vec![])));
    change(&mut gateway, 2, vec![set(0)]);
    let first = gateway.poll_command().unwrap();
    change(&mut gateway, 3, vec![set(1)]);
    let second = gateway.poll_command().unwrap();
    gateway.handle_applied(second.id);
    assert_eq!(applied(&mut gateway), None);
    gateway.handle_applied(first.id);
    assert_eq!(applied(&mut gateway), Some((3, vec![])));
}

#[test]
fn a_missing_version_asks_for_a_new_link() {
    let mut gateway = gateway();
    let frame = ToGateway::Change { version: 3, changes: vec![] };
    assert_eq!(gateway.handle_frame(frame, moment(0)), Err(LinkError::Gap { expected: 2, got: 3 }));
    let early = ToGateway::SnapshotPeers { network: network_id(0), peers: vec![] };
    assert!(matches!(gateway.handle_frame(early, moment(0)), Err(LinkError::Order { .. })));
}

#[test]
fn what_cannot_be_used_becomes_a_fault_and_leaves_the_rest_in_force() {
    let mut gateway = gateway();
    carry_out_all(&mut gateway);
    let mut bad = peer(3, 4, 5, None);
    bad.public_key = "A".repeat(10_000);
    let mut outside = peer(4, 5, 6, None);
    outside.ipv4 = Some([10, 99, 0, 1].into());
    let mut broken = network(0, 0);
    broken.private_key.clear();
    change(
        &mut gateway,
        2,
        vec![
            Change::PeerSet { network: network_id(0), peer: bad },
            Change::PeerSet { network: network_id(0), peer: outside },
            Change::PeerSet { network: network_id(2), peer: peer(1, 1, 2, None) },
            Change::NetworkSet { network: broken },
            set(0),
        ],
    );
    carry_out_all(&mut gateway);
    let (version, faults) = std::iter::from_fn(|| applied(&mut gateway)).last().unwrap();
    assert_eq!(version, 2);
    assert_eq!(faults.len(), 2, "{faults:?}");
    change(
        &mut gateway,
        3,
        vec![
            Change::NetworkSet { network: network(0, 0) },
            Change::PeerRemoved { network: network_id(0), device: device_id(3) },
            Change::PeerRemoved { network: network_id(0), device: device_id(4) },
        ],
    );
    carry_out_all(&mut gateway);
    assert_eq!(applied(&mut gateway), Some((3, vec![])));
}

#[test]
fn a_device_with_the_networks_own_key_stays_a_fault_until_its_key_changes() {
    let mut gateway = gateway();
    change(&mut gateway, 2, vec![set(0)]);
    carry_out_all(&mut gateway);
    gateway.handle_own_key(NetworkId::from_uuid(network_id(0)), DeviceId::from_uuid(device_id(0)));
    let (_, faults) = std::iter::from_fn(|| applied(&mut gateway)).last().unwrap();
    assert!(faults[0].reason.contains("own key"), "{faults:?}");
    let same = peer(0, 1, 2, None);
    gateway.handle_frame(ToGateway::SnapshotBegin { version: 9, networks: vec![network(0, 0)] }, moment(0)).unwrap();
    let peers = ToGateway::SnapshotPeers { network: network_id(0), peers: vec![same] };
    gateway.handle_frame(peers, moment(0)).unwrap();
    gateway.handle_frame(ToGateway::SnapshotEnd { version: 9 }, moment(0)).unwrap();
    assert_eq!(applied(&mut gateway).unwrap().1.len(), 1);
    change(&mut gateway, 10, vec![Change::PeerSet { network: network_id(0), peer: peer(0, 7, 2, None) }]);
    carry_out_all(&mut gateway);
    assert_eq!(applied(&mut gateway), Some((10, vec![])));
}

#[test]
fn a_snapshot_names_its_networks_in_several_frames() {
    let mut gateway = gateway();
    gateway.handle_frame(ToGateway::SnapshotBegin { version: 5, networks: vec![network(0, 0)] }, moment(0)).unwrap();
    gateway.handle_frame(ToGateway::SnapshotNetworks { networks: vec![network(1, 1)] }, moment(0)).unwrap();
    let peers = ToGateway::SnapshotPeers { network: network_id(1), peers: vec![peer(0, 1, 2, None)] };
    gateway.handle_frame(peers, moment(0)).unwrap();
    gateway.handle_frame(ToGateway::SnapshotEnd { version: 5 }, moment(0)).unwrap();
    carry_out_all(&mut gateway);
    let told = std::iter::from_fn(|| applied(&mut gateway)).last();
    assert_eq!(told, Some((5, vec![])));
    let late = gateway.handle_frame(ToGateway::SnapshotNetworks { networks: vec![network(2, 2)] }, moment(0));
    assert_eq!(late, Err(LinkError::Order { frame: "snapshot_networks" }));
}

#[test]
fn a_failure_is_told_and_tried_again() {
    let mut gateway = gateway();
    let ensure = gateway.poll_command().unwrap();
    let failure = Failure { reason: "port 51820 is taken".into(), remains: Remains::Nothing };
    gateway.handle_failed(ensure.id, failure, moment(0));
    let (version, faults) = std::iter::from_fn(|| applied(&mut gateway)).last().unwrap();
    assert_eq!((version, faults[0].reason.as_str()), (1, "port 51820 is taken"));
    assert_eq!(gateway.poll_command(), None);
    let at = gateway.poll_timeout().unwrap();
    assert!(at > moment(0) && at < moment(1));
    gateway.handle_timeout(at);
    carry_out_all(&mut gateway);
    assert_eq!(applied(&mut gateway), Some((1, vec![])));
}

#[test]
fn counters_never_fall_when_a_peer_is_removed_and_set_again() {
    let mut gateway = gateway();
    change(&mut gateway, 2, vec![set(0)]);
    let standing = carry_out_all(&mut gateway);
    while gateway.poll_frame().is_some() {}
    let id = NetworkId::from_uuid(network_id(0));
    gateway.handle_stats(id, standing, vec![stats(0, 100)], moment(10));
    let report = |gateway: &mut Gateway| match gateway.poll_frame() {
        Some(FromGateway::Report { peers }) => peers,
        other => panic!("{other:?}"),
    };
    let expected = |received_bytes: u64| {
        vec![PeerReport {
            network: network_id(0),
            device: device_id(0),
            last_handshake_at: Some(moment(5)),
            endpoint: Some("192.0.2.1:4000".parse().unwrap()),
            received_bytes,
            sent_bytes: 2 * received_bytes,
        }]
    };
    assert_eq!(report(&mut gateway), expected(100));
    // The same tunnel goes on counting where it was.
    change(&mut gateway, 3, vec![Change::PeerRemoved { network: network_id(0), device: device_id(0) }, set(0)]);
    carry_out_all(&mut gateway);
    while gateway.poll_frame().is_some() {}
    gateway.handle_stats(id, standing, vec![stats(0, 101)], moment(12));
    assert_eq!(report(&mut gateway), expected(101));
    // Another port makes another tunnel, which begins at zero; a reading of the old one that comes late counts nothing.
    change(&mut gateway, 4, vec![Change::NetworkSet { network: network(0, 1) }]);
    let ensure = gateway.poll_command().unwrap();
    gateway.handle_stats(id, standing, vec![stats(0, 102)], moment(13));
    gateway.handle_applied(ensure.id);
    let set_again = carry_out_all(&mut gateway);
    while gateway.poll_frame().is_some() {}
    gateway.handle_stats(id, set_again, vec![stats(0, 6)], moment(14));
    assert_eq!(report(&mut gateway), expected(107));
    // Within the same second nothing more is said, and without a change nothing at all.
    gateway.handle_stats(id, set_again, vec![stats(0, 8)], moment(14));
    assert_eq!(gateway.poll_frame(), None);
    assert_eq!(gateway.poll_timeout(), Some(moment(15)));
    gateway.handle_timeout(moment(15));
    assert_eq!(report(&mut gateway), expected(109));
    gateway.handle_stats(id, set_again, vec![stats(0, 8)], moment(17));
    assert_eq!(gateway.poll_frame(), None);
}

#[test]
fn a_peer_expires_while_the_control_plane_is_away() {
    let mut system = System::new();
    let mut sent = Sent::default();
    sent.replace(vec![(0, 0, vec![(0, 1, 2, Some(30)), (1, 2, 3, None)])], moment(0));
    system.send_snapshot(&sent);
    system.carry_out(100);
    system.gateway.handle_disconnected();
    assert_eq!(system.gateway.poll_timeout(), Some(moment(30)));
    system.pass(29);
    assert!(system.commands_waiting().is_empty());
    system.pass(1);
    assert_eq!(system.devices_named_until_settled(), vec![DeviceId::from_uuid(device_id(0))]);
    sent.expire(system.now);
    assert_eq!(system.in_force(), sent.expected());
}

#[test]
fn ten_thousand_peers_come_in_chunks() {
    let mut gateway = gateway();
    carry_out_all(&mut gateway);
    let peers: Vec<_> = (0..10_000_u32)
        .map(|number| {
            let mut wire = peer(0, 0, 0, None);
            let mut key = [9; 32];
            key[..4].copy_from_slice(&number.to_le_bytes());
            wire.device = uuid::Uuid::from_u128(number.into());
            wire.public_key = warren_model::PublicKey::from_bytes(key).unwrap().to_string();
            wire.ipv4 = None;
            wire.ipv6 = Some((0xfd00_0001_u128 << 96 | u128::from(number + 2)).into());
            Change::PeerSet { network: network_id(0), peer: wire }
        })
        .collect();
    change(&mut gateway, 2, peers);
    let mut commands = 0;
    while let Some(command) = gateway.poll_command() {
        commands += 1;
        gateway.handle_applied(command.id);
    }
    assert_eq!(commands, 100);
}
