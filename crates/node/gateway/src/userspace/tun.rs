//! The TUN side of a tunnel: an open device with `IFF_VNET_HDR`, read and written in frames of up to 64 KiB.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use gotatun::packet::{Ip, Packet};
use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    sys::uio::writev,
    unistd::read,
};
use tokio::io::{Interest, unix::AsyncFd};
use tun_rs::VIRTIO_NET_HDR_LEN;

use super::{coalesce::Coalescer, ended::Alive, split::Splitter};
use crate::carrier::CarrierError;

/// The largest packet with its header, in bytes.
const FRAME_BYTES_MAX: usize = VIRTIO_NET_HDR_LEN + 65_535;
/// Packets taken from the device before they are passed on.
const READ_BATCH_MAX: usize = 128;
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

    /// Writes all that was gathered. A TUN device takes or drops what it is given and does not make its writer wait.
    pub(super) fn write(&self, gathered: &mut Coalescer) {
        gathered.drain(|pieces| {
            if let Err(error) = writev(self.io.get_ref().as_fd(), pieces) {
                tracing::debug!(%error, "a packet was not taken by the TUN device");
            }
        });
    }
}

#[expect(unsafe_code, reason = "tokio asks for a promise that the type system cannot give")]
fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` keeps its one descriptor open, and the same, until the `AsyncFd` that owns it is dropped.
    unsafe { AsyncFd::register(fd) }.map_err(|error| error.into_parts().1)
}

/// Reads a device.
pub(super) struct Reader {
    tun: Arc<Tun>,
    frame: Vec<u8>,
    splitter: Splitter,
}

impl Reader {
    pub(super) fn new(tun: Arc<Tun>) -> Self {
        Self { tun, frame: vec![0; FRAME_BYTES_MAX], splitter: Splitter::default() }
    }

    /// Waits for packets and appends them.
    ///
    /// # Errors
    /// When the device was deleted: nothing will ever be read again.
    pub(super) async fn read(&mut self, packets: &mut Vec<Packet<Ip>>) -> io::Result<()> {
        let tun = self.tun.clone();
        loop {
            // A device that was deleted reports an error and nothing else.
            let interest = Interest::READABLE | Interest::ERROR;
            let read = tun.io.async_io(interest, |fd| self.read_batch(fd, packets)).await;
            let Err(error) = read else { return Ok(()) };
            if matches!(error.raw_os_error(), Some(libc::EBADF | libc::EBADFD | libc::ENODEV)) {
                return Err(error);
            }
            tracing::warn!(%error, "the TUN device could not be read");
            tokio::time::sleep(READ_FAULT_PAUSE).await;
        }
    }

    /// Reads frames until the batch is full or the device has no more.
    fn read_batch(&mut self, fd: &OwnedFd, packets: &mut Vec<Packet<Ip>>) -> io::Result<()> {
        while packets.len() < READ_BATCH_MAX {
            let size = match read(fd, &mut self.frame) {
                Ok(size) => size,
                Err(nix::Error::EAGAIN) if !packets.is_empty() => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            if let Err(error) = self.splitter.split(&mut self.frame[..size], packets) {
                tracing::debug!(%error, "a frame of the TUN device was dropped");
            }
        }
        Ok(())
    }
}
