//! The platform: all operations that API and gateway use.
//!
//! This module assembles it; the operations on apps, tokens and so on are in the modules below, and
//! [`crate::reconcile`] brings apps to their wanted states. Every public method that acts for a
//! caller asks the policy first.

mod access;
mod accounts;
mod apps;
mod clock;
mod data_stores;
mod events;
mod exec;
mod images;
mod registries;
mod revocation;
mod tokens;
mod volumes;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::Guard;
use ovhai_api_types::{AppId, Placement, Region, Timestamp};
use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::sync::DropGuard;
use uuid::Uuid;

pub use access::{AccessQuery, AccessVerdict, LabelVerdict, TokenQuestion};
pub use accounts::{IssuedSession, SessionTtl};
pub use apps::{AppQuery, AppSort, Draft};
pub use clock::{ClockStatus, Moved};
pub use data_stores::StoreAccess;
pub use events::{EventQuery, NamedEvent};
pub use exec::StartedExec;
pub use registries::RegistryChange;
pub use revocation::{AccessWatch, LiveWatch};
pub use tokens::IssuedToken;

use crate::auth::{Authenticator, Place};
use crate::catalog::BuiltinImage;
use crate::components::Components;
use crate::directory::Snapshot;
use crate::error::{Error, Result};
use crate::image_access;
use crate::ledger::{Ledger, Transaction};
use crate::lifecycle::Event;
use crate::model::AppRecord;
use crate::policy::{self, Action, Decision, Effect, Principal, Resource};
use crate::ports::{Clock, Ids, Runtime, Secrets, Signer, Store, Vault, Volumes};
use crate::quota::Quotas;
use crate::reconcile::{Launching, Reconcilers, needs_actor};
use crate::recorder::EventRecorder;
use crate::records::{self, Stored};
use crate::transition::apply;

/// Settings of a platform.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The regions it has; the first is the default.
    pub regions: Vec<Region>,
    /// The runtime of apps that ask for none and whose image is not built in.
    pub placement: Option<Placement>,
    /// Name of the local administrator.
    pub user: String,
    /// Quotas of the apps of each region.
    pub quotas: Quotas,
    /// The images that come with it.
    pub images: Vec<BuiltinImage>,
    /// How long a login lasts.
    pub session_ttl: SessionTtl,
    /// Whether operator tokens may run commands in apps.
    pub token_exec: bool,
    /// Delay before the second restart of a replica that keeps crashing; doubles with every further
    /// one, up to 30 times this. Kubernetes has 10 s.
    pub restart_delay: Duration,
    /// Whether the platform interrupts each app a week after its start, as the cloud may do.
    pub interrupts_weekly: bool,
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
            token_exec: false,
            restart_delay: Duration::from_millis(500),
            interrupts_weekly: false,
        }
    }
}

/// The parts of a platform.
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
    /// Encrypts the passwords of registries.
    pub vault: Arc<dyn Vault>,
    /// Keeps the files of data stores and of volumes.
    pub volumes: Arc<dyn Volumes>,
    /// The local administrator's bearer.
    pub administrator: String,
    /// The settings.
    pub settings: Settings,
    /// The condition of the emulator's parts.
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
    ledger: Arc<Ledger>,
    reconcilers: Arc<Reconcilers>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    signer: Arc<dyn Signer>,
    secrets: Arc<dyn Secrets>,
    vault: Arc<dyn Vault>,
    volumes: Arc<dyn Volumes>,
    auth: Authenticator,
    tries: accounts::PasswordTries,
    components: Arc<Components>,
    project: Uuid,
    is_new: bool,
    settings: Settings,
    recorder: Arc<EventRecorder>,
    /// Held while the clock is moved.
    clock_moves: Mutex<()>,
    /// Ends the reconcilers with the platform.
    _stop: DropGuard,
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
        let stored = Stored::read(loaded).map_err(Error::Load)?;
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
        if let Some(clock) = self.clock.control() {
            clock.restore(stored.clock);
        }
        drop(stored);
        let to_wake: Vec<AppId> = snapshot
            .apps()
            .filter(|app| needs_actor(&app.record))
            .map(|app| app.record.id)
            .collect();
        // An app may be stored in a region that the settings do not name; the region exists all the
        // same.
        let mut settings = self.settings;
        for app in snapshot.apps() {
            if !settings.regions.contains(&app.record.region) {
                settings.regions.push(app.record.region.clone());
            }
        }
        warn_of_unreadable(&snapshot, &*self.vault);
        let recorder = Arc::new(EventRecorder::new(Arc::clone(&self.clock)));
        let (wakeups, changed) = mpsc::unbounded_channel();
        let unseen = Arc::<AtomicUsize>::default();
        let observer = {
            let (recorder, unseen) = (Arc::clone(&recorder), Arc::clone(&unseen));
            move |state: &Snapshot, app: &AppRecord| {
                recorder.record_state(state, app);
                unseen.fetch_add(1, Ordering::AcqRel);
                // The reconcilers may have been stopped.
                let _ = wakeups.send(app.id);
            }
        };
        let components = Arc::clone(&self.components);
        let ledger = Ledger::start(snapshot, stored_seq, self.store, components, observer);
        let reconcilers = Arc::new(Reconcilers::new(
            Arc::clone(&ledger),
            self.runtime,
            Arc::clone(&self.clock),
            Arc::clone(&recorder),
            Launching {
                placement: settings.placement,
                restart_delay: settings.restart_delay,
                interrupts_weekly: settings.interrupts_weekly,
                vault: Arc::clone(&self.vault),
                volumes: Arc::clone(&self.volumes),
                ids: Arc::clone(&self.ids),
                regions: settings.regions.clone(),
            },
            Arc::clone(&self.components),
            unseen,
        ));
        let platform = Arc::new(Platform {
            ledger,
            _stop: reconcilers.stop_on_drop(),
            reconcilers,
            auth: Authenticator::new(
                Arc::clone(&self.signer),
                Arc::clone(&self.secrets),
                Arc::clone(&self.clock),
                &self.administrator,
                settings.user.clone(),
            ),
            tries: accounts::PasswordTries::default(),
            components: self.components,
            clock: self.clock,
            ids: self.ids,
            signer: self.signer,
            secrets: self.secrets,
            vault: self.vault,
            volumes: self.volumes,
            project,
            is_new,
            settings,
            recorder,
            clock_moves: Mutex::new(()),
        });
        platform.reconcilers.recover().await;
        if !to_wake.is_empty() {
            let now = platform.clock.now();
            let restarted = |tx: &mut Transaction| {
                for id in &to_wake {
                    apply(tx, *id, Event::Restarted, None, now);
                }
                Ok(())
            };
            platform.ledger.transact(restarted).await?;
        }
        platform.reconcilers.start(changed, &to_wake);
        Ok(platform)
    }
}

/// Says which registries need their password again.
fn warn_of_unreadable(snapshot: &Snapshot, vault: &dyn Vault) {
    for registry in snapshot.registries() {
        if let Err(why) = image_access::password(vault, registry) {
            tracing::warn!(registry = %registry.id, %why, "the password of a registry can't be read, so images that need it can't be pulled: give it again");
        }
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

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What tells domain time and real time.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Domain time.
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
    pub fn authenticate(
        &self,
        snapshot: &Snapshot,
        bearer: &str,
        place: Place,
    ) -> Option<Principal> {
        self.auth.authenticate(snapshot, bearer, place)
    }

    /// Stops all replicas and waits at most `deadline` for them. The apps' wanted states stay.
    pub async fn shutdown(&self, deadline: Duration) {
        self.reconcilers.shutdown(deadline).await;
    }

    /// Begins to stop all replicas, without waiting for anything.
    pub fn abandon(&self) {
        self.reconcilers.stop();
    }

    /// Whether the caller may create apps with any labels here.
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

    /// Whether the caller may set the counters of requests to zero.
    pub fn may_reset_counters(&self, caller: &Principal) -> Result<()> {
        let region = self.default_region().ok_or_else(|| Error::Internal("no region".into()))?;
        check(policy::decide(caller, Action::ResetCounters, &Resource::Region(region)))
    }

    /// A region in which the caller may do this; refused for the reason of the token's own region.
    pub fn may_in_a_region(&self, caller: &Principal, action: Action) -> Result<&Region> {
        let mut refusal = None;
        for region in &self.settings().regions {
            let decision = policy::decide(caller, action, &Resource::Region(region));
            if decision.is_allowed() {
                return Ok(region);
            }
            // The token's own region says why; the others only that it is not theirs.
            if refusal.as_ref().is_none_or(|d: &Decision| d.effect == Effect::Unauthenticated) {
                refusal = Some(decision);
            }
        }
        Err(refusal.map_or_else(|| Error::Internal("no region".into()), Error::Denied))
    }

    /// Whether the caller may make links that open the console.
    pub fn may_open_console(&self, caller: &Principal) -> Result<()> {
        let region = self.default_region().ok_or_else(|| Error::Internal("no region".into()))?;
        check(policy::decide(caller, Action::OpenConsole, &Resource::Region(region)))
    }

    /// Changes with every publication of a new snapshot: for views of many records. What depends on
    /// one record subscribes to that ([`Self::watch_access`], [`Self::watch_live`]).
    pub fn watch_changes(&self) -> watch::Receiver<()> {
        self.ledger.watch_changes()
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
