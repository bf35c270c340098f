//! What a token opens, and why.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ovhai_api_types::{ACCESS_PAGE, Access, AccessApp, AccessQuestion, AccessToken, Verdict};
use ovhai_core::platform::{self, AccessQuery, TokenQuestion};
use ovhai_core::policy::Decision;

use super::{Caller, Control};
use crate::api::error::ApiError;
use crate::api::extract::Body;

fn verdict(decision: &Decision) -> Verdict {
    Verdict { allowed: decision.is_allowed(), reason: decision.reason.to_string() }
}

fn wire(access: &platform::AccessVerdict) -> Access {
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
    let token = match (asked.token, asked.value) {
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid("value", "give either token or value, not both"));
        }
        (Some(id), None) => Some(TokenQuestion::Id(id)),
        (None, Some(value)) => Some(TokenQuestion::Value(value)),
        (None, None) => None,
    };
    let query = match (token, asked.app) {
        (Some(token), Some(app)) => AccessQuery::Both(token, app),
        (Some(token), None) => AccessQuery::Token(token),
        (None, Some(app)) => AccessQuery::App(app),
        (None, None) => {
            let why =
                "name an app, a token or a token's value: all pairs of a region are no answer";
            return Err(ApiError::invalid("app", why));
        }
    };
    let page = asked
        .page
        .checked_sub(1)
        .ok_or_else(|| ApiError::invalid("page", "0 is not allowed: use 1 or more"))?;
    let skip = usize::try_from(page).unwrap_or(usize::MAX).saturating_mul(ACCESS_PAGE);
    let pairs = platform.explain(&caller, region, &query, skip, ACCESS_PAGE)?;
    Ok(Json(pairs.iter().map(wire).collect()))
}
