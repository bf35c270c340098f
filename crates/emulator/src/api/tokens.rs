//! Operations of the tags `token` and `me`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use hyper::StatusCode;
use ovhai_api_types::{ErrorBody, Me, Role, Token, TokenId, TokenKind, TokenList, TokenSpec};
use ovhai_core::policy::Principal;

use super::error::ApiError;
use super::extract::{Body, Caller, Id};
use super::query::Query;
use super::{ApiState, pieces, view};

type Shared = State<Arc<ApiState>>;

/// List tokens, the newest first. Their strings are never shown.
#[utoipa::path(
    get, path = "/v1/token", operation_id = "token_get_all", tag = "token",
    params(
        ("page" = Option<i64>, Query, description = "From 1"),
        ("size" = Option<i64>, Query, description = "Tokens on a page, 1 to 1000; 100 by default"),
    ),
    responses(
        (status = 200, description = "A page of tokens", body = TokenList),
        (status = 400, description = "A parameter is not allowed", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "Only unscoped operators may", body = ErrorBody),
    ),
)]
pub(super) async fn list(
    State(state): Shared,
    caller: Caller,
    query: Query,
) -> Result<Response, ApiError> {
    let tokens = state.platform.list_tokens(&caller.principal, &caller.region)?;
    let (page, metadata) = query.cut(tokens, query.page()?);
    pieces::page(page, metadata, |record| view::token(record, None))
}

/// Make a token. The answer is the only one that shows its string.
#[utoipa::path(
    post, path = "/v1/token", operation_id = "token_new", tag = "token",
    request_body = TokenSpec,
    responses(
        (status = 200, description = "The token with its string", body = Token),
        (status = 400, description = "A value is not allowed", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "Only unscoped operators may", body = ErrorBody),
    ),
)]
pub(super) async fn create(
    State(state): Shared,
    caller: Caller,
    Body(spec): Body<TokenSpec>,
) -> Result<Json<Token>, ApiError> {
    let issued = state.platform.create_token(&caller.principal, &caller.region, &spec).await?;
    Ok(Json(view::token(&issued.record, Some(issued.value))))
}

/// Show a token.
#[utoipa::path(
    get, path = "/v1/token/{id}", operation_id = "token_get", tag = "token",
    params(("id" = String, Path, description = "Id of the token")),
    responses(
        (status = 200, description = "The token", body = Token),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "Only unscoped operators may", body = ErrorBody),
        (status = 404, description = "No such token", body = ErrorBody),
    ),
)]
pub(super) async fn get(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<TokenId>,
) -> Result<Json<Token>, ApiError> {
    let record = state.platform.get_token(&caller.principal, &caller.region, id)?;
    Ok(Json(view::token(&record, None)))
}

/// Give a token a new string. The old one opens nothing any more.
#[utoipa::path(
    post, path = "/v1/token/{id}/renew", operation_id = "token_renew", tag = "token",
    params(("id" = String, Path, description = "Id of the token")),
    responses(
        (status = 200, description = "The token with its new string", body = Token),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "Only unscoped operators may", body = ErrorBody),
        (status = 404, description = "No such token", body = ErrorBody),
    ),
)]
pub(super) async fn renew(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<TokenId>,
) -> Result<Json<Token>, ApiError> {
    let issued = state.platform.renew_token(&caller.principal, &caller.region, id).await?;
    Ok(Json(view::token(&issued.record, Some(issued.value))))
}

/// Delete a token. Its string opens nothing any more.
#[utoipa::path(
    delete, path = "/v1/token/{id}", operation_id = "token_delete", tag = "token",
    params(("id" = String, Path, description = "Id of the token")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "Only unscoped operators may", body = ErrorBody),
        (status = 404, description = "No such token", body = ErrorBody),
    ),
)]
pub(super) async fn delete(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<TokenId>,
) -> Result<StatusCode, ApiError> {
    state.platform.delete_token(&caller.principal, &caller.region, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tell the caller who it is.
#[utoipa::path(
    get, path = "/v1/me", operation_id = "me", tag = "me",
    responses(
        (status = 200, description = "The caller", body = Me),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "Not allowed", body = ErrorBody),
    ),
)]
pub(super) async fn me(State(state): Shared, caller: Caller) -> Result<Json<Me>, ApiError> {
    state.platform.may_ask_me(&caller.principal, &caller.region)?;
    let project = state.platform.project().to_string();
    let (role, token_kind, trust_id) = match &caller.principal {
        Principal::Token(token) => (token.role, TokenKind::App, token.id.to_string()),
        _ => (Role::Administrator, TokenKind::Oauth, project.clone()),
    };
    Ok(Json(Me {
        name: caller.principal.name().to_owned(),
        quotas: super::capabilities::quotas(&state),
        role,
        tenant: project,
        token_kind,
        trust_id,
    }))
}
