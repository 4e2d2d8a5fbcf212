//! The options that say over which NATS server processes call each other.

use std::{fs, path::PathBuf};

use clap::Args;
use warren_app::{NatsConfig, NatsCredentials, NatsPrefix, NatsUrl};

use crate::Failure;

/// Over which NATS server processes call each other.
#[derive(Debug, Clone, Args)]
pub struct NatsOptions {
    /// Let the processes that work on jobs call each other over NATS with JetStream: nats://USER@HOST:4222, or tls://…. Other
    /// users of this machine can see it: say a password by the environment, or by --nats-password-file.
    #[arg(long, env = "WARREN_NATS_URL", hide_env_values = true, value_name = "URL")]
    nats_url: Option<String>,
    /// A file that holds the password of the URL's user.
    #[arg(long, env = "WARREN_NATS_PASSWORD_FILE", value_name = "FILE", requires = "nats_url")]
    nats_password_file: Option<PathBuf>,
    /// A credentials file (.creds) instead of a user and a password.
    #[arg(
        long,
        env = "WARREN_NATS_CREDENTIALS_FILE",
        value_name = "FILE",
        requires = "nats_url",
        conflicts_with = "nats_password_file"
    )]
    nats_credentials_file: Option<PathBuf>,
    /// Who vouches for the server's certificate, in PEM; by default whom this machine trusts.
    #[arg(long, env = "WARREN_NATS_CA", value_name = "FILE", requires = "nats_url")]
    nats_ca: Option<PathBuf>,
    /// Sets installations apart that share a NATS server: all processes of one say the same.
    #[arg(long, env = "WARREN_NATS_PREFIX", value_name = "WORD", default_value = "warren")]
    nats_prefix: String,
}

impl NatsOptions {
    /// The server that they name; none without one.
    ///
    /// # Errors
    /// [`Failure::Usage`] for what cannot be used, [`Failure::Io`] for a file that cannot be read.
    pub fn config(&self) -> Result<Option<NatsConfig>, Failure> {
        let Some(url) = &self.nats_url else { return Ok(None) };
        let usage = |error: warren_app::NatsConfigError| Failure::Usage(error.to_string());
        let url: NatsUrl = url.parse().map_err(usage)?;
        let prefix: NatsPrefix = self.nats_prefix.parse().map_err(usage)?;
        let files = [&self.nats_password_file, &self.nats_credentials_file, &self.nats_ca];
        for file in files.into_iter().flatten() {
            // Read again at each connection; said now, while somebody looks.
            let failed = |source| Failure::Io { doing: "read", path: file.clone(), source };
            fs::File::open(file).map_err(failed)?;
        }
        let credentials = match (&self.nats_password_file, &self.nats_credentials_file) {
            (Some(file), _) => NatsCredentials::PasswordFile(file.clone()),
            (None, Some(file)) => NatsCredentials::File(file.clone()),
            (None, None) => NatsCredentials::OfUrl,
        };
        Ok(Some(NatsConfig { url, credentials, ca_file: self.nats_ca.clone(), prefix }))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        nats: NatsOptions,
    }

    fn config(arguments: &[&str]) -> Result<Option<NatsConfig>, Failure> {
        Line::parse_from([&["warren"], arguments].concat()).nats.config()
    }

    #[test]
    fn nats_is_used_where_it_is_named_and_files_are_there() {
        assert!(config(&[]).unwrap().is_none());
        let named = config(&["--nats-url", "nats://warren:secret@nats.example.org"]).unwrap().unwrap();
        assert_eq!(named.url.server(), "nats://nats.example.org:4222");
        let refused = config(&["--nats-url", "tls://warren@x", "--nats-password-file", "/nowhere"]).unwrap_err();
        assert!(refused.to_string().contains("/nowhere"), "{refused}");
        let refused = config(&["--nats-url", "http://warren:secret@x"]).unwrap_err().to_string();
        assert!(refused.contains("nats://USER:PASSWORD@HOST") && !refused.contains("secret"), "{refused}");
        Line::try_parse_from(["warren", "--nats-ca", "/nowhere"]).unwrap_err();
    }
}
