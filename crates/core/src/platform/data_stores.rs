//! Data stores: aliases for directories, whose directories are the containers that apps attach.
//!
//! Some are there from the start: `local`, and for every region the two aliases that the service has
//! there, such as `GRA` and `S3GRA`. Their directories are the emulator's own. The owner may put a
//! directory of this machine in the place of one, and the removal brings the emulator's own back.

use std::sync::Arc;

use super::revocation::still_current;
use super::{Platform, check};
use crate::data_stores::{default_aliases, find};
use crate::error::{Error, Result};
use crate::model::DataStoreRecord;
use crate::policy::{self, Action, Principal, Resource};
use crate::records::Change;

/// What a caller is going to do with a data store's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreAccess {
    /// List and read them.
    Read,
    /// Add, change or delete them.
    Write,
}

impl Platform {
    /// Whether a data store of this alias is there from the start.
    pub fn is_default_data_store(&self, alias: &str) -> bool {
        default_aliases(&self.settings.regions).any(|known| known.eq_ignore_ascii_case(alias))
    }

    /// The data store of an alias in any case, for the platform itself.
    pub(super) fn find_data_store(&self, alias: &str) -> Option<Arc<DataStoreRecord>> {
        find(&self.snapshot(), &self.settings.regions, alias)
    }

    /// All data stores: those that are there from the start, then those that were added, by alias.
    pub fn data_stores(&self, caller: &Principal) -> Result<Vec<Arc<DataStoreRecord>>> {
        self.may_in_a_region(caller, Action::DataStores)?;
        let defaults = default_aliases(&self.settings.regions)
            .filter_map(|alias| self.find_data_store(&alias));
        let snapshot = self.snapshot();
        let added = snapshot.data_stores().filter(|one| !self.is_default_data_store(&one.alias));
        Ok(defaults.chain(added.cloned()).collect())
    }

    /// The data store of an alias, in any case, for the access that is asked for.
    pub fn data_store(
        &self,
        caller: &Principal,
        alias: &str,
        access: StoreAccess,
    ) -> Result<Arc<DataStoreRecord>> {
        let region = self.may_in_a_region(caller, Action::DataStores)?;
        let store = self
            .find_data_store(alias)
            .ok_or_else(|| Error::NotFound { kind: "data store", id: alias.to_owned() })?;
        if access == StoreAccess::Write && store.is_owner_named() {
            check(policy::decide(caller, Action::WriteHostDirectory, &Resource::Region(region)))?;
        }
        Ok(store)
    }

    /// Adds a data store: one of the emulator's own, or a directory of this machine, which only the
    /// emulator's owner may name. The directory is stored as its real path, without links.
    pub async fn add_data_store(
        &self,
        caller: &Principal,
        alias: &str,
        directory: Option<String>,
    ) -> Result<Arc<DataStoreRecord>> {
        let region = self.may_in_a_region(caller, Action::DataStores)?;
        if directory.is_some() {
            check(policy::decide(caller, Action::NameHostDirectory, &Resource::Region(region)))?;
        }
        if let Some(fault) = DataStoreRecord::fault_of(alias) {
            return Err(Error::invalid("alias", fault));
        }
        let exists = || Error::Exists { kind: "data store", id: alias.to_owned() };
        if directory.is_none() && self.is_default_data_store(alias) {
            return Err(exists());
        }
        let directory = match directory {
            Some(directory) => {
                let accepted = self.volumes.accept_directory(directory).await;
                Some(accepted.map_err(|why| Error::invalid("directory", why))?)
            }
            None => None,
        };
        let record = Arc::new(DataStoreRecord {
            alias: alias.to_owned(),
            directory,
            created_at: self.clock.now(),
        });
        self.ledger
            .transact(|tx| {
                still_current(self, tx, caller)?;
                if tx.state().data_store(alias).is_some() {
                    return Err(exists());
                }
                tx.apply(Change::PutDataStore(Arc::clone(&record)));
                Ok(Arc::clone(&record))
            })
            .await
    }

    /// Removes a data store that was added; its files stay where they are. Removing a directory that
    /// the owner named is the owner's, as naming it is.
    pub async fn remove_data_store(&self, caller: &Principal, alias: &str) -> Result<()> {
        let region = self.may_in_a_region(caller, Action::DataStores)?;
        self.ledger
            .transact(|tx| {
                still_current(self, tx, caller)?;
                let Some(store) = tx.state().data_store(alias).cloned() else {
                    return Err(if self.is_default_data_store(alias) {
                        let why = "a data store that is there from the start can't be removed";
                        Error::invalid("alias", why)
                    } else {
                        Error::NotFound { kind: "data store", id: alias.to_owned() }
                    });
                };
                if store.is_owner_named() {
                    let resource = Resource::Region(region);
                    check(policy::decide(caller, Action::NameHostDirectory, &resource))?;
                }
                tx.apply(Change::RemoveDataStore(store.key()));
                Ok(())
            })
            .await
    }
}
