//! Users, and the sessions that they log in to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ovhai_api_types::Timestamp;
use tokio::sync::Semaphore;

use super::{Platform, check};
use crate::auth::{ACCESS_PREFIX, REFRESH_PREFIX};
use crate::directory::Snapshot;
use crate::error::{Error, Result};
use crate::input::PASSWORD_LENGTH;
use crate::ledger::Transaction;
use crate::model::{Digest, SessionId, SessionRecord, UserRecord};
use crate::policy::{self, Action, Principal, Resource};
use crate::ports::clock::{after, elapsed};
use crate::ports::{SecretError, Secrets};
use crate::records::Change;

/// Maximum number of sessions of a user; the oldest end first.
const SESSIONS: usize = 50;
/// Maximum number of strings for calls that a session has at once.
const REPLACED: usize = 8;
/// Maximum number of wrong passwords for a name within [`WINDOW`]; further ones are refused.
const TRIES: u32 = 10;
const WINDOW: Duration = Duration::from_mins(1);
/// Maximum number of names that are counted separately.
const COUNTED: usize = 1000;
/// Stands for all other names; no user has it.
const OTHERS: &str = "";
/// Maximum number of passwords that are hashed at once: it takes memory and time.
const HASHING: usize = 2;
/// Maximum wait for a turn to hash.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a login lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTtl {
    /// The access string, which calls are made with.
    pub access: Duration,
    /// The refresh string, which makes new ones of both.
    pub refresh: Duration,
}

impl Default for SessionTtl {
    fn default() -> Self {
        Self { access: Duration::from_hours(1), refresh: Duration::from_hours(30 * 24) }
    }
}

/// A login's strings, which exist only here.
pub struct IssuedSession {
    /// The access string.
    pub access: String,
    /// The refresh string.
    pub refresh: String,
    /// Lifetime of the access string.
    pub expires_in: Duration,
}

impl std::fmt::Debug for IssuedSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedSession")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// Counts wrong passwords, and limits how many are verified.
#[derive(Debug)]
pub(super) struct PasswordTries {
    wrong: Mutex<HashMap<String, (u32, Timestamp)>>,
    hashing: Semaphore,
}

impl Default for PasswordTries {
    fn default() -> Self {
        Self { wrong: Mutex::default(), hashing: Semaphore::new(HASHING) }
    }
}

impl PasswordTries {
    fn may_try(&self, name: &str, now: Timestamp) -> Result<()> {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let of_name = if wrong.contains_key(name) { name } else { OTHERS };
        let Some((count, since)) = wrong.get(of_name) else { return Ok(()) };
        let left = WINDOW.saturating_sub(elapsed(*since, now));
        if *count < TRIES || left.is_zero() {
            return Ok(());
        }
        Err(Error::TooManyTries { seconds: left.as_secs() + 1 })
    }

    fn failed(&self, name: &str, now: Timestamp) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let mut name = name;
        if wrong.len() >= COUNTED && !wrong.contains_key(name) {
            wrong.retain(|_, (_, since)| elapsed(*since, now) < WINDOW);
            if wrong.len() >= COUNTED {
                // A client tries many names: the rest of them are counted as one.
                name = OTHERS;
            }
        }
        let (count, since) = wrong.entry(name.to_owned()).or_insert_with(|| (0, now));
        if elapsed(*since, now) >= WINDOW {
            (*count, *since) = (0, now);
        }
        *count += 1;
    }

    fn succeeded(&self, name: &str) {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

fn internal(SecretError(why): SecretError) -> Error {
    Error::Internal(why)
}

fn checked_name(name: &str) -> Result<()> {
    let fits = (1..=64).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte));
    if fits {
        return Ok(());
    }
    Err(Error::invalid(
        "name",
        "use 1 to 64 letters, digits, dots, hyphens, underscores or @, a letter or digit first",
    ))
}

fn checked_password(password: &str) -> Result<()> {
    if PASSWORD_LENGTH.contains(&password.chars().count()) {
        return Ok(());
    }
    let (shortest, longest) = (PASSWORD_LENGTH.start(), PASSWORD_LENGTH.end());
    Err(Error::invalid("password", format!("use {shortest} to {longest} characters")))
}

fn end_sessions(tx: &mut Transaction, fits: impl Fn(&SessionRecord) -> bool) {
    let ended: Vec<SessionId> =
        tx.state().sessions().filter(|session| fits(session)).map(|session| session.id).collect();
    for id in ended {
        tx.apply(Change::RemoveSession(id));
    }
}

impl Platform {
    fn may_manage_users(&self, caller: &Principal) -> Result<()> {
        let region = self.default_region().ok_or_else(|| Error::Internal("no region".into()))?;
        check(policy::decide(caller, Action::Users, &Resource::Region(region)))
    }

    /// All users, by name.
    pub fn list_users(&self, caller: &Principal) -> Result<Vec<Arc<UserRecord>>> {
        self.may_manage_users(caller)?;
        Ok(self.snapshot().users().cloned().collect())
    }

    async fn hash(&self, password: String) -> Result<String> {
        let _turn = self.tries.hashing.acquire().await.map_err(|_| Error::ShuttingDown)?;
        self.secrets.hash_password(password).await.map_err(internal)
    }

    /// Adds a user.
    pub async fn add_user(&self, caller: &Principal, name: &str, password: String) -> Result<()> {
        self.may_manage_users(caller)?;
        checked_name(name)?;
        checked_password(&password)?;
        let exists = || Error::Exists { kind: "user", id: name.to_owned() };
        // People would confuse two names that differ in case only.
        let taken =
            |snapshot: &Snapshot| snapshot.users().any(|user| user.name.eq_ignore_ascii_case(name));
        if taken(&self.snapshot()) {
            return Err(exists());
        }
        let password = self.hash(password).await?;
        let now = self.clock.now();
        self.ledger
            .transact(|tx| {
                if taken(tx.state()) {
                    return Err(exists());
                }
                let name = name.to_owned();
                let user = UserRecord { name, password, created_at: now, updated_at: now };
                tx.apply(Change::PutUser(Arc::new(user)));
                Ok(())
            })
            .await
    }

    /// Sets a user's password, and ends the user's sessions.
    pub async fn set_password(
        &self,
        caller: &Principal,
        name: &str,
        password: String,
    ) -> Result<()> {
        self.may_manage_users(caller)?;
        checked_password(&password)?;
        let missing = || Error::NotFound { kind: "user", id: name.to_owned() };
        if self.snapshot().user(name).is_none() {
            return Err(missing());
        }
        let password = self.hash(password).await?;
        let now = self.clock.now();
        self.ledger
            .transact(|tx| {
                let user = tx.state().user(name).ok_or_else(missing)?;
                let user = UserRecord { password, updated_at: now, ..UserRecord::clone(user) };
                tx.apply(Change::PutUser(Arc::new(user)));
                end_sessions(tx, |session| session.user == name);
                Ok(())
            })
            .await?;
        self.tries.succeeded(name);
        Ok(())
    }

    /// Removes a user and ends the user's sessions.
    pub async fn remove_user(&self, caller: &Principal, name: &str) -> Result<()> {
        self.may_manage_users(caller)?;
        self.ledger
            .transact(|tx| {
                let missing = || Error::NotFound { kind: "user", id: name.to_owned() };
                tx.state().user(name).ok_or_else(missing)?;
                tx.apply(Change::RemoveUser(name.to_owned()));
                end_sessions(tx, |session| session.user == name);
                Ok(())
            })
            .await
    }

    /// Logs in with name and password. Neither the error nor its time tells whether the name or the
    /// password is wrong.
    pub async fn log_in(&self, name: &str, password: String) -> Result<IssuedSession> {
        let user = self.verify_credentials(name, password).await?;
        self.begin_session(&user, self.settings.session_ttl).await.map(|(_, login)| login)
    }

    /// Logs in for `lasts`, without strings: the caller recognises the client by other means.
    pub async fn log_in_for(
        &self,
        name: &str,
        password: String,
        lasts: Duration,
    ) -> Result<Principal> {
        let user = self.verify_credentials(name, password).await?;
        let ttl = SessionTtl { access: Duration::ZERO, refresh: lasts };
        let (session, _) = self.begin_session(&user, ttl).await?;
        Ok(Principal::User { name: user.name.clone(), session })
    }

    /// Ends the caller's session, if it has one.
    pub async fn log_out(&self, caller: &Principal) -> Result<()> {
        let Principal::User { session, .. } = caller else { return Ok(()) };
        self.ledger
            .transact(|tx| {
                if tx.state().session(*session).is_some() {
                    tx.apply(Change::RemoveSession(*session));
                }
                Ok(())
            })
            .await
    }

    /// The user of that name and password.
    async fn verify_credentials(&self, name: &str, password: String) -> Result<Arc<UserRecord>> {
        let longest = *PASSWORD_LENGTH.end();
        // The empty name stands for the others.
        if name == OTHERS || name.len() > longest || password.len() > 4 * longest {
            return Err(Error::BadCredentials);
        }
        self.tries.may_try(name, self.clock.now())?;
        let turn = tokio::time::timeout(PATIENCE, self.tries.hashing.acquire()).await;
        let turn = turn
            .map_err(|_| Error::TooManyTries { seconds: PATIENCE.as_secs() })?
            .map_err(|_| Error::ShuttingDown)?;
        // Others may have failed while this one waited for its turn.
        self.tries.may_try(name, self.clock.now())?;
        let user = self.snapshot().user(name).cloned();
        let good = match &user {
            Some(user) => self.secrets.verify_password(password, user.password.clone()).await,
            None => {
                self.secrets.hash_password(password).await.map_err(internal)?;
                false
            }
        };
        drop(turn);
        let Some(user) = user.filter(|_| good) else {
            self.tries.failed(name, self.clock.now());
            return Err(Error::BadCredentials);
        };
        self.tries.succeeded(name);
        Ok(user)
    }

    async fn begin_session(
        &self,
        user: &UserRecord,
        ttl: SessionTtl,
    ) -> Result<(SessionId, IssuedSession)> {
        let now = self.clock.now();
        let id = SessionId(self.ids.uuid());
        let name = user.name.as_str();
        let (access, refresh, login) = self.strings(id, now, ttl)?;
        let session = SessionRecord {
            id,
            user: name.to_owned(),
            access: vec![access],
            refresh,
            created_at: now,
        };
        self.ledger
            .transact(|tx| {
                // The password may have been changed meanwhile.
                if tx.state().user(name).map(|now| &now.password) != Some(&user.password) {
                    return Err(Error::BadCredentials);
                }
                end_sessions(tx, |session| session.refresh.until <= now);
                let mut others: Vec<_> =
                    tx.state().sessions().filter(|session| session.user == name).cloned().collect();
                others.sort_unstable_by_key(|session| std::cmp::Reverse(session.created_at));
                for old in others.iter().skip(SESSIONS - 1) {
                    tx.apply(Change::RemoveSession(old.id));
                }
                tx.apply(Change::PutSession(Arc::new(session)));
                Ok(())
            })
            .await?;
        Ok((id, login))
    }

    /// Refreshes a session: new strings. The old refresh string is void; the old access string is valid
    /// until it expires.
    pub async fn refresh(&self, refresh: &str) -> Result<IssuedSession> {
        let now = self.clock.now();
        self.ledger
            .transact(|tx| {
                let session = self
                    .auth
                    .session(tx.state(), refresh, REFRESH_PREFIX, |session| {
                        std::slice::from_ref(&session.refresh)
                    })
                    .ok_or(Error::BadCredentials)?;
                let (access, refresh, login) =
                    self.strings(session.id, now, self.settings.session_ttl)?;
                let mut session = SessionRecord { refresh, ..SessionRecord::clone(session) };
                session.access.retain(|old| old.until > now);
                session.access.insert(0, access);
                session.access.truncate(REPLACED);
                tx.apply(Change::PutSession(Arc::new(session)));
                Ok(login)
            })
            .await
    }

    /// Ends the session of a string, if it has one.
    pub async fn revoke(&self, string: &str) -> Result<()> {
        let auth = &self.auth;
        self.ledger
            .transact(|tx| {
                let state = tx.state();
                let session = auth
                    .session(state, string, ACCESS_PREFIX, |session| &session.access)
                    .or_else(|| {
                        let refresh: fn(&SessionRecord) -> &[Digest] =
                            |session| std::slice::from_ref(&session.refresh);
                        auth.session(state, string, REFRESH_PREFIX, refresh)
                    })
                    .map(|session| session.id);
                if let Some(id) = session {
                    tx.apply(Change::RemoveSession(id));
                }
                Ok(())
            })
            .await
    }

    fn strings(
        &self,
        id: SessionId,
        now: Timestamp,
        ttl: SessionTtl,
    ) -> Result<(Digest, Digest, IssuedSession)> {
        let secrets: &dyn Secrets = &*self.secrets;
        let (access, refresh) =
            (secrets.random().map_err(internal)?, secrets.random().map_err(internal)?);
        let digest = |secret: &str, ttl: Duration| Digest {
            digest: secrets.digest(secret),
            until: after(now, ttl),
        };
        let login = IssuedSession {
            access: format!("{ACCESS_PREFIX}{}_{access}", id.0.simple()),
            refresh: format!("{REFRESH_PREFIX}{}_{refresh}", id.0.simple()),
            expires_in: ttl.access,
        };
        Ok((digest(&access, ttl.access), digest(&refresh, ttl.refresh), login))
    }
}
