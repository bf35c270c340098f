//! What the platform does with apps.

use std::sync::Arc;

use ovhai_api_types::{
    AppId, AppSpec, AppState, AppStateHistory, AppUpdate, Deletion, Environment, LabelKey,
    LabelUpdate, LabelValue, Labels, Order, Region, ScalingStrategy, Selector, Timestamp,
};

use super::images::check_environment;
use super::revocation::still_current;
use super::volumes::{may_reach_privately, may_write_host};
use super::{Platform, check, resource};
use crate::directory::{AppEntry, Snapshot};
use crate::error::{Error, Result};
use crate::input;
use crate::lifecycle::{self, Event};
use crate::model::{AppRecord, EnvironmentOwner, Wanted};
use crate::policy::{self, Action, Effect, Principal, Resource};
use crate::ports::ReplicaUsage;
use crate::quota::Usage;
use crate::spec::{self, Spec};
use crate::transition::{enter, info};

/// A query for apps.
#[derive(Debug, Clone, Default)]
pub struct AppQuery {
    /// Only apps that satisfy it.
    pub selector: Selector,
    /// Only apps in one of these states; empty: in any.
    pub states: Vec<AppState>,
    /// Only apps whose name or id has this prefix.
    pub begins: Option<String>,
    /// Only apps whose name, id or image has this part, in any case.
    pub contains: Option<String>,
    /// Only the apps of exactly this name, else those whose id has this prefix.
    pub named: Option<String>,
    /// Only apps that changed after.
    pub updated_after: Option<Timestamp>,
    /// Only apps that changed before.
    pub updated_before: Option<Timestamp>,
    /// The sort key.
    pub sort: AppSort,
    /// The sort order.
    pub order: Order,
}

/// The sort key of a list of apps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AppSort {
    /// Time of submission.
    #[default]
    Created,
    /// Time of the last change.
    Updated,
    /// Name.
    Name,
    /// State, in the order of the life cycle.
    State,
    /// Id.
    Id,
}

/// A checked app that does not exist yet.
#[derive(Debug, Clone)]
pub struct Draft {
    id: AppId,
    /// The spec, with its defaults filled in.
    pub spec: Spec,
    /// The labels that it would have, the platform's among them.
    pub labels: Labels,
}

impl Platform {
    /// Decides on one app for a caller of the API, and gives it.
    pub(super) fn permit(
        snapshot: &Snapshot,
        caller: &Principal,
        region: &Region,
        action: Action,
        id: AppId,
    ) -> Result<Arc<AppEntry>> {
        let missing = || Error::NotFound { kind: "app", id: id.to_string() };
        // A role without this permission is refused before it learns which apps exist.
        check(policy::decide(caller, action, &Resource::Region(region)))?;
        let entry =
            snapshot.app(id).filter(|entry| entry.record.region == *region).ok_or_else(missing)?;
        let decision = policy::decide(caller, action, &resource(&entry.record));
        if decision.effect == Effect::OutOfScope {
            return Err(missing());
        }
        check(decision)?;
        Ok(Arc::clone(entry))
    }

    /// Submits an app.
    pub async fn create_app(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        wire: &AppSpec,
    ) -> Result<Arc<AppEntry>> {
        self.create_app_in(caller, region, wire, None).await
    }

    /// Submits an app whose processes get the environment of the command line that asks for it. One
    /// that does not run as a process keeps none of it.
    pub async fn create_app_in(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        wire: &AppSpec,
        environment: Option<Environment>,
    ) -> Result<Arc<AppEntry>> {
        check(policy::decide(caller, Action::Create, &Resource::Region(region)))?;
        if let Some(environment) = &environment {
            self.may_pass_environment(caller, region)?;
            check_environment(environment)?;
        }
        let Draft { id, spec, labels } = self.draft(caller, region, wire)?;
        let environment = environment.filter(|_| self.runs_as_process(&spec));
        let trusted_environment = self.trusts_environment_of(caller, region);
        let trusted_image = trusts_image_of(caller, region);
        let trusted_volumes = may_reach_privately(caller, region);
        let trusted_writeback = may_write_host(caller, region);
        let now = self.clock.now();
        self.ledger
            .transact(|tx| {
                still_current(self, tx, caller)?;
                self.settings.quotas.admit(tx.state().usage(region), Usage::wanted(&spec))?;
                let seq = tx.next_seq();
                tx.put_app(AppRecord {
                    id,
                    region: region.clone(),
                    seq,
                    created_at: now,
                    updated_at: now,
                    user: caller.name().to_owned(),
                    spec,
                    trusted_environment,
                    trusted_image,
                    trusted_volumes,
                    trusted_writeback,
                    labels,
                    wanted: Wanted::Running,
                    revision: 1,
                    state: AppState::Queued,
                    info: info(AppState::Queued, None),
                    history: vec![AppStateHistory { date: now, state: AppState::Queued }],
                });
                tx.set_environment(EnvironmentOwner::App(id), environment);
                tx.app(id)
                    .cloned()
                    .ok_or_else(|| Error::Internal("the app just made is gone".into()))
            })
            .await
    }

    /// Checks an app as its creation would, and creates none.
    pub fn check_new_app(
        &self,
        caller: &Principal,
        region: &Region,
        wire: &AppSpec,
    ) -> Result<Draft> {
        self.may_create(caller, region)?;
        let draft = self.draft(caller, region, wire)?;
        let used = self.snapshot().usage(region);
        self.settings.quotas.admit(used, Usage::wanted(&draft.spec))?;
        Ok(draft)
    }

    fn draft(&self, caller: &Principal, region: &Region, wire: &AppSpec) -> Result<Draft> {
        let spec = Spec::check(wire, |image| self.generate_name(image))?;
        self.check_command(&self.snapshot(), &spec)?;
        // The environment of a process can make it run anything, a mapped command too.
        if self.runs_as_unexpected_process(&self.snapshot(), &spec)
            && (spec.placement.is_some() || !spec.env.is_empty())
        {
            check(policy::decide(caller, Action::RunProcess, &Resource::Region(region)))?;
        }
        self.check_volumes(caller, region, &spec)?;
        let id = self.ids.app();
        let labels = submitted_labels(wire, id, caller.scope())?;
        check(policy::decide(
            caller,
            Action::Create,
            &Resource::App { region, labels: &labels, public: spec.public },
        ))?;
        Ok(Draft { id, spec, labels })
    }

    fn generate_name(&self, image: &str) -> String {
        const ADJECTIVES: [&str; 16] = [
            "amber", "brisk", "calm", "clever", "eager", "fuzzy", "gentle", "happy", "jolly",
            "keen", "lively", "mellow", "nimble", "proud", "quick", "witty",
        ];
        let pick = usize::from(self.ids.uuid().as_bytes()[0]) % ADJECTIVES.len();
        let base = image.rsplit('/').next().unwrap_or(image);
        let base = base.split(['@', ':']).next().unwrap_or(base);
        let base: String = base.chars().take(60).collect();
        format!("{}-{base}", ADJECTIVES[pick])
    }

    /// One app.
    pub fn get_app(&self, caller: &Principal, region: &Region, id: AppId) -> Result<Arc<AppEntry>> {
        Self::permit(&self.snapshot(), caller, region, Action::Read, id)
    }

    /// One app whose output the caller may read.
    pub fn app_logs(
        &self,
        caller: &Principal,
        region: &Region,
        id: AppId,
    ) -> Result<Arc<AppEntry>> {
        Self::permit(&self.snapshot(), caller, region, Action::Logs, id)
    }

    /// What each replica of an app has used so far, by ordinal, of those that can tell. As with
    /// [`Self::snapshot`], what is shown to a caller needs a decision.
    pub async fn usage_of(&self, id: AppId) -> Vec<(u32, ReplicaUsage)> {
        self.reconcilers.usage(id).await
    }

    /// An app of which the caller may capture requests.
    pub fn may_capture(&self, caller: &Principal, id: AppId) -> Result<Arc<AppEntry>> {
        self.permit_anywhere(caller, Action::Capture, id)
    }

    /// An app to which the caller may have requests sent again.
    pub fn may_replay(&self, caller: &Principal, id: AppId) -> Result<Arc<AppEntry>> {
        self.permit_anywhere(caller, Action::Replay, id)
    }

    /// Decides on one app, in the app's own region.
    pub(super) fn permit_anywhere(
        &self,
        caller: &Principal,
        action: Action,
        id: AppId,
    ) -> Result<Arc<AppEntry>> {
        let snapshot = self.snapshot();
        let region = snapshot.app(id).map(|entry| entry.record.region.clone());
        let region = region.as_ref().or_else(|| self.default_region());
        let missing = || Error::NotFound { kind: "app", id: id.to_string() };
        Self::permit(&snapshot, caller, region.ok_or_else(missing)?, action, id)
    }

    /// The apps that the caller may see and that satisfy the query.
    pub fn list_apps(
        &self,
        caller: &Principal,
        region: &Region,
        query: &AppQuery,
    ) -> Result<Vec<Arc<AppEntry>>> {
        check(policy::decide(caller, Action::Read, &Resource::Region(region)))?;
        let snapshot = self.snapshot();
        let mut selectors = vec![&query.selector];
        selectors.extend(caller.scope());
        let mut apps = snapshot.matching(region, &selectors);
        let part = query.contains.as_ref().map(|part| part.to_lowercase());
        apps.retain(|app| {
            let record = &app.record;
            part.as_ref().is_none_or(|part| {
                record.spec.name.to_lowercase().contains(part)
                    || record.spec.image.to_lowercase().contains(part)
                    || record.id.to_string().contains(part)
            }) && (query.states.is_empty() || query.states.contains(&record.state))
                && query.begins.as_ref().is_none_or(|begin| {
                    record.spec.name.starts_with(begin)
                        || record.id.to_string().starts_with(&begin.to_ascii_lowercase())
                })
                && query.updated_after.is_none_or(|after| record.updated_at > after)
                && query.updated_before.is_none_or(|before| record.updated_at < before)
        });
        if let Some(named) = &query.named {
            let has_name = |app: &Arc<AppEntry>| app.record.spec.name == *named;
            if apps.iter().any(has_name) {
                apps.retain(has_name);
            } else {
                let begin = named.to_ascii_lowercase();
                apps.retain(|app| app.record.id.to_string().starts_with(&begin));
            }
        }
        match query.sort {
            AppSort::Created => {}
            AppSort::Updated => apps.sort_by_key(|app| app.record.updated_at),
            AppSort::Name => apps.sort_by(|a, b| a.record.spec.name.cmp(&b.record.spec.name)),
            AppSort::State => apps.sort_by_key(|app| app.record.state),
            AppSort::Id => apps.sort_by_key(|app| app.record.id),
        }
        if query.order == Order::Desc {
            apps.reverse();
        }
        Ok(apps)
    }

    async fn change_app(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        action: Action,
        id: AppId,
        change: impl FnOnce(&mut AppRecord, Timestamp) -> Result<()>,
    ) -> Result<Arc<AppEntry>> {
        let now = self.clock.now();
        self.ledger
            .transact(|tx| {
                still_current(self, tx, caller)?;
                let entry = Self::permit(tx.state(), caller, region, action, id)?;
                let mut record = AppRecord::clone(&entry.record);
                if matches!(record.wanted, Wanted::Deleted | Wanted::Killed)
                    && action != Action::Delete
                {
                    return Err(Error::invalid("id", "the app is being deleted"));
                }
                change(&mut record, now)?;
                if record != *entry.record {
                    let needs_replicas = record.revision != entry.record.revision
                        || record.spec.scaling.replicas() != entry.record.spec.scaling.replicas();
                    // In the same step, so that no reader sees it as done before it has begun.
                    if needs_replicas
                        && let Some(state) = lifecycle::next(record.state, Event::Diverged)
                    {
                        enter(&mut record, state, None, now);
                    }
                    record.updated_at = now;
                    let mut used = tx.state().usage(region);
                    used -= Usage::of(&entry.record);
                    let (before, after) = (Usage::of(&entry.record), Usage::of(&record));
                    if after.cpu > before.cpu || after.gpu > before.gpu {
                        self.settings.quotas.admit(used, after)?;
                    }
                    tx.put_app(record);
                }
                tx.app(id).cloned().ok_or_else(|| Error::Internal("the app is gone".into()))
            })
            .await
    }

    /// Starts an app; one that runs already stays as it is.
    pub async fn start_app(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        id: AppId,
    ) -> Result<()> {
        self.change_app(caller, region, Action::Start, id, |app, now| {
            app.wanted = Wanted::Running;
            if let Some(state) = lifecycle::next(app.state, Event::StartAsked) {
                enter(app, state, None, now);
            }
            Ok(())
        })
        .await
        .map(drop)
    }

    /// Replaces an app's replicas one after the other, as an update does; one that is stopped or
    /// failed is started. Each new replica gets what the image is mapped to by then.
    pub async fn restart_app(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        id: AppId,
    ) -> Result<Arc<AppEntry>> {
        self.change_app(caller, region, Action::Start, id, |app, now| {
            app.revision += 1;
            app.wanted = Wanted::Running;
            if let Some(state) = lifecycle::next(app.state, Event::StartAsked) {
                enter(app, state, None, now);
            }
            Ok(())
        })
        .await
    }

    /// Stops an app; one that is stopped already stays as it is.
    pub async fn stop_app(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        id: AppId,
    ) -> Result<()> {
        self.change_app(caller, region, Action::Stop, id, |app, now| {
            app.wanted = Wanted::Stopped;
            if let Some(state) = lifecycle::next(app.state, Event::StopAsked) {
                enter(app, state, None, now);
            }
            Ok(())
        })
        .await
        .map(drop)
    }

    /// Deletes an app. One that runs is deleted only if `deletion` says what becomes of its
    /// replicas; one that is stopping already is deleted once it has stopped.
    pub async fn delete_app(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        id: AppId,
        deletion: Deletion,
    ) -> Result<()> {
        self.change_app(caller, region, Action::Delete, id, |app, now| {
            if deletion == Deletion::OnlyStopped && app.state.is_active() {
                return Err(Error::invalid(
                    "id",
                    format!(
                        "the app is {}: stop it first, or delete it with force=true, which stops it",
                        app.state
                    ),
                ));
            }
            app.wanted = match (deletion, app.wanted) {
                // A deletion under way is never slowed down.
                (Deletion::Now, _) | (_, Wanted::Killed) => Wanted::Killed,
                _ => Wanted::Deleted,
            };
            if let Some(state) = lifecycle::next(app.state, Event::DeleteAsked) {
                enter(app, state, None, now);
            }
            Ok(())
        })
        .await
        .map(drop)
    }

    /// Sets or, with a null value, removes labels: all of them or, if one is refused, none.
    pub async fn label_app(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        id: AppId,
        updates: &[LabelUpdate],
    ) -> Result<()> {
        self.relabel(caller, region, id, None, updates).await
    }

    /// Sets or removes labels like [`Platform::label_app`], only if the app's own labels are still
    /// `expected`.
    pub async fn label_app_if(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        id: AppId,
        expected: &Labels,
        updates: &[LabelUpdate],
    ) -> Result<()> {
        self.relabel(caller, region, id, Some(expected), updates).await
    }

    async fn relabel(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        id: AppId,
        expected: Option<&Labels>,
        updates: &[LabelUpdate],
    ) -> Result<()> {
        let updates = updates.iter().map(checked_label).collect::<Result<Vec<_>>>()?;
        self.change_app(caller, region, Action::Label, id, |app, _| {
            let before = app.labels.clone();
            let own = |labels: &Labels| {
                let own = labels.iter().filter(|(key, _)| !key.is_platform());
                own.map(|(key, value)| (key.clone(), value.clone())).collect::<Labels>()
            };
            if expected.is_some_and(|expected| own(expected) != own(&before)) {
                return Err(Error::Outdated { kind: "labels" });
            }
            for (key, value) in updates {
                match value {
                    Some(value) => app.labels.insert(key, value),
                    None => app.labels.remove(key.as_str()),
                };
            }
            input::check_labels("name", &before, &app.labels)?;
            // A caller can't move an app out of its own scope, as it can't create one outside it.
            check(policy::decide(caller, Action::Create, &resource(app)))
        })
        .await
        .map(drop)
    }

    /// Changes the image; replicas are replaced one after the other.
    pub async fn set_image(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        id: AppId,
        image: &str,
    ) -> Result<Arc<AppEntry>> {
        let image = spec::image("url", image)?;
        let trusts_image = trusts_image_of(caller, region);
        self.change_app(caller, region, Action::Image, id, |app, _| {
            let is_other = app.spec.image != image;
            // The owner may name again what another caller named.
            app.trusted_image = trusts_image || app.trusted_image && !is_other;
            if is_other {
                app.spec.image = image;
                app.trusted_writeback &= may_write_host(caller, region);
                app.revision += 1;
                self.check_command(&self.snapshot(), &app.spec)?;
                self.may_have_environment(caller, region, &app.spec)?;
            }
            Ok(())
        })
        .await
    }

    /// Changes the number of replicas.
    pub async fn scale_app(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        id: AppId,
        strategy: &ScalingStrategy,
    ) -> Result<()> {
        let scaling = spec::scaling("scalingStrategy", strategy)?;
        self.change_app(caller, region, Action::Scale, id, |app, _| {
            app.spec.scaling = scaling;
            Ok(())
        })
        .await
        .map(drop)
    }

    fn trusts_environment_of(&self, caller: &Principal, region: &Region) -> bool {
        policy::decide(caller, Action::RunProcess, &Resource::Region(region)).is_allowed()
    }

    pub(super) fn may_pass_environment(&self, caller: &Principal, region: &Region) -> Result<()> {
        check(policy::decide(caller, Action::PassEnvironment, &Resource::Region(region)))
    }

    /// The environment of a process can make it run anything.
    fn may_have_environment(&self, caller: &Principal, region: &Region, spec: &Spec) -> Result<()> {
        if spec.env.is_empty() || !self.runs_as_unexpected_process(&self.snapshot(), spec) {
            return Ok(());
        }
        check(policy::decide(caller, Action::RunProcess, &Resource::Region(region)))
    }

    /// Changes ports, environment, deployment strategy or image.
    pub async fn update_app(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        id: AppId,
        update: &AppUpdate,
    ) -> Result<Arc<AppEntry>> {
        let trusts_image = trusts_image_of(caller, region);
        let sets_environment = update.env_vars.as_ref().is_some_and(|vars| !vars.is_empty());
        self.change_app(caller, region, Action::Update, id, |app, _| {
            let image = app.spec.image.clone();
            if app.spec.update(update)? {
                app.trusted_writeback &= may_write_host(caller, region);
                app.revision += 1;
            }
            if app.spec.image != image {
                self.check_command(&self.snapshot(), &app.spec)?;
            }
            if update.url.is_some() {
                app.trusted_image = trusts_image || app.trusted_image && app.spec.image == image;
            }
            if sets_environment || app.spec.image != image {
                self.may_have_environment(caller, region, &app.spec)?;
            }
            // A variable could make the process reveal the rest of its environment.
            let owner = EnvironmentOwner::App(app.id);
            if sets_environment && self.snapshot().environment(&owner).is_some() {
                self.may_pass_environment(caller, region)?;
            }
            app.trusted_environment &=
                !sets_environment || self.trusts_environment_of(caller, region);
            Ok(())
        })
        .await
    }
}

fn trusts_image_of(caller: &Principal, region: &Region) -> bool {
    policy::decide(caller, Action::MachineLogins, &Resource::Region(region)).is_allowed()
}

/// A label that a caller may set or remove, and its new value.
fn checked_label(update: &LabelUpdate) -> Result<(LabelKey, Option<LabelValue>)> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let key: LabelKey =
        update.name.parse().map_err(|error| Error::invalid("name", said(&error)))?;
    if key.is_platform() {
        return Err(Error::invalid("name", "labels that begin with ovh/ are the platform's"));
    }
    let value = update.value.as_deref().map(str::parse).transpose();
    Ok((key, value.map_err(|error| Error::invalid("value", said(&error)))?))
}

/// The labels of a new app: the caller's, under them the scope's `key=value` terms, over them
/// the platform's.
fn submitted_labels(wire: &AppSpec, id: AppId, scope: Option<&Selector>) -> Result<Labels> {
    let mut labels = Labels::new();
    for (key, value) in wire.labels.iter().flatten() {
        let at = || format!("labels[{:?}]", key.chars().take(80).collect::<String>());
        let parsed: LabelKey = key.parse().map_err(|error: ovhai_api_types::InvalidLabel| {
            Error::invalid(at(), error.to_string())
        })?;
        if let Some(value) = value.as_ref().filter(|_| !parsed.is_platform()) {
            let value = value.parse().map_err(|error: ovhai_api_types::InvalidLabel| {
                Error::invalid(at(), error.to_string())
            })?;
            labels.insert(parsed, value);
        }
    }
    for (key, value) in scope.into_iter().flat_map(Selector::equalities) {
        if !key.is_platform() {
            labels.insert(key.clone(), value.clone());
        }
    }
    input::check_labels("labels", &Labels::new(), &labels)?;
    let platform = |value: &str| {
        value.parse().map_err(|_| Error::Internal(format!("{value:?} is no label value")))
    };
    labels.insert(LabelKey::platform_id(), platform(&id.to_string())?);
    labels.insert(LabelKey::platform_type(), platform("app")?);
    Ok(labels)
}
