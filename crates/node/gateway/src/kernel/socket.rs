//! A netlink socket that waits for its answers (netlink(7), RFC 3549).

use std::{fmt::Debug, io, thread};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkBuffer, NetlinkDeserializable, NetlinkHeader, NetlinkMessage,
    NetlinkPayload, NetlinkSerializable,
};
use netlink_packet_generic::{
    GenlFamily, GenlMessage,
    ctrl::{GenlCtrl, GenlCtrlCmd, nlas::GenlCtrlAttrs},
};
use netlink_sys::{Socket as Raw, SocketAddr};
use nix::{
    sched::{CloneFlags, setns},
    sys::{
        socket::{setsockopt, sockopt},
        time::{TimeVal, TimeValLike},
    },
};
use std::os::fd::BorrowedFd;

/// How long the kernel may take for one answer. It answers at once; this is against waiting for ever.
const ANSWER_SECONDS_MAX: i64 = 10;

/// One open socket. It stays in the namespace in which it was opened.
#[derive(Debug)]
pub(super) struct Socket {
    raw: Raw,
    sequence: u32,
}

impl Socket {
    /// Opens a socket of `protocol` in the calling thread's namespace.
    pub(super) fn open(protocol: isize) -> io::Result<Self> {
        let raw = Raw::new(protocol)?;
        raw.connect(&SocketAddr::new(0, 0))?;
        setsockopt(&raw, sockopt::ReceiveTimeout, &TimeVal::seconds(ANSWER_SECONDS_MAX))?;
        Ok(Self { raw, sequence: 0 })
    }

    /// Opens a socket of `protocol` in the namespace that `inside` refers to.
    pub(super) fn open_inside(protocol: isize, inside: BorrowedFd<'_>) -> io::Result<Self> {
        thread::scope(|scope| {
            let opened = scope.spawn(|| {
                setns(inside, CloneFlags::CLONE_NEWNET)?;
                Self::open(protocol)
            });
            opened.join().unwrap_or_else(|_| Err(io::Error::other("the thread that entered the namespace failed")))
        })
    }

    /// Has `message` carried out.
    ///
    /// # Errors
    /// The kernel's refusal, by its errno.
    pub(super) fn request<M: NetlinkSerializable + NetlinkDeserializable + Debug>(
        &mut self,
        message: M,
        flags: u16,
    ) -> io::Result<()> {
        self.exchange(message, NLM_F_ACK | flags, |_: M| ())
    }

    /// Hands each part of the answer to `message` to `take`.
    ///
    /// # Errors
    /// The kernel's refusal, by its errno.
    pub(super) fn dump<M: NetlinkSerializable + NetlinkDeserializable + Debug>(
        &mut self,
        message: M,
        take: impl FnMut(M),
    ) -> io::Result<()> {
        self.exchange(message, NLM_F_DUMP, take)
    }

    /// The number that the kernel gave to the generic netlink family of `F`; asking loads its module.
    pub(super) fn family<F: GenlFamily>(&mut self) -> io::Result<u16> {
        let ask = GenlMessage::from_payload(GenlCtrl {
            cmd: GenlCtrlCmd::GetFamily,
            nlas: vec![GenlCtrlAttrs::FamilyName(F::family_name().to_owned())],
        });
        let mut number = None;
        self.exchange(ask, NLM_F_ACK, |answer: GenlMessage<GenlCtrl>| {
            number = answer.payload.nlas.iter().find_map(|attribute| match attribute {
                GenlCtrlAttrs::FamilyId(number) => Some(*number),
                _ => None,
            });
        })?;
        number.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn exchange<M: NetlinkSerializable + NetlinkDeserializable + Debug>(
        &mut self,
        message: M,
        flags: u16,
        mut take: impl FnMut(M),
    ) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut request = NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::InnerMessage(message));
        request.header.flags = NLM_F_REQUEST | flags;
        request.header.sequence_number = self.sequence;
        request.finalize();
        let mut bytes = vec![0; request.buffer_len()];
        request.serialize(&mut bytes);
        self.raw.send(&bytes, 0)?;
        loop {
            let (datagram, _) = self.raw.recv_from_full()?;
            let mut rest = &datagram[..];
            while !rest.is_empty() {
                let length = NetlinkBuffer::new_checked(rest).map_err(io::Error::other)?.length() as usize;
                let answer = NetlinkMessage::<M>::deserialize(rest).map_err(io::Error::other)?;
                // Messages begin at multiples of four bytes.
                rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
                if answer.header.sequence_number != self.sequence {
                    continue;
                }
                match answer.payload {
                    NetlinkPayload::Error(error) => return error.code.map_or(Ok(()), |_| Err(error.to_io())),
                    NetlinkPayload::Done(_) => return Ok(()),
                    NetlinkPayload::InnerMessage(part) => take(part),
                    _ => {}
                }
            }
        }
    }
}
