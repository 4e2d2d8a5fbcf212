//! Live streams: what happens in one organisation, as server-sent events, for as long as the reader may see it.

use std::{convert::Infallible, pin::Pin, time::Duration};

use axum::response::sse::Event;
use futures_util::{Stream, StreamExt, stream};
use http::HeaderMap;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, interval_at},
};
use warren_app::{
    AppError, OpContext,
    live::{LiveEvent, subscribe},
    sessions,
};
use warren_auth::SecretToken;
use warren_model::{OrganisationSlug, Role};
use warren_runtime::Shutdown;
use warren_wire::rest::v1;

use crate::{PortalState, caller::Caller, conversions::devices, metrics::Counted, problem::Rejection, session};

/// A comment is sent when nothing happened this long, so that proxies keep the connection.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often a stream asks whether its reader may still read.
const RECHECK: Duration = Duration::from_secs(30);
/// How long a reader that found no place should wait.
const NO_PLACE_WAIT: Duration = Duration::from_secs(10);

struct Open {
    events: Pin<Box<dyn Stream<Item = LiveEvent> + Send>>,
    recheck: tokio::time::Interval,
    shutdown: Shutdown,
    reader: Reader,
    _place: OwnedSemaphorePermit,
    _counted: Counted,
}

/// Who reads, to be asked again later.
struct Reader {
    cx: OpContext,
    /// None on the admin socket, which no session guards.
    token: Option<SecretToken>,
    slug: OrganisationSlug,
    role: Role,
}

/// Opens the stream of the organisation that `slug` names. It ends at shutdown, and when the reader's session or
/// membership does; a role that changed ends it too, and the next one begins with the new role.
///
/// # Errors
/// 404 for outsiders, 503 when [`PortalState::STREAMS_AT_ONCE_MAX`] are open.
pub(crate) async fn open(
    state: &PortalState,
    caller: Caller,
    slug: OrganisationSlug,
    headers: &HeaderMap,
) -> Result<impl Stream<Item = Result<Event, Infallible>> + Send + use<>, Rejection> {
    let place = state.streams().try_acquire_owned().map_err(|_| Rejection::busy(NO_PLACE_WAIT))?;
    let inside = caller.enter(&slug).await?;
    let role = inside.insider.role();
    let events = Box::pin(subscribe(&inside));
    drop(inside);
    let token = caller.session.as_ref().and_then(|_| session::token_in(headers));
    let open = Open {
        events,
        recheck: interval_at(Instant::now() + RECHECK, RECHECK),
        shutdown: state.shutdown().clone(),
        reader: Reader { cx: caller.cx, token, slug, role },
        _place: place,
        _counted: Counted::new(&state.metrics().streams),
    };
    Ok(stream::unfold(open, |mut open| async move {
        let event = open.next().await?;
        Some((Ok(event), open))
    }))
}

impl Open {
    async fn next(&mut self) -> Option<Event> {
        loop {
            tokio::select! {
                () = self.shutdown.requested() => return None,
                _ = self.recheck.tick() => {
                    if !self.reader.may_still_read().await {
                        return None;
                    }
                }
                event = self.events.next() => return event.map(|event| on_the_wire(&event)),
            }
        }
    }
}

impl Reader {
    async fn may_still_read(&self) -> bool {
        match self.role_now().await {
            Ok(role) => role == Some(self.role),
            // A database that cannot be read for a moment ends nobody's stream.
            Err(AppError::Unavailable(_) | AppError::Busy { .. }) => true,
            Err(_) => false,
        }
    }

    async fn role_now(&self) -> Result<Option<Role>, AppError> {
        let mut cx = self.cx.clone();
        if let Some(token) = &self.token {
            let Some(session) = sessions::watch(&cx.app, token).await? else { return Ok(None) };
            cx.subject = session.subject();
        }
        let inside = cx.enter(&self.slug).await?;
        Ok(Some(inside.insider.role()))
    }
}

fn on_the_wire(event: &LiveEvent) -> Event {
    match event {
        LiveEvent::Device(live) => json("device", &devices::live(live)),
        LiveEvent::Gateway { id, online } => {
            let state = if *online { "online" } else { "offline" };
            json("gateway", &v1::GatewayLive { gateway_id: id.uuid(), state: state.to_owned() })
        }
        LiveEvent::Lagged => Event::default().event("reload").data("{}"),
    }
}

fn json(name: &str, body: &impl serde::Serialize) -> Event {
    Event::default().event(name).json_data(body).expect("wire types are plain values")
}
