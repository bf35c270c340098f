//! Which data stores there are: those from the start, and those that were added.

use std::sync::Arc;

use ovhai_api_types::{Placement, Region, Timestamp};

use crate::directory::Snapshot;
use crate::model::{AppRecord, DataStoreRecord};
use crate::placement::mapping_for;
use crate::ports::VolumeRequest;

/// The alias of a data store that is there from the start and belongs to no region.
const LOCAL: &str = "local";

/// The aliases that are there from the start.
pub(crate) fn default_aliases(regions: &[Region]) -> impl Iterator<Item = String> {
    let of_regions = regions.iter().flat_map(|region| {
        let name = region.as_str().to_ascii_uppercase();
        [format!("S3{name}"), name]
    });
    std::iter::once(LOCAL.to_owned()).chain(of_regions)
}

/// The data store of an alias, in any case.
pub(crate) fn find(
    snapshot: &Snapshot,
    regions: &[Region],
    alias: &str,
) -> Option<Arc<DataStoreRecord>> {
    snapshot.data_store(alias).cloned().or_else(|| {
        let alias = default_aliases(regions).find(|known| known.eq_ignore_ascii_case(alias))?;
        let created_at = Timestamp::UNIX_EPOCH;
        Some(Arc::new(DataStoreRecord { alias, directory: None, created_at }))
    })
}

/// An app's volumes, with the data stores that they name.
pub(crate) fn requests(
    snapshot: &Snapshot,
    regions: &[Region],
    default: Option<Placement>,
    app: &AppRecord,
) -> Vec<VolumeRequest> {
    let placement = match mapping_for(snapshot, &app.spec) {
        Some(_) => Some(Placement::Process),
        None => app.spec.placement.or(default),
    };
    let for_container = !matches!(placement, Some(Placement::Process | Placement::Builtin));
    let volumes = (1..).zip(app.spec.volumes.iter());
    volumes
        .map(|(number, spec)| VolumeRequest {
            number,
            spec: spec.clone(),
            store: spec.source.container().and_then(|(alias, ..)| find(snapshot, regions, alias)),
            is_owners: app.trusted_volumes,
            for_container,
        })
        .collect()
}
