//! Users, for the emulator's owner.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;
use ovhai_core::Error;

use super::{done, overview};
use crate::console::page::{Answer, Place, Refused};
use crate::console::visit::{Sent, Visit};

type At = Path<(String, String)>;

/// `POST project/users`.
pub(super) async fn add(sent: Sent) -> Response {
    let (name, password) = (sent.fields.get("name").trim(), sent.fields.get("password"));
    let platform = &sent.visit.console.platform;
    match platform.add_user(&sent.visit.who, name, password.to_owned()).await {
        Ok(()) => done(&sent, "users", Ok(format!("Added the user {name}."))),
        Err(error) => overview::refused(&sent, overview::Form::User, &error.into()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Password,
    Remove,
}

#[derive(Template)]
#[template(path = "console/project/user.html")]
struct Page<'a> {
    base: String,
    form: String,
    name: &'a str,
    kind: Form,
    /// Logins that end.
    sessions: usize,
    problem: Option<&'a str>,
}

fn show(
    visit: &Visit,
    name: &str,
    kind: Form,
    refused: Option<&Refused>,
) -> Result<Answer, Refused> {
    let platform = &visit.console.platform;
    let users = platform.list_users(&visit.who)?;
    if !users.iter().any(|user| user.name == name) {
        return Err(Error::NotFound { kind: "user", id: name.to_owned() }.into());
    }
    let sessions = platform.snapshot().sessions().filter(|session| session.user == name).count();
    let page = Page {
        base: visit.link(""),
        form: visit.form(),
        name,
        kind,
        sessions,
        problem: refused.map(|Refused(_, why)| why.as_str()),
    };
    let title = match kind {
        Form::Password => format!("Set the password of {name}"),
        Form::Remove => format!("Remove {name}"),
    };
    let status = refused.map_or(StatusCode::OK, |Refused(status, _)| *status);
    Ok(Answer::view_with(visit, status, title, Place::Project, &page))
}

/// `GET project/users/{name}/password`.
pub(super) async fn password_page(visit: Visit, Path((_, name)): At) -> Response {
    visit.answer(Place::Project, show(&visit, &name, Form::Password, None))
}

/// `GET project/users/{name}/remove`.
pub(super) async fn remove_page(visit: Visit, Path((_, name)): At) -> Response {
    visit.answer(Place::Project, show(&visit, &name, Form::Remove, None))
}

/// The first user's password in the state directory is not valid any more.
fn forget(visit: &Visit, name: &str) {
    if let Some(state) = &visit.console.machine.state {
        state.forget_first_user(name);
    }
}

/// `POST project/users/{name}/password`.
pub(super) async fn password(Path((_, name)): At, sent: Sent) -> Response {
    let password = sent.fields.get("password").to_owned();
    let platform = &sent.visit.console.platform;
    match platform.set_password(&sent.visit.who, &name, password).await {
        Ok(()) => {
            forget(&sent.visit, &name);
            done(&sent, "users", Ok(format!("Set the password of {name}.")))
        }
        Err(error) => {
            let answer = show(&sent.visit, &name, Form::Password, Some(&error.into()));
            sent.visit.answer(Place::Project, answer)
        }
    }
}

/// `POST project/users/{name}/remove`.
pub(super) async fn remove(Path((_, name)): At, sent: Sent) -> Response {
    let removed = sent.visit.console.platform.remove_user(&sent.visit.who, &name).await;
    if removed.is_ok() {
        forget(&sent.visit, &name);
    }
    let changed = removed.map(|()| format!("Removed the user {name}.")).map_err(Refused::from);
    done(&sent, "users", changed)
}
