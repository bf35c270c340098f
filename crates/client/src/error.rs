//! The one error type of all calls.

/// Why a call failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The server could not be reached.
    #[error("the server can't be reached: {0}")]
    Connect(String),
    /// The server did not answer in time.
    #[error("the server did not answer in time")]
    Timeout,
    /// The server refused or failed.
    #[error("{status}: {message}")]
    Api {
        /// HTTP status.
        status: u16,
        /// The server's message.
        message: String,
    },
    /// The response does not match the API.
    #[error("the server's response is invalid: {0}")]
    Answer(String),
    /// The request could not be made: a malformed address or header.
    #[error("the request is invalid: {0}")]
    Request(String),
    /// Logging in was refused.
    #[error("{code}: {why}")]
    Login {
        /// The code of RFC 6749 section 5.2.
        code: String,
        /// For people.
        why: String,
    },
    /// The session has ended.
    #[error("the session has ended")]
    Ended,
    /// The session's bearer could not be refreshed.
    #[error("the session can't be refreshed: {0}")]
    NotRenewed(String),
    /// The client is read-only.
    #[error("refusing to change anything at {0}")]
    ReadOnly(String),
    /// The connection was aborted.
    #[error("the connection was aborted: {0}")]
    Broken(String),
}

impl Error {
    pub(crate) fn from_reqwest(error: reqwest::Error) -> Self {
        // The URL may contain secrets, and the causes are more useful.
        let error = error.without_url();
        let why = deepest(&error);
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() && why.contains("tunnel") {
            // Only proxies are asked for tunnels.
            Self::Connect(format!("through the proxy of HTTPS_PROXY or ALL_PROXY: {why}"))
        } else if error.is_connect() {
            Self::Connect(why)
        } else if error.is_builder() {
            Self::Request(why)
        } else if error.is_decode() {
            Self::Answer(why)
        } else {
            Self::Broken(why)
        }
    }

    /// The HTTP status, if the server answered.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// The first cause of an error, which is the most specific.
pub(crate) fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}
