//! Commands inside apps, and copies of their files.

use std::sync::Arc;

use ovhai_api_types::{AppId, Placement, Region};

use super::{Platform, check, resource};
use crate::error::{Error, Result};
use crate::policy::{self, Action, Principal, Resource};
use crate::ports::{ExecSession, ExecTask, NoExec, Replica};
use crate::replica::{ReplicaId, ReplicaPhase};
use crate::volume::VolumeSpec;

/// A command that was started in a replica.
#[derive(Debug)]
pub struct StartedExec {
    /// The command.
    pub session: ExecSession,
    /// The action that the caller must be allowed as long as it goes on.
    pub action: Action,
    /// Where it runs.
    pub replica: ReplicaId,
}

impl Platform {
    /// Runs a command in a replica of an app, or copies its files: in the replica with this ordinal,
    /// else in the first one that is ready.
    pub fn exec(
        &self,
        caller: &Principal,
        region: &Region,
        id: AppId,
        ordinal: Option<u32>,
        task: ExecTask,
    ) -> Result<StartedExec> {
        let action = if self.settings.token_exec { Action::TokenExec } else { Action::Exec };
        let snapshot = self.snapshot();
        let entry = Self::permit(&snapshot, caller, region, action, id)?;
        let (replica, handle) = self.replica_for(id, ordinal).map_err(|none| match none {
            NoReplica::NotReady(starting) => Error::NotNow(format!(
                "no replica of the app {id} is ready; one that is starting can be named: {starting}"
            )),
            NoReplica::None if entry.is_asleep() => Error::NotNow(format!(
                "the app {id} is asleep and has no replica; a request to it starts one"
            )),
            NoReplica::None => Error::NotNow(format!(
                "the app {id} has no running replica: its state is {}",
                entry.record.state.as_str()
            )),
            NoReplica::Other(others) => Error::NotFound {
                kind: "running replica",
                id: format!("{} of the app {id}: {others}", ordinal.unwrap_or_default()),
            },
        })?;
        // What it runs as, whatever the image is mapped to by now.
        let action = match handle.placement() {
            Some(Placement::Process) => Action::ExecProcess,
            Some(Placement::Container | Placement::Builtin) | None => action,
        };
        Self::permit(&snapshot, caller, region, action, id)?;
        // What the caller changes there ends in a directory that the owner named.
        let record = &entry.record;
        let is_owners = |volume: &VolumeSpec| {
            let container = volume.source.container();
            let store = container.and_then(|(alias, ..)| self.find_data_store(alias));
            volume.permission.writes() && store.is_some_and(|store| store.is_owner_named())
        };
        if record.trusted_writeback
            && record.spec.volume_writeback
            && record.spec.volumes.iter().any(is_owners)
        {
            let region = Resource::Region(region);
            check(policy::decide(caller, Action::WriteHostDirectory, &region))?;
        }
        let what = match &task {
            ExecTask::Command { .. } => "a command",
            ExecTask::Copy { .. } => "a copy",
        };
        let session = handle.exec(task).map_err(|why| match why {
            NoExec::NotRunning => Error::NotNow(format!(
                "replica {} of the app {id} runs nothing yet, or no longer",
                replica.ordinal
            )),
            NoExec::NotSupported => Error::NotSupported(format!(
                "the app {id} runs an image that is built into the emulator: it has neither processes nor files"
            )),
        })?;
        // Never the command itself, which may have secrets.
        tracing::info!(app = %id, replica = replica.ordinal, caller = caller.name(), what, "started in an app");
        Ok(StartedExec { session, action, replica })
    }

    /// Whether a principal may still do what it was allowed when a command was started.
    pub fn still_allows(&self, principal: &Principal, action: Action, id: AppId) -> bool {
        let snapshot = self.snapshot();
        let entry = snapshot.app(id);
        self.current(principal).zip(entry).is_some_and(|(caller, entry)| {
            policy::decide(&caller, action, &resource(&entry.record)).is_allowed()
        })
    }

    fn replica_for(
        &self,
        id: AppId,
        ordinal: Option<u32>,
    ) -> Result<(ReplicaId, Arc<dyn Replica>), NoReplica> {
        let mut all: Vec<_> = self.reconcilers.launched(id);
        all.retain(|one| one.phase != ReplicaPhase::Stopping);
        // Ready ones first, and of one ordinal the newest run.
        all.sort_by_key(|one| {
            let is_ready = one.phase == ReplicaPhase::Ready;
            (!is_ready, one.id.ordinal, std::cmp::Reverse(one.id.attempt))
        });
        let living = all.iter().filter_map(|one| Some((one.id, one.phase, one.handle.upgrade()?)));
        let living: Vec<_> = living.collect();
        let names = || {
            let mut ordinals: Vec<_> = living.iter().map(|(id, ..)| id.ordinal).collect();
            ordinals.sort_unstable();
            ordinals.dedup();
            ordinals.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
        };
        let chosen = living.iter().find(|(id, phase, _)| match ordinal {
            Some(ordinal) => id.ordinal == ordinal,
            None => *phase == ReplicaPhase::Ready,
        });
        match (chosen, ordinal) {
            (Some((id, _, handle)), _) => Ok((*id, Arc::clone(handle))),
            (None, _) if living.is_empty() => Err(NoReplica::None),
            (None, Some(_)) => Err(NoReplica::Other(format!("there is {}", names()))),
            (None, None) => Err(NoReplica::NotReady(names())),
        }
    }
}

/// Why there is no replica to run a command in.
enum NoReplica {
    /// None runs.
    None,
    /// Those that are starting.
    NotReady(String),
    /// Those that there are instead.
    Other(String),
}
