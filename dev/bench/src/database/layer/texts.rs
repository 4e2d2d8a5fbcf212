//! The statements that Warren sends, as its own figures show them, for those who are to send the same.

use anyhow::Context;
use warren_storage::Databases;

/// What Warren sends to an organisation's database. Texts are kept for as long as the process: drivers ask for such.
#[derive(Debug)]
pub struct Texts(Vec<&'static str>);

impl Texts {
    /// Those that were sent up to now.
    pub fn sent(databases: &Databases) -> Self {
        let sent = databases.status().tenants.statements;
        Self(sent.iter().map(|statement| &*statement.example.to_string().leak()).collect())
    }

    /// The one that holds all of `parts`, quotation marks aside.
    ///
    /// # Errors
    /// When none does.
    pub fn with(&self, parts: &[&str]) -> anyhow::Result<&'static str> {
        let holds = |text: &&&str| {
            let plain = text.replace(['"', '`'], "");
            parts.iter().all(|part| plain.contains(part))
        };
        self.0.iter().find(holds).copied().with_context(|| format!("Warren sent no statement with {parts:?}"))
    }
}
