//! Records as the API shows them.

use std::sync::Arc;

use ovhai_api_types::{
    App, AppId, AppStatus, DataSync, DataSyncDirection, DataSyncProgress, DataSyncSpec,
    DataSyncStatus, ReplicaExit, ReplicaStatus, Timestamp, Token, TokenSpec, TokenStatus,
    VolumeStatus,
};
use ovhai_core::directory::AppEntry;
use ovhai_core::model::TokenRecord;
use ovhai_core::replica::{Exit, ExitStatus, ReplicaState};
use ovhai_core::sync::{SyncRun, Syncs, VolumeSync, volume_id};

use crate::host;

/// An app; `port` is the one that the emulator listens on.
pub(crate) fn app(entry: &AppEntry, port: u16) -> App {
    let record = &entry.record;
    let (progress, syncs) = (entry.observed.now(), entry.observed.syncs());
    App {
        id: record.id,
        created_at: record.created_at,
        updated_at: record.updated_at,
        spec: record.spec.wire(&record.labels),
        status: AppStatus {
            available_replicas: i64::try_from(entry.live.backends.len()).unwrap_or(i64::MAX),
            data_sync: syncs.all().iter().map(|run| sync(record.id, run)).collect(),
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
            volumes: (1..)
                .zip(&record.spec.volumes)
                .map(|(number, volume)| {
                    volume_status(record.id, number, &volume.mount_path, &syncs)
                })
                .collect(),
        },
        user: record.user.clone(),
    }
}

/// A synchronisation of an app's volumes.
pub(super) fn sync(app: AppId, run: &SyncRun) -> DataSync {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let direction = match run.direction {
        DataSyncDirection::Pull => "pull",
        DataSyncDirection::Push => "push",
    };
    let progress = |volume: &VolumeSync| DataSyncProgress {
        id: format!("{}-{}", run.id, volume.number),
        data_sync_id: run.id.to_string(),
        direction: direction.into(),
        state: volume.phase.as_str().into(),
        info: volume.info.clone(),
        total: count(volume.counts.total),
        processed: count(volume.counts.processed()),
        completed: count(volume.counts.completed),
        skipped: count(volume.counts.skipped),
        failed: count(volume.counts.failed),
        deleted: count(volume.counts.deleted),
        transferred_bytes: count(volume.counts.bytes),
        created_at: volume.since,
        updated_at: volume.updated,
        volume_status: VolumeStatus {
            id: Some(volume_id(app, volume.number)),
            mount_path: Some(volume.mount_path.clone()),
            ..VolumeStatus::default()
        },
    };
    DataSync {
        id: run.id.to_string(),
        created_at: run.queued,
        updated_at: run.volumes.iter().map(|one| one.updated).fold(run.queued, Timestamp::max),
        spec: DataSyncSpec {
            direction: run.direction,
            app_id: Some(app.to_string()),
            manual: Some(run.manual),
            volume: run.volume.clone(),
        },
        status: DataSyncStatus {
            state: run.phase.as_str().into(),
            queued_at: Some(run.queued),
            started_at: run.started,
            ended_at: run.ended,
            progress: run.volumes.iter().map(progress).collect(),
        },
    }
}

fn volume_status(app: AppId, number: usize, mount_path: &str, syncs: &Syncs) -> VolumeStatus {
    let last = |direction| {
        let of = |run: &&Arc<SyncRun>| {
            run.direction == direction && run.volumes.iter().any(|one| one.number == number)
        };
        syncs.all().iter().rfind(of).map(|run| run.queued)
    };
    VolumeStatus {
        id: Some(volume_id(app, number)),
        mount_path: Some(mount_path.to_owned()),
        last_pulled_created_at: last(DataSyncDirection::Pull),
        last_pushed_created_at: last(DataSyncDirection::Push),
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
