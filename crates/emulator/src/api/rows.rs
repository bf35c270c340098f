//! Apps as rows of a table: of each only what a table shows, by the names and in the form that
//! [`super::view::app`] gives it; one replica, which a spec need not name, is not named. Written piece by piece: of a thousand apps the serializer's walk
//! through fields and characters is most of the answer's time.

use std::io::{self, Write};
use std::sync::Arc;

use ovhai_api_types::{Metadata, Region};
use ovhai_core::directory::AppEntry;
use serde::Serialize;

use super::view;
use crate::host;

/// Bytes of most rows.
const SIZE: usize = 384;

/// A page of rows of a region's apps, as JSON.
pub(super) fn page(
    entries: &[Arc<AppEntry>],
    region: &Region,
    port: u16,
    metadata: &Metadata,
) -> io::Result<Vec<u8>> {
    let host_end = host::app_host_end(region, port);
    let mut out = Vec::with_capacity(SIZE * (entries.len() + 1));
    let mut before = &br#"{"items":["#[..];
    for entry in entries {
        out.extend_from_slice(before);
        row(&mut out, entry, &host_end)?;
        before = b",";
    }
    if entries.is_empty() {
        out.extend_from_slice(before);
    }
    out.extend_from_slice(br#"],"metadata":"#);
    json(&mut out, metadata)?;
    out.push(b'}');
    Ok(out)
}

fn row(out: &mut Vec<u8>, entry: &AppEntry, host_end: &str) -> io::Result<()> {
    let record = &entry.record;
    // Values that are not given to `json` need no escaping.
    let mut id = uuid::Uuid::encode_buffer();
    let id = record.id.0.as_hyphenated().encode_lower(&mut id).as_bytes();
    out.extend_from_slice(br#"{"id":""#);
    out.extend_from_slice(id);
    out.extend_from_slice(br#"","createdAt":""#);
    write!(out, "{}", record.created_at)?;
    out.extend_from_slice(br#"","spec":{"name":"#);
    json(out, &record.spec.name)?;
    let scaling = record.spec.scaling.wire();
    if scaling.fixed.as_ref().is_none_or(|fixed| fixed.replicas != 1) {
        out.extend_from_slice(br#","scalingStrategy":"#);
        json(out, &scaling)?;
    }
    out.extend_from_slice(br#"},"status":{"availableReplicas":"#);
    json(out, &entry.live.backends.len())?;
    let progress = entry.observed.now();
    if let Some(last) = progress.last_exit() {
        out.extend_from_slice(br#","lastExit":"#);
        json(out, &view::exit(last))?;
        out.extend_from_slice(br#","restarts":"#);
        json(out, &progress.restarts())?;
    }
    out.extend_from_slice(br#","state":""#);
    out.extend_from_slice(record.state.as_str().as_bytes());
    out.extend_from_slice(br#"","url":"http://"#);
    out.extend_from_slice(id);
    out.extend_from_slice(host_end.as_bytes());
    out.extend_from_slice(br#""}}"#);
    Ok(())
}

fn json(out: &mut Vec<u8>, value: &impl Serialize) -> io::Result<()> {
    Ok(serde_json::to_writer(out, value)?)
}
