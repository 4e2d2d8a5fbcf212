//! Making a TUN device with the offloads that carry many packets in one system call.

use std::{
    fs::{File, OpenOptions},
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::fs::OpenOptionsExt,
    },
};

/// Checksums, TCP segmentation, and from Linux 6.2 on UDP segmentation (linux/if_tun.h).
const OFFLOADS: u32 = libc::TUN_F_CSUM | libc::TUN_F_TSO4 | libc::TUN_F_TSO6;
const OFFLOADS_UDP: u32 = libc::TUN_F_USO4 | libc::TUN_F_USO6;

/// Makes the device `name` in the calling thread's namespace. It goes when its last descriptor is closed.
pub(crate) fn create(name: &str) -> io::Result<OwnedFd> {
    let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun")?;
    attach(&file, name)?;
    if offload(&file, OFFLOADS | OFFLOADS_UDP).is_err() {
        offload(&file, OFFLOADS)?;
    }
    Ok(file.into())
}

mod ioctl {
    nix::ioctl_write_ptr_bad!(set_interface, libc::TUNSETIFF, libc::ifreq);
    nix::ioctl_write_int_bad!(set_offload, libc::TUNSETOFFLOAD);
}

#[expect(unsafe_code, reason = "ioctl(2)")]
fn attach(file: &File, name: &str) -> io::Result<()> {
    // SAFETY: all bytes zero is a valid `ifreq`.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if name.len() >= request.ifr_name.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (place, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *place = byte.cast_signed();
    }
    let flags = libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR;
    request.ifr_ifru.ifru_flags = i16::try_from(flags).map_err(io::Error::other)?;
    // SAFETY: the descriptor is open and `request` outlives the call, which reads it.
    unsafe { ioctl::set_interface(file.as_raw_fd(), &raw const request) }?;
    Ok(())
}

#[expect(unsafe_code, reason = "ioctl(2)")]
fn offload(file: &File, flags: u32) -> io::Result<()> {
    let flags = i32::try_from(flags).map_err(io::Error::other)?;
    // SAFETY: the descriptor is open; the request takes a plain number.
    unsafe { ioctl::set_offload(file.as_raw_fd(), flags) }?;
    Ok(())
}
