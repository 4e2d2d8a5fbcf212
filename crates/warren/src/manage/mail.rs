//! `warren mail`: letters on record, and a test.

use clap::{Args, Subcommand};
use uuid::Uuid;
use warren_wire::rest::v1::{Mail as Letter, SendTestMail, TestMailOnItsWay};

use super::{
    console::ListOptions,
    format,
    scope::Reach,
    table::{Particulars, Table},
};
use crate::Failure;

const PATH: &str = "/api/v1/mails";

/// Mail.
#[derive(Debug, Args)]
pub struct Mail {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the letters of the last 30 days, the newest first.
    List(ListOptions),
    /// Show one; where it was kept, with what stands in it.
    Show {
        /// Its identifier.
        mail: Uuid,
    },
    /// Send a letter that says that mail works.
    Test {
        /// Whom to.
        to: String,
    },
}

impl Mail {
    pub async fn run(self) -> Result<(), Failure> {
        let console = self.reach.console();
        match self.verb {
            Verb::List(options) => console.list(PATH, &[], &options, table, "There is no letter yet.").await,
            Verb::Show { mail } => {
                let answer = console.client.get(&format!("{PATH}/{mail}")).await?;
                console.show(&answer, |letter: Letter| shown(&letter))
            }
            Verb::Test { to } => {
                let answer = console.client.post(&format!("{PATH}/test"), &SendTestMail { to: to.clone() }).await?;
                console.show(&answer, |sent: TestMailOnItsWay| {
                    format!("A letter to {to} is on its way; what becomes of it: warren jobs show {}", sent.job_id)
                })
            }
        }
    }
}

fn table(items: &[Letter]) -> Table {
    Table::new(&["WHEN", "TO", "SUBJECT", "STATE", "ERROR", "ID"]).rows(items, |mail| {
        vec![
            format::moment(Some(mail.at)),
            mail.to.clone(),
            mail.subject.clone(),
            mail.state.clone(),
            mail.error.clone().unwrap_or_default(),
            mail.id.to_string(),
        ]
    })
}

fn shown(mail: &Letter) -> String {
    let particulars = Particulars::of(&mail.subject)
        .line("to", &mail.to)
        .line("state", &mail.state)
        .line("error", mail.error.clone().unwrap_or_default())
        .line("when", format::moment(Some(mail.at)))
        .line("letter", &mail.letter)
        .line("organisation", mail.organisation_id.map(|id| id.to_string()).unwrap_or_default())
        .line("id", mail.id.to_string());
    match &mail.content {
        Some(content) => format!("{particulars}\n{}", printable(&content.text)),
        None => particulars.to_string(),
    }
}

/// Without characters that would move the cursor or change the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{FFFD}' } else { c }).collect()
}
