//! Users, for the emulator's owner.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use hyper::StatusCode;
use ovhai_api_types::{NewUser, User};
use serde::Deserialize;

use super::{Caller, Control};
use crate::api::error::ApiError;
use crate::api::extract::Body;

type Shared = State<Arc<Control>>;

pub(super) async fn list(
    State(control): Shared,
    Caller(caller): Caller,
) -> Result<Json<Vec<User>>, ApiError> {
    let users = control.platform.list_users(&caller)?;
    let wire = users.iter().map(|user| User {
        name: user.name.clone(),
        created_at: user.created_at,
        updated_at: user.updated_at,
    });
    Ok(Json(wire.collect()))
}

pub(super) async fn add(
    State(control): Shared,
    Caller(caller): Caller,
    Body(user): Body<NewUser>,
) -> Result<StatusCode, ApiError> {
    control.platform.add_user(&caller, &user.name, user.password).await?;
    Ok(StatusCode::CREATED)
}

#[derive(Deserialize)]
pub(super) struct Password {
    password: String,
}

pub(super) async fn set_password(
    State(control): Shared,
    Caller(caller): Caller,
    Path(name): Path<String>,
    Body(given): Body<Password>,
) -> Result<StatusCode, ApiError> {
    control.platform.set_password(&caller, &name, given.password).await?;
    forget(&control, &name);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn remove(
    State(control): Shared,
    Caller(caller): Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    control.platform.remove_user(&caller, &name).await?;
    forget(&control, &name);
    Ok(StatusCode::NO_CONTENT)
}

/// The password in the state directory is not valid any more.
fn forget(control: &Control, name: &str) {
    if let Some(state) = &control.state {
        state.forget_first_user(name);
    }
}
