//! What handlers take from a request, with errors that name the field.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::http::request::Parts;
use ovhai_api_types::Region;
use ovhai_core::policy::Principal;
use serde::de::DeserializeOwned;

use super::ApiState;
use super::error::ApiError;
use crate::gateway::bearer::bearer_token;
use crate::gateway::place;

/// Maximum body of an API call, in bytes.
pub const BODY_MAX: usize = 1024 * 1024;
/// Time for a body to come.
pub(super) const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The caller, and the region that it calls.
pub(super) struct Caller {
    pub(super) principal: Principal,
    pub(super) region: Region,
}

impl FromRequestParts<Arc<ApiState>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<ApiState>,
    ) -> Result<Self, ApiError> {
        let region = parts
            .extensions
            .get::<Region>()
            .cloned()
            .ok_or_else(|| ApiError::not_found("no region is named"))?;
        let bearer = bearer_token(&parts.headers).ok_or_else(ApiError::unauthenticated)?;
        let snapshot = state.platform.snapshot();
        let place = place::of_call(&parts.extensions);
        let principal = state.platform.authenticate(&snapshot, bearer, place);
        let principal = principal.ok_or_else(ApiError::unauthenticated)?;
        // Before the request is read: a token of another region learns nothing.
        state.platform.may_ask_me(&principal, &region)?;
        Ok(Self { principal, region })
    }
}

/// A caller that the API shows anything at all.
pub(super) struct Viewer;

impl FromRequestParts<Arc<ApiState>> for Viewer {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<ApiState>,
    ) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        state.platform.may_view(&caller.principal, &caller.region)?;
        Ok(Self)
    }
}

/// An id in the path. What can't be an id is the id of nothing: 404, as the SDK expects.
pub(super) struct Id<T>(pub(super) T);

impl<T: std::str::FromStr, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let missing = |id: &str| {
            ApiError::not_found(format!(
                "there is nothing with the id {:?}",
                id.chars().take(80).collect::<String>()
            ))
        };
        let Path(id) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| missing("?"))?;
        id.parse().map(Self).map_err(|_| missing(&id))
    }
}

/// A JSON body; the content type is not checked, since scripts often omit it.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let body = Limited::new(request.into_body(), BODY_MAX);
        let bytes = tokio::time::timeout(BODY_TIMEOUT, body.collect())
            .await
            .map_err(|_| ApiError::invalid("body", "it did not come in time"))?
            .map_err(|error| {
                if error.is::<LengthLimitError>() {
                    ApiError::too_large(BODY_MAX)
                } else {
                    ApiError::invalid("body", "it could not be read to its end")
                }
            })?
            .to_bytes();
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { "body".to_owned() } else { path };
            ApiError::invalid(&field, error.into_inner())
        })?;
        json.end().map_err(|error| ApiError::invalid("body", error))?;
        Ok(Self(value))
    }
}
