//! Requests that leave HTTP, such as WebSocket: when the app agrees, bytes pass both ways until
//! either side has ended, or the caller has no access any more.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderMap, HeaderValue, UPGRADE};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::upstream::{CONNECT_TIMEOUT, UpstreamError};
use super::{ANSWER_TIMEOUT, Refusal, headers};
use crate::body::ServerBody;
use crate::seen::Open;

/// Whether a request asks to leave HTTP. Another version of HTTP is no other protocol: through
/// `h2c` requests would pass that nobody has checked.
pub(super) fn is_asked(headers: &HeaderMap) -> bool {
    let has = |name, wanted: &dyn Fn(&str) -> bool| {
        let mut values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.any(|value| value.split(',').any(|word| wanted(word.trim())))
    };
    has(CONNECTION, &|word| word.eq_ignore_ascii_case("upgrade"))
        && headers.contains_key(UPGRADE)
        && !has(UPGRADE, &|protocol| {
            let name = protocol.split('/').next().unwrap_or_default();
            ["h2c", "h2", "http", "tls"].iter().any(|http| name.eq_ignore_ascii_case(http))
        })
}

/// Passes on a request that asks to leave HTTP, on a connection of its own. The tunnel ends when
/// `access` does.
pub(super) async fn pass(
    mut request: Request<Incoming>,
    address: SocketAddr,
    client: IpAddr,
    access: impl Future<Output = ()> + Send + 'static,
    open: Open,
) -> Result<Response<ServerBody>, Refusal> {
    let protocol = request.headers().get(UPGRADE).cloned();
    let client_side = hyper::upgrade::on(&mut request);
    headers::prepare_request(request.headers_mut(), client);
    switch_to(request.headers_mut(), protocol);
    let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address))
        .await
        .map_err(|_| UpstreamError::ConnectTimeout)?
        .map_err(UpstreamError::Connect)?;
    stream.set_nodelay(true).map_err(UpstreamError::Connect)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(UpstreamError::Broken)?;
    tokio::spawn(connection.with_upgrades());
    let mut response = tokio::time::timeout(ANSWER_TIMEOUT, sender.send_request(request))
        .await
        .map_err(|_| Refusal::new(StatusCode::GATEWAY_TIMEOUT, "the app does not answer in time"))?
        .map_err(UpstreamError::Broken)?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        headers::prepare_response(response.headers_mut());
        return Ok(response.map(|body| ServerBody::Api(axum::body::Body::new(body))));
    }
    let app_side = hyper::upgrade::on(&mut response);
    tokio::spawn(async move {
        let _open = open;
        // Either side may be gone before it begins; then there is nothing to pass.
        if let (Ok(client), Ok(app)) = tokio::join!(client_side, app_side) {
            let (mut client, mut app) = (TokioIo::new(client), TokioIo::new(app));
            tokio::select! {
                // How it ended is between the two.
                _ = tokio::io::copy_bidirectional(&mut client, &mut app) => {}
                () = access => {}
            }
        }
    });
    let protocol = response.headers().get(UPGRADE).cloned();
    headers::prepare_response(response.headers_mut());
    switch_to(response.headers_mut(), protocol);
    Ok(response.map(|_| ServerBody::text("")))
}

fn switch_to(headers: &mut HeaderMap, protocol: Option<HeaderValue>) {
    if let Some(protocol) = protocol {
        headers.insert(UPGRADE, protocol);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_upgrade() {
        let asked = |connection: &'static str, upgrade: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONNECTION, HeaderValue::from_static(connection));
            headers.insert(UPGRADE, HeaderValue::from_static(upgrade));
            is_asked(&headers)
        };
        assert!(asked("keep-alive, Upgrade", "websocket") && asked("upgrade", "echo/1"));
        assert!(!asked("keep-alive", "websocket"));
        for http in ["h2c", "HTTP/2.0", "websocket, h2c", "TLS/1.2"] {
            assert!(!asked("upgrade", http), "{http}");
        }
        assert!(!is_asked(&HeaderMap::new()));
    }
}
