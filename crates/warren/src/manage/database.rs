//! `warren db` on a running server: what the API tells of the databases.

mod status;

pub use status::Status;
