//! How people log in with a browser: with a token, or with a user's name and password.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use ovhai_core::auth::Place;
use ovhai_core::policy::Principal;
use ovhai_core::{Error, Platform};

use super::tries::{LoginPlace, Tries};

/// Why a login fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginFailure {
    /// The same for every kind of bad token.
    BadToken,
    /// The string of a login instead of a token.
    NoToken,
    BadPassword,
    TooMany {
        seconds: u64,
    },
    Unavailable,
}

impl LoginFailure {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::BadToken | Self::NoToken | Self::BadPassword => StatusCode::UNAUTHORIZED,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Seconds until the next try is accepted.
    pub(crate) fn retry_after(self) -> Option<u64> {
        if let Self::TooMany { seconds } = self { Some(seconds) } else { None }
    }

    /// The problem, for people.
    pub(crate) fn text(self) -> String {
        match self {
            Self::BadToken => "The token is not valid here.".to_owned(),
            Self::NoToken => {
                "This is no token but a login's string. Log in with the user and password."
                    .to_owned()
            }
            Self::BadPassword => "The user or the password is wrong.".to_owned(),
            Self::TooMany { seconds } => {
                format!("Too many wrong tries. Wait {seconds} seconds, then try again.")
            }
            Self::Unavailable => {
                "The emulator can't process logins at the moment; its log says why.".to_owned()
            }
        }
    }
}

/// Checks what people log in with.
pub(crate) struct Credentials {
    platform: Arc<Platform>,
    tries: Tries,
}

impl Credentials {
    pub(crate) fn new(platform: Arc<Platform>) -> Self {
        Self { platform, tries: Tries::default() }
    }

    /// The holder of a token's string.
    pub(crate) fn by_token(
        &self,
        place: LoginPlace,
        token: &str,
        client: IpAddr,
    ) -> Result<Principal, LoginFailure> {
        self.tries
            .begin(client, place, self.platform.now())
            .map_err(|seconds| LoginFailure::TooMany { seconds })?;
        // It may have been copied from a command or a header.
        let token = token.trim();
        let token = token.strip_prefix("Bearer ").map_or(token, str::trim_start);
        let is_here = client.to_canonical().is_loopback();
        let from = if is_here { Place::Here } else { Place::Elsewhere };
        match self.platform.authenticate(&self.platform.snapshot(), token, from) {
            // A bearer of `ovhai login` expires within an hour; the cookie would outlast it.
            Some(Principal::User { .. }) => Err(LoginFailure::NoToken),
            Some(who) => {
                self.tries.succeeded(client, place);
                Ok(who)
            }
            None => Err(LoginFailure::BadToken),
        }
    }

    /// The user with this password, in a session that lasts this long.
    pub(crate) async fn by_password(
        &self,
        name: &str,
        password: &str,
        lasts: Duration,
    ) -> Result<Principal, LoginFailure> {
        let login = self.platform.log_in_for(name, password.to_owned(), lasts).await;
        login.map_err(|error| match error {
            Error::BadCredentials => LoginFailure::BadPassword,
            Error::TooManyTries { seconds } => LoginFailure::TooMany { seconds },
            error => {
                tracing::error!(%error, "a login failed");
                LoginFailure::Unavailable
            }
        })
    }
}
