//! Devices: enrolling them, changing them, and what their owners see of them.

mod change;
mod configuration;
mod enrol;
mod expiry;
mod keys;
mod reach;
mod read;

pub use change::{Change, Enablement, change, give, revoke};
pub(crate) use change::{Effect, make_change, make_gift, make_revocation, revoke_all_of};
pub use configuration::{ConfigurationFile, configuration};
pub use enrol::{Enrol, Enrolled, Key, enrol};
pub(crate) use enrol::{Enrolment, Present, Wanted};
pub(crate) use keys::{generate_key_pair, preshared_key_context};
pub(crate) use read::emails_of_owners;
pub use read::{DeviceView, Filter, page, show};
