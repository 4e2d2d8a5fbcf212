//! Messages over the socket between the gateway and its keeper, with a file descriptor where one is handed over.

use std::{
    io::{self, IoSlice, IoSliceMut, Read, Write},
    os::{
        fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use serde::{Serialize, de::DeserializeOwned};

use super::message::MESSAGE_BYTES_MAX;

/// Sends `message`, and `descriptor` with it.
pub(crate) fn send(socket: &mut UnixStream, message: &impl Serialize, descriptor: Option<&OwnedFd>) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= MESSAGE_BYTES_MAX);
    let length = length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the message is too long"))?;
    let header = length.to_be_bytes();
    match descriptor {
        None => socket.write_all(&header)?,
        Some(descriptor) => {
            let descriptors = [descriptor.as_fd().as_raw_fd()];
            let control = [ControlMessage::ScmRights(&descriptors)];
            let slices = [IoSlice::new(&header)];
            let sent = sendmsg::<()>(socket.as_raw_fd(), &slices, &control, MsgFlags::MSG_NOSIGNAL, None)?;
            // The descriptor goes with the first byte; what is left of the header follows plainly.
            socket.write_all(header.get(sent..).unwrap_or_default())?;
        }
    }
    socket.write_all(&body)
}

/// Receives a message, and the descriptor that came with it. None when the other side has closed the socket.
pub(crate) fn receive<T: DeserializeOwned>(socket: &mut UnixStream) -> io::Result<Option<(T, Option<OwnedFd>)>> {
    let mut header = [0; 4];
    let mut space = nix::cmsg_space!([std::os::fd::RawFd; 1]);
    let (count, descriptor) = {
        let mut slices = [IoSliceMut::new(&mut header)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let message = recvmsg::<()>(socket.as_raw_fd(), &mut slices, Some(&mut space), flags)?;
        let mut descriptor = None;
        for control in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(received) = control {
                for raw in received {
                    descriptor = Some(adopt(raw));
                }
            }
        }
        (message.bytes, descriptor)
    };
    if count == 0 {
        return Ok(None);
    }
    if let Some(rest) = header.get_mut(count..) {
        socket.read_exact(rest)?;
    }
    let length = u32::from_be_bytes(header) as usize;
    if length > MESSAGE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the message is too long"));
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body)?;
    Ok(Some((serde_json::from_slice(&body)?, descriptor)))
}

#[expect(unsafe_code, reason = "recvmsg(2) hands descriptors over as numbers")]
fn adopt(raw: std::os::fd::RawFd) -> OwnedFd {
    // SAFETY: the kernel made this descriptor for us in the call that just returned; nobody else knows it.
    unsafe { OwnedFd::from_raw_fd(raw) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_arrives_with_its_message() {
        let (mut here, mut there) = UnixStream::pair().unwrap();
        let (mut reading, writing) = io::pipe().unwrap();
        send(&mut here, &"take this", Some(&OwnedFd::from(writing))).unwrap();
        send(&mut here, &"and this", None).unwrap();
        drop(here);
        let (text, descriptor) = receive::<String>(&mut there).unwrap().unwrap();
        assert_eq!(text, "take this");
        io::PipeWriter::from(descriptor.unwrap()).write_all(b"x").unwrap();
        let mut byte = [0];
        reading.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"x");
        let (text, descriptor) = receive::<String>(&mut there).unwrap().unwrap();
        assert!(text == "and this" && descriptor.is_none());
        assert!(receive::<String>(&mut there).unwrap().is_none());
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused() {
        let (mut here, mut there) = UnixStream::pair().unwrap();
        here.write_all(&u32::MAX.to_be_bytes()).unwrap();
        assert_eq!(receive::<String>(&mut there).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
