//! Pages of tokens.
//!
//! The string of a token is on one page, once: the list after Generate or Regenerate. It never
//! stands in an address.

mod change;
mod details;
mod explain;
mod fresh;
mod list;
mod matches;
mod new;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use ovhai_api_types::{Region, Role, TokenId};
use ovhai_core::Error;
use ovhai_core::model::TokenRecord;

use super::Console;
use super::page::Refused;
use super::visit::Visit;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/tokens", get(list::page))
        .route("/tokens/live", get(list::live))
        .route("/tokens/new", get(new::page).post(new::generate))
        .route("/tokens/matches", get(matches::part))
        .route("/tokens/matches/live", get(matches::live))
        .route("/tokens/explain", get(explain::page).post(explain::explain))
        .route("/tokens/{id}", get(details::page))
        .route("/tokens/{id}/regenerate", get(change::regenerate_page).post(change::regenerate))
        .route("/tokens/{id}/delete", get(change::delete_page).post(change::delete))
}

/// The name of a role in OVHcloud's control panel.
fn role_name(role: Role) -> &'static str {
    match role {
        Role::Read => "AI Platform - Read-only",
        Role::Operator => "AI Platform - Operator",
        Role::Administrator => "AI Platform - Administrator",
    }
}

/// The regions whose tokens the caller may see; an error if there is none.
fn regions(visit: &Visit) -> Result<Vec<Region>, Refused> {
    let platform = &visit.console.platform;
    let may = |region: &&Region| platform.may_manage_tokens(&visit.who, region).is_ok();
    let regions: Vec<Region> = platform.settings().regions.iter().filter(may).cloned().collect();
    if regions.is_empty() {
        // A token's own region says why; the others only that it is not theirs.
        let own = visit.region().or_else(|| platform.default_region());
        let own = own.ok_or_else(|| Error::Internal("no region".into()))?;
        platform.may_manage_tokens(&visit.who, own)?;
    }
    Ok(regions)
}

/// The token of an address, if the caller may see it.
fn find(visit: &Visit, id: &str) -> Result<Arc<TokenRecord>, Refused> {
    regions(visit)?;
    let missing = || Error::NotFound { kind: "token", id: id.to_owned() };
    let id: TokenId = id.parse().map_err(|_| missing())?;
    let platform = &visit.console.platform;
    let region = platform.snapshot().token(id).map(|token| token.region.clone());
    let region = region.ok_or_else(missing)?;
    match platform.get_token(&visit.who, &region, id) {
        Err(Error::Denied(_)) => Err(missing().into()),
        token => Ok(token?),
    }
}
