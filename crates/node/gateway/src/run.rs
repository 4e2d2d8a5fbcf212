//! From a process with all its rights to a gateway with none.

use std::{io::Read, sync::Arc, time::Duration};

use tokio::{sync::mpsc, time::timeout};
use tracing::info;
use uuid::Uuid;
use warren_model::{Clock, Random, ambient::random_bytes};
use warren_runtime::{Shutdown, SystemClock, SystemRandom, lock::FolderLock};
use warren_tunnel::{Gateway, Identity};
use warren_wire::node::v1::Backend;

use crate::{
    config::{Config, Lifeline},
    connect::Connector,
    driver::Driver,
    error::GatewayError,
    folder::{Credential, Folder},
    keeper::{Begin, Keeper, KeeperFailure, Life},
    link::LinkKeeper,
    preflight::preflight,
    privileges,
};

/// Events of the link that wait for the gateway.
const EVENTS_MAX: usize = 64;
/// How long the keeper's cleaning up is waited for; it goes on with that by itself.
const KEEPER_ENDS_WITHIN: Duration = Duration::from_secs(1);

/// Runs a gateway until SIGINT, SIGTERM or what [`Config::lifeline`] says. Starts its keeper, which is this same
/// executable with the argument [`crate::KEEPER_COMMAND`] and has to lead to [`crate::keeper::serve`]; then gives up all
/// capabilities. To be called from a process with one thread, outside of any runtime.
///
/// # Errors
/// [`GatewayError`]; when it returns, nothing of it is left on the host.
pub fn run(config: &Config) -> Result<(), GatewayError> {
    if !privileges::is_single_threaded() {
        return Err(GatewayError::Threads);
    }
    let folder = Folder::open(&config.state_dir)?;
    let _lock = FolderLock::acquire(folder.path())?;
    let credential = folder.credential()?.ok_or(GatewayError::NotEnrolled)?;
    preflight(config.backend).map_err(GatewayError::Missing)?;
    let backend = config.backend.choose();
    let connector = Connector::new(config.server.clone(), config.ca_file.as_ref(), config.plain_http)?;
    let keeper = Keeper::start().map_err(GatewayError::system("start the keeper"))?;
    privileges::give_up_all().map_err(GatewayError::system("give up capabilities"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(GatewayError::system("start a runtime"))?;
    let ended = runtime.block_on(carry(config, folder, credential, connector, keeper, backend));
    // A thread that reads standard input may wait there for ever.
    runtime.shutdown_background();
    ended
}

async fn carry(
    config: &Config,
    folder: Folder,
    credential: Credential,
    connector: Connector,
    keeper: Keeper,
    backend: Backend,
) -> Result<(), GatewayError> {
    let shutdown = Shutdown::on_signals().map_err(GatewayError::system("listen for signals"))?;
    if config.lifeline == Lifeline::StandardInput {
        end_with_standard_input(shutdown.clone()).map_err(GatewayError::system("watch standard input"))?;
    }
    let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let instance = folder.instance(&*random)?;
    let (keeper, mut life) = keeper.connect().map_err(GatewayError::system("speak with the keeper"))?;
    let begin = Begin {
        instance,
        transit_ipv4: config.transit_ipv4,
        transit_ipv6: config.transit_ipv6.unwrap_or_else(|| instance.transit_ipv6()),
        host_ports: config.host_ports.clone(),
    };
    let lock = folder.keeper_lock().map_err(GatewayError::system("open the keeper's lock"))?;
    keeper.begin(begin, lock).await.map_err(|failure| match failure {
        KeeperFailure::Refused(reason) => GatewayError::Keeper { reason },
        KeeperFailure::Lost(_) => GatewayError::KeeperLost,
    })?;
    info!(gateway = %credential.gateway, name = credential.name, %instance, ?backend, "the gateway runs");
    let identity =
        Identity { software: env!("CARGO_PKG_VERSION").into(), boot: Uuid::from_bytes(uuid_bytes(&*random)), backend };
    let gateway = match folder.state()? {
        Some(state) => {
            let mut gateway = Gateway::restore(identity, state, clock.now());
            gateway.recall(folder.whereabouts()?, clock.now());
            gateway
        }
        None => Gateway::new(identity),
    };
    let (sender, events) = mpsc::channel(EVENTS_MAX);
    let link = LinkKeeper { connector, credential: credential.secret, random, events: sender };
    let link = tokio::spawn(link.run(shutdown.clone()));
    let driver = Driver { gateway, folder, keeper, clock, events, life: life.clone(), backend };
    let ended = driver.run(shutdown.clone()).await;
    shutdown.request();
    let _ = link.await;
    // The driver held the last way to speak with the keeper; without one, that cleans up and ends.
    if timeout(KEEPER_ENDS_WITHIN, life.wait_for(|life| *life == Life::Ended)).await.is_err() {
        tracing::warn!("the keeper did not end in time");
    }
    ended
}

/// A UUID of version 4 (RFC 9562 section 5.4).
fn uuid_bytes(random: &dyn Random) -> [u8; 16] {
    *uuid::Builder::from_random_bytes(random_bytes(random)).as_uuid().as_bytes()
}

/// A thread of its own, because a read of standard input cannot be given up.
fn end_with_standard_input(shutdown: Shutdown) -> std::io::Result<()> {
    std::thread::Builder::new().name("lifeline".into()).spawn(move || {
        let mut buffer = [0; 64];
        let mut input = std::io::stdin().lock();
        while matches!(input.read(&mut buffer), Ok(count) if count > 0) {}
        info!("the parent let go");
        shutdown.request();
    })?;
    Ok(())
}
