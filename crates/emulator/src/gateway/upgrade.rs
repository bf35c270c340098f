//! Requests that leave HTTP, such as WebSocket: when the app agrees, bytes pass both ways until
//! either side has ended.

use std::net::{IpAddr, SocketAddr};

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, UPGRADE};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::upstream::UpstreamError;
use super::{Refusal, headers};
use crate::body::ServerBody;

/// Passes on a request with an `Upgrade` header, on a connection of its own.
pub(super) async fn pass(
    mut request: Request<Incoming>,
    address: SocketAddr,
    client: IpAddr,
    stopping: CancellationToken,
) -> Result<Response<ServerBody>, Refusal> {
    let protocol = request.headers().get(UPGRADE).cloned();
    let client_side = hyper::upgrade::on(&mut request);
    headers::prepare_request(request.headers_mut(), client);
    if let Some(protocol) = protocol {
        request.headers_mut().insert(UPGRADE, protocol);
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    let stream = TcpStream::connect(address).await.map_err(UpstreamError::Connect)?;
    stream.set_nodelay(true).map_err(UpstreamError::Connect)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(UpstreamError::Broken)?;
    tokio::spawn(connection.with_upgrades());
    let mut response = sender.send_request(request).await.map_err(UpstreamError::Broken)?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        headers::prepare_response(response.headers_mut());
        return Ok(response.map(|body| ServerBody::Api(axum::body::Body::new(body))));
    }
    let app_side = hyper::upgrade::on(&mut response);
    tokio::spawn(async move {
        // Either side may be gone before it begins; then there is nothing to pass.
        if let (Ok(client), Ok(app)) = tokio::join!(client_side, app_side) {
            let (mut client, mut app) = (TokioIo::new(client), TokioIo::new(app));
            tokio::select! {
                // How it ended is between the two.
                _ = tokio::io::copy_bidirectional(&mut client, &mut app) => {}
                () = stopping.cancelled() => {}
            }
        }
    });
    let protocol = response.headers().get(UPGRADE).cloned();
    headers::prepare_response(response.headers_mut());
    if let Some(protocol) = protocol {
        response.headers_mut().insert(UPGRADE, protocol);
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    Ok(response.map(|_| ServerBody::text("")))
}
