//! Errors at the edge of the API: the only place where the domain's errors become statuses.

use axum::Json;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use ovhai_api_types::ErrorBody;
use ovhai_core::Error;
use ovhai_core::policy::Effect;
use ovhai_core::ports::StoreError;

use crate::gateway::bearer::insufficient_scope;

const REALM: &str = "Bearer realm=\"AI\"";

/// An error response: a status, what the caller sees, and what only the log contains.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
    internal: Option<String>,
    retry_after: Option<u64>,
    /// What stands in `WWW-Authenticate` beside the scheme.
    challenge: Option<String>,
}

impl ApiError {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), internal: None, retry_after: None, challenge: None }
    }

    /// 400 about the field at `field`.
    pub(crate) fn invalid(field: &str, message: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("{field}: {message}"))
    }

    /// 401, the same whatever was wrong.
    pub(crate) fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not authenticated")
    }

    fn forbidden(reason: impl std::fmt::Display) -> Self {
        let reason = reason.to_string();
        tracing::info!(reason, "a call was refused");
        Self {
            challenge: Some(insufficient_scope(&reason)),
            ..Self::new(StatusCode::FORBIDDEN, format!("forbidden: {reason}"))
        }
    }

    /// 404.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 405.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this method is not allowed here")
    }

    /// 413.
    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {limit} bytes"))
    }

    /// 400.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 409.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 507.
    pub(crate) fn full(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INSUFFICIENT_STORAGE, message)
    }

    /// 500; only the log has the cause.
    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        Error::Internal(error.to_string()).into()
    }

    /// 500; only the log has the cause.
    fn told_in_log(error: &Error, told: &str) -> Self {
        let message = format!("{told}; the emulator's log has the details (ovhai emulator logs)");
        Self {
            internal: Some(error.to_string()),
            ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
        }
    }

    /// 501 for an operation that the real service has.
    pub(crate) fn not_emulated(operation: &str) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, format!("{operation} is not emulated yet"))
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(decision) => match decision.effect {
                Effect::Unauthenticated => Self::unauthenticated(),
                // Where apps are listed, one that is out of scope does not exist.
                Effect::OutOfScope => Self::not_found("there is no such app"),
                Effect::Forbidden | Effect::Allow => Self::forbidden(&decision.reason),
            },
            Error::NotFound { .. } => Self::not_found(error.to_string()),
            Error::Invalid { .. } => Self::new(StatusCode::BAD_REQUEST, error.to_string()),
            Error::OverQuota { .. } => Self::new(StatusCode::PAYMENT_REQUIRED, error.to_string()),
            Error::Exists { .. } | Error::Outdated { .. } => {
                Self::new(StatusCode::CONFLICT, error.to_string())
            }
            Error::BadCredentials => Self::unauthenticated(),
            Error::TooManyTries { seconds } => Self {
                retry_after: Some(seconds),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string())
            },
            Error::NotNow(why) => Self::new(StatusCode::CONFLICT, why),
            Error::NotSupported(why) => Self::new(StatusCode::NOT_IMPLEMENTED, why),
            Error::Unsupported { operation } => Self::not_emulated(&operation),
            Error::ShuttingDown => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            Error::Storage(StoreError::Full { .. })
            | Error::Unknown(StoreError::Full { .. })
            | Error::Load(StoreError::Full { .. }) => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, error.to_string())
            }
            Error::Storage(StoreError::Failed(_)) => {
                Self::told_in_log(&error, "the change could not be stored, and nothing was changed")
            }
            Error::Unknown(StoreError::Failed(_)) => Self::told_in_log(
                &error,
                "it is not known whether the change was stored: it does not count now, and may be there after a crash",
            ),
            Error::Load(StoreError::Failed(_)) | Error::Internal(_) => {
                Self::told_in_log(&error, "internal error")
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Some(detail) = self.internal {
            tracing::error!(detail, "an API call failed");
        }
        let mut response = (self.status, Json(ErrorBody { message: self.message })).into_response();
        let challenge = match self.challenge {
            Some(more) => HeaderValue::try_from(format!("{REALM}, {more}")).ok(),
            None if self.status == StatusCode::UNAUTHORIZED => {
                Some(HeaderValue::from_static(REALM))
            }
            None => None,
        };
        if let Some(challenge) = challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
