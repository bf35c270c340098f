//! The platform: everything that API, gateway and console may ask for. They hold nothing else.
//!
//! Here is what it is made of and how apps and their reconcilers live; what it does with apps
//! and tokens is in the modules below. Every public method that acts for a caller asks the
//! policy first.

mod access;
mod accounts;
mod apps;
mod events;
pub(crate) mod images;
mod registries;
mod revocation;
mod tokens;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use arc_swap::Guard;
use ovhai_api_types::{AppId, AppState, AppStateHistory, Info, Placement, Region, Timestamp};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

pub use access::{Access, AccessQuery, TokenQuestion};
pub use accounts::{Login, SessionTtl};
pub use apps::{AppQuery, AppSort};
pub use events::{EventQuery, NamedEvent};
pub use registries::RegistryChange;
pub use revocation::AccessWatch;
pub use tokens::IssuedToken;

use crate::auth::Authenticator;
use crate::catalog::BuiltinImage;
use crate::components::{self, Component, Components};
use crate::directory::Snapshot;
use crate::error::{Error, Result};
use crate::events::Events;
use crate::ledger::{Ledger, Transaction};
use crate::lifecycle::{self, Event};
use crate::model::{AppRecord, Wanted};
use crate::policy::{self, Action, Decision, Principal, Resource};
use crate::ports::{Clock, Ids, Runtime, Secrets, Signer, Store};
use crate::quota::Quotas;
use crate::reconcile::{Actor, ActorHandle};
use crate::records::{self, Stored};

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
    /// What the apps of a region may use at once.
    pub quotas: Quotas,
    /// The images that come with it.
    pub images: Vec<BuiltinImage>,
    /// How long a login lasts.
    pub session_ttl: SessionTtl,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            regions: Vec::new(),
            placement: None,
            user: "local".into(),
            quotas: Quotas::default(),
            images: Vec::new(),
            session_ttl: SessionTtl::default(),
        }
    }
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
    /// Makes secrets, and hashes passwords.
    pub secrets: Arc<dyn Secrets>,
    /// The local administrator's bearer.
    pub administrator: String,
    /// What it is set to.
    pub settings: Settings,
    /// Where parts that fail are noted.
    pub components: Arc<Components>,
}

impl std::fmt::Debug for PlatformBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlatformBuilder").field("settings", &self.settings).finish_non_exhaustive()
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
    secrets: Arc<dyn Secrets>,
    auth: Authenticator,
    tries: accounts::Tries,
    components: Arc<Components>,
    project: Uuid,
    is_new: bool,
    settings: Settings,
    pub(crate) actors: Mutex<HashMap<AppId, ActorHandle>>,
    events: Events,
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
        let loaded = self.store.load().await.map_err(Error::Load)?;
        let stored = Stored::read(&loaded).map_err(Error::Load)?;
        drop(loaded);
        let is_new = stored.project.is_none();
        let project = match stored.project {
            Some(project) => project,
            None => {
                let project = self.ids.uuid();
                let write = records::project(project).map_err(Error::Storage)?;
                self.store.commit(vec![write]).await?;
                project
            }
        };
        let snapshot = Snapshot::restore(&stored);
        let stored_seq = stored.last_seq;
        drop(stored);
        let to_wake: Vec<AppId> = snapshot
            .apps()
            .filter(|app| needs_actor(&app.record))
            .map(|app| app.record.id)
            .collect();
        // An app may be stored in a region that nobody named this time; it is there all the same.
        let mut settings = self.settings;
        for app in snapshot.apps() {
            if !settings.regions.contains(&app.record.region) {
                settings.regions.push(app.record.region.clone());
            }
        }
        let itself = Arc::new(OnceLock::<Weak<Platform>>::new());
        let waker = Arc::clone(&itself);
        let components = Arc::clone(&self.components);
        let ledger = Ledger::start(snapshot, stored_seq, self.store, components, move |app| {
            if let Some(platform) = waker.get().and_then(Weak::upgrade) {
                platform.wake_for(app);
            }
        });
        let platform = Arc::new(Platform {
            ledger,
            runtime: self.runtime,
            auth: Authenticator::new(
                Arc::clone(&self.signer),
                Arc::clone(&self.secrets),
                Arc::clone(&self.clock),
                &self.administrator,
                settings.user.clone(),
            ),
            tries: accounts::Tries::default(),
            components: self.components,
            clock: self.clock,
            ids: self.ids,
            signer: self.signer,
            secrets: self.secrets,
            project,
            is_new,
            settings,
            actors: Mutex::default(),
            events: Events::default(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        });
        // It is set once, here.
        let _ = itself.set(Arc::downgrade(&platform));
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

/// What an app says of its state, in place of what the state says by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) message: String,
    /// Why the last change could not be carried out, while the app goes on as before; for
    /// programs, it stands in the info's arguments as `failedChange`.
    pub(crate) failed_change: Option<String>,
}

impl Note {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), failed_change: None }
    }
}

/// Applies one event of the life cycle to an app; says whether its state changed.
pub(crate) fn apply(
    tx: &mut Transaction,
    id: AppId,
    event: Event,
    note: Option<&Note>,
    now: Timestamp,
) -> bool {
    let Some(entry) = tx.app(id) else { return false };
    let Some(state) = lifecycle::next(entry.record.state, event) else { return false };
    if state == AppState::Deleted {
        tx.remove_app(id);
        return true;
    }
    let mut record = AppRecord::clone(&entry.record);
    enter(&mut record, state, note, now);
    tx.put_app(record);
    true
}

fn info(state: AppState, note: Option<&Note>) -> Info {
    let failed_change = note.and_then(|note| note.failed_change.clone());
    Info {
        code: lifecycle::code(state),
        message: note.map_or_else(|| lifecycle::message(state).into(), |note| note.message.clone()),
        arguments: failed_change
            .into_iter()
            .map(|why| ("failedChange".into(), Some(why)))
            .collect(),
    }
}

fn enter(record: &mut AppRecord, state: AppState, note: Option<&Note>, now: Timestamp) {
    record.state = state;
    record.info = info(state, note);
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

    /// The project's id.
    pub fn project(&self) -> Uuid {
        self.project
    }

    /// Whether this is the first start on its store.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Which parts of the emulator fail.
    pub fn components(&self) -> &Arc<Components> {
        &self.components
    }

    /// What it is set to.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The time of day, as it is to the platform.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
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

    /// Stops all replicas and waits at most `deadline` for them. The apps' wanted states stay.
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

    /// Has the app's actor look at a change, if there is one or there is something to do.
    fn wake_for(self: &Arc<Self>, app: &AppRecord) {
        self.record_state(app);
        let actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        let has_actor = actors.contains_key(&app.id);
        drop(actors);
        if has_actor || needs_actor(app) {
            self.wake(app.id);
        }
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
                if let Err(panicked) = components::catch_future(actor.run()).await {
                    // A defect; but the app must not be stuck for it. Its replicas went with the
                    // actor.
                    tracing::error!(app = %id, %panicked, "the app's reconciler failed; it begins anew");
                    if let Some(platform) = platform.upgrade() {
                        platform.components.begins_anew(Component::Reconciler, &panicked);
                    }
                    tokio::time::sleep(AFTER_PANIC).await;
                    if let Some(platform) = platform.upgrade() {
                        platform.components.works(Component::Reconciler);
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

    /// Whether the caller may create apps here, of whatever labels.
    pub fn may_create(&self, caller: &Principal, region: &Region) -> Result<()> {
        check(policy::decide(caller, Action::Create, &Resource::Region(region)))
    }

    /// Whether the caller may see anything through the API here.
    pub fn may_view(&self, caller: &Principal, region: &Region) -> Result<()> {
        check(policy::decide(caller, Action::Read, &Resource::Region(region)))
    }

    /// Whether a header's value has the administrator's bearer in it.
    pub fn mentions_administrator(&self, value: &[u8]) -> bool {
        self.auth.mentions_administrator(value)
    }

    /// Whether the caller may stop the emulator.
    pub fn may_shut_down(&self, caller: &Principal) -> Result<()> {
        let region = self.default_region().ok_or_else(|| Error::Internal("no region".into()))?;
        check(policy::decide(caller, Action::Shutdown, &Resource::Region(region)))
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
