//! The in-memory directory: an immutable snapshot of all apps and tokens.
//!
//! A snapshot shares its structure with the one before, so that a change costs the logarithm of
//! the size. Labels are indexed by key and value; a label query begins at the smallest posting
//! list among its terms, so that its cost grows with what it may match and not with the number
//! of apps; a selector of `!=`, `notin` and `!key` alone, which most apps match anyway, scans its
//! region. The platform's own labels are not in the lists: `ovh/id` is the primary key, and
//! `ovh/type` is the same for all apps.

use std::ops::Deref;
use std::sync::Arc;

use ovhai_api_types::{
    AppId, AppState, ImageName, Info, LabelKey, LabelValue, Labels, PLATFORM_ID, PLATFORM_TYPE,
    Region, RegistryId, Selector, Term, TokenId,
};
use tokio_util::task::TaskTracker;

use crate::lifecycle::{may_answer, message};
use crate::logs::LogBuffer;
use crate::model::{
    AppRecord, DataStoreRecord, EnvironmentOwner, EnvironmentRecord, MappingRecord, RegistryRecord,
    SessionId, SessionRecord, TokenRecord, UserRecord, Wanted,
};
use crate::ports::ReplicaEndpoint;
use crate::quota::Usage;
use crate::records::{Change, Stored};
use crate::replica::{Observed, ReplicaId, ReplicaKey};

/// A replica that answers.
#[derive(Debug, Clone)]
pub struct Backend {
    /// Its addresses.
    pub endpoint: ReplicaEndpoint,
    /// Which run of which replica it is.
    pub replica: ReplicaId,
    /// The same, among the replicas of all apps: connections and health are kept by this, never by
    /// the address alone.
    pub key: ReplicaKey,
    /// Each request in flight there holds a token of this: before the replica is asked to stop, they
    /// have time to finish.
    pub under_way: TaskTracker,
}

impl Deref for Backend {
    type Target = ReplicaEndpoint;

    fn deref(&self) -> &ReplicaEndpoint {
        &self.endpoint
    }
}

impl PartialEq for Backend {
    fn eq(&self, other: &Self) -> bool {
        // Another replica may have got the same address.
        self.endpoint == other.endpoint
            && self.key == other.key
            && TaskTracker::ptr_eq(&self.under_way, &other.under_way)
    }
}

/// State of an app that is known only while it runs, and not stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Live {
    /// Its ready replicas.
    pub backends: Vec<Backend>,
    /// It has no ready replica because it is asleep: it answers some time after it is woken.
    pub asleep: bool,
}

/// An app in the directory.
#[derive(Debug, Clone)]
pub struct AppEntry {
    /// The stored record.
    pub record: Arc<AppRecord>,
    /// The observed state.
    pub live: Arc<Live>,
    /// Its output.
    pub logs: Arc<LogBuffer>,
    /// The state of its replicas; not part of the snapshot.
    pub observed: Arc<Observed>,
}

impl AppEntry {
    /// Whether it would answer if it were woken.
    pub fn is_asleep(&self) -> bool {
        self.live.asleep && self.record.wanted == Wanted::Running && may_answer(self.record.state)
    }

    /// Why the app is in its state: the replicas' progress overrides the stored reason.
    pub fn info(&self) -> Info {
        let mut info = self.record.info.clone();
        if may_answer(self.record.state)
            && let Some(says) = &self.observed.now().says
        {
            info.message.clone_from(says);
        }
        if self.record.state == AppState::Initializing
            && let Some(run) = self.observed.syncs().running()
        {
            info.message = format!("{}: {}", message(self.record.state), run.says());
        }
        info
    }
}

/// A sorted set of sequence numbers; small ones, which are most, are one allocation.
#[derive(Debug, Clone)]
enum Posting {
    Few(Arc<[u64]>),
    Many(imbl::OrdSet<u64>),
}

const FEW: usize = 32;

impl Posting {
    fn len(&self) -> usize {
        match self {
            Self::Few(few) => few.len(),
            Self::Many(many) => many.len(),
        }
    }

    fn iter(&self) -> Box<dyn Iterator<Item = u64> + '_> {
        match self {
            Self::Few(few) => Box::new(few.iter().copied()),
            Self::Many(many) => Box::new(many.iter().copied()),
        }
    }

    fn with(&self, seq: u64) -> Self {
        match self {
            Self::Few(few) => match few.binary_search(&seq) {
                Ok(_) => self.clone(),
                Err(_) if few.len() == FEW => {
                    Self::Many(few.iter().copied().chain([seq]).collect())
                }
                Err(at) => Self::Few(
                    few[..at]
                        .iter()
                        .copied()
                        .chain([seq])
                        .chain(few[at..].iter().copied())
                        .collect(),
                ),
            },
            Self::Many(many) => Self::Many(many.update(seq)),
        }
    }

    /// The set without `seq`; none when nothing is left.
    fn without(&self, seq: u64) -> Option<Self> {
        match self {
            Self::Few(few) => {
                let left: Arc<[u64]> = few.iter().copied().filter(|s| *s != seq).collect();
                (!left.is_empty()).then_some(Self::Few(left))
            }
            Self::Many(many) => {
                let left = many.without(&seq);
                if left.len() <= FEW / 2 {
                    let left: Arc<[u64]> = left.iter().copied().collect();
                    (!left.is_empty()).then_some(Self::Few(left))
                } else {
                    Some(Self::Many(left))
                }
            }
        }
    }
}

#[derive(Debug, Clone, Default)]
struct KeyIndex {
    any: Option<Posting>,
    values: imbl::HashMap<LabelValue, Posting>,
}

#[derive(Debug, Clone, Default)]
struct RegionIndex {
    by_seq: imbl::OrdMap<u64, AppId>,
    labels: imbl::HashMap<LabelKey, KeyIndex>,
    usage: Usage,
}

fn is_indexed(key: &LabelKey) -> bool {
    !matches!(key.as_str(), PLATFORM_ID | PLATFORM_TYPE)
}

impl RegionIndex {
    fn add(&mut self, record: &AppRecord) {
        self.by_seq.insert(record.seq, record.id);
        for (key, value) in record.labels.iter().filter(|(key, _)| is_indexed(key)) {
            let index = self.labels.entry(key.clone()).or_default();
            let with = |posting: Option<&Posting>| match posting {
                Some(posting) => posting.with(record.seq),
                None => Posting::Few([record.seq].into()),
            };
            index.any = Some(with(index.any.as_ref()));
            let values = with(index.values.get(value));
            index.values.insert(value.clone(), values);
        }
    }

    fn remove(&mut self, record: &AppRecord) {
        self.by_seq.remove(&record.seq);
        self.remove_labels(record.seq, &record.labels);
    }

    fn remove_labels(&mut self, seq: u64, labels: &Labels) {
        for (key, value) in labels.iter().filter(|(key, _)| is_indexed(key)) {
            let Some(index) = self.labels.get_mut(key) else { continue };
            index.any = index.any.as_ref().and_then(|posting| posting.without(seq));
            match index.values.get(value).and_then(|posting| posting.without(seq)) {
                Some(posting) => index.values.insert(value.clone(), posting),
                None => index.values.remove(value),
            };
            if index.any.is_none() {
                self.labels.remove(key);
            }
        }
    }

    /// The posting lists that together hold everything a term can match; none if the term can't
    /// narrow a search.
    fn postings(&self, term: &Term) -> Option<Vec<&Posting>> {
        let key = term.key();
        if !is_indexed(key) {
            return None;
        }
        let index = self.labels.get(key);
        let of = |value: &LabelValue| index.and_then(|index| index.values.get(value));
        match term {
            Term::Equals(_, value) => Some(of(value).into_iter().collect()),
            Term::In(_, values) => Some(values.iter().filter_map(of).collect()),
            Term::Exists(_) | Term::Greater(..) | Term::Less(..) => {
                Some(index.and_then(|i| i.any.as_ref()).into_iter().collect())
            }
            Term::NotEquals(..) | Term::NotIn(..) | Term::Absent(_) => None,
        }
    }
}

/// All records at one moment. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    apps: imbl::HashMap<AppId, Arc<AppEntry>>,
    tokens: imbl::HashMap<TokenId, Arc<TokenRecord>>,
    registries: imbl::OrdMap<RegistryId, Arc<RegistryRecord>>,
    users: imbl::OrdMap<String, Arc<UserRecord>>,
    sessions: imbl::HashMap<SessionId, Arc<SessionRecord>>,
    /// By the canonical spelling of the image's name.
    mappings: imbl::OrdMap<String, Arc<MappingRecord>>,
    environments: imbl::HashMap<EnvironmentOwner, Arc<EnvironmentRecord>>,
    /// By the key of the alias.
    data_stores: imbl::OrdMap<String, Arc<DataStoreRecord>>,
    regions: imbl::OrdMap<Region, RegionIndex>,
    last_seq: u64,
}

impl Snapshot {
    /// One app, in any region.
    pub fn app(&self, id: AppId) -> Option<&Arc<AppEntry>> {
        self.apps.get(&id)
    }

    /// One token, in any region.
    pub fn token(&self, id: TokenId) -> Option<&Arc<TokenRecord>> {
        self.tokens.get(&id)
    }

    /// All apps, in no order.
    pub fn apps(&self) -> impl Iterator<Item = &Arc<AppEntry>> {
        self.apps.values()
    }

    /// Number of apps in all regions.
    pub fn app_count(&self) -> usize {
        self.apps.len()
    }

    /// The tokens of one region, newest first.
    pub fn tokens_of(&self, region: &Region) -> Vec<Arc<TokenRecord>> {
        let mut tokens: Vec<_> =
            self.tokens.values().filter(|token| token.region == *region).cloned().collect();
        tokens.sort_unstable_by_key(|token| std::cmp::Reverse(token.seq));
        tokens
    }

    /// The registries of one region, newest first.
    pub fn registries_of(&self, region: &Region) -> Vec<Arc<RegistryRecord>> {
        let mut all: Vec<_> =
            self.registries.values().filter(|one| one.region == *region).cloned().collect();
        all.sort_unstable_by_key(|one| std::cmp::Reverse(one.seq));
        all
    }

    /// All registries.
    pub fn registries(&self) -> impl Iterator<Item = &Arc<RegistryRecord>> {
        self.registries.values()
    }

    /// One registry, in any region.
    pub fn registry(&self, id: RegistryId) -> Option<&Arc<RegistryRecord>> {
        self.registries.get(&id)
    }

    /// All users, by name.
    pub fn users(&self) -> impl Iterator<Item = &Arc<UserRecord>> {
        self.users.values()
    }

    /// One user.
    pub fn user(&self, name: &str) -> Option<&Arc<UserRecord>> {
        self.users.get(name)
    }

    /// All sessions, in no order.
    pub fn sessions(&self) -> impl Iterator<Item = &Arc<SessionRecord>> {
        self.sessions.values()
    }

    /// One session, which may have expired.
    pub fn session(&self, id: SessionId) -> Option<&Arc<SessionRecord>> {
        self.sessions.get(&id)
    }

    /// All mappings of images, by image.
    pub fn mappings(&self) -> impl Iterator<Item = &Arc<MappingRecord>> {
        self.mappings.values()
    }

    /// The mapping that applies to an image: that of its digest, else of its tag, else of all its
    /// tags.
    pub fn mapping(&self, image: &str) -> Option<&Arc<MappingRecord>> {
        ImageName::parse(image).lookups().find_map(|name| self.mappings.get(&name))
    }

    /// The mapping of exactly this reference, in any spelling.
    pub fn mapping_of(&self, image: &str) -> Option<&Arc<MappingRecord>> {
        self.mappings.get(&ImageName::parse(image).canonical())
    }

    /// The environment of the command line that an app or a mapping was made with.
    pub fn environment(&self, owner: &EnvironmentOwner) -> Option<&Arc<EnvironmentRecord>> {
        self.environments.get(owner)
    }

    /// The data stores that were added, by alias.
    pub fn data_stores(&self) -> impl Iterator<Item = &Arc<DataStoreRecord>> {
        self.data_stores.values()
    }

    /// The data store that was added with this alias, in any case.
    pub fn data_store(&self, alias: &str) -> Option<&Arc<DataStoreRecord>> {
        self.data_stores.get(&DataStoreRecord::key_of(alias))
    }

    /// What the apps of a region use at this moment.
    pub fn usage(&self, region: &Region) -> Usage {
        self.regions.get(region).map(|index| index.usage).unwrap_or_default()
    }

    /// The apps of one region that satisfy all selectors, oldest first.
    pub fn matching(&self, region: &Region, selectors: &[&Selector]) -> Vec<Arc<AppEntry>> {
        let fits = |entry: &Arc<AppEntry>| {
            selectors.iter().all(|selector| selector.matches(&entry.record.labels))
        };
        let terms = || selectors.iter().flat_map(|selector| selector.terms());
        let by_id = terms().find_map(|term| match term {
            Term::Equals(key, value) if key.as_str() == PLATFORM_ID => Some(value),
            _ => None,
        });
        if let Some(id) = by_id {
            let entry = id.as_str().parse().ok().and_then(|id: AppId| self.apps.get(&id));
            return entry
                .filter(|entry| entry.record.region == *region && fits(entry))
                .cloned()
                .into_iter()
                .collect();
        }
        let Some(index) = self.regions.get(region) else { return Vec::new() };
        let narrowest = terms()
            .filter_map(|term| index.postings(term))
            .min_by_key(|postings| postings.iter().map(|posting| posting.len()).sum::<usize>());
        let entry = |id: &AppId| self.apps.get(id);
        match narrowest {
            None => index.by_seq.values().filter_map(entry).filter(|e| fits(e)).cloned().collect(),
            Some(postings) => {
                let mut found: Vec<_> = postings
                    .iter()
                    .flat_map(|posting| posting.iter())
                    .filter_map(|seq| index.by_seq.get(&seq).and_then(entry))
                    .filter(|e| fits(e))
                    .cloned()
                    .collect();
                if postings.len() > 1 {
                    found.sort_unstable_by_key(|entry| entry.record.seq);
                }
                found
            }
        }
    }

    /// The next number in the order of creation.
    pub(crate) fn next_seq(&mut self) -> u64 {
        self.last_seq += 1;
        self.last_seq
    }

    /// The last number in the order of creation.
    pub(crate) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// The stored state.
    pub(crate) fn restore(stored: &Stored) -> Self {
        let mut snapshot = Self { last_seq: stored.last_seq, ..Self::default() };
        for change in &stored.changes {
            snapshot.apply(change);
        }
        snapshot
    }

    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::PutApp(app) => self.put_app(Arc::clone(app)),
            Change::RemoveApp(id) => self.remove_app(*id),
            Change::PutToken(token) => {
                self.last_seq = self.last_seq.max(token.seq);
                self.tokens.insert(token.id, Arc::clone(token));
            }
            Change::RemoveToken(id) => drop(self.tokens.remove(id)),
            Change::PutRegistry(registry) => {
                self.last_seq = self.last_seq.max(registry.seq);
                self.registries.insert(registry.id, Arc::clone(registry));
            }
            Change::RemoveRegistry(id) => drop(self.registries.remove(id)),
            Change::PutUser(user) => drop(self.users.insert(user.name.clone(), Arc::clone(user))),
            Change::RemoveUser(name) => drop(self.users.remove(name)),
            Change::PutSession(session) => {
                self.sessions.insert(session.id, Arc::clone(session));
            }
            Change::RemoveSession(id) => drop(self.sessions.remove(id)),
            Change::PutMapping(mapping) => {
                let name = ImageName::parse(&mapping.image).canonical();
                self.mappings.insert(name, Arc::clone(mapping));
            }
            Change::RemoveMapping(image) => {
                self.mappings.remove(&ImageName::parse(image).canonical());
            }
            Change::PutEnvironment(record) => {
                self.environments.insert(record.owner.clone(), Arc::clone(record));
            }
            Change::RemoveEnvironment(owner) => drop(self.environments.remove(owner)),
            // The clock itself has it.
            Change::SetClock(_) => {}
            Change::PutDataStore(store) => {
                self.data_stores.insert(store.key(), Arc::clone(store));
            }
            Change::RemoveDataStore(key) => drop(self.data_stores.remove(key)),
        }
    }

    fn put_app(&mut self, record: Arc<AppRecord>) {
        self.last_seq = self.last_seq.max(record.seq);
        let index = self.regions.entry(record.region.clone()).or_default();
        let (live, logs, observed) = match self.apps.get(&record.id) {
            Some(old) => {
                index.usage -= Usage::of(&old.record);
                if old.record.labels != record.labels {
                    index.remove_labels(old.record.seq, &old.record.labels);
                    index.add(&record);
                }
                (Arc::clone(&old.live), Arc::clone(&old.logs), Arc::clone(&old.observed))
            }
            None => {
                index.add(&record);
                (Arc::default(), Arc::default(), Arc::default())
            }
        };
        index.usage += Usage::of(&record);
        self.apps.insert(record.id, Arc::new(AppEntry { record, live, logs, observed }));
    }

    pub(crate) fn set_live(&mut self, id: AppId, live: Live) {
        if let Some(entry) = self.apps.get(&id) {
            let entry = AppEntry {
                record: Arc::clone(&entry.record),
                live: Arc::new(live),
                logs: Arc::clone(&entry.logs),
                observed: Arc::clone(&entry.observed),
            };
            self.apps.insert(id, Arc::new(entry));
        }
    }

    fn remove_app(&mut self, id: AppId) {
        if let Some(entry) = self.apps.remove(&id)
            && let Some(index) = self.regions.get_mut(&entry.record.region)
        {
            index.remove(&entry.record);
            index.usage -= Usage::of(&entry.record);
        }
    }
}
