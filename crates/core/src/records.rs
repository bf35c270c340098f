//! Changes and the records that the store keeps of them: the one place that knows the kinds.
//!
//! A kind is a name in the store for ever. A record of a kind that is missing here stops the
//! start: a newer version wrote it.

use std::sync::Arc;

use ovhai_api_types::{AppId, RegistryId, TokenId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::model::{
    AppRecord, ClockRecord, DataStoreRecord, EnvironmentOwner, EnvironmentRecord, MappingRecord,
    RegistryRecord, SessionId, SessionRecord, TokenRecord, UserRecord,
};
use crate::ports::{Loaded, Revision, StoreError, StoredRecord, Write};

const APP: &str = "app";
const TOKEN: &str = "token";
const REGISTRY: &str = "registry";
const USER: &str = "user";
const SESSION: &str = "session";
const MAPPING: &str = "mapping";
const ENVIRONMENT: &str = "environment";
const DATA_STORE: &str = "dataStore";
/// The project's id, a single record.
const PROJECT: &str = "project";
/// How domain time differs from real time, a single record.
const CLOCK: &str = "clock";
/// The last number in the order of creation, a single record.
const SEQUENCE: &str = "sequence";
/// The key of a kind with a single record.
const SINGLE: &str = "";

/// One durable change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Adds or replaces an app.
    PutApp(Arc<AppRecord>),
    /// Removes an app.
    RemoveApp(AppId),
    /// Adds or replaces a token.
    PutToken(Arc<TokenRecord>),
    /// Removes a token.
    RemoveToken(TokenId),
    /// Adds or replaces a registry.
    PutRegistry(Arc<RegistryRecord>),
    /// Removes a registry.
    RemoveRegistry(RegistryId),
    /// Adds or replaces a user.
    PutUser(Arc<UserRecord>),
    /// Removes a user, by name.
    RemoveUser(String),
    /// Adds or replaces a session.
    PutSession(Arc<SessionRecord>),
    /// Removes a session.
    RemoveSession(SessionId),
    /// Adds or replaces a mapping.
    PutMapping(Arc<MappingRecord>),
    /// Removes the mapping of an image.
    RemoveMapping(String),
    /// Adds or replaces an environment.
    PutEnvironment(Arc<EnvironmentRecord>),
    /// Removes an environment.
    RemoveEnvironment(EnvironmentOwner),
    /// Sets how domain time differs from real time.
    SetClock(ClockRecord),
    /// Adds or replaces a data store.
    PutDataStore(Arc<DataStoreRecord>),
    /// Removes a data store, by the key of its alias.
    RemoveDataStore(String),
}

fn put(
    kind: &'static str,
    key: impl ToString,
    record: &impl Serialize,
) -> serde_json::Result<Write> {
    Ok(Write::put(kind, key, serde_json::to_string(record)?))
}

impl Change {
    /// The write that the store is asked for.
    pub fn write(&self) -> Result<Write, StoreError> {
        let write = match self {
            Self::PutApp(app) => put(APP, app.id, &**app),
            Self::RemoveApp(id) => Ok(Write::remove(APP, id)),
            Self::PutToken(token) => put(TOKEN, token.id, &**token),
            Self::RemoveToken(id) => Ok(Write::remove(TOKEN, id)),
            Self::PutRegistry(registry) => put(REGISTRY, registry.id, &**registry),
            Self::RemoveRegistry(id) => Ok(Write::remove(REGISTRY, id)),
            Self::PutUser(user) => put(USER, &user.name, &**user),
            Self::RemoveUser(name) => Ok(Write::remove(USER, name)),
            Self::PutSession(session) => put(SESSION, session.id.0, &**session),
            Self::RemoveSession(id) => Ok(Write::remove(SESSION, id.0)),
            Self::PutMapping(mapping) => put(MAPPING, &mapping.image, &**mapping),
            Self::RemoveMapping(image) => Ok(Write::remove(MAPPING, image)),
            Self::PutEnvironment(record) => {
                let write = put(ENVIRONMENT, &record.owner, &**record);
                // An app gets its environment once.
                let replaces = matches!(record.owner, EnvironmentOwner::Image(_));
                write.map(|write| if replaces { write.erasing() } else { write })
            }
            Self::RemoveEnvironment(owner) => Ok(Write::remove(ENVIRONMENT, owner).erasing()),
            Self::SetClock(clock) => put(CLOCK, SINGLE, clock),
            Self::PutDataStore(store) => put(DATA_STORE, store.key(), &**store),
            Self::RemoveDataStore(key) => Ok(Write::remove(DATA_STORE, key)),
        };
        write.map_err(|error| StoreError::Failed(format!("a record can't be written: {error}")))
    }

    /// Whether it removes a record that may have the last number in the order of creation.
    pub(crate) fn frees_number(&self) -> bool {
        matches!(self, Self::RemoveApp(_) | Self::RemoveToken(_) | Self::RemoveRegistry(_))
    }
}

/// Sets the project's id; refused if the store has one.
pub(crate) fn project(id: Uuid) -> Result<Write, StoreError> {
    put(PROJECT, SINGLE, &id)
        .map(|write| write.expects(Revision::NONE))
        .map_err(|error| StoreError::Failed(error.to_string()))
}

/// Sets the last number in the order of creation.
pub(crate) fn sequence(last: u64) -> Write {
    Write::put(SEQUENCE, SINGLE, last.to_string())
}

/// Everything that was stored.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// The project's id; none in a new store.
    pub project: Option<Uuid>,
    /// The last number in the order of creation, or an earlier one if a record has the last.
    pub last_seq: u64,
    /// How domain time differs from real time.
    pub clock: ClockRecord,
    /// The changes that lead to the stored state.
    pub changes: Vec<Change>,
}

impl Stored {
    /// Reads what a store has loaded, and frees each record as soon as it is read.
    pub fn read(loaded: Loaded) -> Result<Self, StoreError> {
        let mut stored = Self::default();
        for record in loaded.records {
            match record.kind.as_str() {
                PROJECT => stored.project = Some(parse(&record)?),
                SEQUENCE => stored.last_seq = parse(&record)?,
                CLOCK => stored.clock = parse(&record)?,
                _ => stored.changes.extend(change(&record)?),
            }
        }
        Ok(stored)
    }
}

/// The change that a record was written for.
fn change(record: &StoredRecord) -> Result<Option<Change>, StoreError> {
    Ok(Some(match record.kind.as_str() {
        APP => Change::PutApp(parse(record)?),
        TOKEN => Change::PutToken(parse(record)?),
        REGISTRY => Change::PutRegistry(parse(record)?),
        USER => Change::PutUser(parse(record)?),
        SESSION => match parse(record) {
            Ok(session) => Change::PutSession(session),
            // The user logs in again; the other records load.
            Err(error) => {
                tracing::warn!(%error, "a session is left out");
                return Ok(None);
            }
        },
        MAPPING => Change::PutMapping(parse(record)?),
        ENVIRONMENT => Change::PutEnvironment(parse(record)?),
        DATA_STORE => Change::PutDataStore(parse(record)?),
        other => {
            return Err(StoreError::Failed(format!(
                "there are records of the kind {other:?}, which this ovhai does not know: a newer one wrote them"
            )));
        }
    }))
}

fn parse<T: DeserializeOwned>(record: &StoredRecord) -> Result<T, StoreError> {
    serde_json::from_str(&record.record).map_err(|error| {
        // The record's text is not shown: it may be a secret.
        let (kind, key, at) = (&record.kind, &record.key, error.column());
        StoreError::Failed(format!("the record of {kind} {key} is damaged at byte {at}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(kind: &str, record: &str) -> Loaded {
        let record = StoredRecord {
            kind: kind.into(),
            key: "k".into(),
            record: record.into(),
            revision: Revision(1),
        };
        Loaded { revision: Revision(1), records: vec![record] }
    }

    #[test]
    fn a_damaged_record_is_named_and_not_shown() {
        let error = Stored::read(loaded(ENVIRONMENT, "\"hush\"")).unwrap_err().to_string();
        assert!(error.contains("environment k is damaged") && !error.contains("hush"), "{error}");
    }

    #[test]
    fn a_session_of_another_shape_is_left_out() {
        assert!(Stored::read(loaded(SESSION, "{}")).unwrap().changes.is_empty());
    }

    #[test]
    fn a_kind_of_a_newer_version_is_refused() {
        let error = Stored::read(loaded("volume", "{}")).unwrap_err().to_string();
        assert!(error.contains("\"volume\"") && error.contains("newer"), "{error}");
    }

    #[test]
    fn written_records_are_read_again() {
        let user = Arc::new(UserRecord {
            name: "ann".into(),
            password: "$argon2id$…".into(),
            created_at: ovhai_api_types::Timestamp::UNIX_EPOCH,
            updated_at: ovhai_api_types::Timestamp::UNIX_EPOCH,
        });
        let change = Change::PutUser(user);
        let write = change.write().unwrap();
        assert_eq!(
            Stored::read(loaded(&write.kind, &write.record.unwrap())).unwrap().changes,
            [change]
        );
    }
}
