//! `sessions.json` in the settings directory (mode 0600): the login at each server.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ovhai_api_types::OauthTokens;
use ovhai_client::{Client, Error as ClientError, Renew, Renewed};
use serde::{Deserialize, Serialize};

use crate::calls::address::LOCAL;
use crate::context::Context;
use crate::error::{DENIED, Failure, Result};
use crate::private_file;
use crate::settings::config_dir;

/// A bearer with less time left is refreshed first.
const MARGIN: SignedDuration = SignedDuration::from_secs(30);

/// The credentials of a login.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Session {
    /// A login with name and password.
    User {
        username: String,
        access: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refresh: Option<String>,
        expires_at: Timestamp,
    },
    /// A login with a token.
    Token { token: String },
}

impl Session {
    /// The session of an OAuth response.
    pub(crate) fn new(username: &str, tokens: OauthTokens, now: Timestamp) -> Self {
        let lasts = i64::try_from(tokens.expires_in).unwrap_or(i64::MAX);
        Self::User {
            username: username.to_owned(),
            access: tokens.access_token,
            refresh: tokens.refresh_token,
            expires_at: now.saturating_add(SignedDuration::from_secs(lasts)).unwrap_or(now),
        }
    }

    fn bearer(&self) -> &str {
        match self {
            Self::User { access, .. } => access,
            Self::Token { token } => token,
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Contents {
    sessions: BTreeMap<String, Session>,
}

/// The sessions of all servers.
pub(crate) struct Sessions {
    path: PathBuf,
}

const IF_DAMAGED: &str = "delete it and log in again: ovhai login";

impl Sessions {
    pub(crate) fn open(context: &Context) -> Result<Self> {
        Ok(Self { path: config_dir(context)?.join("sessions.json") })
    }

    /// The session at a server.
    pub(crate) fn get(&self, server: &str) -> Result<Option<Session>> {
        let mut contents: Contents = private_file::read(&self.path, IF_DAMAGED)?;
        Ok(contents.sessions.remove(server))
    }

    /// Whether there is a session at a local emulator, of whatever project.
    pub(crate) fn any_local(&self) -> Result<bool> {
        let contents: Contents = private_file::read(&self.path, IF_DAMAGED)?;
        Ok(contents.sessions.keys().any(|server| server.starts_with(LOCAL)))
    }

    /// Stores or removes a session.
    pub(crate) fn set(&self, server: &str, session: Option<Session>) -> Result<()> {
        let _lock = private_file::lock(&self.path)?;
        self.store(server, session)
    }

    fn store(&self, server: &str, session: Option<Session>) -> Result<()> {
        let mut contents: Contents = private_file::read(&self.path, IF_DAMAGED)?;
        match session {
            Some(session) => contents.sessions.insert(server.to_owned(), session),
            None => contents.sessions.remove(server),
        };
        private_file::write(&self.path, &contents)
    }

    /// The bearer of the session at a server, refreshed if it expires soon.
    pub(crate) async fn bearer(
        &self,
        server: &str,
        anonymous: impl FnOnce() -> Result<Client>,
        now: fn() -> Timestamp,
    ) -> Result<Option<String>> {
        let Some(session) = self.get(server)? else { return Ok(None) };
        if !ends_soon(&session, now()) {
            return Ok(Some(session.bearer().to_owned()));
        }
        let is_good = |session: &Session| !ends_soon(session, now());
        self.refreshed(server, anonymous, now, is_good).await
    }

    /// The bearer of the session at a server, refreshed unless another command has just done so.
    async fn refreshed(
        &self,
        server: &str,
        anonymous: impl FnOnce() -> Result<Client>,
        now: fn() -> Timestamp,
        is_good: impl Fn(&Session) -> bool,
    ) -> Result<Option<String>> {
        // Refreshed under a lock: a concurrent command waits, and uses the result.
        let _lock = private_file::lock(&self.path)?;
        let Some(session) = self.get(server)? else { return Ok(None) };
        if is_good(&session) {
            return Ok(Some(session.bearer().to_owned()));
        }
        let Session::User { username, refresh: Some(refresh), .. } = &session else {
            return Err(Failure::session_ended());
        };
        match anonymous()?.refresh(refresh).await {
            Ok(tokens) => {
                let session = Session::new(username, tokens, now());
                let bearer = session.bearer().to_owned();
                self.store(server, Some(session))?;
                Ok(Some(bearer))
            }
            Err(ClientError::Login { .. }) => Err(Failure::session_ended()),
            Err(error) => Err(error.into()),
        }
    }

    /// Refreshes the bearer of a session after the server has rejected it.
    pub(crate) fn renewing(self, server: String, now: fn() -> Timestamp) -> Arc<dyn Renew> {
        Arc::new(Renewing { sessions: self, server, now })
    }
}

/// See [`Sessions::renewing`].
struct Renewing {
    sessions: Sessions,
    server: String,
    now: fn() -> Timestamp,
}

impl Renew for Renewing {
    fn renew(&self, anonymous: Client, refused: String) -> Renewed<'_> {
        Box::pin(async move {
            let Self { sessions, server, now } = self;
            let stored = sessions.get(server).ok().flatten();
            let Some(Session::User { .. }) = stored else { return Ok(None) };
            let is_good = |session: &Session| session.bearer() != refused;
            let renewed = sessions.refreshed(server, || Ok(anonymous), *now, is_good).await;
            renewed.map_err(|failure| match failure.code() {
                DENIED => ClientError::Ended,
                _ => ClientError::NotRenewed(failure.brief()),
            })
        })
    }
}

fn ends_soon(session: &Session, now: Timestamp) -> bool {
    match session {
        Session::User { expires_at, .. } => {
            now.saturating_add(MARGIN).unwrap_or(now) >= *expires_at
        }
        Session::Token { .. } => false,
    }
}
