//! `warren db` on a running server: what the API tells of the databases.

mod analyze;
mod status;

pub use analyze::Analyze;
pub use status::Status;
