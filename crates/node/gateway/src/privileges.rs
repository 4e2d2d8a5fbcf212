//! Capabilities: what the keeper keeps, and that the rest of the gateway keeps none.

use std::{fs, io};

use caps::{CapSet, Capability, CapsHashSet};

/// What the keeper needs: namespaces ask for CAP_SYS_ADMIN, everything else for CAP_NET_ADMIN.
pub(crate) const NEEDED: [Capability; 2] = [Capability::CAP_NET_ADMIN, Capability::CAP_SYS_ADMIN];

/// Those of [`NEEDED`] that this process does not have.
pub(crate) fn missing() -> Vec<Capability> {
    let has = caps::read(None, CapSet::Permitted).unwrap_or_default();
    NEEDED.into_iter().filter(|needed| !has.contains(needed)).collect()
}

/// Whether the calling thread is the only one. Capabilities belong to threads: to give them up, there may be no other.
pub(crate) fn is_single_threaded() -> bool {
    fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1)
}

/// Leaves the keeper what it needs, and to the `nft` that it starts only CAP_NET_ADMIN; nothing can be regained.
pub(crate) fn keep_for_keeper() -> io::Result<()> {
    drop_bounding(&NEEDED);
    let keep: CapsHashSet = NEEDED.into_iter().collect();
    let pass_on: CapsHashSet = [Capability::CAP_NET_ADMIN].into_iter().collect();
    nix::sys::prctl::set_no_new_privs()?;
    caps::clear(None, CapSet::Ambient).map_err(io::Error::other)?;
    caps::set(None, CapSet::Effective, &keep).map_err(io::Error::other)?;
    caps::set(None, CapSet::Permitted, &keep).map_err(io::Error::other)?;
    caps::set(None, CapSet::Inheritable, &pass_on).map_err(io::Error::other)?;
    caps::set(None, CapSet::Ambient, &pass_on).map_err(io::Error::other)
}

/// Gives up everything, for this process and all that it may start.
pub(crate) fn give_up_all() -> io::Result<()> {
    drop_bounding(&[]);
    nix::sys::prctl::set_no_new_privs()?;
    for set in [CapSet::Ambient, CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        caps::clear(None, set).map_err(io::Error::other)?;
    }
    Ok(())
}

/// Needs CAP_SETPCAP, which only root has here; without it there is nothing in the bounding set that could be regained,
/// because no_new_privs is set.
fn drop_bounding(except: &[Capability]) {
    let Ok(bounding) = caps::read(None, CapSet::Bounding) else { return };
    for capability in bounding.into_iter().filter(|capability| !except.contains(capability)) {
        if caps::drop(None, CapSet::Bounding, capability).is_err() {
            return;
        }
    }
}
