//! The container engine, for the emulator's owner.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ovhai_api_types::{CallsFromApps, EngineDescription, EngineReport, EngineTried};
use ovhai_containers::EngineStatus;
use ovhai_containers::engine::{EngineInfo, Tried};

use super::{Caller, Control};
use crate::api::error::ApiError;

/// Looks for the engine unless there is a connection. Takes up to the time-out of a look.
pub(super) async fn status(
    State(control): State<Arc<Control>>,
    Caller(caller): Caller,
) -> Result<Json<EngineReport>, ApiError> {
    // Paths of this machine are its owner's.
    control.platform.may_shut_down(&caller)?;
    let Some(containers) = &control.containers else {
        return Err(ApiError::not_found("this emulator runs no containers"));
    };
    let EngineStatus { engine, tried, gaps, calls } = containers.status().await;
    let address = control.address;
    let is_open = !address.ip().is_loopback();
    let api = is_open.then(|| {
        format!("the emulator listens on {address}: containers can reach its API, which still requires credentials")
    });
    Ok(Json(EngineReport {
        engine: engine.ok().map(describe),
        tried: tried.into_iter().map(report).collect(),
        gaps: gaps.into_iter().chain(api).collect(),
        calls_from_apps: calls.map(|calls| match calls {
            Ok(address) => CallsFromApps { address: Some(address), fault: None },
            Err(why) => CallsFromApps { address: None, fault: Some(why) },
        }),
    }))
}

fn describe(info: EngineInfo) -> EngineDescription {
    EngineDescription {
        kind: info.kind.to_string(),
        version: info.version,
        api_version: info.api_version,
        address: info.address,
        source: info.source,
        rootless: info.is_rootless,
        system: info.system,
        architecture: info.architecture,
        cpus: info.cpus,
        memory: info.memory,
    }
}

fn report(tried: Tried) -> EngineTried {
    EngineTried {
        source: tried.candidate.source,
        address: tried.candidate.address,
        said: tried.said,
    }
}
