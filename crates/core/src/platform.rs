//! The platform: everything that API, gateway and console may ask for. They hold nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::Guard;
use ovhai_api_types::{
    AppId, AppSpec, AppState, AppStateHistory, AppUpdate, Info, LabelKey, LabelUpdate, LabelValue,
    Labels, Order, Placement, Region, Role, ScalingStrategy, Selector, Timestamp, TokenId,
    TokenSpec,
};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::auth::Authenticator;
use crate::directory::{AppEntry, Snapshot};
use crate::error::{Error, Result};
use crate::ledger::{Ledger, Transaction};
use crate::lifecycle::{self, Event};
use crate::model::{AppRecord, TokenClaims, TokenRecord, Wanted};
use crate::policy::{self, Action, Decision, Effect, Principal, Resource};
use crate::ports::{Clock, Ids, Runtime, Signer, Store};
use crate::reconcile::{ActorHandle, Actor};
use crate::spec::{self, Spec};

/// States kept in an app's history; the oldest go first.
const HISTORY: usize = 100;
/// Before an app's reconciler that failed begins anew.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// What a platform is set to.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The regions it has; the first is the default.
    pub regions: Vec<Region>,
    /// What runs an app that says nothing itself and whose image is not built in.
    pub placement: Option<Placement>,
    /// Name of the local administrator.
    pub user: String,
}

/// What a platform is made of.
pub struct PlatformBuilder {
    /// Keeps the records.
    pub store: Arc<dyn Store>,
    /// Runs the apps.
    pub runtime: Arc<dyn Runtime>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub ids: Arc<dyn Ids>,
    /// Makes and checks tokens.
    pub signer: Arc<dyn Signer>,
    /// The local administrator's bearer.
    pub administrator: String,
    /// What it is set to.
    pub settings: Settings,
}

impl std::fmt::Debug for PlatformBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlatformBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A list of apps to be made.
#[derive(Debug, Clone, Default)]
pub struct AppQuery {
    /// Only apps that satisfy it.
    pub selector: Selector,
    /// Only apps in one of these states; empty: in any.
    pub states: Vec<AppState>,
    /// Only apps that changed after.
    pub updated_after: Option<Timestamp>,
    /// Only apps that changed before.
    pub updated_before: Option<Timestamp>,
    /// What it is sorted by.
    pub sort: AppSort,
    /// Which way.
    pub order: Order,
}

/// What a list of apps is sorted by.
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

/// A token and its string, which exists only here.
pub struct IssuedToken {
    /// The record.
    pub record: Arc<TokenRecord>,
    /// The string. Hand it on and forget it.
    pub value: String,
}

impl std::fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedToken").field("record", &self.record).finish_non_exhaustive()
    }
}

/// See the module. Dropping it ends its actors with their replicas; [`Platform::shutdown`] does
/// so and waits.
pub struct Platform {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    signer: Arc<dyn Signer>,
    auth: Authenticator,
    project: Uuid,
    settings: Settings,
    pub(crate) actors: Mutex<HashMap<AppId, ActorHandle>>,
    tasks: TaskTracker,
    pub(crate) stopping: CancellationToken,
}

impl std::fmt::Debug for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Platform").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl PlatformBuilder {
    /// Loads the store and brings every app back to its wanted state.
    pub async fn start(self) -> Result<Arc<Platform>> {
        let storage = |error: crate::ports::StoreError| Error::Storage(error.0);
        let stored = self.store.load().await.map_err(storage)?;
        let project = match stored.project {
            Some(project) => project,
            None => {
                let project = self.ids.uuid();
                self.store.set_project(project).await.map_err(storage)?;
                project
            }
        };
        let mut snapshot = Snapshot::default();
        let mut to_wake = Vec::new();
        for app in stored.apps {
            if needs_actor(&app) {
                to_wake.push(app.id);
            }
            snapshot.put_app(Arc::new(app));
        }
        for token in stored.tokens {
            snapshot.put_token(Arc::new(token));
        }
        let platform = Arc::new(Platform {
            ledger: Ledger::start(snapshot, self.store),
            runtime: self.runtime,
            clock: self.clock,
            ids: self.ids,
            auth: Authenticator::new(
                Arc::clone(&self.signer),
                &self.administrator,
                self.settings.user.clone(),
            ),
            signer: self.signer,
            project,
            settings: self.settings,
            actors: Mutex::default(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        });
        if !to_wake.is_empty() {
            let now = platform.clock.now();
            platform
                .ledger
                .transact(|tx| {
                    for id in &to_wake {
                        apply(tx, *id, Event::Restarted, None, now);
                    }
                    Ok(())
                })
                .await?;
            for id in to_wake {
                platform.wake(id);
            }
        }
        Ok(platform)
    }
}

/// Whether something is left to do for an app.
fn needs_actor(app: &AppRecord) -> bool {
    match app.wanted {
        Wanted::Running => !matches!(app.state, AppState::Failed | AppState::Error),
        Wanted::Stopped => !matches!(app.state, AppState::Stopped),
        Wanted::Deleted | Wanted::Killed => true,
    }
}

/// Applies one event of the life cycle to an app; says whether its state changed. `message`
/// replaces what the new state says by default.
pub(crate) fn apply(
    tx: &mut Transaction,
    id: AppId,
    event: Event,
    message: Option<&str>,
    now: Timestamp,
) -> bool {
    let Some(entry) = tx.app(id) else { return false };
    let Some(state) = lifecycle::next(entry.record.state, event) else { return false };
    if state == AppState::Deleted {
        tx.remove_app(id);
        return true;
    }
    let mut record = AppRecord::clone(&entry.record);
    enter(&mut record, state, message, now);
    tx.put_app(record);
    true
}

fn info(state: AppState, message: Option<&str>) -> Info {
    Info {
        code: lifecycle::code(state),
        message: message.unwrap_or_else(|| lifecycle::message(state)).to_owned(),
        arguments: std::collections::BTreeMap::new(),
    }
}

fn enter(record: &mut AppRecord, state: AppState, message: Option<&str>, now: Timestamp) {
    record.state = state;
    record.info = info(state, message);
    record.updated_at = now;
    record.history.push(AppStateHistory { date: now, state });
    if record.history.len() > HISTORY {
        record.history.remove(0);
    }
}

impl Platform {
    /// The newest durable state of everything; takes no lock.
    pub fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.ledger.read()
    }

    /// Changes with every change of anything.
    pub fn watch(&self) -> tokio::sync::watch::Receiver<u64> {
        self.ledger.watch()
    }

    /// The project's id.
    pub fn project(&self) -> Uuid {
        self.project
    }

    /// What it is set to.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The region whose name this is, in any case.
    pub fn region(&self, name: &str) -> Option<&Region> {
        self.settings.regions.iter().find(|region| region.is_host_label(name))
    }

    /// The region that is meant when none is named.
    pub fn default_region(&self) -> Option<&Region> {
        self.settings.regions.first()
    }

    /// The principal behind a bearer; see [`Authenticator::authenticate`].
    pub fn authenticate(&self, snapshot: &Snapshot, bearer: &str) -> Option<Principal> {
        self.auth.authenticate(snapshot, bearer)
    }

    /// Stops all replicas, waits at most `deadline` for them, and refuses changes from now on.
    /// The apps' wanted states stay.
    pub async fn shutdown(&self, deadline: Duration) {
        self.stopping.cancel();
        self.tasks.close();
        if tokio::time::timeout(deadline, self.tasks.wait()).await.is_err() {
            tracing::warn!("some apps did not stop in time and were abandoned");
        }
    }

    /// Begins to stop all replicas, without waiting for anything.
    pub fn abandon(&self) {
        self.stopping.cancel();
    }

    /// Has the app's actor look at it again, and starts one if it has none.
    pub(crate) fn wake(self: &Arc<Self>, id: AppId) {
        if self.stopping.is_cancelled() {
            return;
        }
        let mut actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = actors.get(&id) {
            handle.wake();
        } else {
            let (actor, handle) = Actor::new(id, Arc::downgrade(self), self.stopping.clone());
            actors.insert(id, handle);
            let platform = Arc::downgrade(self);
            self.tasks.spawn(async move {
                if let Err(error) = tokio::spawn(actor.run()).await {
                    // A defect; but the app must not be stuck for it. Its replicas went with the
                    // actor.
                    tracing::error!(app = %id, %error, "the app's reconciler failed; it begins anew");
                    tokio::time::sleep(AFTER_PANIC).await;
                    if let Some(platform) = platform.upgrade() {
                        let mut actors =
                            platform.actors.lock().unwrap_or_else(PoisonError::into_inner);
                        actors.remove(&id);
                        drop(actors);
                        platform.wake(id);
                    }
                }
            });
        }
    }

    // ---- apps ----

    /// Decides on one app for a caller of the API, and gives it.
    fn permit(
        snapshot: &Snapshot,
        caller: &Principal,
        region: &Region,
        action: Action,
        id: AppId,
    ) -> Result<Arc<AppEntry>> {
        let missing = || Error::NotFound { kind: "app", id: id.to_string() };
        // A role that could not do it to any app is told so, before it learns what exists.
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
        check(policy::decide(caller, Action::Create, &Resource::Region(region)))?;
        let spec = Spec::check(wire, |image| self.generate_name(image))?;
        if self.runs_as_unexpected_process(spec.placement) {
            check(policy::decide(caller, Action::RunProcess, &Resource::Region(region)))?;
        }
        let id = self.ids.app();
        let labels = submitted_labels(wire, id, caller.scope())?;
        check(policy::decide(
            caller,
            Action::Create,
            &Resource::App { region, labels: &labels, public: spec.public },
        ))?;
        let now = self.clock.now();
        self.ledger
            .transact(|tx| {
                let seq = tx.next_seq();
                tx.put_app(AppRecord {
                    id,
                    region: region.clone(),
                    seq,
                    created_at: now,
                    updated_at: now,
                    user: caller.name().to_owned(),
                    spec,
                    labels,
                    wanted: Wanted::Running,
                    revision: 1,
                    state: AppState::Queued,
                    info: info(AppState::Queued, None),
                    history: vec![AppStateHistory { date: now, state: AppState::Queued }],
                });
                tx.app(id).cloned().ok_or_else(|| Error::Internal("the app just made is gone".into()))
            })
            .await
            .inspect(|_| self.wake(id))
    }

    /// Whether an app runs as a local process though the emulator was not started for that.
    fn runs_as_unexpected_process(&self, placement: Option<Placement>) -> bool {
        placement == Some(Placement::Process)
            && self.settings.placement != Some(Placement::Process)
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

    /// One app, of whose output the caller may read.
    pub fn app_logs(&self, caller: &Principal, region: &Region, id: AppId) -> Result<Arc<AppEntry>> {
        Self::permit(&self.snapshot(), caller, region, Action::Logs, id)
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
        apps.retain(|app| {
            let record = &app.record;
            (query.states.is_empty() || query.states.contains(&record.state))
                && query.updated_after.is_none_or(|after| record.updated_at > after)
                && query.updated_before.is_none_or(|before| record.updated_at < before)
        });
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
        let changed = self
            .ledger
            .transact(|tx| {
                let entry = Self::permit(tx.state(), caller, region, action, id)?;
                let mut record = AppRecord::clone(&entry.record);
                if matches!(record.wanted, Wanted::Deleted | Wanted::Killed)
                    && action != Action::Delete
                {
                    return Err(Error::invalid("id", "the app is being deleted"));
                }
                change(&mut record, now)?;
                if record != *entry.record {
                    record.updated_at = now;
                    tx.put_app(record);
                }
                tx.app(id).cloned().ok_or_else(|| Error::Internal("the app is gone".into()))
            })
            .await?;
        self.wake(id);
        Ok(changed)
    }

    /// Wants an app to run; nothing happens to one that does.
    pub async fn start_app(self: &Arc<Self>, caller: &Principal, region: &Region, id: AppId) -> Result<()> {
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

    /// Wants an app not to run; nothing happens to one that does not.
    pub async fn stop_app(self: &Arc<Self>, caller: &Principal, region: &Region, id: AppId) -> Result<()> {
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

    /// Wants an app to be gone; `force` gives its replicas no time.
    pub async fn delete_app(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        id: AppId,
        force: bool,
    ) -> Result<()> {
        self.change_app(caller, region, Action::Delete, id, |app, now| {
            app.wanted = if force { Wanted::Killed } else { Wanted::Deleted };
            if let Some(state) = lifecycle::next(app.state, Event::DeleteAsked) {
                enter(app, state, None, now);
            }
            Ok(())
        })
        .await
        .map(drop)
    }

    /// Sets or, with a null value, removes one label.
    pub async fn label_app(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        id: AppId,
        update: &LabelUpdate,
    ) -> Result<()> {
        let parse = |error: &dyn std::fmt::Display| error.to_string();
        let key: LabelKey =
            update.name.parse().map_err(|error| Error::invalid("name", parse(&error)))?;
        if key.is_platform() {
            return Err(Error::invalid("name", "labels that begin with ovh/ are the platform's"));
        }
        let value: Option<LabelValue> = update
            .value
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|error| Error::invalid("value", parse(&error)))?;
        self.change_app(caller, region, Action::Label, id, |app, _| {
            match value {
                Some(value) => app.labels.insert(key, value),
                None => app.labels.remove(key.as_str()),
            };
            // Nobody moves an app out of their own scope, as nobody creates one outside it.
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
        self.change_app(caller, region, Action::Image, id, |app, _| {
            if app.spec.image != image {
                app.spec.image = image;
                app.revision += 1;
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

    /// Changes ports, environment, deployment strategy or image.
    pub async fn update_app(
        self: &Arc<Self>,
        caller: &Principal,
        region: &Region,
        id: AppId,
        update: &AppUpdate,
    ) -> Result<Arc<AppEntry>> {
        let sets_environment = update.env_vars.as_ref().is_some_and(|vars| !vars.is_empty());
        self.change_app(caller, region, Action::Update, id, |app, _| {
            // The environment of a process can make it run anything.
            if sets_environment && self.runs_as_unexpected_process(app.spec.placement) {
                check(policy::decide(caller, Action::RunProcess, &Resource::Region(region)))?;
            }
            if app.spec.update(update)? {
                app.revision += 1;
            }
            Ok(())
        })
        .await
    }

    // ---- tokens ----

    fn may_manage_tokens(caller: &Principal, region: &Region) -> Result<()> {
        check(policy::decide(caller, Action::Tokens, &Resource::Region(region)))
    }

    fn issue(&self, record: &TokenRecord) -> Result<String> {
        let claims = TokenClaims {
            project: self.project,
            id: record.id,
            version: record.version,
            subject: self.project,
        };
        self.signer.sign(&claims).map_err(|error| Error::Internal(error.to_string()))
    }

    /// The tokens of a region, newest first.
    pub fn list_tokens(&self, caller: &Principal, region: &Region) -> Result<Vec<Arc<TokenRecord>>> {
        Self::may_manage_tokens(caller, region)?;
        Ok(self.snapshot().tokens_of(region))
    }

    fn token_in(snapshot: &Snapshot, region: &Region, id: TokenId) -> Result<Arc<TokenRecord>> {
        snapshot
            .token(id)
            .filter(|token| token.region == *region)
            .cloned()
            .ok_or_else(|| Error::NotFound { kind: "token", id: id.to_string() })
    }

    /// One token.
    pub fn get_token(&self, caller: &Principal, region: &Region, id: TokenId) -> Result<Arc<TokenRecord>> {
        Self::may_manage_tokens(caller, region)?;
        Self::token_in(&self.snapshot(), region, id)
    }

    /// Makes a token and its string.
    pub async fn create_token(
        &self,
        caller: &Principal,
        region: &Region,
        spec: &TokenSpec,
    ) -> Result<IssuedToken> {
        Self::may_manage_tokens(caller, region)?;
        let name = spec::name("name", &spec.name)?;
        let role: Role = spec.role.parse().map_err(|why| Error::invalid("role", String::clone(&why)))?;
        let selector = spec
            .label_selector
            .as_deref()
            .map(str::parse::<Selector>)
            .transpose()
            .map_err(|error| Error::invalid("labelSelector", error.to_string()))?
            .filter(|selector| !selector.is_empty());
        let now = self.clock.now();
        let record = TokenRecord {
            id: self.ids.token(),
            region: region.clone(),
            seq: 0,
            name,
            role,
            selector,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let value = self.issue(&record)?;
        let record = self
            .ledger
            .transact(|tx| {
                let seq = tx.next_seq();
                Ok(tx.put_token(TokenRecord { seq, ..record }))
            })
            .await?;
        Ok(IssuedToken { record, value })
    }

    /// Gives a token a new string. Once this is ready, the old one opens nothing.
    pub async fn renew_token(&self, caller: &Principal, region: &Region, id: TokenId) -> Result<IssuedToken> {
        Self::may_manage_tokens(caller, region)?;
        let now = self.clock.now();
        let record = self
            .ledger
            .transact(|tx| {
                let mut record = TokenRecord::clone(&*Self::token_in(tx.state(), region, id)?);
                record.version += 1;
                record.updated_at = now;
                Ok(tx.put_token(record))
            })
            .await?;
        let value = self.issue(&record)?;
        Ok(IssuedToken { record, value })
    }

    /// Deletes a token. Once this is ready, its string opens nothing.
    pub async fn delete_token(&self, caller: &Principal, region: &Region, id: TokenId) -> Result<()> {
        Self::may_manage_tokens(caller, region)?;
        self.ledger
            .transact(|tx| {
                Self::token_in(tx.state(), region, id)?;
                tx.remove_token(id);
                Ok(())
            })
            .await
    }

    /// Whether the caller may create apps here, of whatever labels.
    pub fn may_create(&self, caller: &Principal, region: &Region) -> Result<()> {
        check(policy::decide(caller, Action::Create, &Resource::Region(region)))
    }

    /// Whether a principal of some time ago is still one: its token was neither renewed nor
    /// deleted.
    pub fn is_current(&self, principal: &Principal) -> bool {
        match principal {
            Principal::Token(token) => {
                let snapshot = self.snapshot();
                snapshot.token(token.id).is_some_and(|now| now.version == token.version)
            }
            Principal::Administrator { .. } | Principal::Anonymous => true,
        }
    }

    /// Whether a header's value has the administrator's bearer in it.
    pub fn mentions_administrator(&self, value: &[u8]) -> bool {
        self.auth.mentions_administrator(value)
    }

    /// Whether the caller may ask who it is here.
    pub fn may_ask_me(&self, caller: &Principal, region: &Region) -> Result<()> {
        check(policy::decide(caller, Action::Me, &Resource::Region(region)))
    }
}

/// The resource that an app is to the policy.
pub fn resource(app: &AppRecord) -> Resource<'_> {
    Resource::App { region: &app.region, labels: &app.labels, public: app.spec.public }
}

fn check(decision: Decision) -> Result<()> {
    if decision.is_allowed() { Ok(()) } else { Err(Error::Denied(decision)) }
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
    let platform = |value: &str| {
        value.parse().map_err(|_| Error::Internal(format!("{value:?} is no label value")))
    };
    labels.insert(LabelKey::platform_id(), platform(&id.to_string())?);
    labels.insert(LabelKey::platform_type(), platform("app")?);
    Ok(labels)
}
