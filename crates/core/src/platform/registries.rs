//! Registries: remembered, listed, and of no effect yet, since nothing is pulled. Their passwords
//! are not kept at all.

use std::sync::Arc;

use ovhai_api_types::{Region, RegistryId, is_same_address};

use super::revocation::still_current;
use super::{Platform, check};
use crate::directory::Snapshot;
use crate::error::{Error, Result};
use crate::model::RegistryRecord;
use crate::policy::{self, Action, Principal, Resource};
use crate::records::Change;

const LONGEST: usize = 255;

/// What changes of a registry; none: it stays.
#[derive(Debug, Clone, Default)]
pub struct RegistryChange {
    /// Host and path.
    pub url: Option<String>,
    /// User name at the registry.
    pub username: Option<String>,
}

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

/// Registries answer on port 443 only, as the guides say.
fn checked_url(url: &str) -> Result<String> {
    let refused = |why: &str| Err(Error::invalid("url", why));
    let rest = url.strip_prefix("https://").unwrap_or(url);
    if rest.contains("://") {
        return refused("registries are reached by https only");
    }
    let host = rest.split('/').next().unwrap_or_default();
    let (host, port) = host.split_once(':').unwrap_or((host, "443"));
    if port != "443" {
        return refused("registries are reached on port 443 only");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/:".contains(c);
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

impl Platform {
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
    ) -> Result<Arc<RegistryRecord>> {
        may_manage(caller, region)?;
        let (url, username) = (checked_url(url)?, checked_username(username)?);
        let id = RegistryId(self.ids.uuid());
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
        change: &RegistryChange,
    ) -> Result<()> {
        may_manage(caller, region)?;
        let url = change.url.as_deref().map(checked_url).transpose()?;
        let username = change.username.as_deref().map(checked_username).transpose()?;
        let now = self.clock.now();
        self.ledger
            .transact(|tx| {
                still_current(self, tx, caller)?;
                let old = in_region(tx.state(), region, id)?;
                let record = RegistryRecord {
                    url: url.unwrap_or_else(|| old.url.clone()),
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
