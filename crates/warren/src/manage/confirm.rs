//! A question before something that cannot be undone; asked of people, not of programs.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;

use crate::Failure;

/// Whether to ask.
#[derive(Debug, Clone, Copy, Args)]
pub struct Confirmation {
    /// Do not ask first.
    #[arg(long, short)]
    yes: bool,
}

impl Confirmation {
    /// Asks on a terminal; goes on at once for a program or with `--yes`.
    ///
    /// # Errors
    /// [`Failure::Declined`] for every answer but `y` and `yes`.
    pub fn ask(self, question: &str) -> Result<(), Failure> {
        if self.yes || !io::stdin().is_terminal() {
            return Ok(());
        }
        let mut out = io::stderr().lock();
        // Without a standard error there is nobody to ask.
        let _ = write!(out, "{question} [y/N] ").and_then(|()| out.flush());
        let mut answer = String::new();
        match io::stdin().lock().read_line(&mut answer) {
            Ok(_) if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") => Ok(()),
            _ => Err(Failure::Declined),
        }
    }
}
