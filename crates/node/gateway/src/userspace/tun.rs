//! The TUN side of a tunnel: an open device with `IFF_VNET_HDR`, read and written in frames of up to 64 KiB.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use gotatun::{
    packet::{Ip, Packet, PacketBufPool},
    tun::{IpRecv, IpSend, MtuWatcher},
};
use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    sys::uio::writev,
    unistd::read,
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::mpsc,
};
use tun_rs::VIRTIO_NET_HDR_LEN;

use super::{coalesce::Coalescer, ended::Alive, split::Splitter};
use crate::carrier::CarrierError;

/// The largest packet with its header, in bytes.
const FRAME_BYTES_MAX: usize = VIRTIO_NET_HDR_LEN + 65_535;
/// Packets taken from the device before they are passed on.
const READ_BATCH_MAX: usize = 128;
/// Packets written to the device in one go; with this many the largest group is full.
const WRITE_BATCH_MAX: usize = 128;
/// Packets that wait to be written; beyond it the tunnel waits too.
const WRITE_QUEUE_MAX: usize = 1024;
/// How long a device that refuses to be read is left alone.
const READ_FAULT_PAUSE: Duration = Duration::from_millis(50);

/// The open device.
pub(super) struct Tun {
    io: AsyncFd<OwnedFd>,
    _alive: Alive,
}

impl Tun {
    /// Takes over an open device.
    ///
    /// # Errors
    /// [`CarrierError::System`] when the descriptor cannot be watched.
    pub(super) fn adopt(fd: OwnedFd, alive: Alive) -> Result<Arc<Self>, CarrierError> {
        let flags = fcntl(&fd, FcntlArg::F_GETFL).map(OFlag::from_bits_retain);
        flags
            .and_then(|flags| fcntl(&fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)))
            .map_err(|error| CarrierError::from_io("open the TUN device without blocking", error.into()))?;
        let io = watch(fd).map_err(|error| CarrierError::from_io("watch the TUN device", error))?;
        Ok(Arc::new(Self { io, _alive: alive }))
    }
}

#[expect(unsafe_code, reason = "tokio asks for a promise that the type system cannot give")]
fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` keeps its one descriptor open, and the same, until the `AsyncFd` that owns it is dropped.
    unsafe { AsyncFd::register(fd) }.map_err(|error| error.into_parts().1)
}

/// The device's reading half.
pub(super) struct Reader {
    tun: Arc<Tun>,
    mtu: u16,
    frame: Vec<u8>,
    splitter: Splitter,
    packets: Vec<Packet<Ip>>,
}

impl Reader {
    pub(super) fn new(tun: Arc<Tun>, mtu: u16) -> Self {
        Self { tun, mtu, frame: vec![0; FRAME_BYTES_MAX], splitter: Splitter::default(), packets: Vec::new() }
    }

    /// Reads frames until the batch is full or the device has no more.
    fn read_batch(&mut self, fd: &OwnedFd, pool: &PacketBufPool) -> io::Result<()> {
        while self.packets.len() < READ_BATCH_MAX {
            let size = match read(fd, &mut self.frame) {
                Ok(size) => size,
                Err(nix::Error::EAGAIN) if !self.packets.is_empty() => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            if let Err(error) = self.splitter.split(&mut self.frame[..size], pool, &mut self.packets) {
                tracing::debug!(%error, "a frame of the TUN device was dropped");
            }
        }
        Ok(())
    }
}

impl IpRecv for Reader {
    async fn recv<'a>(
        &'a mut self,
        pool: &mut PacketBufPool,
    ) -> io::Result<impl Iterator<Item = Packet<Ip>> + Send + 'a> {
        self.packets.clear();
        let tun = self.tun.clone();
        while self.packets.is_empty() {
            let read = tun.io.async_io(Interest::READABLE, |fd| self.read_batch(fd, pool)).await;
            let Err(error) = read else { break };
            if is_gone(&error) {
                return Err(error);
            }
            tracing::warn!(%error, "the TUN device could not be read");
            tokio::time::sleep(READ_FAULT_PAUSE).await;
        }
        Ok(self.packets.drain(..))
    }

    fn mtu(&self) -> MtuWatcher {
        MtuWatcher::new(self.mtu)
    }
}

/// The device was deleted: nothing will ever be read again. gotatun ends its tasks at these.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EBADF | libc::EBADFD | libc::ENODEV))
}

/// The device's writing half. Packets gather in a queue while the device is busy, and are joined from there.
pub(super) struct Writer {
    queue: mpsc::Sender<Packet>,
}

impl Writer {
    /// Starts the task that writes; it ends when the writer is dropped.
    pub(super) fn start(tun: Arc<Tun>) -> Self {
        let (queue, packets) = mpsc::channel(WRITE_QUEUE_MAX);
        tokio::spawn(write_all(tun, packets));
        Self { queue }
    }
}

impl IpSend for Writer {
    async fn send(&mut self, packet: Packet<Ip>) -> io::Result<()> {
        self.queue.send(packet.into_bytes()).await.map_err(|_| io::Error::from_raw_os_error(libc::EBADFD))
    }
}

async fn write_all(tun: Arc<Tun>, mut queue: mpsc::Receiver<Packet>) {
    let mut coalescer = Coalescer::default();
    let mut batch = Vec::with_capacity(WRITE_BATCH_MAX);
    while queue.recv_many(&mut batch, WRITE_BATCH_MAX).await > 0 {
        for packet in batch.drain(..) {
            coalescer.push(packet);
        }
        // A TUN device takes or drops what it is given and does not make its writer wait.
        coalescer.drain(|pieces| {
            if let Err(error) = writev(tun.io.get_ref().as_fd(), pieces) {
                tracing::debug!(%error, "a packet was not taken by the TUN device");
            }
        });
    }
}
