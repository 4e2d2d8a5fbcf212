//! The options that say where the databases are.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use warren_app::{DatabaseUrl, Servers, Standing};

use crate::Failure;

/// Where the databases are.
#[derive(Debug, Clone, Args)]
pub struct DatabaseOptions {
    /// Keep the databases on a server, as postgresql://USER:PASSWORD@HOST/NAME or mariadb://…; by default they are files in
    /// the data folder. Other users of this machine can see it: say it by the environment, or use --database-url-file.
    #[arg(
        long,
        env = "WARREN_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        conflicts_with = "database_url_file"
    )]
    database_url: Option<String>,
    /// A file that holds that URL, such as a systemd credential.
    #[arg(long, env = "WARREN_DATABASE_URL_FILE", value_name = "FILE")]
    database_url_file: Option<PathBuf>,
    /// A server that follows the one of --database-url and that lists are read from; say it once for each. In the
    /// environment the URLs have a space between.
    #[arg(
        long,
        env = "WARREN_DATABASE_REPLICA",
        hide_env_values = true,
        value_name = "URL",
        value_delimiter = ' ',
        conflicts_with = "database_replica_file"
    )]
    database_replica: Vec<String>,
    /// A file that holds such URLs, one a line.
    #[arg(long, env = "WARREN_DATABASE_REPLICA_FILE", value_name = "FILE")]
    database_replica_file: Option<PathBuf>,
    /// How old what is read from a replica may be, in milliseconds.
    #[arg(long, env = "WARREN_DATABASE_REPLICA_LAG", default_value_t = 2000, value_name = "MILLISECONDS",
        value_parser = clap::value_parser!(u64).range(100..=600_000))]
    database_replica_lag: u64,
}

/// All of the URLs together are far shorter.
const URL_BYTES_MAX: u64 = 16 * 1024;

impl DatabaseOptions {
    /// How old what is read from a replica may be.
    pub const fn replica_lag_max(&self) -> Duration {
        Duration::from_millis(self.database_replica_lag)
    }

    /// The place that they name, for the installation in `data`.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a URL that cannot be used, [`Failure::Io`] for a file that cannot be read.
    pub fn standing(&self, data: &Path) -> Result<Standing, Failure> {
        let url = match (&self.database_url, &self.database_url_file) {
            (Some(url), _) => url.clone(),
            (None, Some(file)) => read(file)?,
            (None, None) if self.database_replica.is_empty() && self.database_replica_file.is_none() => {
                return Ok(Standing::Folder(data.to_owned()));
            }
            (None, None) => return Err(Failure::Usage(REPLICA_WITHOUT_PRIMARY.to_owned())),
        };
        let replicas = match &self.database_replica_file {
            Some(file) => read(file)?.split_whitespace().map(parsed).collect::<Result<_, _>>()?,
            None => self.database_replica.iter().map(|url| parsed(url)).collect::<Result<_, _>>()?,
        };
        let servers = Servers::new(parsed(&url)?, replicas).map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Standing::Server(servers))
    }
}

const REPLICA_WITHOUT_PRIMARY: &str =
    "a replica is given but no --database-url: name the server that it follows, or leave the replica out";

pub(super) fn parsed(url: &str) -> Result<DatabaseUrl, Failure> {
    url.trim().parse().map_err(|error| Failure::Usage(format!("{error}")))
}

pub(super) fn read(file: &Path) -> Result<String, Failure> {
    let failed = |source| Failure::Io { doing: "read the database URL from", path: file.to_owned(), source };
    if fs::metadata(file).map_err(failed)?.len() > URL_BYTES_MAX {
        return Err(Failure::Usage(format!("{} holds more than a database URL", file.display())));
    }
    fs::read_to_string(file).map_err(failed)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        database: DatabaseOptions,
    }

    fn standing(arguments: &[&str]) -> Result<Standing, Failure> {
        let line = Line::parse_from([&["warren"], arguments].concat());
        line.database.standing(Path::new("/var/lib/warren"))
    }

    #[test]
    fn databases_are_files_unless_a_server_is_named() {
        assert!(matches!(standing(&[]), Ok(Standing::Folder(folder)) if folder == Path::new("/var/lib/warren")));
        let url = "mariadb://warren:secret@db.example.org/warren";
        assert!(matches!(standing(&["--database-url", url]), Ok(Standing::Server(_))));
    }

    #[test]
    fn a_url_is_read_from_a_file_too_and_a_wrong_one_is_refused_without_its_password() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "postgresql://warren:secret@db.example.org/warren\n").unwrap();
        let path = file.path().to_str().unwrap();
        assert!(matches!(standing(&["--database-url-file", path]), Ok(Standing::Server(_))));
        fs::write(file.path(), "postgresql://warren:secret@db.example.org").unwrap();
        let refused = standing(&["--database-url-file", path]).unwrap_err().to_string();
        assert!(refused.contains("names no database") && !refused.contains("secret"), "{refused}");
        assert!(standing(&["--database-url-file", "/nowhere"]).unwrap_err().to_string().contains("/nowhere"));
    }

    #[test]
    fn replicas_are_named_one_by_one_or_in_a_file_and_need_a_primary() {
        let (primary, one, two) =
            ("mariadb://w:secret@db1/warren", "mariadb://w:secret@db2/warren", "mariadb://db3/warren");
        let of = |arguments: &[&str]| match standing(&[&["--database-url", primary], arguments].concat()) {
            Ok(Standing::Server(servers)) => servers.replicas().iter().map(ToString::to_string).collect(),
            other => vec![format!("{:?}", other.unwrap_err())],
        };
        let both = ["mariadb://db2:3306/warren", "mariadb://db3:3306/warren"];
        assert_eq!(of(&["--database-replica", one, "--database-replica", two]), both);
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), format!("{one}\n\n{two}\n")).unwrap();
        assert_eq!(of(&["--database-replica-file", file.path().to_str().unwrap()]), both);
        assert!(of(&["--database-replica", "postgresql://db2/warren"])[0].contains("another kind of server"));
        let alone = standing(&["--database-replica", one]).unwrap_err().to_string();
        assert!(alone.contains("no --database-url") && !alone.contains("secret"), "{alone}");
    }
}
