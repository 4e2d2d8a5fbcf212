//! Whatever the order of frames, answers, failures and expiries: what is in force ends as what was wanted last.

mod system;

use proptest::prelude::*;
use system::{Numbers, Sent, System, moment};
use warren_tunnel::Remains;
use warren_wire::node::v1::Change;

/// One thing that happens to a gateway.
#[derive(Debug, Clone)]
enum Event {
    Changes(Vec<Change>),
    /// The control plane's whole state again, as after a reconnect.
    Reconnect,
    /// Settings and peers of all networks replaced.
    Snapshot(Vec<(u8, u8, Vec<Numbers>)>),
    CarryOut(u8),
    Fail(Remains),
    /// A network goes by itself.
    Lose(u8),
    Pass(u8),
    Restart,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        2 => (0..3u8, 0..3u8).prop_map(|(network, variant)| Change::NetworkSet { network: system::network(network, variant) }),
        1 => (0..3u8).prop_map(|network| Change::NetworkRemoved { network: system::network_id(network) }),
        8 => (0..3u8, peer()).prop_map(|(network, (device, key, address, expiry))| Change::PeerSet {
            network: system::network_id(network),
            peer: system::peer(device, key, address, expiry),
        }),
        3 => (0..3u8, 0..12u8).prop_map(|(network, device)| Change::PeerRemoved {
            network: system::network_id(network),
            device: system::device_id(device),
        }),
    ]
}

fn peer() -> impl Strategy<Value = Numbers> {
    (0..12u8, 1..14u8, 2..12u8, proptest::option::weighted(0.2, 1..60u8))
}

fn event() -> impl Strategy<Value = Event> {
    let remains = prop_oneof![Just(Remains::Tunnel), Just(Remains::Nothing)];
    let networks = proptest::collection::vec((0..3u8, 0..3u8, proptest::collection::vec(peer(), 0..8)), 0..3);
    prop_oneof![
        8 => proptest::collection::vec(change(), 1..5).prop_map(Event::Changes),
        1 => Just(Event::Reconnect),
        1 => networks.prop_map(Event::Snapshot),
        6 => (1..6u8).prop_map(Event::CarryOut),
        1 => remains.prop_map(Event::Fail),
        1 => (0..3u8).prop_map(Event::Lose),
        2 => (1..20u8).prop_map(Event::Pass),
        1 => Just(Event::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_is_in_force_becomes_what_is_wanted(events in proptest::collection::vec(event(), 1..60)) {
        let mut system = System::new();
        let mut sent = Sent::default();
        system.send_snapshot(&sent);
        for event in events {
            match event {
                Event::Changes(changes) => {
                    for change in &changes {
                        sent.take(change, system.now);
                    }
                    system.send_changes(&mut sent, changes);
                }
                Event::Reconnect => system.send_snapshot(&sent),
                Event::Snapshot(networks) => {
                    sent.replace(networks, system.now);
                    system.send_snapshot(&sent);
                }
                Event::CarryOut(count) => system.carry_out(count.into()),
                Event::Fail(remains) => system.fail_next(remains),
                Event::Lose(network) => system.lose(network),
                Event::Pass(seconds) => {
                    system.pass(seconds.into());
                    sent.expire(system.now);
                }
                Event::Restart => {
                    system.restart();
                    system.carry_out(usize::MAX);
                    prop_assert_eq!(system.in_force(), sent.expected());
                    system.send_snapshot(&sent);
                }
            }
        }
        system.settle();
        sent.expire(system.now);
        prop_assert_eq!(system.in_force(), sent.expected());
        let applied = system.last_applied().unwrap();
        prop_assert_eq!(applied, sent.version);
        // The same again must find nothing to do.
        system.send_snapshot(&sent);
        prop_assert_eq!(system.commands_waiting(), vec![]);
    }

    #[test]
    fn a_change_to_one_device_names_only_that_device(
        devices in proptest::collection::btree_set(0..90u8, 2..40),
        chosen in any::<proptest::sample::Index>(),
        key in 100..120u8,
    ) {
        let devices: Vec<u8> = devices.into_iter().collect();
        let mut system = System::new();
        let mut sent = Sent::default();
        let peers = devices.iter().map(|device| (*device, *device + 1, *device + 2, None)).collect();
        sent.replace(vec![(0, 0, peers)], moment(0));
        system.send_snapshot(&sent);
        system.settle();
        let device = devices[chosen.index(devices.len())];
        for change in [
            Change::PeerSet { network: system::network_id(0), peer: system::peer(device, key, device + 2, None) },
            Change::PeerRemoved { network: system::network_id(0), device: system::device_id(device) },
            Change::PeerSet { network: system::network_id(0), peer: system::peer(device, key, 120, Some(200)) },
        ] {
            system.send_changes(&mut sent, vec![change]);
            let named = system.devices_named_until_settled();
            prop_assert!(!named.is_empty());
            prop_assert!(named.iter().all(|other| other.uuid() == system::device_id(device)), "{:?}", named);
        }
    }
}
