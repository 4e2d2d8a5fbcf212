//! Messages to real receivers: Debian's aiosmtpd, and a TLS server of the test's own.

mod mail;
mod mail_failures;
