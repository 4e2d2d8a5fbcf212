//! Where a server listens and as whom to speak with it, through its own command line client.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, bail};
use url::Url;

use super::{ServerKind, mariadb, postgres};

/// A server's address with a user and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub kind: ServerKind,
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
}

impl Address {
    /// Reads a URL such as `mysql://warren:secret@127.0.0.1:3306`.
    ///
    /// # Errors
    /// When it is not one, or is one of another kind of server.
    pub fn parse(kind: ServerKind, text: &str) -> anyhow::Result<Self> {
        let url = Url::parse(text).context("a server's URL does not read as one")?;
        if url.scheme() != kind.scheme() {
            bail!("a URL of {kind} begins with {}://, not {}://", kind.scheme(), url.scheme());
        }
        Ok(Self {
            kind,
            host: url.host_str().context("a server's URL without a host")?.to_owned(),
            port: url.port().context("a server's URL without a port")?,
            user: url.username().to_owned(),
            password: url.password().context("a server's URL without a password")?.to_owned(),
        })
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.without_database())
    }

    /// The URL up to the slash before a database's name.
    pub fn without_database(&self) -> String {
        let Self { kind, host, port, user, password } = self;
        format!("{}://{user}:{password}@{host}:{port}", kind.scheme())
    }

    /// Runs statements and returns their rows: a row a line, columns apart by tabs.
    ///
    /// # Errors
    /// When nobody answers, or a statement is refused.
    pub fn ask(&self, statements: &str) -> anyhow::Result<String> {
        let mut command = self.client();
        let mut client = piped(&mut command).spawn().with_context(|| {
            format!("cannot run {}; `cargo xtask test` installs it", command.get_program().display())
        })?;
        // A client that could not connect reads nothing; its own words say more than a broken pipe.
        let _ = client.stdin.take().context("the client has no input")?.write_all(statements.as_bytes());
        let output = client.wait_with_output()?;
        if !output.status.success() {
            bail!("{} says: {}", self.kind, String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }
}

impl Address {
    /// Begins to run statements and does not wait for their end.
    ///
    /// # Errors
    /// When the client cannot be run.
    pub fn tell(&self, statements: &str) -> anyhow::Result<()> {
        let mut command = self.client();
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut client = command.spawn().context("cannot run the server's client")?;
        client.stdin.take().context("the client has no input")?.write_all(statements.as_bytes())?;
        Ok(())
    }

    fn client(&self) -> Command {
        match self.kind {
            ServerKind::MariaDb => mariadb::client(self),
            ServerKind::PostgreSql => postgres::client(self),
        }
    }
}

fn piped(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_and_written_alike() {
        for (kind, url) in [
            (ServerKind::MariaDb, "mysql://warren:secret@127.0.0.1:23306"),
            (ServerKind::PostgreSql, "postgres://warren:secret@127.0.0.1:25432"),
        ] {
            for given in [url.to_owned(), format!("{url}/")] {
                let address = Address::parse(kind, &given).unwrap();
                assert_eq!(address.without_database(), url);
                assert_eq!(address.url("warren"), format!("{url}/warren"));
            }
        }
    }

    #[test]
    fn a_url_of_the_other_server_or_without_a_password_is_refused() {
        for bad in ["postgres://warren:secret@127.0.0.1:5432", "mysql://warren@127.0.0.1:3306", "mysql"] {
            Address::parse(ServerKind::MariaDb, bad).unwrap_err();
        }
    }
}
