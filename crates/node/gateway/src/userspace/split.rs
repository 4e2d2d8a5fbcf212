//! What is read from a TUN device with `IFF_VNET_HDR`: a header of virtio-net and one packet, or the many packets that
//! its segmentation offload stands for (virtio specification 1.2, section 5.1.6).

use std::io;

use bytes::BytesMut;
use gotatun::packet::{Ip, Packet};
use tun_rs::{VIRTIO_NET_HDR_GSO_UDP_L4, VIRTIO_NET_HDR_LEN, VirtioNetHdr, checksum, gso_split};

/// `VIRTIO_NET_HDR_F_NEEDS_CSUM`: the transport checksum is ours to compute.
const NEEDS_CHECKSUM: u8 = 1;
/// `VIRTIO_NET_HDR_GSO_NONE`.
const UNSEGMENTED: u8 = 0;
const IPV6_HEADER_BYTES: usize = 40;
const UDP_HEADER_BYTES: u16 = 8;

/// Takes frames apart; keeps its room between frames.
#[derive(Default)]
pub(super) struct Splitter {
    room: Vec<Room>,
    sizes: Vec<usize>,
}

/// A packet as `gso_split` wants to write to it.
struct Room(Packet);

impl AsRef<[u8]> for Room {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
impl AsMut<[u8]> for Room {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Splitter {
    /// Appends the packets of `frame` to `packets`.
    ///
    /// # Errors
    /// `InvalidData` or `InvalidInput` for a frame that does not hold what its header says.
    pub(super) fn split(&mut self, frame: &mut [u8], packets: &mut Vec<Packet<Ip>>) -> io::Result<()> {
        let (header, body) = frame.split_at_mut_checked(VIRTIO_NET_HDR_LEN).ok_or_else(|| invalid("no header"))?;
        let header = VirtioNetHdr::decode(header)?;
        if header.gso_type == UNSEGMENTED {
            if header.flags & NEEDS_CHECKSUM != 0 {
                complete_checksum(body, header.csum_start.into(), header.csum_offset.into())?;
            }
            let mut packet = room(body.len());
            packet.copy_from_slice(body);
            return push(packet, packets);
        }
        self.split_segments(header, body, packets)
    }

    fn split_segments(
        &mut self,
        mut header: VirtioNetHdr,
        body: &mut [u8],
        packets: &mut Vec<Packet<Ip>>,
    ) -> io::Result<()> {
        let is_ipv6 = match body.first().map(|byte| byte >> 4) {
            Some(4) => false,
            Some(6) => true,
            _ => return Err(invalid("neither IPv4 nor IPv6")),
        };
        header.hdr_len = header_bytes(&header, body)?;
        let segment = usize::from(header.gso_size);
        if segment == 0 {
            return Err(invalid("segments without a size"));
        }
        let payload =
            body.len().checked_sub(header.hdr_len.into()).ok_or_else(|| invalid("shorter than its headers"))?;
        let count = payload.div_ceil(segment);
        let packet_bytes = usize::from(header.hdr_len) + segment.min(payload);
        self.room.clear();
        self.room.extend((0..count).map(|_| Room(room(packet_bytes))));
        self.sizes.clear();
        self.sizes.resize(count, 0);
        let written = gso_split(body, header, &mut self.room, &mut self.sizes, 0, is_ipv6)?;
        for (Room(mut packet), size) in self.room.drain(..).zip(&self.sizes).take(written) {
            packet.truncate(*size);
            push(packet, packets)?;
        }
        Ok(())
    }
}

/// The length of the packet's headers. The header's own word cannot be trusted: on the forwarding path the kernel may
/// give the length of the whole first segment.
fn header_bytes(header: &VirtioNetHdr, body: &[u8]) -> io::Result<u16> {
    let transport = if header.gso_type == VIRTIO_NET_HDR_GSO_UDP_L4 {
        UDP_HEADER_BYTES
    } else {
        let offset = body.get(usize::from(header.csum_start) + 12).ok_or_else(|| invalid("no TCP header"))?;
        u16::from(offset >> 4) * 4
    };
    header.csum_start.checked_add(transport).ok_or_else(|| invalid("headers of impossible length"))
}

/// Computes the checksum that the kernel left to us. Its field holds the sum of the pseudo-header (RFC 1071, 9293).
fn complete_checksum(packet: &mut [u8], start: usize, offset: usize) -> io::Result<()> {
    let field = start + offset..start + offset + 2;
    let seed = match packet.get(field.clone()) {
        Some(&[high, low]) => u16::from_be_bytes([high, low]),
        _ => return Err(invalid("its checksum lies outside")),
    };
    packet[field.clone()].fill(0);
    let mut sum = !checksum(&packet[start..], seed.into());
    let is_udp = offset == 6 && start >= 20 && next_protocol(packet) == Some(libc::IPPROTO_UDP);
    if is_udp && sum == 0 {
        // For UDP a zero would mean that there is none (RFC 768).
        sum = u16::MAX;
    }
    packet[field].copy_from_slice(&sum.to_be_bytes());
    Ok(())
}

fn next_protocol(packet: &[u8]) -> Option<i32> {
    match packet.first()? >> 4 {
        4 => packet.get(9).copied().map(i32::from),
        6 if packet.len() >= IPV6_HEADER_BYTES => Some(packet[6].into()),
        _ => None,
    }
}

/// A packet of `length` bytes that padding to a multiple of sixteen does not move.
fn room(length: usize) -> Packet {
    let mut bytes = BytesMut::with_capacity(length.next_multiple_of(16));
    bytes.resize(length, 0);
    Packet::from_bytes(bytes)
}

fn push(packet: Packet, packets: &mut Vec<Packet<Ip>>) -> io::Result<()> {
    packets.push(packet.try_into_ip().map_err(|_| invalid("too short for an IP packet"))?);
    Ok(())
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::userspace::segment::testing::{Version, tcp};

    fn split(header: VirtioNetHdr, body: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let mut frame = vec![0; VIRTIO_NET_HDR_LEN];
        header.encode(&mut frame)?;
        frame.extend(body);
        let mut packets = Vec::new();
        Splitter::default().split(&mut frame, &mut packets)?;
        Ok(packets.into_iter().map(|packet| packet.into_bytes().to_vec()).collect())
    }

    #[test]
    fn a_plain_packet_passes_unchanged() {
        let packet = tcp(Version::V4, 1, 1000, 0x10, 100);
        assert_eq!(split(VirtioNetHdr::default(), &packet).unwrap(), [packet]);
    }

    #[test]
    fn a_checksum_left_to_us_is_completed() {
        let right = tcp(Version::V6, 1, 1000, 0x10, 101);
        let mut partial = right.clone();
        let seed = checksum(&[], crate::userspace::segment::pseudo_header_sum(&right, right.len() - 40));
        partial[56..58].copy_from_slice(&seed.to_be_bytes());
        let header = VirtioNetHdr { flags: NEEDS_CHECKSUM, csum_start: 40, csum_offset: 16, ..VirtioNetHdr::default() };
        assert_eq!(split(header, &partial).unwrap(), [right]);
    }

    #[test]
    fn a_header_that_lies_is_refused() {
        let packet = tcp(Version::V4, 1, 1000, 0x10, 100);
        let tso =
            VirtioNetHdr { gso_type: 1, gso_size: 50, csum_start: 20, csum_offset: 16, ..VirtioNetHdr::default() };
        assert_eq!(split(tso, &packet).unwrap().len(), 2);
        let lies = [
            VirtioNetHdr { gso_size: 0, ..tso },
            VirtioNetHdr { csum_start: 60_000, ..tso },
            VirtioNetHdr { csum_start: u16::MAX, ..tso },
            VirtioNetHdr { gso_type: 4, ..tso },
            VirtioNetHdr { gso_type: 77, ..tso },
            VirtioNetHdr { flags: NEEDS_CHECKSUM, csum_start: 139, csum_offset: 9, ..VirtioNetHdr::default() },
        ];
        for lie in lies {
            assert!(split(lie, &packet).is_err(), "{lie:?}");
        }
        assert!(split(tso, &[]).is_err());
        assert!(split(VirtioNetHdr::default(), &[0x45]).is_err());
    }
}
