//! The job queue of the whole installation, who works on it, and what comes by schedule.

use super::{
    Migration, Phase, Step,
    table::{big_integer, create, id, index, integer, or_null, string_len, text, uuid},
};

/// Everything that jobs need in the system database.
pub const JOBS: Migration = Migration { name: "m0003_jobs", phase: Phase::Expand, steps };

fn steps() -> Vec<Step> {
    let mut steps = Vec::new();
    create_jobs(&mut steps);
    create_workers(&mut steps);
    create_schedules(&mut steps);
    create_mails_and_decisions(&mut steps);
    steps
}

fn create_jobs(steps: &mut Vec<Step>) {
    // The lane is the organisation, or nil for the installation's own. It is no foreign key: a dead letter may outlive both.
    let jobs = vec![
        id(),
        string_len("queue", 16),
        uuid("lane"),
        integer("priority"),
        string_len("kind", 40),
        integer("version"),
        text("payload"),
        string_len("state", 10),
        big_integer("run_at"),
        big_integer("created_at"),
        or_null(big_integer("deadline_at")),
        or_null(big_integer("started_at")),
        or_null(big_integer("finished_at")),
        integer("attempts"),
        integer("attempts_max"),
        or_null(uuid("worker_id")),
        or_null(big_integer("stop_asked_at")),
        big_integer("progress_done"),
        big_integer("progress_total"),
        or_null(text("result")),
        or_null(text("error")),
        or_null(uuid("author_id")),
        or_null(uuid("request_id")),
        or_null(uuid("schedule_id")),
    ];
    steps.push(create("jobs", jobs, |_| ()));
    steps.push(index("jobs", &["state", "queue", "priority", "lane", "run_at", "id"]));
    steps.push(index("jobs", &["state", "run_at"]));
    steps.push(index("jobs", &["state", "id"]));
    steps.push(index("jobs", &["queue", "id"]));
    steps.push(index("jobs", &["lane", "id"]));
    steps.push(index("jobs", &["state", "finished_at"]));
    steps.push(index("jobs", &["worker_id", "stop_asked_at"]));

    let keys = vec![string_len("key", 200).primary_key().take(), uuid("job_id"), big_integer("until")];
    steps.push(create("job_keys", keys, |_| ()));
    steps.push(index("job_keys", &["until"]));
}

fn create_workers(steps: &mut Vec<Step>) {
    let workers = vec![
        id(),
        string_len("host", 120),
        integer("process"),
        string_len("version", 40),
        integer("places"),
        big_integer("beat"),
        big_integer("started_at"),
    ];
    steps.push(create("job_workers", workers, |_| ()));

    let queues = vec![
        string_len("queue", 16).primary_key().take(),
        string_len("standing", 8),
        big_integer("changed_at"),
        string_len("changed_by", 120),
    ];
    steps.push(create("job_queues", queues, |_| ()));
}

fn create_schedules(steps: &mut Vec<Step>) {
    let schedules = vec![
        id(),
        uuid("lane"),
        string_len("name", 80),
        string_len("queue", 16),
        string_len("kind", 40),
        integer("version"),
        text("payload"),
        string_len("cadence", 120),
        string_len("standing", 8),
        big_integer("next_at"),
        or_null(big_integer("last_at")),
        or_null(uuid("last_job_id")),
        or_null(uuid("author_id")),
        big_integer("created_at"),
        big_integer("revision"),
    ];
    steps.push(create("job_schedules", schedules, |_| ()));
    steps.push(index("job_schedules", &["standing", "next_at"]));
    steps.push(index("job_schedules", &["lane", "id"]));
}

fn create_mails_and_decisions(steps: &mut Vec<Step>) {
    let mails = vec![
        id(),
        big_integer("at"),
        string_len("recipient", 254),
        string_len("subject", 255),
        string_len("letter", 40),
        string_len("state", 10),
        or_null(text("error")),
        or_null(text("html")),
        or_null(text("plain")),
        or_null(uuid("organisation_id")),
    ];
    steps.push(create("mails", mails, |_| ()));
    steps.push(index("mails", &["at"]));

    let decisions = vec![
        id(),
        big_integer("at"),
        string_len("host", 120),
        string_len("signal", 40),
        big_integer("value_thousandths"),
        big_integer("limit_thousandths"),
        integer("before"),
        integer("after"),
        string_len("action", 16),
        text("reason"),
    ];
    steps.push(create("scaling_decisions", decisions, |_| ()));
    steps.push(index("scaling_decisions", &["at"]));
}
