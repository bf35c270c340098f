//! The string of a token, shown once.

use askama::Template;
use ovhai_api_types::Order;
use ovhai_core::Error;
use ovhai_core::model::TokenRecord;
use ovhai_core::platform::{AppQuery, IssuedToken};

use crate::console::page::Refused;
use crate::console::visit::Visit;
use crate::host;

/// The query parameter of the page that shows it.
pub(super) const KEY: &str = "fresh";

struct Sample {
    title: &'static str,
    text: String,
}

/// A token's string, with the lines that call an app with it.
#[derive(Template)]
#[template(path = "console/tokens/fresh.html")]
pub(super) struct Fresh {
    base: String,
    name: String,
    region: String,
    value: String,
    /// The app that the lines call.
    app: Option<String>,
    samples: Vec<Sample>,
}

impl Fresh {
    /// The string that was kept for this page.
    pub(super) fn take(visit: &Visit) -> Option<Self> {
        let fresh = visit.session.take_fresh(visit.query(KEY))?;
        let platform = &visit.console.platform;
        let region = platform.region(&fresh.region)?;
        // If it was deleted meanwhile, its string opens nothing.
        let token = platform.get_token(&visit.who, region, fresh.token).ok()?;
        Some(Self::new(visit, &token, fresh.value))
    }

    pub(super) fn new(visit: &Visit, token: &TokenRecord, value: String) -> Self {
        let selector = token.selector.clone().unwrap_or_default();
        let query = AppQuery { selector, order: Order::Desc, ..AppQuery::default() };
        let apps = visit.console.platform.list_apps(&visit.who, &token.region, &query);
        let app = apps.ok().and_then(|apps| apps.first().cloned());
        let samples = app.as_ref().map_or_else(Vec::new, |app| {
            let host = host::app_host(app.record.id, &token.region, visit.console.port);
            samples(&value, &app.record.id.to_string(), &host, visit.console.port)
        });
        Self {
            base: visit.link(""),
            name: token.name.clone(),
            region: token.region.to_string(),
            value,
            app: app.map(|app| app.record.spec.name.clone()),
            samples,
        }
    }
}

/// Keeps a string for the page that the browser goes to. Returns that page.
pub(super) fn keep(visit: &Visit, issued: IssuedToken) -> Result<String, Refused> {
    let IssuedToken { record, value } = issued;
    let key = visit.session.keep_fresh(record.region.to_string(), record.id, value);
    let key = key.ok_or_else(|| Error::Internal("no random numbers".into()))?;
    Ok(format!("tokens?{KEY}={key}"))
}

/// The lines that call an app with a token.
fn samples(value: &str, app: &str, host: &str, port: u16) -> Vec<Sample> {
    // Not every resolver knows names below localhost.
    vec![
        Sample {
            title: "curl",
            text: format!(
                "TOKEN='{value}'\ncurl --resolve {host}:127.0.0.1 -H \"Authorization: Bearer $TOKEN\" http://{host}/"
            ),
        },
        Sample {
            title: "Python",
            text: format!(
                "import requests\n\nTOKEN = \"{value}\"\nanswer = requests.get(\n    \"http://127.0.0.1:{port}/\",\n    headers={{\"Host\": \"{host}\", \"Authorization\": \"Bearer \" + TOKEN}})\nprint(answer.text)"
            ),
        },
        Sample { title: "ovhai", text: format!("OVHAI_TOKEN='{value}' ovhai app curl {app}") },
    ]
}
