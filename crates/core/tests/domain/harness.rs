//! A platform of which nothing is real.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ovhai_api_types::{AppId, AppSpec, AppState, Region, Timestamp, TokenSpec};
use ovhai_core::model::{AppRecord, TokenClaims};
use ovhai_core::policy::Principal;
use ovhai_core::ports::{
    BoxFuture, Clock, Ids, Runtime, SecretError, Secrets, SignError, Signer, Store, Vault,
};
use ovhai_core::quota::Quotas;
use ovhai_core::{Platform, PlatformBuilder, Settings};
use ovhai_runtime::SimRuntime;
use ovhai_store::MemoryStore;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::sim_volumes::SimVolumes;

/// Domain time goes on with tokio's, which tests pause and advance, and can be moved ahead of it.
pub(crate) struct TestClock {
    began: Instant,
    ahead: watch::Sender<Duration>,
}

impl TestClock {
    fn new() -> Self {
        Self { began: Instant::now(), ahead: watch::Sender::new(Duration::ZERO) }
    }

    /// Moves domain time forward; no real time passes.
    pub(crate) fn pass(&self, time: Duration) {
        self.ahead.send_modify(|ahead| *ahead += time);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.real_time() + *self.ahead.borrow()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut ahead = self.ahead.subscribe();
            loop {
                match Duration::try_from(at.duration_since(self.now())) {
                    Ok(left) if !left.is_zero() => tokio::select! {
                        () = tokio::time::sleep(left) => {}
                        moved = ahead.changed() => moved.unwrap(),
                    },
                    _ => return,
                }
            }
        })
    }

    fn real_time(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.began.elapsed()
    }

    fn moved(&self) -> Option<Timestamp> {
        (!self.ahead.borrow().is_zero()).then(|| self.now())
    }
}

pub(crate) struct TestIds(AtomicU64);

impl Ids for TestIds {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(self.0.fetch_add(1, Ordering::SeqCst).into())
    }
}

/// Tokens are their claims, readable.
pub(crate) struct PlainSigner;

impl Signer for PlainSigner {
    fn sign(&self, claims: &TokenClaims) -> Result<String, SignError> {
        Ok(format!("{}|{}|{}|{}", claims.project, claims.id, claims.version, claims.subject))
    }

    fn verify(&self, token: &str) -> Option<TokenClaims> {
        let parts: Vec<_> = token.split('|').collect();
        let [project, id, version, subject] = parts[..] else { return None };
        Some(TokenClaims {
            project: project.parse().ok()?,
            id: id.parse().ok()?,
            version: version.parse().ok()?,
            subject: subject.parse().ok()?,
        })
    }
}

/// Secrets are numbers in their order, and nothing is hidden.
#[derive(Default)]
pub(crate) struct PlainSecrets(AtomicU64);

impl Secrets for PlainSecrets {
    fn random(&self) -> Result<String, SecretError> {
        Ok(format!("secret{}", self.0.fetch_add(1, Ordering::SeqCst)))
    }

    fn digest(&self, secret: &str) -> String {
        format!("digest of {secret}")
    }

    fn hash_password(&self, password: String) -> BoxFuture<'_, Result<String, SecretError>> {
        Box::pin(async move { Ok(format!("hash of {password}")) })
    }

    fn verify_password(&self, password: String, hash: String) -> BoxFuture<'_, bool> {
        Box::pin(async move { hash == format!("hash of {password}") })
    }
}

/// Seals by writing down for what.
pub(crate) struct PlainVault;

impl Vault for PlainVault {
    fn seal(&self, purpose: String, secret: String) -> BoxFuture<'_, Result<String, SecretError>> {
        Box::pin(async move { Ok(format!("{purpose}|{secret}")) })
    }

    fn open(&self, purpose: &str, sealed: &str) -> Result<String, SecretError> {
        let opened = sealed.strip_prefix(purpose).and_then(|rest| rest.strip_prefix('|'));
        opened.map(str::to_owned).ok_or_else(|| SecretError("another key".into()))
    }
}

/// The stored records of a kind.
pub(crate) async fn stored<T: DeserializeOwned>(store: &dyn Store, kind: &str) -> Vec<T> {
    let records = store.load().await.unwrap().records.into_iter();
    records
        .filter(|record| record.kind == kind)
        .map(|record| serde_json::from_str(&record.record).unwrap())
        .collect()
}

pub(crate) struct World {
    pub(crate) volumes: SimVolumes,
    pub(crate) platform: Arc<Platform>,
    pub(crate) sim: SimRuntime,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) gra: Region,
    pub(crate) admin: Principal,
}

impl World {
    pub(crate) async fn new(sim: SimRuntime) -> Self {
        Self::on(sim, Arc::new(MemoryStore::new())).await
    }

    pub(crate) async fn step_by_step() -> Self {
        Self::new(SimRuntime::step_by_step()).await
    }

    pub(crate) async fn automatic() -> Self {
        Self::new(SimRuntime::automatic(([127, 0, 0, 1], 9).into())).await
    }

    /// On a store that may hold something already.
    pub(crate) async fn on(sim: SimRuntime, store: Arc<MemoryStore>) -> Self {
        Self::with(sim, store, Quotas::UNLIMITED).await
    }

    pub(crate) async fn with(sim: SimRuntime, store: Arc<MemoryStore>, quotas: Quotas) -> Self {
        Self::set(sim, store, Settings { quotas, ..Settings::default() }).await
    }

    /// With these settings but for regions and user.
    pub(crate) async fn set(sim: SimRuntime, store: Arc<MemoryStore>, settings: Settings) -> Self {
        Self::of(sim.clone(), store.clone(), settings, Arc::new(sim), store, None).await
    }

    /// With a clock of the test's own instead of [`Self::clock`].
    pub(crate) async fn at(
        clock: Arc<dyn Clock>,
        sim: SimRuntime,
        store: Arc<MemoryStore>,
        settings: Settings,
    ) -> Self {
        let runtime = Arc::new(sim.clone());
        Self::of(sim, Arc::clone(&store), settings, runtime, store, Some(clock)).await
    }

    /// On a runtime and an empty store of the test's own, around the simulated ones.
    pub(crate) async fn made_of(
        sim: SimRuntime,
        runtime: Option<Arc<dyn Runtime>>,
        port: Option<Arc<dyn Store>>,
    ) -> Self {
        let store = Arc::new(MemoryStore::new());
        let runtime = runtime.unwrap_or_else(|| Arc::new(sim.clone()));
        let port = port.unwrap_or_else(|| store.clone());
        let settings = Settings { quotas: Quotas::UNLIMITED, ..Settings::default() };
        Self::of(sim, store, settings, runtime, port, None).await
    }

    async fn of(
        sim: SimRuntime,
        store: Arc<MemoryStore>,
        settings: Settings,
        runtime: Arc<dyn Runtime>,
        port: Arc<dyn Store>,
        own_clock: Option<Arc<dyn Clock>>,
    ) -> Self {
        let regions = ["GRA", "BHS"].map(|name| name.parse().unwrap()).to_vec();
        let used = stored::<AppRecord>(&*store, "app").await.len() as u64 * 1000;
        let clock = Arc::new(TestClock::new());
        let volumes = SimVolumes::default();
        let platform = PlatformBuilder {
            store: port,
            runtime,
            clock: own_clock.unwrap_or_else(|| Arc::clone(&clock) as _),
            ids: Arc::new(TestIds(AtomicU64::new(used))),
            signer: Arc::new(PlainSigner),
            secrets: Arc::new(PlainSecrets::default()),
            volumes: Arc::new(volumes.clone()),
            vault: Arc::new(PlainVault),
            administrator: "admin".into(),
            settings: Settings { regions, user: "me".into(), ..settings },
            components: Arc::default(),
        }
        .start()
        .await
        .unwrap();
        let admin = Principal::Administrator { user: "me".into() };
        Self { volumes, platform, sim, store, clock, gra: "GRA".parse().unwrap(), admin }
    }

    pub(crate) async fn submit(&self, json: &str) -> AppId {
        let spec: AppSpec = serde_json::from_str(json).unwrap();
        self.platform.create_app(&self.admin, &self.gra, &spec).await.unwrap().record.id
    }

    /// A new operator token without a selector.
    pub(crate) async fn operator(&self) -> Principal {
        let spec = TokenSpec { name: "op".into(), role: "operator".into(), label_selector: None };
        let made = self.platform.create_token(&self.admin, &self.gra, &spec).await.unwrap();
        Principal::Token(made.record)
    }

    pub(crate) fn state(&self, id: AppId) -> Option<AppState> {
        self.platform.snapshot().app(id).map(|entry| entry.record.state)
    }

    pub(crate) fn info(&self, id: AppId) -> String {
        self.platform.snapshot().app(id).unwrap().info().message
    }

    pub(crate) fn endpoints(&self, id: AppId) -> usize {
        self.platform.snapshot().app(id).map_or(0, |entry| entry.live.backends.len())
    }

    pub(crate) fn history(&self, id: AppId) -> Vec<AppState> {
        self.platform.snapshot().app(id).unwrap().record.history.iter().map(|h| h.state).collect()
    }

    /// Lets everything happen that can happen now; time does not pass.
    pub(crate) async fn settle(&self) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn becomes(&self, id: AppId, state: AppState) {
        self.settle().await;
        assert_eq!(self.state(id), Some(state), "history: {:?}", self.history(id));
    }

    pub(crate) async fn pass(&self, time: Duration) {
        self.settle().await;
        tokio::time::advance(time).await;
        self.settle().await;
    }
}
