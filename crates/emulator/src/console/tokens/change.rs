//! Regenerating and deleting a token, after a confirmation that says what stops working.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;
use ovhai_core::model::TokenRecord;

use super::find;
use super::fresh::{self, Fresh};
use super::list::{Used, count_apps};
use crate::console::page::{Answer, Place, Refused};
use crate::console::session::Flash;
use crate::console::visit::{Sent, Visit};

type At = Path<(String, String)>;

/// The two changes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Regenerate,
    Delete,
}

impl Change {
    fn verb(self) -> &'static str {
        match self {
            Self::Regenerate => "Regenerate",
            Self::Delete => "Delete",
        }
    }
}

#[derive(Template)]
#[template(path = "console/tokens/confirm.html")]
struct Confirm<'a> {
    base: String,
    form: String,
    id: String,
    name: &'a str,
    verb: &'static str,
    /// The last part of the address.
    action: String,
    deletes: bool,
    ends: String,
    /// Whether something is open that ends.
    ends_some: bool,
    apps: usize,
    used: Option<Used>,
    /// Whether the caller is logged in with this token.
    is_own: bool,
}

/// Says how many sessions and streams end.
fn ends(sessions: usize, streams: usize) -> String {
    let count = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    let verb = if sessions + streams == 1 { "ends" } else { "end" };
    match (sessions, streams) {
        (0, 0) => "No session and no stream is open with it.".to_owned(),
        (_, 0) => format!("{} {verb}.", count(sessions, "session")),
        (0, _) => format!("{} {verb}.", count(streams, "stream")),
        _ => format!("{} and {} {verb}.", count(sessions, "session"), count(streams, "stream")),
    }
}

fn confirm(visit: &Visit, id: &str, change: Change) -> Result<Answer, Refused> {
    let token = find(visit, id)?;
    let console = &visit.console;
    let platform = &console.platform;
    let sessions =
        console.gateway.logins.count_of(&token) + console.sessions.count_of(&token, platform.now());
    let streams = platform.open_streams(&visit.who, &token.region, token.id)?;
    let verb = change.verb();
    let view = Confirm {
        base: visit.link(""),
        form: visit.form(),
        id: token.id.to_string(),
        name: &token.name,
        verb,
        action: verb.to_lowercase(),
        deletes: change == Change::Delete,
        ends: ends(sessions, streams),
        ends_some: sessions + streams > 0,
        apps: count_apps(visit, &token)?,
        used: Used::of(&console.telemetry.last_uses(), token.id),
        is_own: visit.who.holds(&token),
    };
    Ok(Answer::view(visit, format!("{verb} {}", token.name), Place::Tokens, &view))
}

/// `GET tokens/{id}/regenerate`.
pub(super) async fn regenerate_page(visit: Visit, Path((_, id)): At) -> Response {
    visit.answer(Place::Tokens, confirm(&visit, &id, Change::Regenerate))
}

/// `GET tokens/{id}/delete`.
pub(super) async fn delete_page(visit: Visit, Path((_, id)): At) -> Response {
    visit.answer(Place::Tokens, confirm(&visit, &id, Change::Delete))
}

/// The page of a caller that regenerated its own token, whose session has ended by that.
#[derive(Template)]
#[template(path = "console/tokens/own.html")]
struct Own {
    fresh: Fresh,
}

/// `POST tokens/{id}/regenerate`.
pub(super) async fn regenerate(Path((_, id)): At, sent: Sent) -> Response {
    let visit = &sent.visit;
    let change = async {
        let token = find(visit, &id)?;
        let is_own = visit.who.holds(&token);
        let platform = &visit.console.platform;
        let issued = platform.renew_token(&visit.who, &token.region, token.id).await?;
        if !is_own {
            return Ok(Answer::Go(fresh::keep(visit, issued)?));
        }
        let view = Own { fresh: Fresh::new(visit, &issued.record, issued.value) };
        let title = format!("Regenerate {}", issued.record.name);
        Ok(Answer::view_with(visit, StatusCode::OK, title, Place::Tokens, &view))
    };
    let answer: Result<Answer, Refused> = change.await;
    visit.answer(Place::Tokens, answer)
}

/// `POST tokens/{id}/delete`.
pub(super) async fn delete(Path((_, id)): At, sent: Sent) -> Response {
    let visit = &sent.visit;
    let change = async {
        let token = find(visit, &id)?;
        let TokenRecord { name, region, .. } = &*token;
        visit.console.platform.delete_token(&visit.who, region, token.id).await?;
        visit.session.leave(Flash::Done(format!("The token {name} is deleted.")));
        Ok(Answer::Go("tokens".to_owned()))
    };
    let answer: Result<Answer, Refused> = change.await;
    visit.answer(Place::Tokens, answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_is_counted() {
        for (sessions, streams, expected) in [
            (0, 0, "No session and no stream is open with it."),
            (1, 0, "1 session ends."),
            (2, 0, "2 sessions end."),
            (0, 1, "1 stream ends."),
            (2, 1, "2 sessions and 1 stream end."),
            (1, 1, "1 session and 1 stream end."),
        ] {
            assert_eq!(ends(sessions, streams), expected);
        }
    }
}
