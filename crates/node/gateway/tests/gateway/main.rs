//! The gateway with stock clients, in network namespaces of its own: needs root, and wireguard-go, wireguard-tools,
//! nftables, iproute2 and ping. Each test has a "host" namespace, so that this machine's settings stay untouched.
//!
//! The test's executable is at once the gateway and its keeper; that is why it has a `main`.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod backend;
mod client;
mod control;
mod outage;
mod process;
mod scenario;
mod traffic;
mod world;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use warren_runtime::telemetry::{LogFormat, init};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some(warren_gateway::KEEPER_COMMAND) => {
            init("info", LogFormat::Text);
            finish(warren_gateway::keeper::serve())
        }
        Some(process::RUN_COMMAND) => {
            init("info", LogFormat::Text);
            finish(warren_gateway::run(&process::config(&arguments[2..])))
        }
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

fn finish<E: std::fmt::Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "ended");
            ExitCode::FAILURE
        }
    }
}

macro_rules! trials {
    ($($module:ident::$test:ident),+ $(,)?) => {
        vec![$(Trial::test(concat!(stringify!($module), "::", stringify!($test)), || run($module::$test))),+]
    };
}

fn trials() -> Vec<Trial> {
    trials![
        backend::the_kernel_carries_where_it_can,
        backend::sockets_have_room_for_bursts,
        backend::the_backend_that_was_asked_for_carries,
        traffic::a_stock_client_reaches_a_server_behind_the_gateway,
        traffic::a_removed_peer_is_cut_off_within_a_second,
        traffic::networks_with_the_same_prefix_never_reach_each_other,
        traffic::a_change_to_one_device_loses_no_packet_of_another,
        traffic::device_traffic_is_as_the_network_says,
        traffic::devices_go_only_where_routes_lead,
        traffic::devices_reach_only_the_named_ports_of_the_host,
        traffic::another_port_or_key_makes_another_tunnel,
        traffic::a_port_that_is_taken_becomes_a_fault_and_is_tried_again,
        traffic::changes_among_ten_thousand_devices_come_into_force,
        outage::a_restarted_gateway_carries_traffic_without_the_control_plane,
        outage::a_client_that_does_nothing_goes_on_within_two_seconds_of_a_restart,
        outage::a_network_whose_interface_is_deleted_is_a_fault_and_made_anew,
        outage::a_peer_expires_while_the_control_plane_is_away,
        outage::a_reconnect_with_the_same_state_touches_nothing,
        outage::a_killed_gateway_leaves_nothing_in_the_way_of_the_next,
        outage::a_killed_keeper_ends_the_gateway_and_the_next_start_is_clean,
        outage::both_killed_at_once_leave_what_the_next_start_replaces,
        outage::only_the_keeper_has_capabilities,
        outage::a_gateway_ends_when_its_parent_lets_go,
        outage::the_link_goes_over_tls_and_over_a_socket_of_the_host,
        outage::a_used_token_enrols_nobody_and_a_second_gateway_finds_the_folder_locked,
    ]
}

fn run(test: fn()) -> Result<(), Failed> {
    world::require_tools()?;
    test();
    Ok(())
}
