//! A store that forgets everything with the process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ovhai_api_types::{AppId, RegistryId, TokenId};
use ovhai_core::model::{
    AppRecord, Change, EnvironmentOwner, EnvironmentRecord, MappingRecord, RegistryRecord,
    SessionId, SessionRecord, Stored, TokenRecord, UserRecord,
};
use ovhai_core::ports::{BoxFuture, CommitError, Store, StoreError};
use uuid::Uuid;

#[derive(Debug, Default)]
struct Records {
    project: Option<Uuid>,
    apps: HashMap<AppId, AppRecord>,
    tokens: HashMap<TokenId, TokenRecord>,
    registries: BTreeMap<RegistryId, RegistryRecord>,
    users: BTreeMap<String, UserRecord>,
    sessions: BTreeMap<SessionId, SessionRecord>,
    mappings: BTreeMap<String, MappingRecord>,
    environments: BTreeMap<EnvironmentOwner, EnvironmentRecord>,
}

impl Records {
    fn apply(&mut self, change: Change) {
        match change {
            Change::PutApp(app) => drop(self.apps.insert(app.id, AppRecord::clone(&app))),
            Change::RemoveApp(id) => drop(self.apps.remove(&id)),
            Change::PutToken(token) => {
                drop(self.tokens.insert(token.id, TokenRecord::clone(&token)));
            }
            Change::RemoveToken(id) => drop(self.tokens.remove(&id)),
            Change::PutRegistry(registry) => {
                drop(self.registries.insert(registry.id, RegistryRecord::clone(&registry)));
            }
            Change::RemoveRegistry(id) => drop(self.registries.remove(&id)),
            Change::PutUser(user) => {
                drop(self.users.insert(user.name.clone(), UserRecord::clone(&user)));
            }
            Change::RemoveUser(name) => drop(self.users.remove(&name)),
            Change::PutSession(session) => {
                drop(self.sessions.insert(session.id, SessionRecord::clone(&session)));
            }
            Change::RemoveSession(id) => drop(self.sessions.remove(&id)),
            Change::PutMapping(mapping) => {
                drop(self.mappings.insert(mapping.image.clone(), MappingRecord::clone(&mapping)));
            }
            Change::RemoveMapping(image) => drop(self.mappings.remove(&image)),
            Change::PutEnvironment(record) => {
                let owner = record.owner.clone();
                drop(self.environments.insert(owner, EnvironmentRecord::clone(&record)));
            }
            Change::RemoveEnvironment(owner) => drop(self.environments.remove(&owner)),
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct MemoryStore {
    records: Mutex<Records>,
    /// How commits fail, if they do.
    failing: Mutex<Option<CommitError>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has every commit refused from now on, or not any more: for tests of what happens then.
    pub fn set_failing(&self, failing: bool) {
        let why = || CommitError::Refused(StoreError::Failed("the store is set to fail".into()));
        self.fail_with(failing.then(why));
    }

    /// The same, with a failure of the test's choice; nothing is kept, whatever it says.
    pub fn fail_with(&self, why: Option<CommitError>) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn load(&self) -> BoxFuture<'_, Result<Stored, StoreError>> {
        Box::pin(async {
            let records = self.lock();
            Ok(Stored {
                project: records.project,
                apps: records.apps.values().cloned().collect(),
                tokens: records.tokens.values().cloned().collect(),
                registries: records.registries.values().cloned().collect(),
                users: records.users.values().cloned().collect(),
                sessions: records.sessions.values().cloned().collect(),
                mappings: records.mappings.values().cloned().collect(),
                environments: records.environments.values().cloned().collect(),
            })
        })
    }

    fn commit(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(async move {
            let failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone();
            failing.map_or(Ok(()), Err)?;
            let mut records = self.lock();
            for change in changes {
                records.apply(change);
            }
            Ok(())
        })
    }

    fn set_project(&self, project: Uuid) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let mut records = self.lock();
            if records.project.is_some() {
                return Err(StoreError::Failed("the project's id is already set".into()));
            }
            records.project = Some(project);
            Ok(())
        })
    }
}
