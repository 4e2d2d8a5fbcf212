//! Where requests come in: the portal's address, and two sockets in the data folder for the command line and the gateway.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    os::unix::{fs::PermissionsExt, net::UnixListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use axum_server::{Handle, tls_rustls::RustlsConfig};
use hyper_util::rt::TokioTimer;
use rustls::ServerConfig;
use tokio::task::JoinHandle;
use warren_portal::{LocalPeer, PortalState};
use warren_runtime::Shutdown;

use super::{admission::Admission, limits, plan::Plan, tls};
use crate::{Failure, folder, set_up_link};

/// How long a client may take to send a request's head, and to say the next one on the same connection.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// The largest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Requests at once on one HTTP/2 connection.
const STREAMS_PER_CONNECTION_MAX: u32 = 100;

/// Bound and not yet served.
#[derive(Debug)]
pub struct Doors {
    portal: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    admin: UnixListener,
    node: UnixListener,
}

impl Doors {
    /// Binds all of them.
    ///
    /// # Errors
    /// [`Failure`] says which address or file stands against it.
    pub fn open(plan: &Plan) -> Result<Self, Failure> {
        let tls = plan.tls.as_ref().map(tls::server).transpose()?;
        let portal = TcpListener::bind(plan.listen).map_err(|error| refused_address(plan.listen, error))?;
        let address = portal.local_addr().map_err(|source| Failure::start("listen", source))?;
        portal.set_nonblocking(true).map_err(|source| Failure::start("listen", source))?;
        let admin = socket(&folder::admin_socket(&plan.data))?;
        let node = socket(&folder::node_socket(&plan.data))?;
        Ok(Self { portal, address, tls, admin, node })
    }

    /// The portal's address.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets requests in until `shutdown`.
    pub fn serve(self, state: &PortalState, shutdown: &Shutdown) -> Serving {
        let admin = warren_portal::admin_router(state.clone()).merge(set_up_link::router(state.app().clone()));
        let portal = warren_portal::router(state.clone());
        let node = warren_portal::node_router(state.clone());

        let handle = Handle::new();
        let tasks = vec![
            tokio::spawn(serve_portal(self.portal, self.tls, portal, handle.clone())),
            tokio::spawn(serve_socket(self.admin, admin, shutdown.clone())),
            tokio::spawn(serve_socket(self.node, node, shutdown.clone())),
        ];
        Serving { handle, tasks }
    }
}

/// Requests are let in.
#[derive(Debug)]
pub struct Serving {
    handle: Handle<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
}

impl Serving {
    /// Lets no more in and waits for those inside, at most `within`.
    pub async fn finish(self, within: Duration) {
        self.handle.graceful_shutdown(Some(within));
        let aborts: Vec<_> = self.tasks.iter().map(JoinHandle::abort_handle).collect();
        if tokio::time::timeout(within, futures_util::future::join_all(self.tasks)).await.is_err() {
            tracing::warn!("some requests did not finish in time");
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
        }
    }
}

async fn serve_portal(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    router: Router,
    handle: Handle<SocketAddr>,
) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = match tls {
        Some(config) => match axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(config)) {
            Ok(server) => {
                let mut server = server.map(admitting).handle(handle);
                bound(server.http_builder());
                server.serve(service).await
            }
            Err(error) => Err(error),
        },
        None => match axum_server::from_tcp(listener) {
            Ok(server) => {
                let mut server = server.map(admitting).handle(handle);
                bound(server.http_builder());
                server.serve(service).await
            }
            Err(error) => Err(error),
        },
    };
    if let Err(error) = served {
        tracing::error!(cause = &error as &dyn std::error::Error, "the portal lets nobody in any more");
    }
}

/// Bounds how many connections there are. A browser takes six, a proxy as many as it has requests under way.
fn admitting<A>(acceptor: A) -> Admission<A> {
    Admission::new(acceptor, limits::connections_max(), HEAD_WITHIN)
}

fn bound(builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>) {
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(HEAD_BYTES_MAX);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(STREAMS_PER_CONNECTION_MAX);
}

async fn serve_socket(listener: UnixListener, router: Router, shutdown: Shutdown) {
    let served = match tokio::net::UnixListener::from_std(listener) {
        Ok(listener) => {
            let service = router.into_make_service_with_connect_info::<LocalPeer>();
            axum::serve(listener, service).with_graceful_shutdown(async move { shutdown.requested().await }).await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        tracing::error!(cause = &error as &dyn std::error::Error, "a local socket lets nobody in any more");
    }
}

/// A socket that only the owner can open. The folder's lock is held: a file that stands there is left from before.
fn socket(path: &Path) -> Result<UnixListener, Failure> {
    remove_sockets(&[path.to_owned()]);
    let bind = || -> io::Result<UnixListener> {
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    bind().map_err(|source| Failure::Io { doing: "listen on", path: path.to_owned(), source })
}

/// Removes the sockets' files; those that are gone already are no matter.
pub fn remove_sockets(paths: &[PathBuf]) {
    for path in paths {
        let _ = fs::remove_file(path);
    }
}

fn refused_address(address: SocketAddr, error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::AddrInUse => Failure::Address(format!(
            "{address} is in use by another program; stop that one, or choose another address with --listen"
        )),
        io::ErrorKind::AddrNotAvailable => Failure::Address(format!(
            "this machine has no address {}; choose one of its own with --listen",
            address.ip()
        )),
        io::ErrorKind::PermissionDenied => Failure::Address(format!(
            "this user may not listen on port {}; choose one from 1024 on with --listen, or allow it: sudo sysctl \
             net.ipv4.ip_unprivileged_port_start={}",
            address.port(),
            address.port()
        )),
        _ => Failure::start("listen", error),
    }
}
