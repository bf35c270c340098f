//! Operations of the tag `app`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use ovhai_api_types::{
    App, AppId, AppList, AppSpec, AppUpdateImage, AppUpdateRequest, CliCommand, DataSync,
    DataSyncSpec, Deletion, ErrorBody, LabelUpdate, LabelsUpdate, Placement, ScalingStrategy,
    Timestamp,
};
use ovhai_core::logs::LogLine;
use ovhai_core::platform::AccessWatch;
use ovhai_core::policy::Action;

use super::command_line::command_line;
use super::error::ApiError;
use super::extract::{Body, Caller, Id};
use super::query::{Fields, Query};
use super::socket::Handshake;
use super::{ApiState, pieces, rows, view};
use crate::gateway::access::Admission;
use crate::gateway::tunnel::Upgrade;

type Shared = State<Arc<ApiState>>;

/// List apps.
///
/// The newest first unless `sort` or `order` say otherwise. An application token with the role
/// operator sees the apps of its scope.
#[utoipa::path(
    get, path = "/v1/app", operation_id = "get_v1_app", tag = "app",
    params(
        ("page" = Option<i64>, Query, description = "From 1"),
        ("size" = Option<i64>, Query, description = "Apps on a page, 1 to 1000; 100 by default"),
        ("order" = Option<ovhai_api_types::Order>, Query, description = "Direction"),
        ("sort" = Option<String>, Query, description = "createdAt, updatedAt, spec.name, status.state or id"),
        ("updatedAfter" = Option<i64>, Query, description = "Unix time in seconds"),
        ("updatedBefore" = Option<i64>, Query, description = "Unix time in seconds"),
        ("statusState" = Option<Vec<String>>, Query, description = "States, repeated or with commas"),
        ("ReadLock" = Option<bool>, Query, description = "Has no meaning here"),
        ("labelSelector" = Option<String>, Query, description = "Kubernetes grammar"),
        ("begins" = Option<String>, Query, description = "The emulator's: apps whose name or id begins so"),
        ("named" = Option<String>, Query, description = "The emulator's: apps of exactly this name, else those whose id begins so"),
        ("fields" = Option<String>, Query, description = "The emulator's: row for no more of each app than a row of a table has (id, createdAt, spec.name, spec.scalingStrategy unless it is one replica, status.availableReplicas, status.lastExit and status.restarts if a replica crashed, status.state, status.url)"),
    ),
    responses(
        (status = 200, description = "A page of apps", body = AppList),
        (status = 400, description = "A parameter is not allowed", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
    ),
)]
pub(super) async fn list(
    State(state): Shared,
    caller: Caller,
    query: Query,
) -> Result<Response, ApiError> {
    let apps = state.platform.list_apps(&caller.principal, &caller.region, &query.apps()?)?;
    let fields = query.fields()?;
    let (page, metadata) = query.cut(apps, query.page()?);
    if fields == Fields::All {
        let port = state.port;
        return pieces::page(page, metadata, move |entry| view::app(entry, port));
    }
    // In one piece: a row is short.
    let json =
        rows::page(&page, &caller.region, state.port, &metadata).map_err(ApiError::internal)?;
    let mut response = Bytes::from(json).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Submit an app.
#[utoipa::path(
    post, path = "/v1/app", operation_id = "post_v1_app", tag = "app",
    request_body = AppSpec,
    responses(
        (status = 200, description = "The app, QUEUED", body = App),
        (status = 400, description = "A value is not allowed", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 402, description = "Over quota", body = ErrorBody),
        (status = 403, description = "The role or the scope does not allow it", body = ErrorBody),
    ),
)]
pub(super) async fn create(
    State(state): Shared,
    caller: Caller,
    Body(spec): Body<AppSpec>,
) -> Result<Json<App>, ApiError> {
    let entry = state.platform.create_app(&caller.principal, &caller.region, &spec).await?;
    Ok(Json(view::app(&entry, state.port)))
}

/// Show an app.
#[utoipa::path(
    get, path = "/v1/app/{id}", operation_id = "get_v1_app_id", tag = "app",
    params(("id" = String, Path, description = "Id of the app")),
    responses(
        (status = 200, description = "The app", body = App),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
        (status = 404, description = "No such app", body = ErrorBody),
    ),
)]
pub(super) async fn get(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<AppId>,
) -> Result<Json<App>, ApiError> {
    let entry = state.platform.get_app(&caller.principal, &caller.region, id)?;
    Ok(Json(view::app(&entry, state.port)))
}

/// Update an app.
///
/// Replicas are replaced one after the other when the change needs it.
#[utoipa::path(
    put, path = "/v1/app/{id}", operation_id = "app_update", tag = "app",
    params(("id" = String, Path, description = "Id of the app")),
    request_body = AppUpdateRequest,
    responses(
        (status = 200, description = "The app", body = App),
        (status = 400, description = "A value is not allowed", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
        (status = 404, description = "No such app", body = ErrorBody),
    ),
)]
pub(super) async fn update(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<AppId>,
    Body(request): Body<AppUpdateRequest>,
) -> Result<Json<App>, ApiError> {
    let entry = state
        .platform
        .update_app(&caller.principal, &caller.region, id, &request.app_update)
        .await?;
    Ok(Json(view::app(&entry, state.port)))
}

/// Delete an app.
///
/// An app that is queued, starting, running or scaling has to be stopped first, unless `force` is
/// given.
#[utoipa::path(
    delete, path = "/v1/app/{id}", operation_id = "delete_v1_app_id", tag = "app",
    params(
        ("id" = String, Path, description = "Id of the app"),
        ("force" = Option<bool>, Query, description = "Stop a running app, then delete it"),
        ("now" = Option<bool>, Query, description = "Kill the replicas at once, then delete the app (an extension)"),
    ),
    responses(
        (status = 204, description = "The app is deleted, or will be once it has stopped"),
        (status = 400, description = "The app is not stopped, or a parameter is not allowed", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
        (status = 404, description = "No such app", body = ErrorBody),
    ),
)]
pub(super) async fn delete(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<AppId>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let deletion = match (query.flag("now")?, query.flag("force")?) {
        (true, _) => Deletion::Now,
        (false, true) => Deletion::StopFirst,
        (false, false) => Deletion::OnlyStopped,
    };
    state.platform.delete_app(&caller.principal, &caller.region, id, deletion).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Start an app.
#[utoipa::path(
    put, path = "/v1/app/{id}/start", operation_id = "app_start", tag = "app",
    params(("id" = String, Path, description = "Id of the app")),
    responses(
        (status = 204, description = "It is being started, or runs"),
        (status = 400, description = "It is being deleted", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
        (status = 404, description = "No such app", body = ErrorBody),
    ),
)]
pub(super) async fn start(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<AppId>,
) -> Result<StatusCode, ApiError> {
    state.platform.start_app(&caller.principal, &caller.region, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stop an app.
#[utoipa::path(
    put, path = "/v1/app/{id}/stop", operation_id = "app_stop", tag = "app",
    params(("id" = String, Path, description = "Id of the app")),
    responses(
        (status = 204, description = "It is being stopped, or does not run"),
        (status = 400, description = "It is being deleted", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
        (status = 404, description = "No such app", body = ErrorBody),
    ),
)]
pub(super) async fn stop(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<AppId>,
) -> Result<StatusCode, ApiError> {
    state.platform.stop_app(&caller.principal, &caller.region, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Restart an app: an extension of the emulator.
///
/// Replicas are replaced one after the other, each with what its image is by then; an app that is
/// stopped or failed is started.
#[utoipa::path(
    put, path = "/v1/app/{id}/restart", operation_id = "app_restart", tag = "app",
    params(("id" = String, Path, description = "Id of the app")),
    responses(
        (status = 204, description = "Its replicas are being replaced, or it is being started"),
        (status = 400, description = "It is being deleted", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 402, description = "Over quota", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
        (status = 404, description = "No such app", body = ErrorBody),
    ),
)]
pub(super) async fn restart(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<AppId>,
) -> Result<StatusCode, ApiError> {
    state.platform.restart_app(&caller.principal, &caller.region, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set or remove a label.
#[utoipa::path(
    put, path = "/v1/app/{id}/label", operation_id = "app_edit_label", tag = "app",
    params(("id" = String, Path, description = "Id of the app")),
    request_body = LabelUpdate,
    responses(
        (status = 204, description = "Done"),
        (status = 400, description = "The label is not allowed", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
        (status = 404, description = "No such app", body = ErrorBody),
    ),
)]
pub(super) async fn label(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<AppId>,
    Body(update): Body<LabelUpdate>,
) -> Result<StatusCode, ApiError> {
    state.platform.label_app(&caller.principal, &caller.region, id, &[update]).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set and remove several labels in one transaction: an extension.
#[utoipa::path(
    put, path = "/v1/app/{id}/labels", operation_id = "app_edit_labels", tag = "app",
    params(("id" = String, Path, description = "Id of the app")),
    request_body = LabelsUpdate,
    responses(
        (status = 204, description = "Done"),
        (status = 400, description = "A label is not allowed; none is changed", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
        (status = 404, description = "No such app", body = ErrorBody),
    ),
)]
pub(super) async fn labels(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<AppId>,
    Body(update): Body<LabelsUpdate>,
) -> Result<StatusCode, ApiError> {
    let labels = update.labels.into_iter();
    let updates: Vec<_> = labels.map(|(name, value)| LabelUpdate { name, value }).collect();
    state.platform.label_app(&caller.principal, &caller.region, id, &updates).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change an app's image.
#[utoipa::path(
    put, path = "/v1/app/{id}/image", operation_id = "app_update_image", tag = "app",
    params(("id" = String, Path, description = "Id of the app")),
    request_body = AppUpdateImage,
    responses(
        (status = 200, description = "The new image", body = String, content_type = "text/plain"),
        (status = 400, description = "The image is not allowed", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
        (status = 404, description = "No such app", body = ErrorBody),
    ),
)]
pub(super) async fn image(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<AppId>,
    Body(update): Body<AppUpdateImage>,
) -> Result<String, ApiError> {
    let entry =
        state.platform.set_image(&caller.principal, &caller.region, id, &update.url).await?;
    Ok(entry.record.spec.image.clone())
}

/// Change an app's number of replicas.
#[utoipa::path(
    put, path = "/v1/app/{id}/scalingstrategy", operation_id = "app_edit", tag = "app",
    params(("id" = String, Path, description = "Id of the app")),
    request_body = ScalingStrategy,
    responses(
        (status = 204, description = "Done"),
        (status = 400, description = "A value is not allowed", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
        (status = 404, description = "No such app", body = ErrorBody),
    ),
)]
pub(super) async fn scale(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<AppId>,
    Body(strategy): Body<ScalingStrategy>,
) -> Result<StatusCode, ApiError> {
    state.platform.scale_app(&caller.principal, &caller.region, id, &strategy).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read an app's output.
///
/// Each replica has an ordinal, from 1 to as many as are wanted, which it keeps when it is started
/// again. A line of the emulator's says where a run ended by itself.
///
/// The last `tail` lines, or a page of `size` lines, or all that is kept; with `follow` the
/// answer goes on as long as the app is there. A request to follow may also ask for a WebSocket
/// (`Upgrade: websocket`): then each line is a message of text.
#[utoipa::path(
    get, path = "/v1/app/{id}/log", operation_id = "app_log", tag = "app",
    params(
        ("id" = String, Path, description = "Id of the app"),
        ("page" = Option<i64>, Query, description = "From 1; of `size` lines each"),
        ("size" = Option<i64>, Query, description = "Lines on a page, 1 to 1000"),
        ("follow" = Option<bool>, Query, description = "Go on with what is written from now on"),
        ("replica" = Option<String>, Query, description = "Ordinal of a replica"),
        ("previous" = Option<bool>, Query, description = "Only the newest run of each replica that has ended; an extension of the emulator"),
        ("tail" = Option<i64>, Query, description = "Number of lines to show from the end"),
        ("since" = Option<i64>, Query, description = "Only lines written at this Unix time, in seconds or milliseconds, or later; an extension of the emulator"),
        ("timestamps" = Option<bool>, Query, description = "Begin every line with the moment it was read (RFC 3339) and a blank; an extension of the emulator"),
    ),
    responses(
        (status = 101, description = "Lines follow as messages of a WebSocket"),
        (status = 200, description = "Lines", body = String, content_type = "text/plain"),
        (status = 400, description = "A parameter is not allowed", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
        (status = 404, description = "No such app, no such replica so far, or no run that has ended", body = ErrorBody),
    ),
)]
pub(super) async fn log(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<AppId>,
    query: Query,
    parts: Parts,
) -> Result<Response, ApiError> {
    let tail: Option<u32> = query.parse("tail", "a number of lines, 0 or more")?;
    let replica: Option<u32> = query.parse("replica", "the ordinal of a replica")?;
    let previous = query.flag("previous")?;
    let follow = query.flag("follow")?;
    let timestamps = query.flag("timestamps")?;
    let since = query.moment("since")?;
    let paged = query.one("page").is_some() || query.one("size").is_some();
    let page = query.page()?;
    if previous && follow {
        return Err(ApiError::invalid("follow", "a run that has ended can't be followed"));
    }
    let entry = state.platform.app_logs(&caller.principal, &caller.region, id)?;
    if let (Some(asked), Some(last)) = (replica, entry.logs.last_ordinal())
        && !(1..=last).contains(&asked)
    {
        return Err(ApiError::not_found(match last {
            1 => format!("the app {id} has no replica {asked}: the only one so far is 1"),
            _ => format!("the app {id} has no replica {asked}: those so far are 1 to {last}"),
        }));
    }
    let (mut lines, seen) = if previous {
        let ended = entry.logs.ended(replica);
        if ended.is_empty() {
            let which =
                replica.map_or("replica".into(), |replica| format!("run of replica {replica}"));
            return Err(ApiError::not_found(format!(
                "no {which} of the app {id} has ended so far"
            )));
        }
        entry.logs.read_with_end(|run| ended.contains(&run))
    } else {
        entry.logs.read_with_end(|run| replica.is_none_or(|replica| run.ordinal == replica))
    };
    lines.retain(|line| since.is_none_or(|since| line.at >= since));
    if let Some(tail) = tail {
        let skip = lines.len().saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX));
        lines.drain(..skip);
    }
    if paged {
        (lines, _) = query.cut(lines, page);
    }
    let first = text(&lines, timestamps);
    let body = if follow {
        let upgrade = parts.extensions.get::<Upgrade>();
        let handshake = Handshake::of(&parts.method, &parts.headers, upgrade)?;
        let principal = caller.principal.clone();
        let admission = Admission { app: id, principal, action: Action::Logs, login: None };
        let rest = Follow {
            access: state.platform.watch_access(&caller.principal, id),
            state,
            caller,
            id,
            replica,
            since,
            timestamps,
            next: seen,
            first: Some(first),
        };
        if let Some(handshake) = handshake {
            return Ok(handshake.send_lines(admission, stream::unfold(rest, Follow::next)));
        }
        axum::body::Body::from_stream(stream::unfold(rest, Follow::next))
    } else {
        axum::body::Body::from(first)
    };
    let mut response = body.into_response();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    Ok(response)
}

fn text(lines: &[LogLine], timestamps: bool) -> Bytes {
    let mut text = String::new();
    for line in lines {
        if timestamps {
            // In milliseconds, as `since` takes them.
            text += &format!("{:.3} ", line.at);
            if let Some(moved) = line.moved {
                text += &format!("domainTime={moved:.3} ");
            }
        }
        text.push_str(&line.text);
        text.push('\n');
    }
    text.into()
}

/// Output as it is written.
struct Follow {
    state: Arc<ApiState>,
    access: AccessWatch,
    caller: Caller,
    id: AppId,
    replica: Option<u32>,
    since: Option<Timestamp>,
    timestamps: bool,
    next: u64,
    first: Option<Bytes>,
}

impl Follow {
    async fn next(mut self) -> Option<(Result<Bytes, std::convert::Infallible>, Self)> {
        if let Some(first) = self.first.take().filter(|first| !first.is_empty()) {
            return Some((Ok(first), self));
        }
        loop {
            // Checked every time: the app may be deleted, and the access revoked.
            let platform = &self.state.platform;
            let caller = platform.current(&self.caller.principal)?;
            let entry = platform.app_logs(&caller, &self.caller.region, self.id).ok()?;
            let mut written = entry.logs.watch();
            let lines = entry.logs.read(self.next, |_| true);
            if let Some(last) = lines.last() {
                self.next = last.index + 1;
                let mut lines = lines;
                lines.retain(|line| {
                    self.replica.is_none_or(|replica| line.replica.ordinal == replica)
                        && self.since.is_none_or(|since| line.at >= since)
                });
                if !lines.is_empty() {
                    return Some((Ok(text(&lines, self.timestamps)), self));
                }
            }
            drop(entry);
            tokio::select! {
                _ = written.wait_for(|next| *next > self.next) => {}
                () = self.access.changed() => {}
                () = self.state.stopping.cancelled() => return None,
            }
        }
    }
}

/// Turn a spec into the command line that makes it.
#[utoipa::path(
    post, path = "/v1/app/command", operation_id = "app_cli_command", tag = "app",
    request_body = AppSpec,
    responses(
        (status = 200, description = "The line", body = CliCommand),
        (status = 400, description = "A value is not allowed", body = ErrorBody),
    ),
)]
pub(super) async fn command(
    State(state): Shared,
    caller: Caller,
    Body(spec): Body<AppSpec>,
) -> Result<Json<CliCommand>, ApiError> {
    state.platform.may_create(&caller.principal, &caller.region)?;
    // A line can say what can't be run here yet.
    let checked = AppSpec { volumes: None, ..spec.clone() };
    ovhai_core::spec::Spec::check(&checked, |_| "name".into())?;
    // The client would refuse the line.
    if spec.runtime == Some(Placement::Process) && spec.command.as_ref().is_none_or(Vec::is_empty) {
        return Err(ovhai_core::Error::invalid("command", "a local process needs one").into());
    }
    Ok(Json(CliCommand { command: command_line(&spec) }))
}

/// Synchronise an app's volumes with their data stores.
#[utoipa::path(
    post, path = "/v1/app/{appId}/datasync", operation_id = "post_v1_app_app_id_datasync",
    tag = "app",
    params(("appId" = String, Path, description = "Id of the app")),
    request_body = DataSyncSpec,
    responses(
        (status = 200, description = "The synchronisation", body = DataSync),
        (status = 400, description = "The app does not run, or has no such volume", body = ErrorBody),
        (status = 403, description = "The caller may not write to the directory", body = ErrorBody),
        (status = 404, description = "There is no such app", body = ErrorBody),
    ),
)]
pub(super) async fn datasync(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<AppId>,
    Body(spec): Body<DataSyncSpec>,
) -> Result<Json<DataSync>, ApiError> {
    let Caller { principal, region, .. } = &caller;
    let run = state.platform.sync_app(principal, region, id, spec.direction, spec.volume)?;
    Ok(Json(view::sync(id, &run)))
}
