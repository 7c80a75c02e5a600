//! Connections: how many, how slow, and their orderly end.
//!
//! `axum::serve` waits for ever for the head of a request. Here a client that is slow to send
//! its head or its body, or to read its answer, is let go, so that a place it holds is free
//! again; beyond the most connections a new one is told at once to come back.

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
use tokio::sync::Semaphore;
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
}

/// Bytes of a body that must come in the time for a body.
const STRETCH: usize = 16 * 1024;
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
        let service = service.clone().map_request(move |request| prepared(request, peer, limits.body));
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
fn prepared(request: hyper::Request<Incoming>, peer: SocketAddr, patience: Duration) -> Request {
    let mut request = request.map(|body| Body::new(Timed::new(body, patience)));
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

/// A body that fails when it comes too slowly.
struct Timed {
    body: Incoming,
    patience: Duration,
    deadline: Pin<Box<Sleep>>,
    /// Bytes of the stretch that is coming.
    came: usize,
}

impl Timed {
    fn new(body: Incoming, patience: Duration) -> Self {
        Self { body, patience, deadline: Box::pin(tokio::time::sleep(patience)), came: 0 }
    }
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(frame) => {
                this.came += frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()).map_or(0, Bytes::len);
                if this.came >= STRETCH {
                    this.came = 0;
                    this.deadline.as_mut().reset(Instant::now() + this.patience);
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending if this.deadline.as_mut().poll(context).is_ready() => {
                let slow = io::Error::new(io::ErrorKind::TimedOut, "the body came too slowly");
                Poll::Ready(Some(Err(slow.into())))
            }
            Poll::Pending => Poll::Pending,
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
    #[test]
    fn the_refusal_of_a_connection_is_as_long_as_it_says() {
        let text = std::str::from_utf8(super::FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{} {head}", body.len());
    }
}
