//! Registries, whose logins pull the images of apps. No page contains a password.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use ovhai_api_types::{Region, RegistryId};
use ovhai_core::Error;

use super::{done, overview};
use crate::console::page::{Answer, Place, Refused};
use crate::console::visit::{Sent, Visit};

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
