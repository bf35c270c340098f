//! Requests to an app itself, through the gateway.

use std::net::SocketAddr;

use bytes::Bytes;
use reqwest::{Method, Url};

use crate::error::Error;
use crate::{Result, http_client};

/// Sends requests to one app.
#[derive(Debug, Clone)]
pub struct AppClient {
    http: reqwest::Client,
    url: Url,
}

/// An app's answer, whose body is still to come.
#[derive(Debug)]
pub struct AppResponse {
    /// Protocol version, such as `HTTP/1.1`.
    pub version: String,
    /// Status code.
    pub status: u16,
    /// Its standard phrase.
    pub reason: &'static str,
    /// Headers in their order.
    pub headers: Vec<(String, Vec<u8>)>,
    response: reqwest::Response,
}

impl AppResponse {
    /// The next piece of the body; none at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.response.chunk().await.map_err(Error::from_reqwest)
    }
}

impl AppClient {
    /// A client of the app at `url`. With `connect` it connects there, whatever the app's host
    /// name resolves to.
    pub fn new(url: &str, connect: Option<SocketAddr>) -> Result<Self> {
        let malformed = |why: String| Error::Request(format!("{url:?} is no address: {why}"));
        let parsed = Url::parse(url).map_err(|error| malformed(error.to_string()))?;
        let host = parsed.host_str().ok_or_else(|| malformed("no host".into()))?;
        let http = http_client(url, connect.map(|address| (host, address)))?;
        Ok(Self { http, url: parsed })
    }

    /// Sends one request. `target` is path and query.
    pub async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        bearer: Option<&str>,
        body: Option<Vec<u8>>,
    ) -> Result<AppResponse> {
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| Error::Request(format!("{method:?} is no HTTP method")))?;
        let url = self
            .url
            .join(target)
            .ok()
            .filter(|url| url.origin() == self.url.origin())
            .ok_or_else(|| Error::Request(format!("{target:?} is no path of the app")))?;
        let mut request = self.http.request(method, url);
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.map_err(Error::from_reqwest)?;
        Ok(AppResponse {
            version: format!("{:?}", response.version()),
            status: response.status().as_u16(),
            reason: response.status().canonical_reason().unwrap_or_default(),
            headers: response
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
                .collect(),
            response,
        })
    }
}
