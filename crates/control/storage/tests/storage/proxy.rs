//! Stands between Warren and a server, and cuts the line at a given word: what no server does when asked.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// When the line is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Cut {
    /// Before the server hears of the commit.
    BeforeCommit = 1,
    /// After it was told, and before its answer comes through.
    AfterCommit = 2,
}

/// A proxy in front of a server.
pub struct Proxy {
    pub address: SocketAddr,
    cut: Arc<AtomicU8>,
}

impl Proxy {
    pub async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, cut) = (listener.local_addr().unwrap(), Arc::new(AtomicU8::new(0)));
        tokio::spawn({
            let cut = Arc::clone(&cut);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(pass(client, server, Arc::clone(&cut)));
                }
            }
        });
        Self { address, cut }
    }

    /// Cuts the next line on which a commit is sent; lines are whole again after that.
    pub fn cut_next(&self, when: Cut) {
        self.cut.store(when as u8, Ordering::SeqCst);
    }
}

async fn pass(mut client: TcpStream, server: SocketAddr, cut: Arc<AtomicU8>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(length @ 1..) = read else { return };
                let is_commit = up[..length].windows(6).any(|word| word == b"COMMIT");
                let when = if is_commit { cut.swap(0, Ordering::SeqCst) } else { 0 };
                if when == Cut::BeforeCommit as u8 {
                    return;
                }
                if server.write_all(&up[..length]).await.is_err() {
                    return;
                }
                if when == Cut::AfterCommit as u8 {
                    // The server's answer shows that it was done; nobody gets to see it.
                    let _ = server.read(&mut down).await;
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&down[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
