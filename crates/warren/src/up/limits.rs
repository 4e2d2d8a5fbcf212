//! What the process may use: open files, and threads.

use std::thread;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::Failure;

/// More threads than this bring nothing: requests wait for the database, not for a processor.
const WORKER_THREADS_MAX: usize = 4;
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
