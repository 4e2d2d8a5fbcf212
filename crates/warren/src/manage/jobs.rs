//! `warren jobs`: queues, and the jobs in them.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use uuid::Uuid;
use warren_wire::rest::v1::{Job, JobQueue, JobQueues, ReplayedJobs};

use super::{
    console::{Console, ListOptions, terminal_width},
    format,
    scope::Reach,
    table::{Particulars, Table},
};
use crate::Failure;

const PATH: &str = "/api/v1/jobs";

/// Jobs.
#[derive(Debug, Args)]
pub struct Jobs {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List them, the newest first.
    List {
        /// Only those of this queue.
        #[arg(long)]
        queue: Option<Queue>,
        /// Only those in this state.
        #[arg(long)]
        state: Option<State>,
        /// Only those of the organisation with this identifier.
        #[arg(long, value_name = "ID")]
        organisation: Option<Uuid>,
        #[command(flatten)]
        list: ListOptions,
    },
    /// How much is in each queue, how long jobs wait and run, and who works on them.
    Queues,
    /// Show one.
    Show {
        /// Its identifier.
        job: Uuid,
    },
    /// Call one off; if it runs, it is asked to stop.
    Cancel {
        /// Its identifier.
        job: Uuid,
    },
    /// Run one again that failed for good or was called off, or all of a queue that failed for good.
    Replay {
        /// Its identifier.
        #[arg(required_unless_present = "queue", conflicts_with = "queue")]
        job: Option<Uuid>,
        /// All of this queue that failed for good, the oldest first and at most a thousand.
        #[arg(long)]
        queue: Option<Queue>,
    },
    /// Hold a queue back on all hosts; what runs comes to its end.
    Pause { queue: Queue },
    /// Let a queue go on.
    Resume { queue: Queue },
}

/// A queue.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Queue {
    Mail,
    Webhooks,
    Records,
    Reports,
}

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Waiting,
    Ready,
    Running,
    Done,
    Dead,
    Cancelled,
}

impl Queue {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhooks => "webhooks",
            Self::Records => "records",
            Self::Reports => "reports",
        }
    }
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Jobs {
    pub async fn run(self) -> Result<(), Failure> {
        let console = self.reach.console();
        let nothing = json!({});
        match self.verb {
            Verb::List { queue, state, organisation, list } => {
                let mut query = Vec::new();
                query.extend(queue.map(|queue| ("queue", queue.as_str().to_owned())));
                query.extend(state.map(|state| ("state", state.as_str().to_owned())));
                query.extend(organisation.map(|id| ("organisation", id.to_string())));
                console.list(PATH, &query, &list, table, "There is no such job.").await
            }
            Verb::Queues => {
                let answer = console.client.get(&format!("{PATH}/queues")).await?;
                console.show(&answer, |status: JobQueues| queues(&status))
            }
            Verb::Show { job } => {
                let answer = console.client.get(&format!("{PATH}/{job}")).await?;
                console.show(&answer, |job: Job| particulars(&job))
            }
            Verb::Cancel { job } => {
                let answer = console.client.post(&format!("{PATH}/{job}/cancel"), &nothing).await?;
                console.show(&answer, |now: Job| match now.state.as_str() {
                    "cancelled" => format!("Called {job} off."),
                    _ => format!("Asked {job} to stop; it runs until it comes to a good place."),
                })
            }
            Verb::Replay { job, queue } => replay(&console, job, queue).await,
            Verb::Pause { queue } => {
                let queue = queue.as_str();
                console.client.post(&format!("{PATH}/queues/{queue}/pause"), &nothing).await?;
                console.done(format_args!("The queue {queue} is paused; its jobs wait."))
            }
            Verb::Resume { queue } => {
                let queue = queue.as_str();
                console.client.post(&format!("{PATH}/queues/{queue}/resume"), &nothing).await?;
                console.done(format_args!("The queue {queue} goes on."))
            }
        }
    }
}

async fn replay(console: &Console, job: Option<Uuid>, queue: Option<Queue>) -> Result<(), Failure> {
    let (path, name) = match (job, queue) {
        (Some(job), _) => (format!("{PATH}/{job}/replay"), job.to_string()),
        (None, Some(queue)) => (format!("{PATH}/queues/{}/replay", queue.as_str()), queue.as_str().to_owned()),
        // The command line asks for one of them.
        (None, None) => return Err(Failure::Usage("say which job, or which --queue".to_owned())),
    };
    let answer = console.client.post(&path, &json!({})).await?;
    match job {
        Some(_) => console.show(&answer, |_: Job| format!("{name} is ready to run again.")),
        None => console.show(&answer, |done: ReplayedJobs| {
            format!("{} failed jobs of the queue {name} are ready to run again.", done.replayed)
        }),
    }
}

fn table(items: &[Job]) -> Table {
    let columns = ["KIND", "QUEUE", "STATE", "DONE", "ATTEMPTS", "ASKED FOR", "ERROR", "ID"];
    Table::new(&columns).right("DONE").right("ATTEMPTS").rows(items, |job| {
        vec![
            job.kind.clone(),
            job.queue.clone(),
            state(job).to_owned(),
            progress(job),
            format!("{}/{}", job.attempts, job.attempts_max),
            format::moment(Some(job.created_at)),
            job.error.clone().unwrap_or_default(),
            job.id.to_string(),
        ]
    })
}

fn particulars(job: &Job) -> Particulars {
    let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let at = |at: Option<time::OffsetDateTime>| at.map(|at| format::moment(Some(at))).unwrap_or_default();
    Particulars::of(&job.kind)
        .line("state", state(job))
        .line("queue", &job.queue)
        .line("priority", &job.priority)
        .line("progress", progress(job))
        .line("attempts", format!("{} of {}", job.attempts, job.attempts_max))
        .line("asked for", format::moment(Some(job.created_at)))
        .line("due", format::moment(Some(job.due_at)))
        .line("last begun", at(job.started_at))
        .line("ended", at(job.finished_at))
        .line("not after", at(job.deadline_at))
        .line("error", job.error.clone().unwrap_or_default())
        .line("result", job.result.as_ref().map(ToString::to_string).unwrap_or_default())
        .line("organisation", id(job.organisation_id))
        .line("asked for by", id(job.account_id))
        .line("request", id(job.request_id))
        .line("worker", id(job.worker_id))
        .line("id", job.id.to_string())
}

fn state(job: &Job) -> &str {
    if job.state == "running" && job.stop_asked_at.is_some() { "stopping" } else { &job.state }
}

fn progress(job: &Job) -> String {
    match job.progress.total {
        0 => String::new(),
        total => format!("{}/{total}", job.progress.done),
    }
}

fn queues(status: &JobQueues) -> String {
    let columns = ["QUEUE", "READY", "RUNNING", "WAITING", "DEAD", "OLDEST WAITS", "WAITED", "RAN", "PAUSED"];
    let numbers = &columns[1..8];
    let table = numbers.iter().fold(Table::new(&columns), |table, title| table.right(title));
    let table = table.rows(&status.queues, |queue| {
        let tally = &queue.tally;
        vec![
            queue.queue.clone(),
            queue.ready.to_string(),
            queue.running.to_string(),
            queue.waiting.to_string(),
            queue.dead.to_string(),
            if queue.ready == 0 { "–".to_owned() } else { span(queue.delay_us) },
            times(tally.waited_half_us, tally.waited_most_us),
            times(tally.ran_half_us, tally.ran_most_us),
            paused(queue),
        ]
    });
    let workers = Table::new(&["HOST", "PROCESS", "PLACES", "VERSION", "SINCE", "ID"])
        .right("PROCESS")
        .right("PLACES")
        .rows(&status.workers, |worker| {
            vec![
                worker.host.clone(),
                worker.process.to_string(),
                worker.places.to_string(),
                worker.version.clone(),
                format::moment(Some(worker.started_at)),
                worker.id.to_string(),
            ]
        });
    let (table, workers) = (table.fitted(terminal_width()), workers.fitted(terminal_width()));
    format!("{table}\nWHO WORKS ON THEM\n{workers}")
}

fn paused(queue: &JobQueue) -> String {
    let pause = queue.paused.as_ref();
    pause.map(|pause| format!("by {}, since {}", pause.by, format::moment(Some(pause.since)))).unwrap_or_default()
}

/// What half of them, and 99 of 100, were within.
fn times(half_us: u64, most_us: u64) -> String {
    if most_us == 0 { "–".to_owned() } else { format!("{} / {}", span(half_us), span(most_us)) }
}

fn span(micros: u64) -> String {
    format::span(Duration::from_micros(micros))
}
