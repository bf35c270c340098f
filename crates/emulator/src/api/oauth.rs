//! Logging in: OAuth 2.0's password grant (RFC 6749 section 4.3) and refreshing (section 6), and
//! revocation (RFC 7009). Clients are public: the client's id is not checked.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Limited};
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderValue, PRAGMA};
use ovhai_api_types::{OauthError, OauthTokens};
use ovhai_core::Error;
use ovhai_core::platform::IssuedSession;

use super::ApiState;
use super::error::ApiError;

type Shared = State<Arc<ApiState>>;

/// Maximum body, in bytes.
const BODY_MAX: usize = 16 * 1024;

/// A refusal, ready to be sent.
pub(super) struct Refused(Box<Response>);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// The parameters of a request, of which none may come twice.
struct Form(Vec<(String, String)>);

impl Form {
    async fn read(request: Request) -> Result<Self, Refused> {
        let form_type = "application/x-www-form-urlencoded";
        let is_form = request
            .headers()
            .get(hyper::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.split(';').next().unwrap_or_default().trim() == form_type);
        if !is_form {
            return Err(refuse("invalid_request", &format!("send the parameters as {form_type}")));
        }
        let body = Limited::new(request.into_body(), BODY_MAX).collect();
        let body = tokio::time::timeout(super::extract::BODY_TIMEOUT, body)
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or_else(|| refuse("invalid_request", "the body can't be read"))?;
        Ok(Self(form_urlencoded::parse(&body.to_bytes()).into_owned().collect()))
    }

    fn one(&self, name: &str) -> Result<&str, Refused> {
        let mut all = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (all.next(), all.next()) {
            (Some(value), None) => Ok(value),
            (None, _) => Err(refuse("invalid_request", &format!("{name} is missing"))),
            (Some(_), Some(_)) => Err(refuse("invalid_request", &format!("{name} comes twice"))),
        }
    }
}

fn refuse(code: &str, description: &str) -> Refused {
    let body = OauthError { error: code.into(), error_description: Some(description.into()) };
    Refused(Box::new(not_kept((StatusCode::BAD_REQUEST, Json(body)).into_response())))
}

fn failed(error: Error) -> Refused {
    match error {
        Error::BadCredentials => refuse("invalid_grant", &error.to_string()),
        other => Refused(Box::new(ApiError::from(other).into_response())),
    }
}

/// Section 5.1: a response with a token in it is not stored.
fn not_kept(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// Log in with name and password, or go on with a session.
#[utoipa::path(
    post, path = "/oauth2/token", operation_id = "oauth2_token", tag = "oauth2",
    security(()),
    request_body(
        content = String, content_type = "application/x-www-form-urlencoded",
        description = "grant_type=password with username and password, or grant_type=refresh_token with refresh_token",
    ),
    responses(
        (status = 200, description = "access_token, token_type, expires_in (seconds), refresh_token"),
        (status = 400, description = "error (RFC 6749 section 5.2) and error_description"),
        (status = 429, description = "Too many wrong passwords; Retry-After says how long to wait"),
    ),
)]
pub(super) async fn token(State(state): Shared, request: Request) -> Result<Response, Refused> {
    let form = Form::read(request).await?;
    let platform = &state.platform;
    let login = match form.one("grant_type")? {
        "password" => {
            let (name, password) = (form.one("username")?, form.one("password")?);
            // The first user may be in the making.
            state.users_ready.cancelled().await;
            platform.log_in(name, password.to_owned()).await
        }
        "refresh_token" => platform.refresh(form.one("refresh_token")?).await,
        _ => {
            let allowed = "use password or refresh_token";
            return Err(refuse("unsupported_grant_type", allowed));
        }
    };
    let IssuedSession { access, refresh, expires_in } = login.map_err(failed)?;
    let tokens = OauthTokens {
        access_token: access,
        token_type: "Bearer".into(),
        expires_in: expires_in.as_secs(),
        refresh_token: Some(refresh),
    };
    Ok(not_kept(Json(tokens).into_response()))
}

/// End a session, by either of its strings.
#[utoipa::path(
    post, path = "/oauth2/revoke", operation_id = "oauth2_revoke", tag = "oauth2",
    security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "token"),
    responses(
        (status = 200, description = "The string is good for nothing, whatever it was"),
        (status = 400, description = "error (RFC 6749 section 5.2) and error_description"),
    ),
)]
pub(super) async fn revoke(State(state): Shared, request: Request) -> Result<StatusCode, Refused> {
    let form = Form::read(request).await?;
    state.platform.revoke(form.one("token")?).await.map_err(failed)?;
    Ok(StatusCode::OK)
}
