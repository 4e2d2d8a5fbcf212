//! A wire to a database server on which connections are dear and answers take their time, as if the server were far away.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How long a client waits for answers, counted from its asking.
#[derive(Debug, Clone, Copy)]
pub struct Delays {
    /// The first answer on a connection.
    pub first: Duration,
    /// Each further one.
    pub next: Duration,
}

/// Listens on a port of loopback, and carries to a server. It goes on for as long as the process.
#[derive(Debug)]
pub struct SlowWire {
    pub port: u16,
    opened: Arc<AtomicUsize>,
}

impl SlowWire {
    /// A wire to the server at `port` of loopback.
    ///
    /// # Errors
    /// When no port is free.
    pub fn to(port: u16, delays: Delays) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let wire = Self { port: listener.local_addr()?.port(), opened: Arc::default() };
        let opened = Arc::clone(&wire.opened);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                opened.fetch_add(1, Ordering::Relaxed);
                thread::spawn(move || carry(&client, port, delays));
            }
        });
        Ok(wire)
    }

    /// How many connections were opened through it.
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }
}

/// Carries both ways until one of them ends.
fn carry(client: &TcpStream, port: u16, delays: Delays) -> io::Result<()> {
    // Sleeps end when they are to, and not up to 50 µs later.
    nix::sys::prctl::set_timerslack(1)?;
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let asked = Arc::new(Mutex::new(Instant::now()));
    let noted = Arc::clone(&asked);
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let note = || *noted.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let _ = pump(&mut from, &mut to, note);
        let _ = to.shutdown(Shutdown::Both);
    });
    let (mut from, mut to, mut delay) = (server, client.try_clone()?, delays.first);
    let carried = pump(&mut from, &mut to, || {
        let due = *asked.lock().unwrap_or_else(PoisonError::into_inner) + delay;
        delay = delays.next;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    });
    client.shutdown(Shutdown::Both)?;
    carried
}

/// Passes on what comes, after `before` was called for it.
fn pump(from: &mut TcpStream, to: &mut TcpStream, mut before: impl FnMut()) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        before();
        to.write_all(&buffer[..length])?;
    }
}
