//! `warren files`: what was uploaded, and what came of imports and other jobs.

use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;
use warren_wire::rest::v1::File;

use super::{confirm::Confirmation, console::ListOptions, format, scope::Scope, table::Table};
use crate::Failure;

/// Files.
#[derive(Debug, Args)]
pub struct Files {
    #[command(flatten)]
    scope: Scope,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List those of one purpose, the newest first.
    List {
        #[arg(default_value = "outcome")]
        purpose: Purpose,
        #[command(flatten)]
        list: ListOptions,
    },
    /// Print one, or write it to a new file.
    Get {
        /// Its identifier.
        id: Uuid,
        /// Write it to this new file instead, readable by its owner only.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Remove one before its time.
    Remove {
        /// Its identifier.
        id: Uuid,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// What files are for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Purpose {
    /// What was uploaded to be imported.
    Upload,
    /// What came of imports and bulk changes, line by line.
    Outcome,
    Export,
    Report,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Outcome => "outcome",
            Self::Export => "export",
            Self::Report => "report",
        }
    }
}

impl Files {
    pub async fn run(self) -> Result<(), Failure> {
        let (console, organisation) = self.scope.enter().await?;
        let path = format!("{organisation}/files");
        match self.verb {
            Verb::List { purpose, list } => {
                let query = [("purpose", purpose.as_str().to_owned())];
                console.list(&path, &query, &list, table, "There are no such files.").await
            }
            Verb::Get { id, output: None } => {
                let place = Path::new("standard output");
                let mut out = io::stdout().lock();
                console.client.download(&format!("{path}/{id}/content"), &mut out, place).await.map(drop)
            }
            Verb::Get { id, output: Some(place) } => {
                let unwritable = |source| Failure::Io { doing: "write to", path: place.clone(), source };
                let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&place);
                let mut out = new.map_err(unwritable)?;
                let size = console.client.download(&format!("{path}/{id}/content"), &mut out, &place).await?;
                console.done(format_args!("Wrote {} to {}.", format::bytes(size), place.display()))
            }
            Verb::Remove { id, confirmation } => {
                let path = format!("{path}/{id}");
                let read = console.client.get(&path).await?;
                let known: File = read.read()?;
                confirmation.ask(&format!("Remove {}?", known.name))?;
                console.client.delete(&path, &read).await?;
                console.done(format_args!("Removed {}.", known.name))
            }
        }
    }
}

fn table(items: &[File]) -> Table {
    Table::new(&["NAME", "SIZE", "MADE", "REMOVED", "ID"]).right("SIZE").rows(items, |file| {
        vec![
            file.name.clone(),
            file.size_bytes.map_or_else(|| "–".into(), format::bytes),
            format::moment(Some(file.created_at)),
            format::moment(Some(file.expires_at)),
            file.id.to_string(),
        ]
    })
}
