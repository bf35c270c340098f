//! Apps with the environment of the command line that asks for them, for the emulator's owner.
//! The service's own way to submit an app has no place for one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ovhai_api_types::{App, NewApp};

use super::{Caller, Control};
use crate::api::error::ApiError;
use crate::api::extract::Body;
use crate::api::view;

pub(super) async fn create(
    State(control): State<Arc<Control>>,
    Caller(caller): Caller,
    Body(NewApp { region, spec, environment }): Body<NewApp>,
) -> Result<Json<App>, ApiError> {
    if !control.platform.settings().regions.contains(&region) {
        return Err(ApiError::not_found(format!("there is no region {region}")));
    }
    let app = control.platform.create_app_in(&caller, &region, &spec, Some(environment)).await?;
    Ok(Json(view::app(&app, control.address.port())))
}
