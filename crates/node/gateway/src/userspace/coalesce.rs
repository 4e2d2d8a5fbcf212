//! Brings TCP segments of one flow together, so that the TUN device takes up to 64 KiB in one system call and the
//! kernel walks its stack once for them: generic receive offload, done here because the packets come from a tunnel.
//!
//! Nothing is copied: a group is written from its first packet and the payloads of the others. Packets of one flow
//! never overtake one another. Only segments whose checksum is right are joined, because the joined packet gets a new
//! one; all others pass as they came, for the receiver to judge.

use std::io::IoSlice;

use gotatun::packet::Packet;
use tun_rs::{VIRTIO_NET_HDR_GSO_TCPV4, VIRTIO_NET_HDR_GSO_TCPV6, VIRTIO_NET_HDR_LEN, VirtioNetHdr, checksum};

use super::segment::{Flow, Segment, pseudo_header_sum};

/// The largest packet that a group may become, in bytes.
const GROUP_BYTES_MAX: usize = 65_535;
/// Flows that are kept open at once; the oldest is closed for a new one.
const OPEN_FLOWS_MAX: usize = 32;
/// `VIRTIO_NET_HDR_F_NEEDS_CSUM`.
const NEEDS_CHECKSUM: u8 = 1;

/// Packets to be written as one.
struct Group {
    first: Packet,
    /// Each with the offset of its payload.
    rest: Vec<(Packet, usize)>,
    /// Of the first packet, when more may join it.
    segment: Option<Segment>,
    bytes: usize,
    next_sequence: u32,
    growth: Growth,
}

#[derive(PartialEq, Eq)]
enum Growth {
    Open,
    /// A short or pushed segment ends a group.
    Closed,
}

/// Groups a batch of packets.
#[derive(Default)]
pub(super) struct Coalescer {
    groups: Vec<Group>,
    /// Indices of groups that may still grow, by age.
    open: Vec<usize>,
    spare: Vec<Vec<(Packet, usize)>>,
}

impl Coalescer {
    /// Takes the next packet of the batch.
    pub(super) fn push(&mut self, packet: Packet) {
        let Some(segment) = Segment::parse(&packet) else {
            // A bare acknowledgement, the end of the connection and the like: what follows must not overtake it.
            self.close_flow_of(&packet);
            self.begin(packet, None);
            return;
        };
        let found = self
            .open
            .iter()
            .rposition(|index| self.groups[*index].segment.as_ref().is_some_and(|first| first.flow == segment.flow));
        let Some(position) = found else {
            self.begin(packet, Some(segment));
            return;
        };
        let group = &mut self.groups[self.open[position]];
        match group.try_join(packet, &segment) {
            Ok(()) if group.growth == Growth::Closed => {
                self.open.remove(position);
            }
            Ok(()) => {}
            Err(packet) => {
                self.open.remove(position);
                self.begin(packet, Some(segment));
            }
        }
    }

    /// Hands every group to `write` as the pieces of one frame, oldest first, and is empty again.
    pub(super) fn drain(&mut self, mut write: impl FnMut(&[IoSlice<'_>])) {
        self.open.clear();
        for mut group in self.groups.drain(..) {
            let header = group.finish();
            let mut pieces = Vec::with_capacity(2 + group.rest.len());
            pieces.push(IoSlice::new(&header));
            pieces.push(IoSlice::new(&group.first));
            pieces.extend(group.rest.iter().map(|(packet, payload)| IoSlice::new(&packet[*payload..])));
            write(&pieces);
            drop(pieces);
            if group.rest.capacity() > 0 {
                group.rest.clear();
                self.spare.push(group.rest);
            }
        }
        self.spare.truncate(OPEN_FLOWS_MAX);
    }

    fn begin(&mut self, packet: Packet, segment: Option<Segment>) {
        let growth = match &segment {
            Some(segment) if !segment.is_pushed => Growth::Open,
            _ => Growth::Closed,
        };
        if growth == Growth::Open {
            if self.open.len() >= OPEN_FLOWS_MAX {
                self.open.remove(0);
            }
            self.open.push(self.groups.len());
        }
        let bytes = packet.len();
        let next_sequence = segment.as_ref().map_or(0, Segment::next_sequence);
        let rest = self.spare.pop().unwrap_or_default();
        self.groups.push(Group { first: packet, rest, segment, bytes, next_sequence, growth });
    }

    fn close_flow_of(&mut self, packet: &[u8]) {
        let Some(flow) = Flow::of(packet) else { return };
        let groups = &self.groups;
        self.open.retain(|index| groups[*index].segment.as_ref().is_none_or(|first| first.flow != flow));
    }
}

impl Group {
    fn try_join(&mut self, packet: Packet, segment: &Segment) -> Result<(), Packet> {
        let Some(first) = &self.segment else { return Err(packet) };
        let fits = segment.sequence == self.next_sequence
            && segment.payload_bytes <= first.payload_bytes
            && self.bytes + segment.payload_bytes <= GROUP_BYTES_MAX
            && first.joins(&self.first, segment, &packet);
        // The first one's checksum is looked at when there is a second: most packets of small flows stay alone.
        let sound = fits
            && (!self.rest.is_empty() || first.has_right_checksum(&self.first))
            && segment.has_right_checksum(&packet);
        if !sound {
            return Err(packet);
        }
        if segment.is_pushed || segment.payload_bytes < first.payload_bytes {
            self.growth = Growth::Closed;
        }
        if segment.is_pushed {
            first.set_pushed(&mut self.first);
        }
        self.bytes += segment.payload_bytes;
        self.next_sequence = segment.next_sequence();
        self.rest.push((packet, segment.payload_start()));
        Ok(())
    }

    /// The virtio-net header to write before the group; completes the lengths and checksums of a joined packet.
    fn finish(&mut self) -> [u8; VIRTIO_NET_HDR_LEN] {
        let mut header = VirtioNetHdr::default();
        if let Some(segment) = self.segment.as_ref().filter(|_| !self.rest.is_empty()) {
            segment.set_length(&mut self.first, self.bytes);
            let transport_bytes = self.bytes - segment.transport_start;
            let sum = pseudo_header_sum(&self.first, transport_bytes);
            segment.set_checksum(&mut self.first, checksum(&[], sum));
            header = VirtioNetHdr {
                flags: NEEDS_CHECKSUM,
                gso_type: if segment.is_ipv6 { VIRTIO_NET_HDR_GSO_TCPV6 } else { VIRTIO_NET_HDR_GSO_TCPV4 },
                // All bounded by the headers' sizes and by GROUP_BYTES_MAX, so far below 65,536.
                hdr_len: segment.payload_start() as u16,
                gso_size: segment.payload_bytes as u16,
                csum_start: segment.transport_start as u16,
                csum_offset: 16,
            };
        }
        let mut bytes = [0; VIRTIO_NET_HDR_LEN];
        header.encode(&mut bytes).expect("the array has the header's length");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::userspace::segment::testing::{Version, tcp};

    const ACK: u8 = 0x10;
    const PSH: u8 = 0x08;
    const FIN: u8 = 0x01;

    /// What would be written: each frame's header and packet.
    fn coalesce(packets: Vec<Vec<u8>>) -> Vec<(VirtioNetHdr, Vec<u8>)> {
        let mut coalescer = Coalescer::default();
        for packet in packets {
            coalescer.push(Packet::copy_from(packet.as_slice()));
        }
        let mut frames = Vec::new();
        coalescer.drain(|pieces| {
            let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.to_vec()).collect();
            let (header, packet) = bytes.split_at(VIRTIO_NET_HDR_LEN);
            frames.push((VirtioNetHdr::decode(header).unwrap(), packet.to_vec()));
        });
        frames
    }

    fn lengths(packets: Vec<Vec<u8>>) -> Vec<usize> {
        coalesce(packets).iter().map(|(_, packet)| packet.len()).collect()
    }

    #[test]
    fn segments_in_order_become_one_packet_that_splits_into_them_again() {
        for version in [Version::V4, Version::V6] {
            let sent = vec![
                tcp(version, 1, 1000, ACK, 700),
                tcp(version, 1, 1700, ACK, 700),
                tcp(version, 1, 2400, ACK | PSH, 300),
            ];
            let frames = coalesce(sent.clone());
            assert_eq!(frames.len(), 1, "{version:?}");
            let (header, packet) = &frames[0];
            assert_eq!(header.gso_size, 700);
            let mut frame = vec![0; VIRTIO_NET_HDR_LEN];
            header.encode(&mut frame).unwrap();
            frame.extend(packet);
            let mut received = Vec::new();
            crate::userspace::split::Splitter::default().split(&mut frame, &mut received).unwrap();
            let received: Vec<Vec<u8>> = received.into_iter().map(|packet| packet.into_bytes().to_vec()).collect();
            // PSH may stand on the last one only; everything else, checksums included, is as it was.
            assert_eq!(received, sent, "{version:?}");
        }
    }

    #[test]
    fn what_differs_in_more_than_the_sequence_stays_apart() {
        let first = || tcp(Version::V4, 1, 1000, ACK, 100);
        let alone = first().len();
        let cases: [(&str, Vec<u8>); 5] = [
            ("a gap", tcp(Version::V4, 1, 1101, ACK, 100)),
            ("a repetition", first()),
            ("a longer segment", tcp(Version::V4, 1, 1100, ACK, 101)),
            ("another flow", tcp(Version::V4, 2, 1100, ACK, 100)),
            ("the end of the connection", tcp(Version::V4, 1, 1100, ACK | FIN, 100)),
        ];
        for (what, second) in cases {
            let length = second.len();
            assert_eq!(lengths(vec![first(), second]), [alone, length], "{what}");
        }
    }

    #[test]
    fn a_wrong_checksum_is_left_for_the_receiver_to_find() {
        let first = tcp(Version::V4, 1, 1000, ACK, 100);
        let mut second = tcp(Version::V4, 1, 1100, ACK, 100);
        *second.last_mut().unwrap() ^= 1;
        let frames = coalesce(vec![first.clone(), second.clone()]);
        assert_eq!(frames.len(), 2);
        assert_eq!((frames[0].0.flags, &frames[0].1), (0, &first));
        assert_eq!((frames[1].0.flags, &frames[1].1), (0, &second));
    }

    #[test]
    fn a_short_or_pushed_segment_ends_the_group() {
        let short = vec![
            tcp(Version::V4, 1, 1000, ACK, 100),
            tcp(Version::V4, 1, 1100, ACK, 50),
            tcp(Version::V4, 1, 1150, ACK, 50),
        ];
        assert_eq!(lengths(short), [190, 90]);
        let pushed = vec![
            tcp(Version::V4, 1, 1000, ACK, 100),
            tcp(Version::V4, 1, 1100, ACK | PSH, 100),
            tcp(Version::V4, 1, 1200, ACK, 100),
        ];
        assert_eq!(lengths(pushed), [240, 140]);
    }

    #[test]
    fn nothing_of_a_flow_overtakes_what_came_before() {
        // The bare acknowledgement must stay between the two data segments.
        let packets = vec![
            tcp(Version::V4, 1, 1000, ACK, 100),
            tcp(Version::V4, 1, 1100, ACK, 0),
            tcp(Version::V4, 1, 1100, ACK, 100),
        ];
        assert_eq!(lengths(packets), [140, 40, 140]);
    }

    #[test]
    fn interleaved_flows_are_joined_each() {
        let packets =
            (0..10).flat_map(|turn| [1, 2].map(|flow| tcp(Version::V4, flow, 1000 + turn * 100, ACK, 100))).collect();
        assert_eq!(lengths(packets), [1040, 1040]);
    }

    #[test]
    fn a_group_never_exceeds_the_largest_packet() {
        let packets = (0..100).map(|turn| tcp(Version::V6, 1, 1000 + turn * 1400, ACK, 1400)).collect();
        let lengths = lengths(packets);
        assert!(lengths.iter().all(|length| *length <= GROUP_BYTES_MAX), "{lengths:?}");
        assert_eq!(lengths.len(), 3);
    }

    #[test]
    fn no_bytes_whatever_make_it_panic() {
        for length in 0..80 {
            for byte in [0x00, 0x45, 0x4f, 0x46, 0x60, 0xff] {
                let packet = vec![byte; length];
                assert_eq!(lengths(vec![packet.clone(), packet]), [length, length]);
            }
        }
    }
}
