//! Devices that were there when a tunnel went are called when it stands again.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod system;

use system::{Sent, System, device_id, moment, network_id};
use warren_model::{DeviceId, NetworkId};
use warren_tunnel::{Action, CommandId, PeerStats};

fn device(number: u8) -> DeviceId {
    DeviceId::from_uuid(device_id(number))
}

/// A network of three devices: one was there just now, one long ago, one never.
fn system() -> System {
    let mut system = System::new();
    let mut sent = Sent::default();
    sent.replace(vec![(0, 0, vec![(0, 1, 2, None), (1, 2, 3, None), (2, 3, 4, None)])], moment(0));
    system.send_snapshot(&sent);
    let last = system.commands_waiting().last().map_or(CommandId::default(), |command| command.id);
    system.settle();
    let stats = |number: u8, at: i64| PeerStats {
        device: device(number),
        last_handshake_at: Some(moment(at)),
        endpoint: Some(format!("192.0.2.{number}:4000").parse().unwrap()),
        received_bytes: 1,
        sent_bytes: 1,
    };
    system.pass(1000 - (system.now - moment(0)).whole_seconds());
    let network = NetworkId::from_uuid(network_id(0));
    system.gateway.handle_stats(network, last, vec![stats(0, 900), stats(1, 700)], system.now);
    system
}

#[test]
fn a_start_calls_those_who_were_there_a_moment_ago_and_each_once() {
    let mut system = system();
    let moves = system.gateway.moves();
    assert!(moves > 0);
    system.pass(20);
    system.restart();
    system.settle();
    assert_eq!(system.called, [(device(0), "192.0.2.0:4000".parse().unwrap())]);
}

#[test]
fn a_start_long_after_calls_nobody() {
    let mut system = system();
    system.pass(81);
    system.restart();
    system.settle();
    assert_eq!(system.called, []);
}

#[test]
fn a_lost_network_is_a_fault_and_made_anew_with_its_devices_called() {
    let mut system = system();
    let expected = system.in_force();
    system.lose(0);
    assert_eq!(system.commands_waiting(), []);
    system.pass(1);
    assert!(matches!(system.commands_waiting()[0].action, Action::EnsureNetwork { .. }));
    system.settle();
    assert_eq!(system.in_force(), expected);
    assert_eq!(system.called, [(device(0), "192.0.2.0:4000".parse().unwrap())]);
}

#[test]
fn a_network_that_is_lost_again_and_again_is_waited_for_longer_each_time() {
    let mut system = system();
    let mut waits = Vec::new();
    for _ in 0..5 {
        system.lose(0);
        let at = system.gateway.poll_timeout().unwrap();
        waits.push((at - system.now).whole_milliseconds());
        system.now = at;
        system.pass(0);
        system.carry_out(100);
    }
    assert_eq!(waits, [100, 200, 400, 800, 1600]);
}
