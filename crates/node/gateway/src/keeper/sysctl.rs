//! Settings of the kernel under /proc/sys/net, of the calling thread's namespace.

use std::{fs, io, path::Path};

use tracing::warn;

/// Whether this kernel has IPv6 at all.
pub(crate) fn has_ipv6() -> bool {
    Path::new("/proc/sys/net/ipv6/conf").is_dir()
}

/// Sets `name`, for example `ipv4/ip_forward`, unless it has the value already. Says whether it had another.
pub(crate) fn set(name: &str, value: &str) -> io::Result<Was> {
    let path = Path::new("/proc/sys/net").join(name);
    if fs::read_to_string(&path)?.trim() == value {
        return Ok(Was::Same);
    }
    fs::write(&path, value)?;
    Ok(Was::Other)
}

/// What a setting was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Was {
    Same,
    Other,
}

/// Inside a network's namespace, before any link is made: forward, ask nobody for addresses, and take no packet whose
/// sender lives elsewhere.
pub(crate) fn prepare_inside() -> io::Result<()> {
    set("ipv4/ip_forward", "1")?;
    set("ipv4/conf/all/rp_filter", "1")?;
    set("ipv4/conf/all/accept_redirects", "0")?;
    set("ipv4/conf/all/send_redirects", "0")?;
    set("ipv4/conf/default/send_redirects", "0")?;
    if has_ipv6() {
        set("ipv6/conf/default/disable_ipv6", "0")?;
        set("ipv6/conf/default/accept_ra", "0")?;
        set("ipv6/conf/default/addr_gen_mode", "1")?;
        set("ipv6/conf/all/forwarding", "1")?;
    }
    Ok(())
}

/// The host's end of the way to a namespace, before it is up.
pub(crate) fn prepare_host_link(name: &str) -> io::Result<()> {
    if has_ipv6() {
        set(&format!("ipv6/conf/{name}/disable_ipv6"), "0")?;
        set(&format!("ipv6/conf/{name}/accept_ra"), "0")?;
        set(&format!("ipv6/conf/{name}/addr_gen_mode"), "1")?;
    }
    Ok(())
}

/// Lets the host forward. What it changes there it says, because it stays so.
pub(crate) fn prepare_host() -> io::Result<()> {
    if set("ipv4/ip_forward", "1")? == Was::Other {
        warn!("turned on IPv4 forwarding of this host (net.ipv4.ip_forward = 1)");
    }
    if !has_ipv6() {
        return Ok(());
    }
    if fs::read_to_string("/proc/sys/net/ipv6/conf/all/forwarding")?.trim() == "0" {
        keep_router_advertisements()?;
        set("ipv6/conf/all/forwarding", "1")?;
        warn!("turned on IPv6 forwarding of this host (net.ipv6.conf.all.forwarding = 1)");
    }
    Ok(())
}

/// A forwarding host ignores router advertisements unless told otherwise, and would lose its own way out.
fn keep_router_advertisements() -> io::Result<()> {
    for entry in fs::read_dir("/proc/sys/net/ipv6/conf")? {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|name| !matches!(*name, "all" | "default" | "lo")) else { continue };
        let setting = format!("ipv6/conf/{name}/accept_ra");
        if fs::read_to_string(Path::new("/proc/sys/net").join(&setting))?.trim() == "1" {
            set(&setting, "2")?;
            warn!(interface = name, "router advertisements stay accepted although the host forwards (accept_ra = 2)");
        }
    }
    Ok(())
}
