//! Network namespaces without a name: held by a descriptor, gone with the last one.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
};

use nix::sched::{CloneFlags, setns, unshare};

/// One network namespace.
#[derive(Debug)]
pub(crate) struct Namespace(OwnedFd);

impl Namespace {
    /// The namespace of the calling thread.
    pub fn current() -> io::Result<Self> {
        Ok(Self(File::open("/proc/thread-self/ns/net")?.into()))
    }

    /// A new and empty one. The calling thread is in `home` again afterwards.
    pub fn create(home: &Self) -> io::Result<Self> {
        unshare(CloneFlags::CLONE_NEWNET)?;
        let _way_back = WayBack(home);
        Self::current()
    }

    /// Does `work` inside. The calling thread is in `home` again afterwards.
    pub fn within<T>(&self, home: &Self, work: impl FnOnce() -> T) -> io::Result<T> {
        setns(&self.0, CloneFlags::CLONE_NEWNET)?;
        let _way_back = WayBack(home);
        Ok(work())
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

struct WayBack<'a>(&'a Namespace);

impl Drop for WayBack<'_> {
    fn drop(&mut self) {
        if setns(&self.0.0, CloneFlags::CLONE_NEWNET).is_err() {
            // Whatever this thread did next would be done to one customer's network in place of the host.
            std::process::abort();
        }
    }
}
