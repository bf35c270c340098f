//! Volumes of apps: what a caller may attach, and synchronisations that a caller asks for.

use std::sync::Arc;

use ovhai_api_types::{AppId, DataSyncDirection, Region};

use super::{Platform, check};
use crate::data_stores::requests;
use crate::error::{Error, Result};
use crate::lifecycle::may_answer;
use crate::policy::{self, Action, Principal, Resource};
use crate::ports::VolumeRequest;
use crate::spec::Spec;
use crate::sync::{SyncRun, volume_id};
use crate::sync_log::SyncLog;

/// Maximum number of synchronisations of an app that have not ended.
const SYNCS: usize = 10;

/// Whether the caller may have volumes fetched from private repositories.
pub(super) fn may_reach_privately(caller: &Principal, region: &Region) -> bool {
    policy::decide(caller, Action::PrivateRepository, &Resource::Region(region)).is_allowed()
}

/// Whether the caller may change directories that the owner named.
pub(super) fn may_write_host(caller: &Principal, region: &Region) -> bool {
    policy::decide(caller, Action::WriteHostDirectory, &Resource::Region(region)).is_allowed()
}

impl Platform {
    /// Checks the volumes of a new app.
    pub(super) fn check_volumes(
        &self,
        caller: &Principal,
        region: &Region,
        spec: &Spec,
    ) -> Result<()> {
        for (at, volume) in spec.volumes.iter().enumerate() {
            if volume.source.is_private() {
                let resource = Resource::Region(region);
                check(policy::decide(caller, Action::PrivateRepository, &resource))?;
            }
            let Some((alias, ..)) = volume.source.container() else { continue };
            let Some(store) = self.find_data_store(alias) else {
                let why = format!(
                    "there is no data store {alias}; list them: ovhai datastore list; add one: ovhai datastore add local {alias} DIR"
                );
                return Err(Error::invalid(format!("volumes[{at}]"), why));
            };
            let writes = spec.volume_writeback && volume.permission.writes();
            if writes && store.is_owner_named() {
                let resource = Resource::Region(region);
                check(policy::decide(caller, Action::WriteHostDirectory, &resource))?;
            }
        }
        Ok(())
    }

    /// Brings the copies of an app's volumes and their data stores together, in one direction, while the
    /// app runs: of one volume, by its id or mount path, or of all that can be. Returns at once; the
    /// app's synchronisations tell the progress.
    pub fn sync_app(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        id: AppId,
        direction: DataSyncDirection,
        volume: Option<String>,
    ) -> Result<SyncRun> {
        let snapshot = self.snapshot();
        let entry = Self::permit(&snapshot, caller, region, Action::Update, id)?;
        let record = &entry.record;
        if record.spec.volumes.is_empty() {
            return Err(Error::invalid("id", "the app has no volumes"));
        }
        if !may_answer(record.state) {
            let why = format!(
                "the app is {}: its volumes have data while it runs; start it first",
                record.state
            );
            return Err(Error::invalid("id", why));
        }
        let settings = self.settings();
        let mut volumes = requests(&snapshot, &settings.regions, settings.placement, record);
        match volume.as_deref().filter(|named| !named.is_empty()) {
            Some(named) => {
                volumes.retain(|one| {
                    one.spec.mount_path == named || volume_id(id, one.number) == named
                });
                let Some(one) = volumes.first() else {
                    return Err(Error::NotFound { kind: "volume", id: named.to_owned() });
                };
                if let Some(why) = unfit(one, direction) {
                    return Err(Error::invalid("volume", why));
                }
            }
            None => {
                volumes.retain(|one| unfit(one, direction).is_none());
                if volumes.is_empty() {
                    let why = match direction {
                        DataSyncDirection::Pull => "no volume of the app comes from a data store",
                        DataSyncDirection::Push => {
                            "no volume of the app comes from a data store and has the permission RW or RWD"
                        }
                    };
                    return Err(Error::invalid("direction", why));
                }
            }
        }
        let is_owner_named =
            |one: &VolumeRequest| one.store.as_ref().is_some_and(|store| store.is_owner_named());
        if direction == DataSyncDirection::Push && volumes.iter().any(is_owner_named) {
            let resource = Resource::Region(region);
            check(policy::decide(caller, Action::WriteHostDirectory, &resource))?;
        }
        let syncs = entry.observed.syncs();
        if syncs.all().iter().filter(|run| !run.phase.has_ended()).count() >= SYNCS {
            return Err(Error::NotNow(format!(
                "{SYNCS} synchronisations of the app {id} are under way: wait until one has ended"
            )));
        }
        let log = SyncLog::queue(
            Arc::clone(&entry.observed),
            Arc::clone(&self.clock),
            self.ids.uuid(),
            direction,
            true,
            volume,
            &volumes,
        );
        let queued = log.run();
        let files = Arc::clone(&self.volumes);
        tokio::spawn(async move {
            for request in volumes {
                let number = request.number;
                let outcome = files.sync(id, request, direction, log.report()).await;
                log.volume_ended(number, outcome.map_err(|failure| failure.message));
            }
            log.ended(None);
        });
        Ok(queued)
    }
}

/// Why a volume can't be synchronised in this direction.
fn unfit(volume: &VolumeRequest, direction: DataSyncDirection) -> Option<&'static str> {
    if volume.spec.source.container().is_none() {
        return Some("the volume comes from no data store: start the app again to fetch it again");
    }
    if direction == DataSyncDirection::Push && !volume.spec.permission.writes() {
        return Some("the volume has the permission RO, and is never written back");
    }
    None
}
