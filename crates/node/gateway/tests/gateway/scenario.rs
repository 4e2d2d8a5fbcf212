//! A host with a control plane and a gateway, a server behind it, and clients beyond.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use tempfile::TempDir;
use uuid::Uuid;
use warren_gateway::PlainHttp;
use warren_wire::node::v1::{DeviceTraffic, Network, Peer};

use crate::{
    client::{Client, Profile, key_pair},
    control::{Control, TOKEN},
    process::{Process, wait_for},
    world::Place,
};

/// Where the server is that stands behind the gateway.
pub const SERVER: &str = "198.51.100.2";
pub const SERVER_IPV6: &str = "2001:db8:51::2";
pub const SERVER_NET: &str = "198.51.100.0/24";
pub const SERVER_NET_IPV6: &str = "2001:db8:51::/64";

pub struct Scenario {
    pub host: Place,
    pub server: Place,
    pub control: Control,
    pub gateway: Process,
    /// The gateway's own folder is within.
    pub state: TempDir,
}

impl Scenario {
    pub fn start() -> Self {
        let (host, server) = (Place::new(), Place::new());
        // The server knows no way back to the devices: only what is masqueraded gets an answer.
        host.join(&server, "lan", &["198.51.100.1/24", "2001:db8:51::1/64"], &["198.51.100.2/24", "2001:db8:51::2/64"]);
        let control = Control::start(&host);
        let state = tempfile::tempdir().unwrap();
        enrol(&host, &control, TOKEN, &state).unwrap();
        let gateway = Process::start(&host, &state.path().join("gateway"), &control.address());
        wait_for("the gateway connects", || (control.links() > 0).then_some(()));
        Self { host, server, control, gateway, state }
    }

    pub fn restart_gateway(&mut self) {
        self.gateway = Process::start(&self.host, &self.state.path().join("gateway"), &self.control.address());
    }

    /// A client with a line of its own to the host, for device `number` of `network`.
    pub fn client(&self, network: &Network, number: u8, allowed: &[&str]) -> Client {
        let place = Place::new();
        // Each client has another address on the line, also when two networks have the same device number.
        let line = network.listen_port.to_be_bytes()[1] & 0x0f;
        let [here, there] = [1, 2].map(|host| format!("192.0.{line}.{}", u16::from(number) * 4 + host));
        let (here_net, there_net) = (format!("{here}/30"), format!("{there}/30"));
        self.host.join(&place, &format!("wan{line}n{number}"), &[&here_net], &[&there_net]);
        let peer = device(network, number);
        let addresses = [format!("{}/32", peer.ipv4.unwrap()), format!("{}/128", peer.ipv6.unwrap())];
        let profile = Profile {
            private_key: &key_pair(number).private,
            addresses: &[&addresses[0], &addresses[1]],
            gateway_key: &public_key(network),
            endpoint: &format!("{here}:{}", network.listen_port),
            allowed,
        };
        Client::start(place, (line << 4) + number, &profile)
    }

    /// What is left on the host of gateways: links and tables.
    pub fn left_on_host(&self) -> Vec<String> {
        let links = self.host.run("ip -o link show type veth");
        let links = links
            .lines()
            .filter_map(|line| line.split(": ").nth(1))
            .filter(|name| !name.starts_with("lan") && !name.starts_with("wan"));
        let tables = self.host.run("nft list tables");
        links.map(str::to_owned).chain(tables.lines().map(str::to_owned)).collect()
    }
}

pub fn enrol(
    host: &Place,
    control: &Control,
    token: &str,
    state: &TempDir,
) -> Result<(), warren_gateway::GatewayError> {
    let server = control.address().parse().unwrap();
    let folder = state.path().join("gateway");
    host.inside(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(warren_gateway::join(server, None, token, &folder, PlainHttp::WithinThisMachine)).map(|_| ())
    })
}

/// Network `number`: all have the same prefixes, and an organisation each.
pub fn network(number: u8) -> Network {
    Network {
        id: Uuid::from_u128(0x1000 + u128::from(number)),
        organisation: Uuid::from_u128(0x2000 + u128::from(number)),
        private_key: key_pair(100 + number).private,
        listen_port: 51808 + u16::from(number),
        ipv4: Some("10.20.0.0/24".parse().unwrap()),
        ipv6: Some("fd00:20::/64".parse().unwrap()),
        routes: ["10.20.0.0/24", "fd00:20::/64", SERVER_NET, SERVER_NET_IPV6].map(|net| net.parse().unwrap()).into(),
        device_traffic: DeviceTraffic::Allowed,
        mtu: 1420,
    }
}

pub fn public_key(network: &Network) -> String {
    let number = u8::try_from(network.listen_port - 51808).unwrap();
    key_pair(100 + number).public
}

pub fn device(network: &Network, number: u8) -> Peer {
    Peer {
        device: Uuid::from_u128((u128::from(network.listen_port) << 32) + u128::from(number)),
        public_key: key_pair(number).public,
        preshared_key: None,
        ipv4: Some([10, 20, 0, number].into()),
        ipv6: Some([0xfd00, 0x20, 0, 0, 0, 0, 0, number.into()].into()),
        expires_at: None,
    }
}

/// A web server of one page, which says who asked.
pub fn serve_http(place: &Place, address: &'static str) {
    let listener = place.inside(|| TcpListener::bind(address).unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            let body = format!("hello {}", stream.peer_addr().unwrap().ip());
            let _ = write!(stream, "HTTP/1.0 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
}

/// The page's text.
pub fn get_http(place: &Place, address: &str) -> std::io::Result<String> {
    let address: SocketAddr = address.parse().unwrap();
    place.inside(|| {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(3))?;
        stream.set_read_timeout(Some(Duration::from_secs(3)))?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned())
    })
}
