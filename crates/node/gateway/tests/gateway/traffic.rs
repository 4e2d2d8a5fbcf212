//! What stock clients see.

use crate::scenario::{
    SERVER, SERVER_IPV6, SERVER_NET, SERVER_NET_IPV6, Scenario, device, get_http, network, serve_http,
};

/// All tests by name.
pub fn tests() -> Vec<(&'static str, fn())> {
    vec![("a_stock_client_reaches_a_server_behind_the_gateway", a_stock_client_reaches_a_server_behind_the_gateway)]
}

fn a_stock_client_reaches_a_server_behind_the_gateway() {
    let mut scenario = Scenario::start();
    let network = network(0);
    let version = scenario.control.want(vec![(network.clone(), vec![device(&network, 2)])]);
    scenario.control.in_force(version);
    serve_http(&scenario.server, "[::]:80");
    let client = scenario.client(&network, 2, &["10.20.0.0/24", "fd00:20::/64", SERVER_NET, SERVER_NET_IPV6]);
    client.wait_until_reaches("10.20.0.1");
    assert!(client.reaches("fd00:20::1"));
    assert_eq!(get_http(&client.place, &format!("{SERVER}:80")).unwrap(), "hello ::ffff:198.51.100.1");
    assert_eq!(get_http(&client.place, &format!("[{SERVER_IPV6}]:80")).unwrap(), "hello 2001:db8:51::1");
    scenario.gateway.stop();
    assert_eq!(scenario.left_on_host(), Vec::<String>::new());
}
