//! What a gateway needs of its host, and the command that gives what is missing.

use std::{fmt, fs::OpenOptions, io, path::PathBuf};

use crate::{config::BackendChoice, keeper::find_nft, kernel, privileges};

/// Something that a gateway needs and does not find. `Display` is a sentence for the operator; [`Missing::remedy`] is the
/// command that mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The right to make network namespaces and interfaces.
    Capabilities { names: Vec<String>, executable: PathBuf },
    /// The device by which packets enter and leave the kernel.
    TunDevice,
    /// Others may use it, this process may not.
    TunPermission,
    /// The tool that loads the firewall's rules.
    Nft,
    /// /proc/sys/net cannot be changed, as in a container.
    Sysctl,
    /// The kernel's WireGuard was asked for.
    KernelWireGuard,
}

impl Missing {
    /// The command that grants it, for a shell.
    pub fn remedy(&self) -> String {
        match self {
            Self::Capabilities { executable, .. } => {
                format!("sudo setcap 'cap_net_admin,cap_sys_admin=ep' '{}'", executable.display())
            }
            Self::TunDevice => "sudo modprobe tun".into(),
            Self::TunPermission => "sudo chmod 0666 /dev/net/tun".into(),
            Self::Nft => "sudo apt-get install nftables".into(),
            Self::Sysctl => "sudo mount -o remount,rw /proc/sys".into(),
            Self::KernelWireGuard => "sudo modprobe wireguard".into(),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capabilities { names, .. } => write!(f, "the gateway lacks {}", names.join(" and ")),
            Self::TunDevice => f.write_str("there is no /dev/net/tun"),
            Self::TunPermission => f.write_str("/dev/net/tun may not be opened"),
            Self::Nft => f.write_str("nft (nftables) is not installed"),
            Self::Sysctl => f.write_str("/proc/sys is mounted read-only"),
            Self::KernelWireGuard => {
                f.write_str("this kernel has no WireGuard, or it is not loaded (--backend userspace does without)")
            }
        }
    }
}

/// Looks whether a gateway with this backend can run in this process. Changes nothing, except that asking for the kernel's
/// WireGuard loads its module.
///
/// # Errors
/// Everything that is missing.
pub fn preflight(backend: BackendChoice) -> Result<(), Vec<Missing>> {
    let mut missing = Vec::new();
    let capabilities = privileges::missing();
    if !capabilities.is_empty() {
        let names = capabilities.iter().map(ToString::to_string).collect();
        let executable = std::env::current_exe().unwrap_or_else(|_| "warren".into());
        missing.push(Missing::Capabilities { names, executable });
    }
    match backend {
        BackendChoice::Kernel if !kernel::is_available() => missing.push(Missing::KernelWireGuard),
        BackendChoice::Kernel => {}
        BackendChoice::Auto if kernel::is_available() => {}
        BackendChoice::Auto | BackendChoice::Userspace => missing.extend(missing_tun()),
    }
    if find_nft().is_none() {
        missing.push(Missing::Nft);
    }
    if nix::sys::statvfs::statvfs("/proc/sys/net")
        .is_ok_and(|stat| stat.flags().contains(nix::sys::statvfs::FsFlags::ST_RDONLY))
    {
        missing.push(Missing::Sysctl);
    }
    if missing.is_empty() { Ok(()) } else { Err(missing) }
}

fn missing_tun() -> Option<Missing> {
    match OpenOptions::new().read(true).write(true).open("/dev/net/tun") {
        Ok(_) => None,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Some(Missing::TunPermission),
        Err(_) => Some(Missing::TunDevice),
    }
}
