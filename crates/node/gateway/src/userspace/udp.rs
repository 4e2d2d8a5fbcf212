//! The UDP side of a tunnel: many datagrams a system call, by generic segmentation and receive offload.
//!
//! One socket serves IPv4 and IPv6; where the machine has no IPv6 it serves IPv4 alone. A reply leaves from the address
//! that the device dialled, so that machines with several addresses work behind strict firewalls and NAT.

use std::{
    io::{self, IoSlice, IoSliceMut},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::fd::{AsFd, AsRawFd},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use gotatun::packet::Packet;
use nix::sys::socket::{
    self, AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, SockFlag, SockType,
    SockaddrStorage, recvmmsg, sendmsg, setsockopt, sockopt,
};
use tokio::{io::Interest, net::UdpSocket};

use super::{ended::Alive, source::SourceMemory};
use crate::carrier::CarrierError;

/// Messages taken in one system call. With receive offload each may hold up to 64 datagrams.
const MESSAGES_MAX: usize = 32;
/// The largest message that the kernel hands over, in bytes.
const MESSAGE_BYTES_MAX: usize = 65_536;
/// Datagrams in one segmented send (`UDP_MAX_SEGMENTS` of linux/udp.h, as it was before 6.7).
const SEGMENTS_MAX: usize = 64;
/// Payload of one segmented send in bytes: the largest IPv4 datagram less its headers.
const SEGMENTED_BYTES_MAX: usize = 65_507;
/// What is asked for as socket buffers, in bytes; enough for 20 ms at 3 Gbit/s.
const SOCKET_BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// How long a socket that refuses to be read is left alone.
const READ_FAULT_PAUSE: Duration = Duration::from_millis(50);

/// The bound socket of one tunnel.
pub(super) struct Socket {
    io: UdpSocket,
    reach: Reach,
    sources: SourceMemory,
    /// Cleared when the network card below cannot segment.
    segmentation: AtomicBool,
    _alive: Alive,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// An IPv6 socket that also speaks IPv4, by mapped addresses.
    Both,
    Ipv4,
}

impl Socket {
    /// Takes over a socket that [`bind`] gave.
    ///
    /// # Errors
    /// [`CarrierError::System`] when it cannot be watched.
    pub(super) fn adopt(socket: std::net::UdpSocket, alive: Alive) -> Result<Self, CarrierError> {
        let failed = |error| CarrierError::from_io("watch the UDP socket", error);
        let reach = if socket.local_addr().map_err(failed)?.is_ipv6() { Reach::Both } else { Reach::Ipv4 };
        let io = UdpSocket::from_std(socket).map_err(failed)?;
        Ok(Self { io, reach, sources: SourceMemory::default(), segmentation: AtomicBool::new(true), _alive: alive })
    }

    /// Waits for datagrams and appends them.
    pub(super) async fn receive(&self, buffer: &mut ReceiveBuffer, datagrams: &mut Vec<(Packet, SocketAddr)>) {
        loop {
            let received = self.io.async_io(Interest::READABLE, || self.try_receive(&mut buffer.0, datagrams)).await;
            let Err(error) = received else { return };
            // None that a UDP socket gives is worth ending the tunnel for.
            tracing::warn!(%error, "the UDP socket could not be read");
            tokio::time::sleep(READ_FAULT_PAUSE).await;
        }
    }

    /// Sends all datagrams; those to one address leave in their order. What cannot be sent is lost, as on any network.
    pub(super) async fn send(&self, datagrams: &mut Vec<(Packet, SocketAddr)>) {
        // Bringing those to one address together makes the runs long.
        datagrams.sort_by_key(|(_, destination)| *destination);
        for run in datagrams.chunk_by(|(_, left), (_, right)| left == right) {
            if let Err(error) = self.send_run(run).await {
                tracing::debug!(%error, "datagrams were not sent");
            }
        }
        datagrams.clear();
    }

    fn to_wire(&self, address: SocketAddr) -> SocketAddr {
        match (self.reach, address.ip()) {
            (Reach::Both, IpAddr::V4(ip)) => SocketAddr::new(ip.to_ipv6_mapped().into(), address.port()),
            _ => address,
        }
    }

    /// Sends what goes to one address: as many equal datagrams as possible in one system call, in order.
    async fn send_run(&self, run: &[(Packet, SocketAddr)]) -> io::Result<()> {
        let mut rest = run;
        while !rest.is_empty() {
            let count = if self.segmentation.load(Ordering::Relaxed) { segments(rest) } else { 1 };
            let (now, later) = rest.split_at(count);
            match self.send_message(now).await {
                Err(error) if count > 1 => {
                    // EIO: the card cannot compute checksums. Anything else concerns this peer's path alone.
                    if error.raw_os_error() == Some(libc::EIO) {
                        self.segmentation.store(false, Ordering::Relaxed);
                    }
                    for packet in now {
                        self.send_message(std::slice::from_ref(packet)).await?;
                    }
                }
                result => result?,
            }
            rest = later;
        }
        Ok(())
    }

    async fn send_message(&self, segments: &[(Packet, SocketAddr)]) -> io::Result<()> {
        let destination = segments[0].1;
        let source = self.sources.recall(destination);
        let sent = self.io.async_io(Interest::WRITABLE, || self.try_send(segments, source)).await;
        match sent {
            // The address may have left this machine meanwhile.
            Err(error) if source.is_some() && is_source_fault(&error) => {
                self.sources.forget(destination);
                self.io.async_io(Interest::WRITABLE, || self.try_send(segments, None)).await
            }
            sent => sent,
        }
    }

    fn try_send(&self, segments: &[(Packet, SocketAddr)], source: Option<IpAddr>) -> io::Result<()> {
        let mut slices = [IoSlice::new(&[]); SEGMENTS_MAX];
        for ((packet, _), slice) in segments.iter().zip(&mut slices) {
            *slice = IoSlice::new(packet);
        }
        let segment_bytes = u16::try_from(segments[0].0.len()).unwrap_or(u16::MAX);
        let mut control = Vec::with_capacity(2);
        if segments.len() > 1 {
            control.push(ControlMessage::UdpGsoSegments(&segment_bytes));
        }
        let (ipv4, ipv6);
        match (self.reach, source) {
            (_, None) => {}
            (Reach::Ipv4, Some(IpAddr::V4(source))) => {
                ipv4 = libc::in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: libc::in_addr { s_addr: u32::from_ne_bytes(source.octets()) },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                control.push(ControlMessage::Ipv4PacketInfo(&ipv4));
            }
            (_, Some(source)) => {
                let source = match source {
                    IpAddr::V4(source) => source.to_ipv6_mapped(),
                    IpAddr::V6(source) => source,
                };
                ipv6 = libc::in6_pktinfo { ipi6_addr: libc::in6_addr { s6_addr: source.octets() }, ipi6_ifindex: 0 };
                control.push(ControlMessage::Ipv6PacketInfo(&ipv6));
            }
        }
        let destination = SockaddrStorage::from(self.to_wire(segments[0].1));
        sendmsg(self.io.as_raw_fd(), &slices[..segments.len()], &control, MsgFlags::MSG_DONTWAIT, Some(&destination))?;
        Ok(())
    }

    fn try_receive(&self, buffer: &mut [u8], datagrams: &mut Vec<(Packet, SocketAddr)>) -> io::Result<()> {
        let space = nix::cmsg_space!(i32, libc::in6_pktinfo, libc::in_pktinfo);
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(MESSAGES_MAX, Some(space));
        let mut slices: Vec<_> =
            buffer.chunks_exact_mut(MESSAGE_BYTES_MAX).map(|slot| [IoSliceMut::new(slot)]).collect();
        let messages = recvmmsg(self.io.as_raw_fd(), &mut headers, &mut slices, MsgFlags::MSG_DONTWAIT, None)?;
        for message in messages {
            let Some(address) = message.address.as_ref().and_then(from_wire) else { continue };
            let mut stride = message.bytes;
            for control in message.cmsgs()? {
                match control {
                    ControlMessageOwned::UdpGroSegments(bytes) => stride = usize::try_from(bytes).unwrap_or(stride),
                    ControlMessageOwned::Ipv4PacketInfo(info) => {
                        let local = Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes());
                        self.sources.remember(address, local.into());
                    }
                    ControlMessageOwned::Ipv6PacketInfo(info) => {
                        let local = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                        self.sources.remember(address, local.to_canonical());
                    }
                    _ => {}
                }
            }
            let Some(bytes) = message.iovs().next() else { continue };
            datagrams.extend(bytes.chunks(stride.max(1)).map(|datagram| (Packet::copy_from(datagram), address)));
        }
        Ok(())
    }
}

/// Binds `port` on every address of the network namespace that the calling thread is in. With `CAP_NET_ADMIN` the
/// socket's buffers are larger than the system's limit.
///
/// # Errors
/// [`CarrierError::PortInUse`]; [`CarrierError::System`] when the kernel refuses the socket.
pub fn bind(port: u16) -> Result<std::net::UdpSocket, CarrierError> {
    let opened = match open(Reach::Both, port) {
        Err(nix::Error::EAFNOSUPPORT | nix::Error::EADDRNOTAVAIL) => open(Reach::Ipv4, port),
        opened => opened,
    };
    opened.map_err(|error| match error {
        nix::Error::EADDRINUSE => CarrierError::PortInUse { port },
        error => CarrierError::from_io("bind the UDP socket", error.into()),
    })
}

fn open(reach: Reach, port: u16) -> nix::Result<std::net::UdpSocket> {
    let family = if reach == Reach::Both { AddressFamily::Inet6 } else { AddressFamily::Inet };
    let socket = socket::socket(family, SockType::Datagram, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None)?;
    let any: IpAddr = match reach {
        Reach::Both => {
            setsockopt(&socket, sockopt::Ipv6V6Only, &false)?;
            setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
            Ipv6Addr::UNSPECIFIED.into()
        }
        Reach::Ipv4 => {
            setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
            Ipv4Addr::UNSPECIFIED.into()
        }
    };
    // Without receive offload each datagram comes by itself, which is slower and no fault.
    let _ = setsockopt(&socket, sockopt::UdpGroSegment, &true);
    enlarge_buffers(&socket);
    socket::bind(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(any, port)))?;
    Ok(std::net::UdpSocket::from(socket))
}

/// Past the system's limit with `CAP_NET_ADMIN`, up to it without.
fn enlarge_buffers(socket: &impl AsFd) {
    if setsockopt(socket, sockopt::RcvBufForce, &SOCKET_BUFFER_BYTES).is_err() {
        let _ = setsockopt(socket, sockopt::RcvBuf, &SOCKET_BUFFER_BYTES);
    }
    if setsockopt(socket, sockopt::SndBufForce, &SOCKET_BUFFER_BYTES).is_err() {
        let _ = setsockopt(socket, sockopt::SndBuf, &SOCKET_BUFFER_BYTES);
    }
}

fn is_source_fault(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EADDRNOTAVAIL | libc::ENETUNREACH | libc::EHOSTUNREACH))
}

fn from_wire(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(ipv4) = address.as_sockaddr_in() {
        return Some(SocketAddr::new(ipv4.ip().into(), ipv4.port()));
    }
    let ipv6 = address.as_sockaddr_in6()?;
    match ipv6.ip().to_ipv4_mapped() {
        Some(ip) => Some(SocketAddr::new(ip.into(), ipv6.port())),
        None => Some((*ipv6).into()),
    }
}

/// How many datagrams from the start of `run` fit one segmented send: equal in size, only the last may be smaller.
fn segments(run: &[(Packet, SocketAddr)]) -> usize {
    let size = run[0].0.len();
    let max = (SEGMENTED_BYTES_MAX / size.max(1)).clamp(1, SEGMENTS_MAX);
    let equal = run.iter().take(max).take_while(|(packet, _)| packet.len() == size).count();
    let smaller_follows = equal < max && run.get(equal).is_some_and(|(packet, _)| packet.len() < size);
    equal + usize::from(smaller_follows)
}

/// Room for the messages of one system call. The pages are the kernel's until a message comes to lie in them.
pub(super) struct ReceiveBuffer(Vec<u8>);

impl Default for ReceiveBuffer {
    fn default() -> Self {
        Self(vec![0; MESSAGES_MAX * MESSAGE_BYTES_MAX])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::userspace::ended::alive;

    fn bound() -> (Socket, u16) {
        let socket = Socket::adopt(bind(0).unwrap(), alive().0).unwrap();
        let port = socket.io.local_addr().unwrap().port();
        (socket, port)
    }

    /// Distinct datagrams of the given sizes.
    fn datagrams(sizes: &[usize]) -> Vec<Vec<u8>> {
        sizes.iter().enumerate().map(|(number, size)| (0..*size).map(|at| (at * 7 + number) as u8).collect()).collect()
    }

    async fn receive(socket: &Socket, count: usize) -> Vec<(Vec<u8>, IpAddr)> {
        let mut buffer = ReceiveBuffer::default();
        let mut received = Vec::new();
        while received.len() < count {
            let waited = tokio::time::timeout(Duration::from_secs(5), socket.receive(&mut buffer, &mut received)).await;
            assert!(waited.is_ok(), "{} of {count} datagrams arrived", received.len());
        }
        received.into_iter().map(|(packet, from)| (packet.to_vec(), from.ip())).collect()
    }

    #[tokio::test]
    async fn batches_arrive_whole_and_in_order_whatever_their_sizes() {
        let (sender, _) = bound();
        let mut sizes = vec![1452; 130];
        sizes.extend([60, 1452, 1452, 700, 32, 1452, 9000, 9000, 9000, 9000, 9000, 9000, 9000, 9000, 8999, 1, 20_000]);
        for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            let (receiver, port) = bound();
            let sent = datagrams(&sizes);
            let destination = SocketAddr::new(address, port);
            let mut batch = sent.iter().map(|bytes| (Packet::copy_from(bytes.as_slice()), destination)).collect();
            sender.send(&mut batch).await;
            assert!(batch.is_empty());
            let received = receive(&receiver, sent.len()).await;
            assert!(received.iter().all(|(_, from)| *from == address), "mapped addresses leaked out");
            assert!(received.into_iter().map(|(bytes, _)| bytes).eq(sent), "to {address}");
        }
    }

    #[tokio::test]
    async fn interleaved_destinations_each_get_their_own_in_order() {
        let (sender, _) = bound();
        let (one, one_port) = bound();
        let (two, two_port) = bound();
        let sent = datagrams(&[500; 100]);
        let port = |at: usize| if at.is_multiple_of(2) { one_port } else { two_port };
        let mut batch = sent
            .iter()
            .enumerate()
            .map(|(at, bytes)| (Packet::copy_from(bytes.as_slice()), SocketAddr::from(([127, 0, 0, 1], port(at)))))
            .collect();
        sender.send(&mut batch).await;
        for (socket, first) in [(one, 0), (two, 1)] {
            let received = receive(&socket, 50).await;
            assert!(received.iter().map(|(bytes, _)| bytes).eq(sent.iter().skip(first).step_by(2)));
        }
    }

    #[tokio::test]
    async fn an_unreachable_destination_harms_no_other() {
        let (sender, _) = bound();
        let (receiver, port) = bound();
        // A datagram to port 0 is refused by the kernel.
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let somewhere = SocketAddr::from(([127, 0, 0, 1], port));
        let mut batch: Vec<_> = [nowhere, somewhere, nowhere, somewhere]
            .into_iter()
            .map(|destination| (Packet::copy_from([5_u8; 100].as_slice()), destination))
            .collect();
        sender.send(&mut batch).await;
        assert_eq!(receive(&receiver, 2).await.len(), 2);
    }

    #[tokio::test]
    async fn replies_leave_from_the_address_that_was_dialled() {
        let (gateway, port) = bound();
        let (client, _) = bound();
        let dialled = SocketAddr::from(([127, 0, 0, 77], port));
        client.send(&mut vec![(Packet::copy_from(b"hello".as_slice()), dialled)]).await;
        let mut buffer = ReceiveBuffer::default();
        let mut received = Vec::new();
        gateway.receive(&mut buffer, &mut received).await;
        gateway.send(&mut received).await;
        assert_eq!(receive(&client, 1).await, [(b"hello".to_vec(), dialled.ip())]);
    }
}
