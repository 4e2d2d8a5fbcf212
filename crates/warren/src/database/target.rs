//! Where databases are to be moved.

use std::path::{Path, PathBuf};

use clap::Args;
use warren_app::Standing;

use super::options;
use crate::Failure;

/// Where databases are to be moved.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct Target {
    /// To a server: postgresql://USER:PASSWORD@HOST/NAME or mariadb://…, where nothing of that name may be yet. Other users of
    /// this machine can see it; --to-file hides it from them.
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// To the server whose URL this file holds.
    #[arg(long, value_name = "FILE")]
    to_file: Option<PathBuf>,
    /// Into files in the data folder.
    #[arg(long)]
    to_folder: bool,
    /// Nowhere: use again what was moved away, without what was written at the other place since.
    #[arg(long)]
    back_out: bool,
}

/// A place that can be moved to, and what is said to `warren up` there.
#[derive(Debug)]
pub struct Goal {
    pub standing: Standing,
    /// What is said beside the data folder, with a blank before it; nothing for files in it.
    pub said: String,
}

impl Target {
    /// The place, for the installation in `data`; none to back out.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a URL that cannot be used, [`Failure::Io`] for a file that cannot be read.
    pub fn goal(&self, data: &Path) -> Result<Option<Goal>, Failure> {
        let (url, said) = match (&self.to, &self.to_file) {
            (Some(url), _) => (url.clone(), format!(" --database-url '{}'", without_password(url))),
            (None, Some(file)) => (options::read(file)?, format!(" --database-url-file '{}'", file.display())),
            (None, None) if self.back_out => return Ok(None),
            (None, None) => {
                return Ok(Some(Goal { standing: Standing::Folder(data.to_owned()), said: String::new() }));
            }
        };
        Ok(Some(Goal { standing: Standing::Server(options::parsed(&url)?.into()), said }))
    }
}

/// The URL as it was given, with a word in place of its password.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((user, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    match user.split_once(':') {
        Some((name, _)) => format!("{scheme}://{name}:PASSWORD@{host}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        target: Target,
    }

    fn goal(arguments: &[&str]) -> Option<Goal> {
        let line = Line::try_parse_from(std::iter::once(&"move").chain(arguments)).unwrap();
        line.target.goal(Path::new("/var/lib/warren")).unwrap()
    }

    #[test]
    fn what_is_said_to_warren_up_names_the_place_and_no_password() {
        let goal_of_url = goal(&["--to", "postgresql://warren:s3:cr@et@db.example.org/warren"]).unwrap();
        assert_eq!(goal_of_url.said, " --database-url 'postgresql://warren:PASSWORD@db.example.org/warren'");
        assert_eq!(without_password("mariadb://db/warren"), "mariadb://db/warren");
        let folder = goal(&["--to-folder"]).unwrap();
        assert!(matches!(folder.standing, Standing::Folder(_)) && folder.said.is_empty());
        assert!(goal(&["--back-out"]).is_none());
    }

    #[test]
    fn one_place_is_said_and_no_more() {
        for arguments in [&["move"][..], &["move", "--to-folder", "--to", "mariadb://db/warren"]] {
            Line::try_parse_from(arguments).unwrap_err();
        }
    }
}
