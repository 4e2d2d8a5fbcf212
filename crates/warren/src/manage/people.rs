//! `warren people`: who belongs to an organisation.

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;
use warren_wire::rest::v1::{InvitePerson, InvitedPerson, Person, UpdatePerson};

use super::{
    confirm::Confirmation,
    console::{Console, ListOptions},
    format, lookup,
    scope::Scope,
    table::Table,
};
use crate::Failure;

/// People.
#[derive(Debug, Args)]
pub struct People {
    #[command(flatten)]
    scope: Scope,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List them.
    List(ListOptions),
    /// Invite somebody; prints the link to hand over, which works once.
    Invite {
        email: String,
        name: String,
        #[arg(long, default_value = "member")]
        role: Role,
    },
    /// Make a new invitation link for somebody who has not joined yet; the one before stops working.
    Invitation {
        /// A name, an e-mail address or an identifier.
        person: String,
    },
    /// Change somebody's role.
    Role {
        /// A name, an e-mail address or an identifier.
        person: String,
        role: Role,
    },
    /// Remove somebody and revoke their devices.
    Remove {
        /// A name, an e-mail address or an identifier.
        person: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// What somebody is in the organisation.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    Member,
    Admin,
}

impl Role {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
        }
    }
}

impl People {
    pub async fn run(self) -> Result<(), Failure> {
        let (console, organisation) = self.scope.enter().await?;
        let path = format!("{organisation}/people");
        match self.verb {
            Verb::List(options) => {
                console
                    .list(&path, &[], &options, table, "Nobody is here yet; invite the first: warren people invite")
                    .await
            }
            Verb::Invite { email, name, role } => {
                let body = InvitePerson { name, email, role: role.as_str().into() };
                let answer = console.client.post(&path, &body).await?;
                console.show(&answer, |made: InvitedPerson| invitation(&made))
            }
            Verb::Invitation { person } => {
                let id = find(&console, &path, &person).await?;
                let answer = console.client.post(&format!("{path}/{id}/invitation"), &serde_json::json!({})).await?;
                console.show(&answer, |made: InvitedPerson| invitation(&made))
            }
            Verb::Role { person, role } => {
                let path = format!("{path}/{}", find(&console, &path, &person).await?);
                let read = console.client.get(&path).await?;
                let body = UpdatePerson { role: role.as_str().into() };
                let answer = console.client.patch(&path, &read, &body).await?;
                console.show(&answer, |now: Person| format!("{} is {} now.", now.name, now.role))
            }
            Verb::Remove { person, confirmation } => {
                let path = format!("{path}/{}", find(&console, &path, &person).await?);
                let read = console.client.get(&path).await?;
                let known: Person = read.read()?;
                confirmation.ask(&format!("Remove {} <{}> and revoke their devices?", known.name, known.email))?;
                console.client.delete(&path, &read).await?;
                console.done(format_args!("Removed {}.", known.name))
            }
        }
    }
}

async fn find(console: &Console, path: &str, given: &str) -> Result<Uuid, Failure> {
    lookup::find::<Person>(console, path, &[], given).await
}

fn invitation(made: &InvitedPerson) -> String {
    let letter = match made.letter_job_id {
        Some(job) => format!("\n\nA letter with it is on its way; what becomes of it: warren jobs show {job}"),
        None => String::new(),
    };
    format!(
        "Hand this link to {}; it works once, until {}:\n\n  {}{letter}",
        made.person.name,
        format::moment(Some(made.invitation.expires_at)),
        made.invitation.link
    )
}

fn table(items: &[Person]) -> Table {
    Table::new(&["NAME", "E-MAIL", "ROLE", "STANDING", "SINCE", "ID"]).rows(items, |person| {
        vec![
            person.name.clone(),
            person.email.clone(),
            person.role.clone(),
            person.standing.clone(),
            format::moment(Some(person.created_at)),
            person.id.to_string(),
        ]
    })
}
