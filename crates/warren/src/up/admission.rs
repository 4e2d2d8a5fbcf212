//! How many connections the portal holds, and how long one may stay without saying anything.
//!
//! HTTP's own limits begin with the first bytes: until those tell HTTP/1 from HTTP/2, nothing else bounds the wait.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum_server::accept::Accept;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep},
};

/// What HTTP/2 begins with (RFC 9113 section 3.4) is this long; by then it is known which HTTP it is.
const OPENING_BYTES: usize = 24;

/// Lets connections in while there is room, and closes those that do not begin to speak in time.
#[derive(Debug, Clone)]
pub struct Admission<A> {
    inner: A,
    places: Arc<Semaphore>,
    opening_within: Duration,
}

impl<A> Admission<A> {
    /// Room for `places` connections, each of which says its first bytes within `opening_within`.
    pub fn new(inner: A, places: usize, opening_within: Duration) -> Self {
        Self { inner, places: Arc::new(Semaphore::new(places)), opening_within }
    }
}

type Admitting<S, T> = Pin<Box<dyn Future<Output = io::Result<(S, T)>> + Send>>;

impl<A, I, S> Accept<I, S> for Admission<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
    A::Stream: Send + 'static,
    A::Service: Send + 'static,
{
    type Stream = Admitted<A::Stream>;
    type Service = A::Service;
    type Future = Admitting<Self::Stream, Self::Service>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            tracing::debug!("a connection is turned away: as many are open as may be");
            return Box::pin(std::future::ready(Err(io::ErrorKind::ConnectionRefused.into())));
        };
        let (accepting, within) = (self.inner.accept(stream, service), self.opening_within);
        Box::pin(async move {
            let (stream, service) = accepting.await?;
            let opening = Some(Opening { deadline: Box::pin(sleep(within)), missing: OPENING_BYTES });
            Ok((Admitted { stream, opening, _place: place }, service))
        })
    }
}

/// A connection that has a place.
#[derive(Debug)]
pub struct Admitted<S> {
    stream: S,
    /// None once it has said enough.
    opening: Option<Opening>,
    _place: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Opening {
    deadline: Pin<Box<Sleep>>,
    missing: usize,
}

impl<S: AsyncRead + Unpin> AsyncRead for Admitted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let Some(opening) = &mut this.opening else { return polled };
        if polled.is_pending() {
            ready!(opening.deadline.as_mut().poll(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        opening.missing = opening.missing.saturating_sub(buffer.filled().len() - before);
        if opening.missing == 0 {
            this.opening = None;
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Admitted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buffer)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, buffers)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use axum_server::accept::DefaultAcceptor;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const WITHIN: Duration = Duration::from_secs(30);

    async fn admit(admission: &Admission<DefaultAcceptor>) -> io::Result<(DuplexStream, Admitted<DuplexStream>)> {
        let (client, server) = duplex(1024);
        let (admitted, ()) = admission.accept(server, ()).await?;
        Ok((client, admitted))
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_or_too_little_is_let_go() {
        let admission = Admission::new(DefaultAcceptor, 8, WITHIN);
        for said in [&b""[..], b"PRI * HTT"] {
            let (mut client, mut server) = admit(&admission).await.unwrap();
            client.write_all(said).await.unwrap();
            let error = server.read_to_end(&mut Vec::new()).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_begun_may_be_silent() {
        let admission = Admission::new(DefaultAcceptor, 8, WITHIN);
        let (mut client, mut server) = admit(&admission).await.unwrap();
        let opening = [b'x'; OPENING_BYTES];
        client.write_all(&opening).await.unwrap();
        server.read_exact(&mut opening.clone()).await.unwrap();
        let silence = tokio::time::timeout(WITHIN * 10, server.read_u8()).await;
        assert!(silence.is_err(), "{silence:?}");
    }

    #[tokio::test]
    async fn a_place_is_free_again_when_its_connection_ends() {
        let admission = Admission::new(DefaultAcceptor, 1, WITHIN);
        let first = admit(&admission).await.unwrap();
        assert!(admit(&admission).await.is_err());
        drop(first);
        assert!(admit(&admission).await.is_ok());
    }
}
