//! `warren import`: people and devices from a table.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use warren_wire::rest::v1::{File, ImportLineError, ImportResult, Job, StartImport};

use super::{
    console::{Console, Output, print, terminal_width, with_query},
    following,
    scope::Scope,
    table::Table,
};
use crate::Failure;

/// An import.
#[derive(Debug, Args)]
pub struct Import {
    #[command(flatten)]
    scope: Scope,
    /// What the lines are.
    kind: Kind,
    /// The table: a text file whose first line names the columns.
    file: PathBuf,
    #[command(flatten)]
    mode: Mode,
    /// Give people new links who are invited already; the ones before stop working.
    #[arg(long)]
    renew_pending: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    People,
    Devices,
}

/// How lines that cannot be used are dealt with.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Mode {
    /// Change nothing and say what would be (the default).
    #[arg(long)]
    dry_run: bool,
    /// Change nothing when one line is bad.
    #[arg(long)]
    all_or_nothing: bool,
    /// Do the good lines.
    #[arg(long)]
    skip_bad: bool,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Devices => "devices",
        }
    }
}

impl Mode {
    const fn as_str(&self) -> &'static str {
        match (self.all_or_nothing, self.skip_bad) {
            (true, _) => "all_or_nothing",
            (_, true) => "skip_bad",
            _ => "dry_run",
        }
    }
}

impl Import {
    pub async fn run(self) -> Result<(), Failure> {
        let (console, organisation) = self.scope.enter().await?;
        let name = self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let path = with_query(&format!("{organisation}/files"), &[("name", name)]);
        let file: File = console.client.upload(&path, &self.file).await?.read()?;
        let body = StartImport {
            file_id: file.id,
            kind: self.kind.as_str().to_owned(),
            mode: self.mode.as_str().to_owned(),
            renew_pending: self.renew_pending,
            language: Some("en".to_owned()),
        };
        let started = console.client.post(&format!("{organisation}/imports"), &body).await?;
        let answer = following::to_the_end(&console, &organisation, &started).await?;
        let job: Job = answer.read()?;
        let result = job.result.and_then(|result| serde_json::from_value::<ImportResult>(result).ok());
        let result = result.ok_or_else(|| Failure::Unfinished("the job says nothing of what came of it".into()))?;
        tell(&console, &result)
    }
}

fn tell(console: &Console, result: &ImportResult) -> Result<(), Failure> {
    if console.output() == Output::Json {
        let text = serde_json::to_string(result).map_err(|error| Failure::Unfinished(error.to_string()))?;
        print(text)?;
    } else if result.problem.is_none() {
        print(sentence(result))?;
        if !result.ignored_columns.is_empty() {
            print(format_args!("Columns that were passed over: {}.", result.ignored_columns.join(", ")))?;
        }
        if !result.errors.is_empty() {
            print(table(&result.errors).fitted(terminal_width()))?;
        }
        if let Some(file) = result.file {
            print(format_args!("All lines and what came of them: warren files get {file}"))?;
        }
    }
    match (result.end.as_str(), &result.problem) {
        ("unusable", Some(problem)) => Err(Failure::Refused(problem.clone())),
        ("nothing_done", _) => Err(Failure::Refused("nothing was done, as a line cannot be used".into())),
        _ => Ok(()),
    }
}

/// What came of it, in a line.
fn sentence(result: &ImportResult) -> String {
    let opening = match result.end.as_str() {
        "planned" => "Nothing was changed yet; it would be",
        "nothing_done" => "Nothing was changed; it would have been",
        "stopped" => "Stopped",
        _ => "Done",
    };
    let ImportResult { lines, created, renewed, there, failed, .. } = result;
    let renewed = if *renewed > 0 { format!("{renewed} with a new link, ") } else { String::new() };
    format!("{opening}: {created} new, {renewed}{there} there already, {failed} of {lines} lines cannot be used.")
}

fn table(errors: &[ImportLineError]) -> Table {
    Table::new(&["LINE", "COLUMN", "VALUE", "PROBLEM"]).right("LINE").rows(errors, |error| {
        vec![
            error.line.to_string(),
            error.column.clone().unwrap_or_default(),
            error.value.clone(),
            error.problem.clone(),
        ]
    })
}
