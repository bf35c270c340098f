//! Passes requests of HTTP/2 on to apps, by the protocol that the app speaks.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use hyper::Response;
use ovhai_wire::request::RequestHead;
use ovhai_wire::stream::Peer;

use super::access::{Admission, CallerAccess, MOMENT};
use super::admission::Pass;
use super::body::ServerBody;
use super::exchange::http2_client;
use super::incoming::{Incoming, Interim};
use super::refusal::Refusal;
use super::relay::Relay;
use super::route::Route;
use super::{Gateway, grpc};
use crate::telemetry::Note;

/// A request to be passed on.
pub(crate) struct Forward {
    admission: Admission,
    protocol: Protocol,
    /// Whether the client waits for 100 (Continue).
    expects_continue: bool,
}

enum Protocol {
    Http1(http2_client::Http2Request),
    Grpc(Route, grpc::GrpcHead),
}

impl Forward {
    /// Takes from the head what the app gets of it.
    pub(crate) fn new(
        pass: Pass,
        head: &RequestHead<'_>,
        grpc: bool,
        client: Peer,
        request_id: &[u8],
    ) -> Self {
        let Pass { route, admission } = pass;
        let protocol = if grpc {
            let keeps = route.keeps_authorization;
            Protocol::Grpc(route, grpc::GrpcHead::new(head, keeps, client, request_id))
        } else {
            Protocol::Http1(http2_client::Http2Request::new(route, head, client, request_id))
        };
        Self { admission, protocol, expects_continue: head.expects_continue }
    }

    /// Sends the request to the app; the response's body goes on with it. The caller's access is
    /// watched until that has ended.
    pub(crate) async fn run(
        self,
        body: Incoming,
        interim: &Interim,
        pool: &grpc::GrpcPool,
        relay: &Arc<Relay>,
        note: &mut Note,
    ) -> Result<Response<ServerBody>, Refusal> {
        let mut access = CallerAccess::new(self.admission);
        match self.protocol {
            Protocol::Http1(order) => {
                let response =
                    http2_client::pass(order, body, interim, &mut access, relay, note).await?;
                Ok(response.map(|body| ServerBody::App { body, access }))
            }
            Protocol::Grpc(route, head) => {
                if self.expects_continue {
                    // The caller is authorized to send its body; the app does not see `Expect`.
                    interim.go_on();
                }
                // Boxed: else every request to an app would have its size.
                let answer = Box::pin(grpc::pass(route, head, body, pool, relay, note));
                let (response, under_way) = watched(answer, &mut access, &relay.gateway).await?;
                Ok(response.map(|body| ServerBody::Grpc { body, access, _under_way: under_way }))
            }
        }
    }
}

/// Awaits the response. If it takes longer than a moment, the caller's access is watched.
async fn watched<T>(
    answer: impl Future<Output = Result<T, Refusal>>,
    access: &mut CallerAccess,
    gateway: &Gateway,
) -> Result<T, Refusal> {
    let mut answer = pin!(answer);
    if let Ok(answer) = tokio::time::timeout(MOMENT, answer.as_mut()).await {
        return answer;
    }
    tokio::select! {
        answer = answer => answer,
        () = poll_fn(|cx| access.poll_denied(cx, gateway)) => Err(Refusal::access_revoked()),
    }
}
