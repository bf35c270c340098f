//! Registries, whose logins pull the images of the project's apps. A password is stored encrypted,
//! and no caller sees it again.

use std::fmt;
use std::sync::Arc;

use ovhai_api_types::{PasswordState, Region, RegistryId, is_same_address, registry_host};

use super::revocation::still_current;
use super::{Platform, check};
use crate::directory::Snapshot;
use crate::error::{Error, Result};
use crate::image_access;
use crate::model::{RegistryRecord, SealedPassword};
use crate::policy::{self, Action, Principal, Resource};
use crate::ports::StoreError;
use crate::records::Change;

const LONGEST: usize = 255;
/// Maximum length of a password, which may be a key file's content.
const LONGEST_PASSWORD: usize = 16 * 1024;

/// What changes of a registry; none: it stays.
#[derive(Clone, Default)]
pub struct RegistryChange {
    /// Host and path.
    pub url: Option<String>,
    /// User name at the registry.
    pub username: Option<String>,
    /// Password. Without it a new host deletes the stored one: the change would send it to a host that
    /// it was not given for.
    pub password: Option<String>,
}

impl fmt::Debug for RegistryChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryChange").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Hosts of registries that run on this machine, for tests.
const LOCAL_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

fn may_manage(caller: &Principal, region: &Region) -> Result<()> {
    check(policy::decide(caller, Action::Registries, &Resource::Region(region)))
}

fn in_region(snapshot: &Snapshot, region: &Region, id: RegistryId) -> Result<Arc<RegistryRecord>> {
    snapshot
        .registry(id)
        .filter(|registry| registry.region == *region)
        .cloned()
        .ok_or_else(|| Error::NotFound { kind: "registry", id: id.to_string() })
}

/// Refuses a second registry of the region with this address and user: no reader could tell the two
/// apart.
fn is_new(
    snapshot: &Snapshot,
    region: &Region,
    id: RegistryId,
    url: &str,
    username: &str,
) -> Result<()> {
    let all = snapshot.registries_of(region);
    let same = all
        .iter()
        .find(|one| one.id != id && one.username == username && is_same_address(&one.url, url));
    match same {
        None => Ok(()),
        Some(one) => {
            Err(Error::Exists { kind: "registry", id: format!("{} ({})", one.url, one.id) })
        }
    }
}

/// Registries answer on port 443 only, as the guides say; those of this machine, which the real service
/// could not reach, on any.
fn checked_url(url: &str) -> Result<String> {
    let refused = |why: &str| Err(Error::invalid("url", why));
    let rest = url.strip_prefix("https://").unwrap_or(url);
    if rest.contains("://") {
        return refused("registries are reached by https only");
    }
    let host = rest.split('/').next().unwrap_or_default();
    let (host, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, "443"),
    };
    let is_local = LOCAL_HOSTS.iter().any(|local| host.eq_ignore_ascii_case(local));
    if port != "443" && !(is_local && port.parse().is_ok_and(|port: u16| port > 0)) {
        return refused(
            "registries are reached on port 443 only; those at localhost, 127.0.0.1 and [::1] on any port",
        );
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/:".contains(c);
    let rest = rest.strip_prefix("[::1]").filter(|_| is_local).unwrap_or(rest);
    if host.is_empty() || rest.len() > LONGEST || !rest.chars().all(plain) {
        return refused("not a registry such as registry.example.com or registry.example.com/team");
    }
    Ok(url.to_owned())
}

fn checked_username(name: &str) -> Result<String> {
    if name.is_empty() || name.len() > LONGEST || name.chars().any(char::is_control) {
        return Err(Error::invalid("username", format!("use 1 to {LONGEST} characters")));
    }
    Ok(name.to_owned())
}

fn checked_password(password: String) -> Result<String> {
    if password.is_empty() || password.len() > LONGEST_PASSWORD {
        return Err(Error::invalid("password", format!("use 1 to {LONGEST_PASSWORD} bytes")));
    }
    Ok(password)
}

impl Platform {
    /// Whether the password of a registry can be used.
    pub fn password_state(&self, registry: &RegistryRecord) -> PasswordState {
        match image_access::password(&*self.vault, registry) {
            Ok(Some(_)) => PasswordState::Stored,
            Ok(None) => PasswordState::Missing,
            Err(_) => PasswordState::Unreadable,
        }
    }

    async fn seal(
        &self,
        id: RegistryId,
        region: &Region,
        password: Option<String>,
    ) -> Result<Option<SealedPassword>> {
        let Some(password) = password else { return Ok(None) };
        let password = checked_password(password)?;
        let sealed = self.vault.seal(RegistryRecord::purpose(id, region), password).await;
        let failed = |why| {
            let why = format!("the password can't be encrypted: {why}");
            Error::Storage(StoreError::Failed(why))
        };
        sealed.map(|sealed| Some(SealedPassword(sealed))).map_err(failed)
    }

    /// The registries of a region, newest first.
    pub fn list_registries(
        &self,
        caller: &Principal,
        region: &Region,
    ) -> Result<Vec<Arc<RegistryRecord>>> {
        may_manage(caller, region)?;
        Ok(self.snapshot().registries_of(region))
    }

    /// One registry.
    pub fn get_registry(
        &self,
        caller: &Principal,
        region: &Region,
        id: RegistryId,
    ) -> Result<Arc<RegistryRecord>> {
        may_manage(caller, region)?;
        in_region(&self.snapshot(), region, id)
    }

    /// Adds a registry.
    pub async fn add_registry(
        &self,
        caller: &Principal,
        region: &Region,
        url: &str,
        username: &str,
        password: Option<String>,
    ) -> Result<Arc<RegistryRecord>> {
        may_manage(caller, region)?;
        let (url, username) = (checked_url(url)?, checked_username(username)?);
        let id = RegistryId(self.ids.uuid());
        let password = self.seal(id, region, password).await?;
        let now = self.clock.now();
        self.ledger
            .transact(|tx| {
                still_current(self, tx, caller)?;
                is_new(tx.state(), region, id, &url, &username)?;
                let record = Arc::new(RegistryRecord {
                    id,
                    region: region.clone(),
                    seq: tx.next_seq(),
                    url,
                    username,
                    password,
                    user: caller.name().to_owned(),
                    created_at: now,
                    updated_at: now,
                });
                tx.apply(Change::PutRegistry(Arc::clone(&record)));
                Ok(record)
            })
            .await
    }

    /// Changes a registry.
    pub async fn update_registry(
        &self,
        caller: &Principal,
        region: &Region,
        id: RegistryId,
        change: RegistryChange,
    ) -> Result<()> {
        may_manage(caller, region)?;
        let url = change.url.as_deref().map(checked_url).transpose()?;
        let username = change.username.as_deref().map(checked_username).transpose()?;
        in_region(&self.snapshot(), region, id)?;
        let password = self.seal(id, region, change.password).await?;
        let now = self.clock.now();
        self.ledger
            .transact(|tx| {
                still_current(self, tx, caller)?;
                let old = in_region(tx.state(), region, id)?;
                let url = url.unwrap_or_else(|| old.url.clone());
                let kept = || {
                    let is_same_host = registry_host(&url) == registry_host(&old.url);
                    old.password.clone().filter(|_| is_same_host)
                };
                let record = RegistryRecord {
                    password: password.or_else(kept),
                    url,
                    username: username.unwrap_or_else(|| old.username.clone()),
                    updated_at: now,
                    ..RegistryRecord::clone(&old)
                };
                is_new(tx.state(), region, id, &record.url, &record.username)?;
                tx.apply(Change::PutRegistry(Arc::new(record)));
                Ok(())
            })
            .await
    }

    /// Deletes a registry.
    pub async fn delete_registry(
        &self,
        caller: &Principal,
        region: &Region,
        id: RegistryId,
    ) -> Result<()> {
        may_manage(caller, region)?;
        self.ledger
            .transact(|tx| {
                still_current(self, tx, caller)?;
                in_region(tx.state(), region, id)?;
                tx.apply(Change::RemoveRegistry(id));
                Ok(())
            })
            .await
    }
}
