//! What a token opens, and why.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ovhai_api_types::{Access, AccessApp, AccessQuestion, AccessToken, Verdict};
use ovhai_core::platform::{self, TokenQuestion};
use ovhai_core::policy::Decision;

use super::{Caller, Control};
use crate::api::error::ApiError;
use crate::api::extract::Body;

fn verdict(decision: &Decision) -> Verdict {
    Verdict { allowed: decision.is_allowed(), reason: decision.reason.to_string() }
}

fn wire(access: &platform::Access) -> Access {
    let app = &access.app.record;
    Access {
        token: access.token.as_ref().map(|token| AccessToken {
            id: token.id,
            name: token.name.clone(),
            role: token.role.to_string(),
            label_selector: token.selector.as_ref().map(ToString::to_string),
            region: token.region.clone(),
            version: token.version,
        }),
        app: AccessApp { id: app.id, name: app.spec.name.clone(), state: app.state },
        read: verdict(&access.read),
        operate: verdict(&access.operate),
    }
}

pub(super) async fn explain(
    State(control): State<Arc<Control>>,
    Caller(caller): Caller,
    Body(asked): Body<AccessQuestion>,
) -> Result<Json<Vec<Access>>, ApiError> {
    let platform = &control.platform;
    let region = platform
        .region(asked.region.as_str())
        .ok_or_else(|| ApiError::not_found(format!("there is no region {} here", asked.region)))?;
    let question = match (asked.token, asked.value) {
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid("value", "give either token or value, not both"));
        }
        (Some(id), None) => TokenQuestion::Id(id),
        (None, Some(value)) => TokenQuestion::Value(value),
        (None, None) => TokenQuestion::All,
    };
    let all = platform.explain(&caller, region, &question, asked.app)?;
    Ok(Json(all.iter().map(wire).collect()))
}
