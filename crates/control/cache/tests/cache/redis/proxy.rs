//! The network between one process and Redis, which can be cut.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Passes bytes on while it is whole.
#[derive(Debug)]
pub struct Proxy {
    pub port: u16,
    wire: watch::Sender<Wire>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Whole,
    Cut,
}

impl Proxy {
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        let (wire, seen) = watch::channel(Wire::Whole);
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, seen.clone()));
            }
        });
        Self { port, wire }
    }

    /// Ends all connections, and every new one at once.
    pub fn cut(&self) {
        self.wire.send_replace(Wire::Cut);
    }

    pub fn mend(&self) {
        self.wire.send_replace(Wire::Whole);
    }
}

async fn pass(mut client: TcpStream, server: SocketAddr, mut wire: watch::Receiver<Wire>) {
    if *wire.borrow_and_update() == Wire::Cut {
        return;
    }
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = wire.wait_for(|wire| *wire == Wire::Cut) => {}
    }
}
