//! The gateway of one measurement, as a process of its own like wireguard-go is one.

use std::{os::fd::AsFd, sync::Arc};

use anyhow::{Context, bail};
use gotatun::{
    device::{DeviceBuilder, Peer},
    x25519,
};
use warren_gateway::{
    carrier::PeerSettings,
    userspace::{Parts, Tunnel, bind},
};
use warren_model::{DeviceId, PrivateKey, PublicKey};
use warren_runtime::SystemClock;

use super::{
    Contender,
    lab::{CLIENT_ADDRESS, CLIENT_KEY, GATEWAY_KEY, INTERFACE, MTU, PORT},
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    contender: Contender,
}

/// Serves until it is killed.
///
/// # Errors
/// When the TUN device or the port cannot be had.
pub fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.contender {
            Contender::Warren => serve_warren().await,
            Contender::Gotatun => serve_gotatun().await,
            Contender::WireguardGo => bail!("wireguard-go is a program of its own"),
        }
    })
}

async fn serve_warren() -> anyhow::Result<()> {
    let tun = tun_rs::DeviceBuilder::new().name(INTERFACE).offload(true).build_sync().context("open the TUN device")?;
    let parts = Parts {
        tun: tun.as_fd().try_clone_to_owned()?,
        mtu: MTU,
        socket: bind(PORT)?,
        private_key: PrivateKey::from_bytes(GATEWAY_KEY),
    };
    let tunnel = Tunnel::start(parts, Arc::new(SystemClock)).await?;
    let client = PeerSettings {
        device: "01900000-0000-7000-8000-000000000001".parse::<DeviceId>()?,
        public_key: PublicKey::from_bytes(public_key(CLIENT_KEY).to_bytes())?,
        preshared_key: None,
        allowed: vec![CLIENT_ADDRESS.parse()?],
    };
    tunnel.set_peers(vec![client]).await?;
    std::future::pending().await
}

async fn serve_gotatun() -> anyhow::Result<()> {
    let _device = DeviceBuilder::new()
        .with_default_udp()
        .create_tun(INTERFACE)?
        .with_private_key(x25519::StaticSecret::from(GATEWAY_KEY))
        .with_listen_port(PORT)
        .with_peer(Peer::new(public_key(CLIENT_KEY)).with_allowed_ip(CLIENT_ADDRESS.parse()?))
        .build()
        .await?;
    std::future::pending().await
}

/// The public key of `private`.
pub fn public_key(private: [u8; 32]) -> x25519::PublicKey {
    x25519::PublicKey::from(&x25519::StaticSecret::from(private))
}
