//! The options that say where the databases are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use warren_app::{DatabaseUrl, Standing};

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
}

/// A URL is far shorter.
const URL_BYTES_MAX: u64 = 4096;

impl DatabaseOptions {
    /// The place that they name, for the installation in `data`.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a URL that cannot be used, [`Failure::Io`] for a file that cannot be read.
    pub fn standing(&self, data: &Path) -> Result<Standing, Failure> {
        let url = match (&self.database_url, &self.database_url_file) {
            (Some(url), _) => url.clone(),
            (None, Some(file)) => read(file)?,
            (None, None) => return Ok(Standing::Folder(data.to_owned())),
        };
        let url: DatabaseUrl = url.trim().parse().map_err(|error| Failure::Usage(format!("{error}")))?;
        Ok(Standing::Server(url))
    }
}

fn read(file: &Path) -> Result<String, Failure> {
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
}
