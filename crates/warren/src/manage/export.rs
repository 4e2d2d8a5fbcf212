//! `warren export` and `warren report`: what leaves an organisation as files.

use clap::{Args, ValueEnum};
use warren_wire::rest::v1::{Job, MadeFiles, Person, StartExport, StartReport};

use super::{
    client::Answer,
    console::{Console, Output, print},
    following, lookup,
    scope::Scope,
};
use crate::Failure;

/// An export.
#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    scope: Scope,
    /// Only what is held of this person: an address, a name or an identifier.
    #[arg(long)]
    person: Option<String>,
}

/// A report.
#[derive(Debug, Args)]
pub struct Report {
    #[command(flatten)]
    scope: Scope,
    /// What it is of.
    kind: Kind,
    /// The first day, such as 2026-10-01.
    #[arg(long, value_name = "DAY")]
    from: String,
    /// The last day, which belongs to it.
    #[arg(long, value_name = "DAY")]
    to: String,
    /// Whose days and clocks, such as Europe/Berlin; by default UTC.
    #[arg(long)]
    zone: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Usage,
    Audit,
}

impl Export {
    pub async fn run(self) -> Result<(), Failure> {
        let (console, organisation) = self.scope.enter().await?;
        let person_id = match &self.person {
            Some(given) => Some(lookup::find::<Person>(&console, &format!("{organisation}/people"), &[], given).await?),
            None => None,
        };
        let body = StartExport { person_id, language: Some("en".to_owned()) };
        let started = console.client.post(&format!("{organisation}/exports"), &body).await?;
        tell(&console, &organisation, &started).await
    }
}

impl Report {
    pub async fn run(self) -> Result<(), Failure> {
        let (console, organisation) = self.scope.enter().await?;
        let kind = match self.kind {
            Kind::Usage => "usage",
            Kind::Audit => "audit",
        };
        let body = StartReport {
            kind: kind.to_owned(),
            first_day: self.from,
            last_day: self.to,
            zone: self.zone,
            language: Some("en".to_owned()),
        };
        let started = console.client.post(&format!("{organisation}/reports"), &body).await?;
        tell(&console, &organisation, &started).await
    }
}

/// Waits for the job and says what it made.
async fn tell(console: &Console, organisation: &str, started: &Answer) -> Result<(), Failure> {
    let job: Job = following::to_the_end(console, organisation, started).await?.read()?;
    let made = job.result.and_then(|result| serde_json::from_value::<MadeFiles>(result).ok());
    let made = made.ok_or_else(|| Failure::Unfinished("the job says nothing of what it made".into()))?;
    if console.output() == Output::Json {
        let text = serde_json::to_string(&made).map_err(|error| Failure::Unfinished(error.to_string()))?;
        return print(text);
    }
    made.files
        .iter()
        .try_for_each(|file| print(format_args!("Made; fetch it with: warren files get {file} --output FILE")))
}
