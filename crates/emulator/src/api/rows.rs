//! Apps as rows of a table: of each only what a table shows, by the names and in the form that
//! [`super::view::app`] gives it; one replica, which a spec need not name, is not named. Written piece by piece: of a thousand apps the serializer's walk
//! through fields and characters is most of the answer's time.

use std::io;
use std::sync::Arc;

use ovhai_api_types::Metadata;
use ovhai_core::directory::AppEntry;
use serde::Serialize;

use crate::host;

/// Bytes of most rows.
const SIZE: usize = 384;

/// A page of rows, as JSON.
pub(super) fn page(
    entries: &[Arc<AppEntry>],
    port: u16,
    metadata: &Metadata,
) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(SIZE * (entries.len() + 1));
    let mut before = &br#"{"items":["#[..];
    for entry in entries {
        out.extend_from_slice(before);
        row(&mut out, entry, port)?;
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

fn row(out: &mut Vec<u8>, entry: &AppEntry, port: u16) -> io::Result<()> {
    let record = &entry.record;
    // Characters of an id and of a host need no escaping.
    let mut id = uuid::Uuid::encode_buffer();
    let id = record.id.0.as_hyphenated().encode_lower(&mut id).as_bytes();
    out.extend_from_slice(br#"{"id":""#);
    out.extend_from_slice(id);
    out.extend_from_slice(br#"","createdAt":"#);
    json(out, &record.created_at)?;
    out.extend_from_slice(br#","spec":{"name":"#);
    json(out, &record.spec.name)?;
    let scaling = record.spec.scaling.wire();
    if scaling.fixed.as_ref().is_none_or(|fixed| fixed.replicas != 1) {
        out.extend_from_slice(br#","scalingStrategy":"#);
        json(out, &scaling)?;
    }
    out.extend_from_slice(br#"},"status":{"availableReplicas":"#);
    json(out, &entry.live.endpoints.len())?;
    out.extend_from_slice(br#","state":"#);
    json(out, &record.state)?;
    out.extend_from_slice(br#","url":"http://"#);
    out.extend_from_slice(host::app_host(record.id, &record.region, port).as_bytes());
    out.extend_from_slice(br#""}}"#);
    Ok(())
}

fn json(out: &mut Vec<u8>, value: &impl Serialize) -> io::Result<()> {
    Ok(serde_json::to_writer(out, value)?)
}
