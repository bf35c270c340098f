//! Requests that the emulator has seen: at `/_emulator/requests`, and as lines of the access log.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::id::{AppId, Region, TokenId};

/// What a request went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// An app.
    App,
    /// The API of a region.
    Api,
    /// The emulator itself.
    Local,
    /// No host of the emulator's: refused before.
    None,
}

/// A request that has ended. Headers, query and body are not part of it, nor any token string.
///
/// A line of the access log is the same without the names and the region, which are looked up at
/// each query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRecord {
    /// When the answer ended, or the tunnel was closed.
    pub time: Timestamp,
    /// The value of `X-Request-Id`.
    pub id: String,
    /// The client's address and port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What it went to.
    pub door: Door,
    /// The app that the host names, whether it exists or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppId>,
    /// The app's name, as long as it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_name: Option<String>,
    /// The app's region, as long as it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// The app's port that the host names, if it is not the app's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `HTTP/1.0`, `HTTP/1.1` or `HTTP/2`.
    pub protocol: String,
    /// Whether the client used TLS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tls: bool,
    /// The method; empty when the request was malformed.
    pub method: String,
    /// The path without the query; bytes that are not visible ASCII are percent-encoded.
    pub path: String,
    /// The answer's status; 0 when there was none.
    pub status: u16,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
    /// `allowed`, `public`, `preflight`, `unauthenticated`, `forbidden` or `out_of_scope`; absent
    /// when access was not decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// The token that the caller showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// The token's name at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_name: Option<String>,
    /// The user that called, instead of a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether the caller is withheld from the reader: token, user, client, and a reason that
    /// reveals the token's scope are omitted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withheld: bool,
    /// The kind of refusal, if the gateway answered itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The refusal in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who broke it off: `client`, `app`, or `access` when the caller lost access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aborted: Option<String>,
    /// Microseconds from the request's whole head to the end of the answer.
    pub micros: u64,
    /// Microseconds of these from turning to the app to the end of its answer; absent when the app
    /// was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_micros: Option<u64>,
    /// Microseconds that the request waited for the app to wake up; absent when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_micros: Option<u64>,
    /// The ordinal of the replica that was asked, of several the last; absent when none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<u32>,
}

/// A page of requests, in the order in which they ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestList {
    /// The requests.
    pub items: Vec<RequestRecord>,
    /// Where the next page begins; give it back as `after`.
    pub next: String,
    /// Number of requests since `after` that were overwritten before they were read, whatever
    /// they were. For a caller that may not see every request, 1 stands for any number.
    #[serde(default)]
    pub lost: u64,
}

/// The number of requests that have everything but time, method and path in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestTotal {
    /// What they went to.
    pub door: Door,
    /// The app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppId>,
    /// The app's name, as long as it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_name: Option<String>,
    /// The app's region, as long as it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// `token`, `user`, or `anonymous`, also for callers that are withheld from the reader.
    pub caller: String,
    /// The token that the callers showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// The token's name, as long as it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_name: Option<String>,
    /// The decision, as in [`RequestRecord::decision`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// The kind of refusal, if the gateway answered itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The answer's status; 0 when there was none.
    pub status: u16,
    /// Number of these requests.
    pub count: u64,
}

/// Exact numbers of requests since the start or the last reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestTotals {
    /// Since when, in real time.
    pub since: Timestamp,
    /// Number of requests.
    pub total: u64,
    /// Number of those that were denied.
    pub denied: u64,
    /// Number of requests that are in none of the items, since there are too many different ones. For
    /// a caller that may not see every request, 1 stands for any number.
    pub overflow: u64,
    /// Number of requests that had begun, and had not ended after a moment: they are not counted.
    pub under_way: u64,
    /// The numbers.
    pub items: Vec<RequestTotal>,
}

/// An app of which the heads of requests are captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CapturedApp {
    /// The app.
    pub app: AppId,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When that ends, in domain time.
    pub until: Timestamp,
    /// Who asked for it.
    pub by: String,
}

/// Which requests are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFilter {
    /// To this app.
    pub app: Option<AppId>,
    /// By this token.
    pub token: Option<TokenId>,
    /// To apps of this region.
    pub region: Option<Region>,
    /// That were denied.
    pub denied: bool,
    /// Calls of the API and of the emulator itself, too.
    pub all: bool,
    /// That ended at this moment or later, in milliseconds of Unix time.
    pub since: Option<i64>,
    /// Maximum number of requests: the last ones, or with `after` the first ones behind it.
    pub count: Option<u32>,
    /// Behind the page whose `next` this is.
    pub after: Option<String>,
}
