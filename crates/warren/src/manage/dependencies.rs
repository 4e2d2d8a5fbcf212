//! `warren dependencies`: what Warren needs and cannot trust to be there.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use warren_wire::rest::v1::{Dependencies as All, Dependency, ForceDependency, SupervisedTask};

use super::{
    confirm::Confirmation,
    console::terminal_width,
    format,
    scope::Reach,
    table::Table,
};
use crate::Failure;

const PATH: &str = "/api/v1/dependencies";

/// Dependencies.
#[derive(Debug, Args)]
pub struct Dependencies {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List them, and the background work.
    List,
    /// Set by hand whether one is called, until it is released or the process ends.
    Force {
        /// Its name.
        dependency: String,
        /// open: no call passes; closed: every call passes; release: it decides by itself again.
        force: Force,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// What to do with a breaker.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Force {
    Open,
    Closed,
    Release,
}

impl Force {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Release => "release",
        }
    }

    fn question(self, name: &str) -> String {
        match self {
            Self::Open => format!("Leave {name} alone, so that no call to it is made?"),
            Self::Closed => format!("Call {name} in any case, also when all calls fail?"),
            Self::Release => format!("Let {name} decide by itself again?"),
        }
    }
}

impl Dependencies {
    pub async fn run(self) -> Result<(), Failure> {
        let console = self.reach.console();
        match self.verb {
            Verb::List => {
                let answer = console.client.get(PATH).await?;
                console.show(&answer, |all: All| {
                    let (dependencies, tasks) = (table(&all.dependencies), tasks(&all.tasks));
                    format!("{dependencies}\nBACKGROUND WORK\n{tasks}")
                })
            }
            Verb::Force { dependency, force, confirmation } => {
                confirmation.ask(&force.question(&dependency))?;
                let path: String = form_urlencoded::byte_serialize(dependency.as_bytes()).collect();
                let body = ForceDependency { force: force.as_str().to_owned() };
                let answer = console.client.post(&format!("{PATH}/{path}/force"), &body).await?;
                console.show(&answer, |now: Dependency| format!("{} is {} now.", now.name, words(&now.state)))
            }
        }
    }
}

fn table(items: &[Dependency]) -> Table {
    let columns = ["NAME", "STATE", "SINCE", "CALLS", "FAILED", "NOT MADE", "UNDER WAY", "USUAL", "LAST FAILURE"];
    let numbers = &columns[3..8];
    let table = numbers.iter().fold(Table::new(&columns), |table, title| table.right(title));
    let rows = table.rows(items, |one| {
        let calls = &one.calls;
        vec![
            one.name.clone(),
            words(&one.state),
            format::moment(Some(one.since)),
            calls.made.to_string(),
            (calls.failed + calls.timed_out).to_string(),
            (calls.refused_open + calls.refused_full + calls.refused_late).to_string(),
            format!("{}/{}", one.in_flight, one.in_flight_max),
            if one.usual_us == 0 { "–".to_owned() } else { format::span(Duration::from_micros(one.usual_us)) },
            one.last_failure.as_ref().map(|past| past.text.clone()).unwrap_or_default(),
        ]
    });
    rows.fitted(terminal_width())
}

fn tasks(items: &[SupervisedTask]) -> Table {
    let rows = Table::new(&["TASK", "STATE", "SINCE", "STARTED AGAIN", "LAST FAILURE"]).right("STARTED AGAIN").rows(items, |one| {
        vec![
            one.name.clone(),
            one.state.clone(),
            format::moment(Some(one.since)),
            one.restarts.to_string(),
            one.last_failure.as_ref().map(|past| past.text.clone()).unwrap_or_default(),
        ]
    });
    rows.fitted(terminal_width())
}

/// The API's names in words.
fn words(name: &str) -> String {
    name.replace('_', " ")
}
