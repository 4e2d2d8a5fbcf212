//! `warren worker`: a process that works on jobs of an installation, on its host or another, and does nothing else.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use warren_app::{Config, ProcessRole, Standing};
use warren_model::Queue;
use warren_runtime::{Shutdown, telemetry};

use crate::{
    Failure,
    building::{build, host},
    database::DatabaseOptions,
    folder, manage,
    nats::NatsOptions,
    up::{LogFormat, MailOptions, WebhookOptions, limits, origin},
};

/// Options of `warren worker`.
#[derive(Debug, Args)]
pub struct Options {
    /// A folder with a copy of sealing.key from the data folder of `warren up`; nothing else is kept in it.
    #[arg(long, env = "WARREN_DATA", default_value = folder::DEFAULT, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    database: DatabaseOptions,
    /// How long to wait at the start for a database server that does not answer yet, in seconds.
    #[arg(long, env = "WARREN_DATABASE_WAIT", default_value_t = 60, value_name = "SECONDS")]
    database_wait: u64,
    #[command(flatten)]
    nats: NatsOptions,
    #[command(flatten)]
    mail: MailOptions,
    #[command(flatten)]
    webhooks: WebhookOptions,
    /// Jobs that are worked on at once.
    #[arg(long, env = "WARREN_PLACES", default_value_t = 8, value_name = "N",
        value_parser = clap::value_parser!(u8).range(4..=64))]
    places: u8,
    /// The queues that are worked on, with a comma between: mail where a mail server is named, webhooks, reports. By default all
    /// of these.
    #[arg(long, env = "WARREN_QUEUES", value_name = "QUEUES", value_delimiter = ',')]
    queues: Vec<String>,
    /// How people reach the portal, for links in mails: what `warren up` says by --public-url.
    #[arg(long, env = "WARREN_PUBLIC_URL", value_name = "URL")]
    public_url: String,
    /// Which log lines to write, as `info` or `info,warren_app=debug`.
    #[arg(long, env = "WARREN_LOG", default_value = "info", value_name = "FILTER")]
    log: String,
    /// How log lines look; by default text on a terminal and JSON elsewhere.
    #[arg(long, env = "WARREN_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<LogFormat>,
}

/// How long the tasks may take to end: jobs have 20 seconds for it, and then are let go of.
const SETTLE_WITHIN: Duration = Duration::from_secs(25);

/// Runs until SIGINT or SIGTERM; then jobs come to their end or to a good place, within 20 seconds.
///
/// # Errors
/// [`Failure`] when it cannot start, in one sentence with what to do about it.
pub fn run(options: Options) -> Result<(), Failure> {
    let config = config(&options)?;
    limits::give_large_memory_back();
    limits::raise_open_files();
    limits::runtime()?.block_on(work(config, &options))
}

async fn work(config: Config, options: &Options) -> Result<(), Failure> {
    telemetry::init(&options.log, LogFormat::or_fitting(options.log_format));
    let shutdown = Shutdown::on_signals().map_err(|source| Failure::start("listen for signals", source))?;
    let (places, queues) = (config.job_places, config.served_queues());
    let app = build(config, Duration::from_secs(options.database_wait), &shutdown).await?;
    let working = app.spawn_worker(&shutdown);
    let queues: Vec<&str> = queues.iter().map(|queue| queue.as_str()).collect();
    manage::print(format!("Working on {places} jobs at once, of the queues {}.", queues.join(", ")))?;
    shutdown.requested().await;
    // What is left of it after that has nothing to lose: each of its steps is one transaction.
    let _ = tokio::time::timeout(SETTLE_WITHIN, futures_util::future::join_all(working)).await;
    app.close().await;
    Ok(())
}

fn config(options: &Options) -> Result<Config, Failure> {
    let standing = options.database.standing(&options.data)?;
    if matches!(standing, Standing::Folder(_)) {
        return Err(Failure::Usage(warren_app::BuildError::WorkerOnFiles.to_string()));
    }
    let config = Config {
        role: ProcessRole::Worker,
        host: host(),
        job_places: usize::from(options.places),
        job_queues: queues(&options.queues)?,
        mailer: options.mail.mailer(&options.public_url)?,
        mail_language: options.mail.language(),
        nats: options.nats.config()?,
        webhooks: options.webhooks.config(),
        replica_lag_max: options.database.replica_lag_max(),
        ..Config::new(options.data.clone(), origin(&options.public_url)?).on(standing)
    };
    let idle = config.job_queues.iter().find(|queue| !config.served_queues().contains(queue));
    if let Some(queue) = idle.filter(|_| !options.queues.is_empty()) {
        return Err(Failure::Usage(format!("this process knows no mail server; leave {queue} out of --queues")));
    }
    Ok(config)
}

/// The queues that are named, or all that a worker may serve.
fn queues(named: &[String]) -> Result<Vec<Queue>, Failure> {
    let all = || Queue::ALL.iter().copied().filter(|queue| ProcessRole::Worker.may_serve(*queue));
    if named.is_empty() {
        return Ok(all().collect());
    }
    let read = |name: &String| {
        let queue = Queue::from_text(name);
        if queue == Some(Queue::Records) {
            return Err(Failure::Usage(
                "jobs of the queue records change devices, which gateways are told of by `warren up`: it works on them \
                 itself; leave records out of --queues"
                    .to_owned(),
            ));
        }
        queue.ok_or_else(|| {
            let known: Vec<&str> = all().map(Queue::as_str).collect();
            Failure::Usage(format!("there is no queue “{name}”; the queues are {}", known.join(", ")))
        })
    };
    named.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn refused(arguments: &[&str]) -> String {
        let url = ["worker", "--public-url", "https://vpn.example.org"];
        config(&Line::parse_from([&url, arguments].concat()).options).unwrap_err().to_string()
    }

    #[test]
    fn a_worker_needs_a_server_and_leaves_records_to_the_control_plane() {
        assert!(refused(&[]).contains("warren db move"));
        let on = ["--database-url", "postgresql://w@db/warren", "--queues"];
        assert!(refused(&[&on[..], &["mail,records"]].concat()).contains("leave records out"));
        assert!(refused(&[&on[..], &["webhooks,mail"]].concat()).contains("no mail server"));
        assert!(refused(&[&on[..], &["post"]].concat()).contains("mail, webhooks, reports"));
        assert_eq!(queues(&[]).unwrap(), [Queue::Mail, Queue::Webhooks, Queue::Reports]);
        assert_eq!(queues(&["webhooks".to_owned()]).unwrap(), [Queue::Webhooks]);
    }
}
