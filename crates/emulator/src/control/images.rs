//! Commands that run in place of images, for the emulator's owner.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hyper::StatusCode;
use ovhai_api_types::{ImageMapping, NewImageMapping};
use ovhai_core::model::MappingRecord;
use serde::Deserialize;

use super::{Caller, Control};
use crate::api::error::ApiError;
use crate::api::extract::Body;

type Shared = State<Arc<Control>>;

fn wire(record: &MappingRecord) -> ImageMapping {
    ImageMapping {
        image: record.image.clone(),
        command: record.command.clone(),
        working_directory: record.working_directory.clone(),
        created_at: Some(record.created_at),
    }
}

pub(super) async fn list(
    State(control): Shared,
    Caller(caller): Caller,
) -> Result<Json<Vec<ImageMapping>>, ApiError> {
    let mappings = control.platform.list_mappings(&caller)?;
    Ok(Json(mappings.iter().map(|record| wire(record)).collect()))
}

pub(super) async fn map(
    State(control): Shared,
    Caller(caller): Caller,
    Body(mapping): Body<NewImageMapping>,
) -> Result<Json<ImageMapping>, ApiError> {
    let NewImageMapping { image, command, working_directory, environment } = mapping;
    let platform = &control.platform;
    let record =
        platform.map_image(&caller, &image, command, working_directory, environment).await?;
    Ok(Json(wire(&record)))
}

#[derive(Deserialize)]
pub(super) struct Image {
    image: String,
}

pub(super) async fn unmap(
    State(control): Shared,
    Caller(caller): Caller,
    Body(Image { image }): Body<Image>,
) -> Result<StatusCode, ApiError> {
    control.platform.unmap_image(&caller, &image).await?;
    Ok(StatusCode::NO_CONTENT)
}
