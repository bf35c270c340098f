//! Words and marks for requests.

use std::fmt::Write;

use ovhai_api_types::{Door, RequestRecord};

use crate::console::text::Look;
use crate::console::visit::Visit;

/// The look of a decision, or of a refusal without one.
pub(super) fn decision(request: &RequestRecord) -> Look {
    let look = |word, icon, class| Look { word, icon, class };
    match (request.decision.as_deref(), request.refused.as_deref()) {
        (Some("unauthenticated"), _) => look("unauthenticated", "shield-x", "bad"),
        (Some("forbidden"), _) => look("forbidden", "shield-x", "bad"),
        (Some("out_of_scope"), _) => look("out of scope", "shield-x", "bad"),
        // The status shows what happened afterwards.
        (Some("allowed"), _) => look("allowed", "shield-check", "good"),
        (Some("public"), _) => look("public", "globe", "good"),
        (Some("preflight"), _) => look("preflight", "info", "off"),
        (_, Some(_)) => look("refused", "circle-x", "bad"),
        _ if matches!(request.status, 401 | 403) => look("refused", "shield-x", "bad"),
        // What the API decides is in its responses only.
        _ if matches!(request.door, Door::Api | Door::Local) => look("not recorded", "info", "off"),
        _ => look("not asked", "info", "off"),
    }
}

/// The colour of a status.
pub(super) fn status_class(status: u16) -> &'static str {
    match status {
        101..400 => "good",
        400..500 => "busy",
        _ => "bad",
    }
}

/// The status for people.
pub(super) fn status(status: u16) -> String {
    if status == 0 { "none".to_owned() } else { status.to_string() }
}

/// A link with the text that it stands under.
pub(super) struct Linked {
    pub(super) text: String,
    pub(super) to: Option<String>,
}

/// What the request went to.
pub(super) fn target(visit: &Visit, request: &RequestRecord) -> Linked {
    let plain = |text: &str| Linked { text: text.to_owned(), to: None };
    match (request.door, request.app, &request.app_name) {
        (Door::App, Some(id), Some(name)) => {
            Linked { text: name.clone(), to: Some(visit.link(&format!("apps/{id}"))) }
        }
        (Door::App, Some(id), None) => Linked { text: id.to_string(), to: None },
        (Door::App | Door::None, ..) => plain("no app"),
        (Door::Api, ..) => plain("API"),
        (Door::Local, ..) => plain("emulator"),
    }
}

/// Who sent it.
pub(super) fn caller(request: &RequestRecord) -> String {
    match (&request.token_name, request.token, &request.user) {
        (Some(name), ..) => name.clone(),
        (None, Some(id), _) => id.to_string(),
        (None, None, Some(user)) => user.clone(),
        (None, None, None) if request.withheld => "(withheld)".to_owned(),
        (None, None, None) if request.door == Door::App => "anonymous".to_owned(),
        (None, None, None) => "not recorded".to_owned(),
    }
}

/// Why it ended as it did; empty if there is nothing to tell.
pub(super) fn reason(request: &RequestRecord) -> String {
    let aborted = request.aborted.as_deref().map(|by| match by {
        "client" => "The client closed the connection.",
        "app" => "The app broke the response off.",
        _ => "The caller lost access during the request.",
    });
    let mut text = match (&request.reason, request.refused.as_deref()) {
        (Some(reason), _) => reason.clone(),
        (None, Some("no_token")) => "no token".to_owned(),
        (None, Some("bad_token")) => "the token is not valid".to_owned(),
        (None, Some(refused)) => refused.replace('_', " "),
        (None, None) => String::new(),
    };
    if let Some(held) = request.held_micros {
        separate(&mut text);
        let _ = write!(text, "waited {} for the app to wake up", duration(held));
    }
    if let Some(aborted) = aborted {
        separate(&mut text);
        text += aborted;
    }
    text
}

fn separate(text: &mut String) {
    if !text.is_empty() {
        *text += "; ";
    }
}

/// A duration with three digits at least.
pub(super) fn duration(micros: u64) -> String {
    match micros {
        0..10_000 => format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10),
        10_000..1_000_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        _ => format!("{}.{:02} s", micros / 1_000_000, micros % 1_000_000 / 10_000),
    }
}

/// A segment of a path.
pub(super) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The address of a request's page.
pub(super) fn address(visit: &Visit, request: &RequestRecord) -> String {
    let (id, at) = (segment(&request.id), request.time.as_millisecond());
    visit.link(&format!("requests/{id}?at={at}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (micros, expected) in [
            (0, "0.00 ms"),
            (1_239, "1.23 ms"),
            (12_345, "12.3 ms"),
            (999_999, "999.9 ms"),
            (1_000_000, "1.00 s"),
            (62_345_678, "62.34 s"),
        ] {
            assert_eq!(duration(micros), expected);
        }
    }

    #[test]
    fn ids_of_clients_are_one_segment() {
        assert_eq!(segment("a/b?c#d%e+f"), "a%2Fb%3Fc%23d%25e%2Bf");
        assert_eq!(segment("0af-3_~"), "0af-3_~");
    }
}
