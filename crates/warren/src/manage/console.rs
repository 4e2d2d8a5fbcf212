//! What a management command has in hand: the client, and the way its answers are shown.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    path::PathBuf,
};

use serde::de::DeserializeOwned;
use warren_wire::rest::v1::Page;

use super::{
    client::{Answer, Client},
    table::Table,
};
use crate::Failure;

/// The most items that a table shows.
const ITEMS_MAX: usize = 10_000;

/// Who reads the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// A person: aligned tables.
    Human,
    /// A program: the API's own JSON.
    Json,
}

/// Asks the server and shows what it says.
#[derive(Debug)]
pub struct Console {
    pub client: Client,
    output: Output,
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ListOptions {
    /// The most items to show; with --json, the most on the page (200 at most).
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    /// With --json: the page that follows this `next_cursor`.
    #[arg(long, requires = "json", value_name = "CURSOR")]
    cursor: Option<String>,
}

impl Console {
    pub const fn new(client: Client, output: Output) -> Self {
        Self { client, output }
    }
    pub const fn output(&self) -> Output {
        self.output
    }

    /// Shows one thing: as it came, or as `human` puts it.
    pub fn show<T: DeserializeOwned, D: Display>(
        &self,
        answer: &Answer,
        human: impl FnOnce(T) -> D,
    ) -> Result<(), Failure> {
        match self.output {
            Output::Json => print_json(answer),
            Output::Human => print(human(answer.read()?)),
        }
    }

    /// Confirms in one sentence what was done; says nothing to programs, whose exit code tells it.
    pub fn done(&self, sentence: impl Display) -> Result<(), Failure> {
        match self.output {
            Output::Json => Ok(()),
            Output::Human => print(sentence),
        }
    }

    /// Shows a list: one page as it came, or a table of all pages.
    pub async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
        options: &ListOptions,
        table: impl FnOnce(&[T]) -> Table,
        empty: &str,
    ) -> Result<(), Failure> {
        if self.output == Output::Json {
            let mut query = query.to_vec();
            query.push(("limit", options.limit.unwrap_or(200).to_string()));
            query.extend(options.cursor.iter().map(|cursor| ("cursor", cursor.clone())));
            return print_json(&self.client.get(&with_query(path, &query)).await?);
        }
        let (items, rest) = self.pages::<T>(path, query, options.limit.unwrap_or(ITEMS_MAX)).await?;
        if items.is_empty() {
            return print(empty);
        }
        print(table(&items).fitted(terminal_width()))?;
        match rest {
            Rest::None => Ok(()),
            Rest::More => print(format_args!("… and more; narrow the list, or read it by pages with --json")),
        }
    }

    /// All items of a list, up to `limit`.
    pub async fn all<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<Vec<T>, Failure> {
        Ok(self.pages(path, query, ITEMS_MAX).await?.0)
    }

    async fn pages<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
        limit: usize,
    ) -> Result<(Vec<T>, Rest), Failure> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = query.to_vec();
            query.push(("limit", (limit - items.len()).clamp(1, 200).to_string()));
            query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let page: Page<T> = self.client.get(&with_query(path, &query)).await?.read()?;
            items.extend(page.items);
            match page.next_cursor {
                None => return Ok((items, Rest::None)),
                Some(_) if items.len() >= limit => return Ok((items, Rest::More)),
                Some(next) => cursor = Some(next),
            }
        }
    }
}

/// Whether a list goes on after what was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    None,
    More,
}

/// Writes to standard output. A reader that went away, as `head` does, is no failure.
pub fn print(text: impl Display) -> Result<(), Failure> {
    let text = text.to_string();
    write_out(text.trim_end_matches('\n').as_bytes())
}

fn print_json(answer: &Answer) -> Result<(), Failure> {
    if answer.body.is_empty() { Ok(()) } else { write_out(&answer.body) }
}

fn write_out(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Io { doing: "write to", path: PathBuf::from("standard output"), source: error })
        }
        _ => Ok(()),
    }
}

/// The columns that a line may take: the terminal's, or no limit where a program reads.
pub fn terminal_width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)).filter(|width| *width >= 40)
}

/// A path with a query.
pub fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    encoded.extend_pairs(query);
    let encoded = encoded.finish();
    if encoded.is_empty() { path.to_owned() } else { format!("{path}?{encoded}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded() {
        assert_eq!(with_query("/x", &[("q", "a&b ä".into())]), "/x?q=a%26b+%C3%A4");
        assert_eq!(with_query("/x", &[]), "/x");
    }
}
