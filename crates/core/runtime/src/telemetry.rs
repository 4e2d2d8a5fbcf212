//! Log lines: for people on a terminal, as JSON everywhere else.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Short coloured lines.
    Text,
    /// One JSON object a line, with the fields of the enclosing spans.
    Json,
}

impl LogFormat {
    /// Text on a terminal, JSON for everything that collects lines.
    pub fn for_stderr() -> Self {
        if std::io::stderr().is_terminal() { Self::Text } else { Self::Json }
    }
}

/// Libraries that tell more at `info` than an operator wants, or what is told here already; a filter that names them
/// overrides this.
const QUIETER: &str = "sea_orm_migration=warn,sqlx=warn,async_nats=off";

/// Sends log lines to standard error. `filter` is in the syntax of `RUST_LOG`; a filter that cannot be read falls back
/// to `info`. Call once a process; a second call does nothing.
pub fn init(filter: &str, format: LogFormat) {
    let quieter = |filter: &str| EnvFilter::try_new(format!("{QUIETER},{filter}"));
    let filter = quieter(filter).or_else(|_| quieter("info")).unwrap_or_default();
    let registry = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    // Fails only when a subscriber is set already, as in tests.
    let _ = match format {
        LogFormat::Text => registry.with(lines.with_target(false).compact()).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true).with_span_list(false)).try_init(),
    };
}
