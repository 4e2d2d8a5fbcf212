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
