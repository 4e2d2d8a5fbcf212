//! Following a job to its end, with a bar where a person looks on.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use warren_wire::rest::v1::{Job, StartedJob};

use super::{
    client::{Answer, Client},
    console::{Console, Output},
};
use crate::Failure;

const ASK_EVERY: Duration = Duration::from_millis(250);
const BAR_CHARACTERS: u64 = 30;

/// The job under `organisation` as it came to its end.
///
/// # Errors
/// [`Failure::Unfinished`] when it failed or was called off.
pub async fn to_the_end(console: &Console, organisation: &str, started: &Answer) -> Result<Answer, Failure> {
    let StartedJob { job_id } = started.read()?;
    let path = format!("{organisation}/jobs/{job_id}");
    let mut bar = Bar::new(console.output());
    let (answer, job) = loop {
        let (answer, job) = ask(&console.client, &path).await?;
        if matches!(job.state.as_str(), "done" | "dead" | "cancelled") {
            break (answer, job);
        }
        bar.show(job.progress.done, job.progress.total);
        tokio::time::sleep(ASK_EVERY).await;
    };
    bar.clear();
    match job.state.as_str() {
        "done" => Ok(answer),
        "dead" => {
            let why = job.error.unwrap_or_default();
            Err(Failure::Unfinished(format!("the job failed: {why}\n  job {job_id}")))
        }
        _ => Err(Failure::Unfinished(format!("the job was called off\n  job {job_id}"))),
    }
}

async fn ask(client: &Client, path: &str) -> Result<(Answer, Job), Failure> {
    let answer = client.get(path).await?;
    let job = answer.read()?;
    Ok((answer, job))
}

/// One line on standard error that is written over, where that is a terminal.
struct Bar {
    shown: bool,
}

impl Bar {
    fn new(output: Output) -> Self {
        Self { shown: output == Output::Human && io::stderr().is_terminal() }
    }
    fn show(&mut self, done: u64, total: u64) {
        if self.shown {
            self.write(&drawn(done, total));
        }
    }
    fn clear(&mut self) {
        if self.shown {
            self.write("");
        }
    }
    fn write(&mut self, text: &str) {
        let mut out = io::stderr().lock();
        // Nobody is told by a terminal that went away.
        self.shown = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush()).is_ok();
    }
}

fn drawn(done: u64, total: u64) -> String {
    if total == 0 {
        return "…".into();
    }
    let full = usize::try_from(done.min(total) * BAR_CHARACTERS / total).unwrap_or_default();
    let rest = usize::try_from(BAR_CHARACTERS).unwrap_or_default() - full;
    format!("[{}{}] {done} / {total}", "#".repeat(full), "·".repeat(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_says_how_far_it_is() {
        assert_eq!(drawn(0, 0), "…");
        assert_eq!(drawn(1, 3), format!("[{}{}] 1 / 3", "#".repeat(10), "·".repeat(20)));
        assert_eq!(drawn(3, 3), format!("[{}] 3 / 3", "#".repeat(30)));
    }
}
