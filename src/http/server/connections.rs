//! Connections: how many, how slow, and their orderly end.
//!
//! `axum::serve` waits for ever for the head of a request. Here a client that is slow to send
//! its head or its body, or to read its answer, is let go, so that a place it holds is free
//! again; beyond the most connections a new one is told at once to come back. What all bodies hold
//! while they come is bounded: one for which there is no room waits, and is refused in the end.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::http::Uri;
use axum::response::Response;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tokio_io_timeout::TimeoutStream;
use tower::{Service, ServiceExt as _};

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Limits {
    /// Connections at once.
    pub(in crate::http) connections: usize,
    /// For the whole head of a request, waiting for it included.
    pub(in crate::http) head: Duration,
    /// For each [`STRETCH`] of a body.
    pub(in crate::http) body: Duration,
    /// For a client that does not read what it was sent.
    pub(in crate::http) write: Duration,
    /// Bytes of the longest body. For [`BODIES`] of them there is room while they come.
    pub(in crate::http) longest_body: usize,
}

/// Bytes of a body that must come in the time for a body.
const STRETCH: usize = 16 * 1024;
/// Bodies of the greatest length for which there is room at once.
const BODIES: usize = 8;
/// What room is counted in, in bytes. The first of each body is always there: short ones never wait for long ones.
const UNIT: usize = 64 * 1024;
/// Longest head of a request, in bytes.
const HEAD_BYTES: usize = 32 * 1024;

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
    connection: close\r\ncontent-length: 75\r\n\r\n\
    {\"error\":{\"code\":\"too_many_connections\",\"message\":\"too many connections\"}}\n";

/// Serves `service` on `listener` until `stop` resolves; what runs then is let end.
pub(in crate::http) async fn serve<S>(listener: TcpListener, service: S, limits: Limits, stop: impl Future<Output = ()>)
where
    S: Service<Request, Response = Response, Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let places = Arc::new(Semaphore::new(limits.connections));
    let room = Room::for_bodies_of(limits.longest_body);
    let running = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(HEAD_BYTES);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                rest_after(&error).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tokio::spawn(refuse(stream));
            continue;
        };
        // Answers are small: waiting for more to send with them only delays them.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.write));
        let room = room.clone();
        let service = service.clone().map_request(move |request| prepared(request, peer, limits.body, &room));
        let io = TokioIo::new(Box::pin(stream));
        let connection = running.watch(builder.serve_connection(io, TowerToHyperService::new(service)));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    running.shutdown().await;
}

/// Tells one client too many to come back, and hangs up.
async fn refuse(mut stream: TcpStream) {
    // It may have hung up already.
    let _ = tokio::time::timeout(Duration::from_secs(1), async {
        stream.write_all(FULL).await?;
        stream.shutdown().await
    })
    .await;
}

/// A client's fault is passed over; when the system has no descriptors left, there is time for some to be freed.
async fn rest_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "no connection can be accepted");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A request as the routes take it: it knows where it comes from, and its body does not come for ever.
fn prepared(request: hyper::Request<Incoming>, peer: SocketAddr, patience: Duration, room: &Room) -> Request {
    let mut request = request.map(|body| Body::new(Timed::new(body, patience, room.clone())));
    request.extensions_mut().insert(ConnectInfo(peer));
    tidy(request)
}

/// Collapses `//`: people paste bases with a closing `/`, and clients put theirs behind it.
fn tidy(mut request: Request) -> Request {
    let uri = request.uri();
    if uri.path().contains("//") {
        let mut path = uri.path().to_owned();
        while path.contains("//") {
            path = path.replace("//", "/");
        }
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        if let Ok(uri) = format!("{path}{query}").parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// Room for what bodies hold while they come, in [`UNIT`]s.
#[derive(Clone)]
struct Room {
    units: Arc<Semaphore>,
    longest: u32,
}

impl Room {
    fn for_bodies_of(bytes: usize) -> Self {
        let longest = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        Self { units: Arc::new(Semaphore::new(longest as usize * BODIES)), longest }
    }
}

/// More room for a body, once there is some.
type Asking = Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>;

/// A body that fails when it comes too slowly, or there is no room for it.
struct Timed<B> {
    body: B,
    patience: Duration,
    deadline: Pin<Box<Sleep>>,
    /// Bytes of the stretch that is coming.
    came: usize,
    /// The room of all bodies, what this one has of it, and bytes for which that is enough.
    room: Room,
    held: Vec<OwnedSemaphorePermit>,
    ahead: usize,
    asking: Option<Asking>,
}

impl<B: HttpBody> Timed<B> {
    fn new(body: B, patience: Duration, room: Room) -> Self {
        let deadline = Box::pin(tokio::time::sleep(patience));
        Self { body, patience, deadline, came: 0, room, held: Vec::new(), ahead: UNIT, asking: None }
    }

    /// Whether there is room for more; asks for it where there is none.
    fn has_room(&mut self, context: &mut Context<'_>) -> bool {
        let rest = self.body.size_hint().exact();
        if self.ahead > 0 || rest == Some(0) {
            return true;
        }
        // For all at once where its length is known: bodies that have a part each would wait for each other.
        let asking = self.asking.get_or_insert_with(|| {
            let units = rest.map_or(1, |rest| u32::try_from(rest.div_ceil(UNIT as u64)).unwrap_or(u32::MAX));
            let (room, units) = (Arc::clone(&self.room.units), units.min(self.room.longest));
            Box::pin(async move { room.acquire_many_owned(units).await.ok() })
        });
        let Poll::Ready(more) = asking.as_mut().poll(context) else { return false };
        self.held.extend(more);
        // Only from now on can it come too slowly.
        self.deadline.as_mut().reset(Instant::now() + self.patience);
        (self.asking, self.ahead) = (None, if rest.is_some() { usize::MAX } else { UNIT });
        true
    }

    /// What it fails with once its time is over.
    fn late(
        &mut self,
        context: &mut Context<'_>,
        kind: io::ErrorKind,
        why: &str,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        match self.deadline.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(io::Error::new(kind, why).into()))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Unpin> HttpBody for Timed<B> {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        if !this.has_room(context) {
            return this.late(context, io::ErrorKind::ResourceBusy, "there is no room for so many long bodies at once");
        }
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(frame) => {
                let length = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()).map_or(0, Bytes::len);
                this.ahead = this.ahead.saturating_sub(length);
                this.came += length;
                if this.came >= STRETCH {
                    this.came = 0;
                    this.deadline.as_mut().reset(Instant::now() + this.patience);
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => this.late(context, io::ErrorKind::TimedOut, "the body came too slowly"),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// As many connections as `wanted`, if the system can be asked for the descriptors.
pub(in crate::http) fn possible(wanted: usize) -> usize {
    /// Descriptors for everything but connections.
    const OTHERS: u64 = 256;
    let allowed = rlimit::increase_nofile_limit(wanted as u64 + OTHERS).unwrap_or(1024);
    let possible = usize::try_from(allowed.saturating_sub(OTHERS)).unwrap_or(wanted).max(16);
    if possible < wanted {
        tracing::warn!(possible, wanted, "the system allows fewer connections than `server.max_connections`");
    }
    possible.min(wanted)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use axum::extract::FromRequest as _;
    use axum::http::StatusCode;

    use super::*;
    use crate::http::dto::error::no_room;

    /// A body that comes in [`UNIT`]s, and says how long it is.
    struct Parts(usize);

    impl HttpBody for Parts {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            if self.0 == 0 {
                return Poll::Ready(None);
            }
            self.0 -= 1;
            Poll::Ready(Some(Ok(Frame::data(vec![b'a'; UNIT].into()))))
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact((self.0 * UNIT) as u64)
        }
    }

    #[tokio::test]
    async fn a_long_body_waits_for_room_and_a_short_one_does_not() {
        let room = Room::for_bodies_of(2 * UNIT);
        let timed = |units| Timed::new(Parts(units), Duration::from_millis(20), room.clone());
        let read = async |body| axum::body::Bytes::from_request(Request::new(Body::new(body)), &()).await;
        let mut coming = Vec::new();
        for _ in 0..BODIES {
            let mut body = timed(3);
            for _ in 0..2 {
                assert!(poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await.unwrap().is_ok());
            }
            coming.push(body);
        }
        assert_eq!(read(timed(1)).await.unwrap().len(), UNIT);
        let refused = no_room(&read(timed(3)).await.unwrap_err()).map(|problem| problem.status());
        assert_eq!(refused, Some(StatusCode::SERVICE_UNAVAILABLE));
        coming.pop();
        assert_eq!(read(timed(3)).await.unwrap().len(), 3 * UNIT);
    }

    #[test]
    fn the_refusal_of_a_connection_is_as_long_as_it_says() {
        let text = std::str::from_utf8(super::FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{} {head}", body.len());
    }
}
