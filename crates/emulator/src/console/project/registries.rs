//! Registries, whose logins pull the images of apps. No page contains a password.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use ovhai_api_types::{PasswordState, Region, RegistryId};
use ovhai_core::Error;

use super::{done, overview};
use crate::console::page::{Answer, Place, Refused};
use crate::console::text::{self, Look};
use crate::console::visit::{Sent, Visit};

/// A registry.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) region: Region,
    pub(super) url: String,
    pub(super) username: String,
    pub(super) password: Look,
    pub(super) user: String,
    pub(super) changed: String,
}

/// The registries of all regions that the caller may manage, or why there are none.
pub(super) fn rows(visit: &Visit) -> Result<Vec<Row>, String> {
    let platform = &visit.console.platform;
    let (mut rows, mut is_allowed, mut refused) = (Vec::new(), false, None);
    for region in &platform.settings().regions {
        match platform.list_registries(&visit.who, region) {
            Ok(registries) => {
                is_allowed = true;
                rows.extend(registries.iter().map(|registry| Row {
                    id: registry.id.to_string(),
                    region: region.clone(),
                    url: registry.url.clone(),
                    username: registry.username.clone(),
                    password: password(platform.password_state(registry)),
                    user: registry.user.clone(),
                    changed: text::moment(registry.updated_at),
                }));
            }
            // A token's own region says why; the others only that it is not theirs.
            Err(error) if visit.region().is_none_or(|own| own == region) => {
                refused.get_or_insert(error.to_string());
            }
            Err(_) => {}
        }
    }
    match refused {
        Some(why) if !is_allowed => Err(why),
        _ => Ok(rows),
    }
}

fn password(state: PasswordState) -> Look {
    match state {
        PasswordState::Stored => Look { word: "stored", icon: "lock", class: "good" },
        PasswordState::Missing => Look { word: "missing", icon: "triangle-alert", class: "busy" },
        PasswordState::Unreadable => Look { word: "unreadable", icon: "circle-x", class: "bad" },
    }
}

/// The region of a form or an address.
fn region(visit: &Visit, name: &str) -> Result<Region, Error> {
    let region = visit.console.platform.region(name).cloned();
    region.ok_or_else(|| Error::invalid("region", format!("there is no region {name:?}")))
}

/// `POST project/registries`.
pub(super) async fn add(sent: Sent) -> Response {
    let field = |name| sent.fields.get(name).trim();
    let (url, username) = (field("url"), field("username"));
    let password = Some(sent.fields.get("password").to_owned()).filter(|text| !text.is_empty());
    let platform = &sent.visit.console.platform;
    let added = async {
        let region = region(&sent.visit, field("region"))?;
        platform.add_registry(&sent.visit.who, &region, url, username, password).await
    };
    match added.await {
        Ok(registry) => {
            done(&sent, "registries", Ok(format!("Added the registry {}.", registry.url)))
        }
        Err(error) => overview::refused(&sent, overview::Form::Registry, &error.into()),
    }
}

#[derive(Template)]
#[template(path = "console/project/registry.html")]
struct Page<'a> {
    base: String,
    form: String,
    id: &'a str,
    region: &'a Region,
    url: &'a str,
    username: &'a str,
}

type At = Path<(String, String, String)>;

fn show(visit: &Visit, of: &str, id: &str) -> Result<Answer, Refused> {
    let region = region(visit, of)?;
    let missing = || Error::NotFound { kind: "registry", id: id.to_owned() };
    let wanted: RegistryId = id.parse().map_err(|_| missing())?;
    let registry = visit.console.platform.get_registry(&visit.who, &region, wanted)?;
    let page = Page {
        base: visit.link(""),
        form: visit.form(),
        id,
        region: &region,
        url: &registry.url,
        username: &registry.username,
    };
    Ok(Answer::view(visit, format!("Delete {}", registry.url), Place::Project, &page))
}

/// `GET project/registries/{region}/{id}/delete`.
pub(super) async fn delete_page(visit: Visit, Path((_, region, id)): At) -> Response {
    visit.answer(Place::Project, show(&visit, &region, &id))
}

/// `POST project/registries/{region}/{id}/delete`.
pub(super) async fn delete(Path((_, of, id)): At, sent: Sent) -> Response {
    let change = async {
        let region = region(&sent.visit, &of)?;
        let missing = || Error::NotFound { kind: "registry", id: id.clone() };
        let id: RegistryId = id.parse().map_err(|_| missing())?;
        let platform = &sent.visit.console.platform;
        let url = platform.get_registry(&sent.visit.who, &region, id)?.url.clone();
        platform.delete_registry(&sent.visit.who, &region, id).await?;
        Ok(format!("Deleted the registry {url}."))
    };
    let changed = change.await;
    done(&sent, "registries", changed)
}
