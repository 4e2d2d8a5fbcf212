//! One TCP segment within an IP packet, as far as joining segments needs to know it (RFC 791, 8200, 9293).

use tun_rs::{checksum, checksum_no_fold};

const IPV4_HEADER_BYTES: usize = 20;
const IPV6_HEADER_BYTES: usize = 40;
const TCP_HEADER_BYTES: usize = 20;
const PROTOCOL_TCP: u8 = 6;
const FLAGS: usize = 13;
const FLAG_ACK: u8 = 0x10;
const FLAG_PSH: u8 = 0x08;

/// A TCP connection in one direction: both addresses and, in the last four bytes, both ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flow([u8; 36]);

impl Flow {
    /// The flow that `packet` belongs to; none when it is not TCP or is a later fragment.
    pub(super) fn of(packet: &[u8]) -> Option<Self> {
        let (protocol, addresses, transport_start) = match packet.first()? >> 4 {
            4 if be16(packet, 6)? & 0x1fff == 0 => (packet.get(9)?, 12..20, usize::from(packet[0] & 0x0f) * 4),
            6 => (packet.get(6)?, 8..40, IPV6_HEADER_BYTES),
            _ => return None,
        };
        if *protocol != PROTOCOL_TCP {
            return None;
        }
        let mut flow = [0; 36];
        flow[..addresses.len()].copy_from_slice(packet.get(addresses)?);
        flow[32..].copy_from_slice(packet.get(transport_start..transport_start + 4)?);
        Some(Self(flow))
    }
}

/// A plain data segment: no IPv4 options, no fragment, no IPv6 extension header, ACK set and no other flag but PSH.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) is_ipv6: bool,
    pub(super) is_pushed: bool,
    /// Where the TCP header begins.
    pub(super) transport_start: usize,
    tcp_header_bytes: usize,
    pub(super) payload_bytes: usize,
    pub(super) sequence: u32,
    pub(super) flow: Flow,
}

impl Segment {
    /// The segment in `packet`; none when it must pass alone.
    pub(super) fn parse(packet: &[u8]) -> Option<Self> {
        let is_ipv6 = match packet.first()? >> 4 {
            4 => false,
            6 => true,
            _ => return None,
        };
        let transport_start = if is_ipv6 { IPV6_HEADER_BYTES } else { IPV4_HEADER_BYTES };
        if packet.len() < transport_start + TCP_HEADER_BYTES {
            return None;
        }
        let is_plain = if is_ipv6 {
            packet[6] == PROTOCOL_TCP && usize::from(be16(packet, 4)?) == packet.len() - IPV6_HEADER_BYTES
        } else {
            // Version and length in one byte; neither "more fragments" nor an offset.
            packet[0] == 0x45
                && packet[9] == PROTOCOL_TCP
                && be16(packet, 6)? & 0x3fff == 0
                && usize::from(be16(packet, 2)?) == packet.len()
        };
        if !is_plain {
            return None;
        }
        let tcp = &packet[transport_start..];
        let tcp_header_bytes = usize::from(tcp[12] >> 4) * 4;
        let flags = tcp[FLAGS];
        if tcp_header_bytes < TCP_HEADER_BYTES || tcp_header_bytes >= tcp.len() || flags & !FLAG_PSH != FLAG_ACK {
            return None;
        }
        Some(Self {
            is_ipv6,
            is_pushed: flags & FLAG_PSH != 0,
            transport_start,
            tcp_header_bytes,
            payload_bytes: tcp.len() - tcp_header_bytes,
            sequence: u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]),
            flow: Flow::of(packet)?,
        })
    }

    pub(super) fn payload_start(&self) -> usize {
        self.transport_start + self.tcp_header_bytes
    }

    pub(super) fn next_sequence(&self) -> u32 {
        // A segment is shorter than 65,536 bytes.
        self.sequence.wrapping_add(self.payload_bytes as u32)
    }

    /// Whether everything else in the headers allows `next` to be told from `self` by its sequence number alone.
    pub(super) fn joins(&self, packet: &[u8], next: &Self, next_packet: &[u8]) -> bool {
        if self.payload_start() != next.payload_start() {
            return false;
        }
        let same = |range: std::ops::Range<usize>| packet[range.clone()] == next_packet[range];
        let ip = if self.is_ipv6 {
            // Traffic class and flow label; hop limit.
            same(0..4) && same(7..8)
        } else {
            // Type of service; "don't fragment"; time to live.
            same(1..2) && same(6..9)
        };
        let tcp = self.transport_start;
        // Acknowledgement; window; urgent pointer and options.
        ip && same(tcp + 8..tcp + 13) && same(tcp + 14..tcp + 16) && same(tcp + 18..self.payload_start())
    }

    pub(super) fn has_right_checksum(&self, packet: &[u8]) -> bool {
        let transport = &packet[self.transport_start..];
        let right = checksum(transport, pseudo_header_sum(packet, transport.len())) == u16::MAX;
        right && (self.is_ipv6 || checksum(&packet[..IPV4_HEADER_BYTES], 0) == u16::MAX)
    }

    pub(super) fn set_pushed(&self, packet: &mut [u8]) {
        packet[self.transport_start + FLAGS] |= FLAG_PSH;
    }

    /// Writes the joined packet's length into the IP header.
    pub(super) fn set_length(&self, packet: &mut [u8], bytes: usize) {
        if self.is_ipv6 {
            packet[4..6].copy_from_slice(&((bytes - IPV6_HEADER_BYTES) as u16).to_be_bytes());
            return;
        }
        packet[2..4].copy_from_slice(&(bytes as u16).to_be_bytes());
        packet[10..12].fill(0);
        let sum = !checksum(&packet[..IPV4_HEADER_BYTES], 0);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
    }

    pub(super) fn set_checksum(&self, packet: &mut [u8], sum: u16) {
        let field = self.transport_start + 16;
        packet[field..field + 2].copy_from_slice(&sum.to_be_bytes());
    }
}

/// The sum over a TCP packet's pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1), not yet folded.
pub(super) fn pseudo_header_sum(packet: &[u8], transport_bytes: usize) -> u64 {
    let addresses = if packet[0] >> 4 == 6 { &packet[8..40] } else { &packet[12..20] };
    checksum_no_fold(addresses, u64::from(PROTOCOL_TCP) + transport_bytes as u64)
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

#[cfg(test)]
pub(super) mod testing {
    //! TCP packets for tests.

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Version {
        V4,
        V6,
    }

    /// A correct packet from port 1000 + `flow`.
    pub fn tcp(version: Version, flow: u16, sequence: u32, flags: u8, payload_bytes: usize) -> Vec<u8> {
        let transport_bytes = TCP_HEADER_BYTES + payload_bytes;
        let mut packet = match version {
            Version::V4 => {
                let mut header = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, PROTOCOL_TCP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
                header[2..4].copy_from_slice(&((IPV4_HEADER_BYTES + transport_bytes) as u16).to_be_bytes());
                // The splitter numbers the packets that it makes of one.
                header[4..6].copy_from_slice(&(((sequence - 1000) / 700) as u16).to_be_bytes());
                let sum = !checksum(&header, 0);
                header[10..12].copy_from_slice(&sum.to_be_bytes());
                header
            }
            Version::V6 => {
                let mut header = vec![0x60, 0, 0, 0, 0, 0, PROTOCOL_TCP, 64];
                header[4..6].copy_from_slice(&(transport_bytes as u16).to_be_bytes());
                header.extend([0xfd; 32]);
                header
            }
        };
        let start = packet.len();
        packet.extend((1000 + flow).to_be_bytes());
        packet.extend(443_u16.to_be_bytes());
        packet.extend(sequence.to_be_bytes());
        packet.extend([0, 0, 0, 9, 0x50, flags, 0x10, 0, 0, 0, 0, 0]);
        packet.extend((0..payload_bytes).map(|at| (at as u32 + sequence) as u8));
        let sum = !checksum(&packet[start..], pseudo_header_sum(&packet, transport_bytes));
        packet[start + 16..start + 18].copy_from_slice(&sum.to_be_bytes());
        packet
    }
}
