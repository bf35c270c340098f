//! The logins at the console.

use axum::response::Response;

use super::done;
use crate::console::page::Refused;
use crate::console::response::who;
use crate::console::text;
use crate::console::visit::{Sent, Visit};

/// A login.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) until: String,
    pub(super) is_this: bool,
}

/// All of them for the emulator's owner, the caller's own for others.
pub(super) fn rows(visit: &Visit) -> Vec<Row> {
    let platform = &visit.console.platform;
    let sees_all = platform.may_open_console(&visit.who).is_ok();
    let all = visit.console.sessions.all(platform.now());
    all.iter()
        .map(|session| (session.segment == visit.session.segment, session))
        .filter(|(is_this, _)| sees_all || *is_this)
        .map(|(is_this, session)| {
            let caller = who(&session.who);
            Row {
                name: caller.name.to_owned(),
                kind: caller.kind,
                until: text::moment(session.until),
                is_this,
            }
        })
        .collect()
}

async fn end(visit: &Visit) -> Result<String, Refused> {
    let platform = &visit.console.platform;
    platform.may_open_console(&visit.who)?;
    let all = visit.console.sessions.all(platform.now());
    let others = all.iter().filter(|session| session.segment != visit.session.segment);
    let mut ended = 0;
    for session in others {
        visit.console.sessions.end(session);
        platform.log_out(&session.who).await?;
        ended += 1;
    }
    Ok(match ended {
        1 => "1 session ended.".to_owned(),
        ended => format!("{ended} sessions ended."),
    })
}

/// `POST project/sessions/end`.
pub(super) async fn end_others(sent: Sent) -> Response {
    let changed = end(&sent.visit).await;
    done(&sent, "sessions", changed)
}
