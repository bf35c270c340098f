//! Calls beside the service's API: logging in, and the emulator's own at `/_emulator/…` (the
//! client's base is then its address without a region).

use std::time::Duration;

use ovhai_api_types::{
    ACCESS_PAGE, Access, AccessQuestion, App, AppEvent, AppId, ClockMove, ClockStatus, ConsoleLink,
    EngineReport, Feature, ImageMapping, NewApp, NewImageMapping, NewUser, OauthError, OauthTokens,
    Region, RequestFilter, RequestList, RequestTotals, User,
};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{CALL_TIMEOUT, Client, Error, Result, encode, whole};

const STOP_TIMEOUT: Duration = Duration::from_secs(2);

impl Client {
    /// Logs in with name and password (RFC 6749 section 4.3).
    pub async fn log_in(&self, username: &str, password: &str) -> Result<OauthTokens> {
        let fields = [("grant_type", "password"), ("username", username), ("password", password)];
        self.oauth("/oauth2/token", &fields).await.and_then(|body| parse(&body))
    }

    /// Refreshes a session (section 6).
    pub async fn refresh(&self, refresh_token: &str) -> Result<OauthTokens> {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.oauth("/oauth2/token", &fields).await.and_then(|body| parse(&body))
    }

    /// Ends a session (RFC 7009).
    pub async fn revoke(&self, token: &str) -> Result<()> {
        self.oauth("/oauth2/revoke", &[("token", token)]).await.map(drop)
    }

    /// Not recorded: request and response consist of secrets.
    async fn oauth(&self, path: &str, fields: &[(&str, &str)]) -> Result<bytes::Bytes> {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, (*value).into())).collect();
        let waits = self.begin();
        let response = self
            .http
            .post(format!("{}{path}", self.endpoint.base))
            .timeout(CALL_TIMEOUT)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(encode(&fields))
            .send()
            .await
            .map_err(Error::from_reqwest)?;
        drop(waits);
        let status = response.status();
        let body = response.bytes().await.map_err(Error::from_reqwest)?;
        if status.is_success() {
            return Ok(body);
        }
        if let Ok(error) = serde_json::from_slice::<OauthError>(&body) {
            let why = error.error_description.unwrap_or_default();
            return Err(Error::Login { code: error.error, why });
        }
        let message = serde_json::from_slice::<ovhai_api_types::ErrorBody>(&body)
            .map_or_else(|_| format!("{status}"), |body| body.message);
        Err(Error::Api { status: status.as_u16(), message })
    }

    /// The access of tokens to apps, with reasons: all pages from that of the question on.
    pub async fn explain(&self, mut question: AccessQuestion) -> Result<Vec<Access>> {
        let mut all = Vec::new();
        loop {
            // A POST that changes nothing: a token's string must not be in a URL.
            let request = self.request(Method::POST, "/_emulator/access").json(&question);
            let page: Vec<Access> = self.json(request).await?;
            let is_last = page.len() < ACCESS_PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
            question.page += 1;
        }
    }

    /// The events of a region's apps, or of one app, after position `after`, oldest first.
    pub async fn events(
        &self,
        region: &Region,
        app: Option<AppId>,
        after: u64,
        count: Option<u32>,
    ) -> Result<Vec<AppEvent>> {
        let mut query = vec![("region", region.to_string()), ("after", after.to_string())];
        query.extend(app.map(|app| ("app", app.to_string())));
        query.extend(count.map(|count| ("count", count.to_string())));
        self.get(&format!("/_emulator/events?{}", encode(&query))).await
    }

    /// Submits an app whose processes get an environment.
    pub async fn create_app_in(&self, app: &NewApp) -> Result<App> {
        self.json(self.request(Method::POST, "/_emulator/apps").json(app)).await
    }

    /// The clock.
    pub async fn clock(&self) -> Result<ClockStatus> {
        self.get("/_emulator/clock").await
    }

    /// Stops domain time, or lets it go on.
    pub async fn freeze_clock(&self, frozen: bool) -> Result<ClockStatus> {
        let request = self.request(Method::PUT, "/_emulator/clock");
        self.json(request.json(&json!({ "frozen": frozen }))).await
    }

    /// Moves domain time forward. Takes as long as the apps need to follow.
    pub async fn advance_clock(&self, wanted: &ClockMove) -> Result<ClockStatus> {
        let request = self.endless(Method::POST, "/_emulator/clock/advance");
        self.json(request.json(wanted)).await
    }

    /// Has the platform interrupt an app.
    pub async fn interrupt_app(&self, id: AppId) -> Result<()> {
        let path = format!("/_emulator/apps/{id}/interrupt");
        self.send(self.request(Method::POST, &path)).await.map(drop)
    }

    /// The container engine.
    pub async fn engine(&self) -> Result<EngineReport> {
        self.get("/_emulator/engine").await
    }

    /// Makes a link that logs a browser in to the console as the caller, once.
    pub async fn console_link(&self) -> Result<ConsoleLink> {
        self.json(self.request(Method::POST, "/_emulator/console-links")).await
    }

    /// The features of the emulator.
    pub async fn features(&self) -> Result<Vec<Feature>> {
        self.get("/_emulator/features").await
    }

    /// The recent requests, or those after a page.
    pub async fn requests(&self, filter: &RequestFilter) -> Result<RequestList> {
        let mut query: Vec<(&str, String)> = Vec::new();
        query.extend(filter.app.map(|app| ("app", app.to_string())));
        query.extend(filter.token.map(|token| ("token", token.to_string())));
        query.extend(filter.region.iter().map(|region| ("region", region.to_string())));
        query.extend(filter.denied.then(|| ("denied", "true".into())));
        query.extend(filter.all.then(|| ("all", "true".into())));
        query.extend(filter.since.map(|since| ("since", since.to_string())));
        query.extend(filter.count.map(|count| ("count", count.to_string())));
        query.extend(filter.after.iter().map(|after| ("after", after.clone())));
        self.get(&format!("/_emulator/requests?{}", encode(&query))).await
    }

    /// Exact numbers of requests, of those filters that numbers have.
    pub async fn request_totals(&self, filter: &RequestFilter) -> Result<RequestTotals> {
        let mut query: Vec<(&str, String)> = Vec::new();
        query.extend(filter.app.map(|app| ("app", app.to_string())));
        query.extend(filter.token.map(|token| ("token", token.to_string())));
        query.extend(filter.region.iter().map(|region| ("region", region.to_string())));
        query.extend(filter.denied.then(|| ("denied", "true".into())));
        query.extend(filter.all.then(|| ("all", "true".into())));
        self.get(&format!("/_emulator/requests/totals?{}", encode(&query))).await
    }

    /// Sets the numbers of requests to zero.
    pub async fn reset_request_totals(&self) -> Result<()> {
        self.send(self.request(Method::DELETE, "/_emulator/requests/totals")).await.map(drop)
    }

    /// The metrics, in the text format of Prometheus.
    pub async fn metrics(&self) -> Result<bytes::Bytes> {
        whole(self.send(self.request(Method::GET, "/metrics")).await?).await
    }

    /// All users.
    pub async fn users(&self) -> Result<Vec<User>> {
        self.get("/_emulator/users").await
    }

    /// Adds a user.
    pub async fn add_user(&self, name: &str, password: &str) -> Result<()> {
        let user = NewUser { name: name.to_owned(), password: password.to_owned() };
        self.send(self.request(Method::POST, "/_emulator/users").json(&user)).await.map(drop)
    }

    /// Sets a user's password.
    pub async fn set_password(&self, name: &str, password: &str) -> Result<()> {
        let path = format!("/_emulator/users/{}/password", segment(name));
        self.put(&path, Some(&json!({ "password": password }))).await.map(drop)
    }

    /// Removes a user.
    pub async fn remove_user(&self, name: &str) -> Result<()> {
        let path = format!("/_emulator/users/{}", segment(name));
        self.send(self.request(Method::DELETE, &path)).await.map(drop)
    }

    /// All images that are mapped to commands.
    pub async fn mappings(&self) -> Result<Vec<ImageMapping>> {
        self.get("/_emulator/images").await
    }

    /// Maps an image to a command.
    pub async fn map_image(&self, mapping: &NewImageMapping) -> Result<ImageMapping> {
        self.json(self.request(Method::PUT, "/_emulator/images").json(mapping)).await
    }

    /// Removes the mapping of an image.
    pub async fn unmap_image(&self, image: &str) -> Result<()> {
        let request = self.request(Method::POST, "/_emulator/images/unmap");
        self.send(request.json(&json!({ "image": image }))).await.map(drop)
    }

    /// Asks an emulator to stop.
    pub async fn stop_emulator(&self) -> Result<()> {
        let request = self.request(Method::POST, "/_emulator/stop");
        let response = self.send(request.timeout(STOP_TIMEOUT)).await?;
        match response.status() {
            StatusCode::ACCEPTED => Ok(()),
            other => Err(Error::Answer(format!("unexpected status {other}"))),
        }
    }
}

fn parse(body: &[u8]) -> Result<OauthTokens> {
    serde_json::from_slice(body).map_err(|error| Error::Answer(error.to_string()))
}

/// A name as one segment of a path.
pub(crate) fn segment(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}
