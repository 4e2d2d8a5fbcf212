//! Messages to real receivers: Debian's aiosmtpd, and a TLS server of the test's own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod mail;
mod mail_failures;
mod receiver;
mod webhook_page;
mod webhooks;
