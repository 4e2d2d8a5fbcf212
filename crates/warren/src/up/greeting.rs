//! What a person reads when Warren has started: where to go, what to do first, and whether traffic can flow.

use std::fmt::Write;

use time::macros::format_description;
use warren_app::{App, installation};

use super::{carrier::Carrier, plan::Plan};
use crate::{Failure, manage};

/// Prints it to standard output.
///
/// # Errors
/// [`Failure`] when the database cannot be used.
pub async fn print(app: &App, plan: &Plan, carrier: &Carrier) -> Result<(), Failure> {
    let link =
        installation::issue_set_up_link(app).await.map_err(|source| Failure::start("make a set-up link", source))?;
    manage::print(text(app, plan, link.as_ref(), carrier))
}

fn text(app: &App, plan: &Plan, link: Option<&installation::SetUpLink>, carrier: &Carrier) -> String {
    let mut text = format!("\n  Warren {}\n\n", env!("CARGO_PKG_VERSION"));
    if let Some(link) = link {
        let until = link.expires_at.format(&format_description!("[year]-[month]-[day] [hour]:[minute] UTC"));
        line(&mut text, "Begin at", &link.link);
        line(
            &mut text,
            "",
            &format!("This link makes you the operator. It works once, until {}.", until.unwrap_or_default()),
        );
    }
    line(&mut text, "Portal", &plan.public_url);
    for (at, sentence) in carrier.describe().iter().enumerate() {
        line(&mut text, if at == 0 { "Gateway" } else { "" }, sentence);
    }
    if let Some(sentence) = plan.mail.describe() {
        line(&mut text, "Mail", &sentence);
    }
    if let Some(server) = app.database_server() {
        line(&mut text, "Databases", &server);
    }
    line(&mut text, "Data", &plan.data.display().to_string());
    text
}

fn line(text: &mut String, title: &str, value: &str) {
    let _ = writeln!(text, "  {title:9} {value}");
}
