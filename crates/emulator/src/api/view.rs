//! Records as the API shows them.

use ovhai_api_types::{App, AppStatus, ReplicaExit, ReplicaStatus, Token, TokenSpec, TokenStatus};
use ovhai_core::directory::AppEntry;
use ovhai_core::model::TokenRecord;
use ovhai_core::replica::{Exit, ExitStatus, ReplicaState};

use crate::host;

/// An app; `port` is the one that the emulator listens on.
pub(crate) fn app(entry: &AppEntry, port: u16) -> App {
    let record = &entry.record;
    let progress = entry.observed.now();
    App {
        id: record.id,
        created_at: record.created_at,
        updated_at: record.updated_at,
        spec: record.spec.wire(&record.labels),
        status: AppStatus {
            available_replicas: i64::try_from(entry.live.backends.len()).unwrap_or(i64::MAX),
            data_sync: Vec::new(),
            grpc_address: record
                .spec
                .grpc_port
                .map(|_| host::grpc_host(record.id, &record.region, port)),
            history: record.history.clone(),
            info: Some(entry.info()),
            info_url: Some(format!("http://localhost:{port}/app/{}", record.id)),
            internal_service_ip: None,
            last_transition_date: record.history.last().map(|entry| entry.date),
            last_exit: progress.last_exit().map(|last| exit(last)),
            monitoring_url: None,
            replicas: progress.replicas.iter().map(replica).collect(),
            restarts: Some(progress.restarts()),
            state: record.state,
            url: format!("http://{}", host::app_host(record.id, &record.region, port)),
            volumes: Vec::new(),
        },
        user: record.user.clone(),
    }
}

/// How a replica ended by itself.
pub(super) fn exit(exit: &Exit) -> ReplicaExit {
    let (status, signal) = match exit.status {
        Some(ExitStatus::Code(code)) => (Some(code), None),
        Some(ExitStatus::Signal(signal)) => (None, Some(signal)),
        None => (None, None),
    };
    ReplicaExit {
        at: exit.at,
        status,
        signal,
        reason: exit.reason(),
        message: exit.message.clone(),
    }
}

fn replica(state: &ReplicaState) -> ReplicaStatus {
    let container = state.container.as_deref();
    ReplicaStatus {
        ordinal: state.id.ordinal,
        attempt: state.id.attempt,
        state: state.phase.as_str().to_owned(),
        since: state.since,
        restarts: state.restarts,
        last_exit: state.last_exit.as_deref().map(exit),
        engine: container.map(|container| container.engine.clone()),
        image_id: container.map(|container| container.image_id.clone()),
    }
}

/// A token, with its string if this answer is the one that shows it.
pub(super) fn token(record: &TokenRecord, value: Option<String>) -> Token {
    Token {
        id: record.id,
        created_at: record.created_at,
        updated_at: record.updated_at,
        spec: TokenSpec {
            name: record.name.clone(),
            role: record.role.wire().into(),
            label_selector: record.selector.as_ref().map(ToString::to_string),
        },
        status: TokenStatus { value, version: record.version.into() },
    }
}
