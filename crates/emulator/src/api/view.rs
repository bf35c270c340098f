//! Records as the API shows them.

use std::sync::Arc;

use ovhai_api_types::{App, AppStatus, Metadata, Token, TokenSpec, TokenStatus};
use ovhai_core::directory::AppEntry;
use ovhai_core::model::TokenRecord;
use serde::{Serialize, Serializer};

use crate::host;

/// An app; `port` is the one that the emulator listens on.
pub(crate) fn app(entry: &AppEntry, port: u16) -> App {
    let record = &entry.record;
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
            info: Some(record.info.clone()),
            info_url: Some(format!("http://localhost:{port}/app/{}", record.id)),
            internal_service_ip: None,
            last_transition_date: record.history.last().map(|entry| entry.date),
            monitoring_url: None,
            state: record.state,
            url: format!("http://{}", host::app_host(record.id, &record.region, port)),
            volumes: Vec::new(),
        },
        user: record.user.clone(),
    }
}

/// One page of apps, as [`ovhai_api_types::AppList`].
#[derive(Serialize)]
pub(super) struct Apps<'a> {
    pub(super) items: Items<'a>,
    pub(super) metadata: Metadata,
}

/// Apps that are made while they are written.
pub(super) struct Items<'a> {
    pub(super) entries: &'a [Arc<AppEntry>],
    pub(super) port: u16,
}

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.entries.iter().map(|entry| app(entry, self.port)))
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
