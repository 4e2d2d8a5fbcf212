//! Who somebody is and what they may do: passwords, secret tokens, sealing, permissions.
//!
//! Invariants
//! - [`Authorized`] can only be made here, by a check; a function that asks for one cannot be called without it.
//! - Secrets are compared in constant time, kept hashed or sealed, and wiped when dropped.
//! - No I/O and no async; hashing a password takes tens of milliseconds and belongs on a blocking thread.

pub mod password;
pub mod permission;
pub mod seal;
pub mod token;

pub use password::{Password, PasswordHash};
pub use permission::{Authorized, Insider, Permission, Refused, Subject};
pub use seal::{SealError, SealingKey};
pub use token::{SecretToken, TokenHash};
