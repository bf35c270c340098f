//! Commands inside apps, and copies of their files: extensions of the emulator.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::http::request::Parts;
use ovhai_api_types::{AppId, CopyDirection, ErrorBody, TerminalSize};
use ovhai_core::policy::{Action, Principal};
use ovhai_core::ports::{ExecTask, Terminal};

use super::ApiState;
use super::error::ApiError;
use super::exec_socket;
use super::extract::{Caller, Id};
use super::query::Query;
use super::socket::Handshake;
use crate::gateway::access::Admission;
use crate::gateway::tunnel::Upgrade;

type Shared = State<Arc<ApiState>>;

/// The size of a terminal whose size is not given.
const SIZE: TerminalSize = TerminalSize { width: 80, height: 24 };
/// The kind of a terminal whose kind is not given, as in Docker.
const KIND: &str = "xterm";
/// Maximum length of the name of a terminal's kind.
const KIND_MAX: usize = 64;

/// Run a command in a replica of an app.
///
/// An extension of the emulator, in the style of `/v1/job/{id}/exec`. The request asks for a
/// WebSocket (`Upgrade: websocket`). Its messages are binary; the first byte is the channel, as in
/// Kubernetes' `v5.channel.k8s.io`: 0 standard input, 1 standard output, 2 standard error, 3 news of
/// the command as JSON (`{"exited":{"code":0}}`), 4 the terminal's size as JSON
/// (`{"width":80,"height":24}`), 5 the number of a signal, 6 from the server, the number of bytes of
/// standard input that the client may send beyond the first 262144, 255 followed by 0: the end of
/// standard input. The session ends as soon as the caller has no access any more, and its command
/// with it.
#[utoipa::path(
    get, path = "/v1/app/{id}/exec", operation_id = "app_exec", tag = "app",
    params(
        ("id" = String, Path, description = "Id of the app"),
        ("command" = Vec<String>, Query, description = "Program and arguments, in their order"),
        ("stdin" = Option<bool>, Query, description = "The command gets the standard input of the client; else an empty one"),
        ("tty" = Option<bool>, Query, description = "The command gets a terminal"),
        ("width" = Option<i64>, Query, description = "Columns of the terminal"),
        ("height" = Option<i64>, Query, description = "Rows of the terminal"),
        ("term" = Option<String>, Query, description = "Kind of the terminal, for the variable TERM"),
        ("replica" = Option<String>, Query, description = "Ordinal of a replica; by default the first one that is ready"),
    ),
    responses(
        (status = 101, description = "The session follows as messages of a WebSocket"),
        (status = 400, description = "A parameter is not allowed, or no WebSocket was asked for", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The caller may not run commands in this app", body = ErrorBody),
        (status = 404, description = "No such app, or no such replica", body = ErrorBody),
        (status = 409, description = "The app has no running replica", body = ErrorBody),
        (status = 501, description = "The app runs a built-in image", body = ErrorBody),
    ),
)]
pub(super) async fn exec(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<AppId>,
    query: Query,
    parts: Parts,
) -> Result<Response, ApiError> {
    let command: Vec<String> = query.all("command").map(str::to_owned).collect();
    let is_valid = |word: &String| !word.contains('\0');
    if command.first().is_none_or(String::is_empty) || !command.iter().all(is_valid) {
        return Err(ApiError::invalid("command", "give a program, and its arguments after it"));
    }
    let cells = |name: &str, default| -> Result<u16, ApiError> {
        Ok(query.parse(name, "1 to 65535")?.filter(|count| *count > 0).unwrap_or(default))
    };
    let size =
        TerminalSize { width: cells("width", SIZE.width)?, height: cells("height", SIZE.height)? };
    let kind = query.one("term").unwrap_or(KIND).to_owned();
    let is_kind = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
    if kind.len() > KIND_MAX || !kind.chars().all(is_kind) {
        return Err(ApiError::invalid("term", "use letters, digits, +, -, . and _"));
    }
    let terminal = query.flag("tty")?.then_some(Terminal { size, kind });
    let has_input = query.flag("stdin")?;
    start(state, caller, id, &query, &parts, ExecTask::Command { command, terminal, has_input })
}

/// Copy files of a replica of an app.
///
/// An extension of the emulator. The request asks for a WebSocket, as `/v1/app/{id}/exec` does, with
/// the same messages. `look` writes `{"exists":true,"isDirectory":false}` to standard output; `read`
/// writes a tar of the file or the directory at the path; `write` unpacks the tar of standard input
/// in the directory at the path.
#[utoipa::path(
    get, path = "/v1/app/{id}/archive", operation_id = "app_archive", tag = "app",
    params(
        ("id" = String, Path, description = "Id of the app"),
        ("direction" = String, Query, description = "look, read or write"),
        ("path" = String, Query, description = "A file or a directory in the app"),
        ("replica" = Option<String>, Query, description = "Ordinal of a replica; by default the first one that is ready"),
    ),
    responses(
        (status = 101, description = "The copy follows as messages of a WebSocket"),
        (status = 400, description = "A parameter is not allowed, or no WebSocket was asked for", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The caller may not copy files of this app", body = ErrorBody),
        (status = 404, description = "No such app, or no such replica", body = ErrorBody),
        (status = 409, description = "The app has no running replica", body = ErrorBody),
        (status = 501, description = "The app runs a built-in image", body = ErrorBody),
    ),
)]
pub(super) async fn archive(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<AppId>,
    query: Query,
    parts: Parts,
) -> Result<Response, ApiError> {
    let direction: Option<CopyDirection> = query.parse("direction", "look, read or write")?;
    let direction = direction.ok_or_else(|| ApiError::invalid("direction", "it is missing"))?;
    let path = query.one("path").unwrap_or_default().to_owned();
    if path.is_empty() || path.contains('\0') {
        return Err(ApiError::invalid("path", "name a file or a directory"));
    }
    start(state, caller, id, &query, &parts, ExecTask::Copy { direction, path })
}

fn start(
    state: Arc<ApiState>,
    caller: Caller,
    id: AppId,
    query: &Query,
    parts: &Parts,
    task: ExecTask,
) -> Result<Response, ApiError> {
    let replica: Option<u32> = query.parse("replica", "the ordinal of a replica")?;
    let handshake =
        Handshake::of(&parts.method, &parts.headers, parts.extensions.get::<Upgrade>())?;
    let handshake = handshake.ok_or_else(|| {
        ApiError::invalid("Upgrade", "this call needs a WebSocket, on a connection of HTTP/1.1")
    })?;
    let has_input = match &task {
        ExecTask::Command { has_input, .. } => *has_input,
        ExecTask::Copy { direction, .. } => *direction == CopyDirection::Write,
    };
    let started = state.platform.exec(&caller.principal, &caller.region, id, replica, task)?;
    let (principal, action) = (caller.principal, started.action);
    let admission = Admission { app: id, principal, action, login: None };
    let mut session = started.session;
    if !has_input {
        session.input = None;
    }
    let over = until_over(state, admission.principal.clone(), action, id);
    let (response, far) = handshake.open(admission);
    tokio::spawn(exec_socket::run(far, session, over));
    Ok(response)
}

/// Until the caller has no access any more, or everything stops; says why.
async fn until_over(
    state: Arc<ApiState>,
    principal: Principal,
    action: Action,
    id: AppId,
) -> &'static str {
    let mut access = state.platform.watch_access(&principal, id);
    while state.platform.still_allows(&principal, action, id) {
        tokio::select! {
            () = access.changed() => {}
            () = state.stopping.cancelled() => return "the emulator stops",
        }
    }
    "the caller's access was revoked"
}
