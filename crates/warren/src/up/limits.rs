//! What the process may use: open files, and threads.

use std::thread;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::Failure;

/// More threads than this bring nothing: requests wait for the database, not for a processor.
const WORKER_THREADS_MAX: usize = 4;
/// Connections of the portal at once. An idle one takes a few kilobytes.
const CONNECTIONS_MAX: usize = 8192;
/// Threads for password hashing and files.
const BLOCKING_THREADS_MAX: usize = 32;

/// Raises the limit of open files to what the administrator allows: each organisation's database takes several.
pub fn raise_open_files() {
    // Without it, fewer organisations are open at once and all else is as before.
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// How many connections the portal may hold: at most half of the files, so that the databases never lack any.
pub fn connections_max() -> usize {
    let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    usize::try_from(files / 2).unwrap_or(CONNECTIONS_MAX).clamp(1, CONNECTIONS_MAX)
}

/// Has large blocks of memory given back as soon as they are free. By default glibc keeps some in each thread that ever hashed a
/// password, 19 MiB at a time (mallopt(3), `M_MMAP_THRESHOLD`).
#[cfg(target_env = "gnu")]
pub fn give_large_memory_back() {
    const LARGE_BYTES: nix::libc::c_int = 1024 * 1024;
    #[expect(unsafe_code, reason = "the C library has no safe way to say it")]
    // SAFETY: called before any other thread exists; it only sets a number inside of the allocator.
    let _ = unsafe { nix::libc::mallopt(nix::libc::M_MMAP_THRESHOLD, LARGE_BYTES) };
}

/// Other C libraries give large blocks back by themselves.
#[cfg(not(target_env = "gnu"))]
pub const fn give_large_memory_back() {}

/// The runtime of the control plane.
///
/// # Errors
/// [`Failure::Start`]
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let processors = thread::available_parallelism().map_or(2, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors.clamp(2, WORKER_THREADS_MAX))
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_name("warren")
        .enable_all()
        .build()
        .map_err(|source| Failure::start("start threads", source))
}
