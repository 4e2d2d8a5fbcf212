//! The bare handlers: axum, sqlx, and nothing in between.

mod data;
mod enrol;
mod list;

use std::{io::Write, path::PathBuf, sync::Arc};

use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt,
};

use self::data::Data;

/// As many as Warren takes on two processors.
const WORKER_THREADS: usize = 2;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A copy of an installation's databases.
    data: PathBuf,
}

/// Serves until it is killed; says on its first line where.
///
/// # Errors
/// When the databases cannot be opened.
pub fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let processors = std::thread::available_parallelism().map_or(WORKER_THREADS, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors.clamp(WORKER_THREADS, 2 * WORKER_THREADS))
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let data = Arc::new(Data::open(&arguments.data).await?);
        let routes = Router::new()
            .route("/same-statements", get(list::same_statements).post(enrol::same_statements))
            .route("/devices-alone", get(list::devices_alone).post(enrol::devices_alone))
            .with_state(data);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let mut output = std::io::stdout();
        writeln!(output, "http://{}", listener.local_addr()?)?;
        output.flush()?;
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        Ok(axum::serve(listener, routes).await?)
    })
}

/// Whatever went wrong; the benchmark ends at the first.
struct Failed(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, format!("{:#}", self.0)).into_response()
    }
}
