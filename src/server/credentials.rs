//! Stored token strings: in the system's keyring if it works, else in a file that only its owner
//! can read.
//!
//! `credentials.json` in the state directory (mode 0600) lists the tokens that were created here;
//! it contains their strings only without a keyring. This module logs nothing.

use std::fs::File;
use std::path::{Path, PathBuf};

use ovhai_api_types::{App, Labels, Region, Role, Selector, Token, TokenId};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Failure, Result};
use crate::private_file;
use crate::settings::state_dir;

const IF_DAMAGED: &str = "delete it and regenerate the tokens: ovhai token regenerate NAME";

/// Where a token string is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TokenStorage {
    Keyring,
    File,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    id: TokenId,
    name: String,
    /// Key of the server that issued it ([`crate::server::target::Server::key`]); the string is
    /// sent to no other server.
    server: String,
    region: Region,
    role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    selector: Option<Selector>,
    place: TokenStorage,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

/// Who issues tokens: a server, and a region of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issuer {
    /// The server's key.
    pub(crate) server: String,
    /// The region.
    pub(crate) region: Region,
}

impl Entry {
    fn is_of(&self, at: &Issuer) -> bool {
        self.server == at.server && self.region == at.region
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Contents {
    tokens: Vec<Entry>,
}

/// See the module.
pub(crate) struct Credentials {
    path: PathBuf,
    contents: Contents,
    keyring: bool,
}

impl Credentials {
    /// Those of the state directory.
    pub(crate) fn open(context: &Context) -> Result<Self> {
        let path = state_dir(context)?.join("credentials.json");
        let contents = private_file::read(&path, IF_DAMAGED)?;
        Ok(Self { path, contents, keyring: context.var("OVHAI_KEYRING") != Some("0") })
    }

    /// Stores a token's string in place of an older one of the same token; returns where.
    pub(crate) fn keep(&mut self, token: &Token, at: &Issuer, value: &str) -> Result<TokenStorage> {
        let kept = self.keyring && keyring::set(token.id, value);
        let place = if kept { TokenStorage::Keyring } else { TokenStorage::File };
        let _lock = self.lock_and_reload()?;
        self.contents.tokens.retain(|entry| entry.id != token.id);
        self.contents.tokens.push(Entry {
            id: token.id,
            name: token.spec.name.clone(),
            server: at.server.clone(),
            region: at.region.clone(),
            role: token.spec.role.parse().map_err(Failure::new)?,
            selector: token
                .spec
                .label_selector
                .as_deref()
                .map(str::parse::<Selector>)
                .transpose()
                .map_err(|error| Failure::new(error.to_string()))?,
            place,
            value: (!kept).then(|| value.to_owned()),
        });
        self.write()?;
        Ok(place)
    }

    /// Forgets a token's string.
    pub(crate) fn forget(&mut self, id: TokenId) -> Result<()> {
        let _lock = self.lock_and_reload()?;
        let Some(at) = self.contents.tokens.iter().position(|entry| entry.id == id) else {
            return Ok(());
        };
        let entry = self.contents.tokens.remove(at);
        if entry.place == TokenStorage::Keyring {
            keyring::delete(id);
        }
        self.write()
    }

    /// Forgets all strings of a server's tokens.
    pub(crate) fn forget_server(&mut self, server: &str) -> Result<()> {
        let _lock = self.lock_and_reload()?;
        let (gone, left): (Vec<Entry>, Vec<Entry>) = std::mem::take(&mut self.contents.tokens)
            .into_iter()
            .partition(|entry| entry.server == server);
        self.contents.tokens = left;
        if gone.is_empty() {
            return Ok(());
        }
        for entry in gone.iter().filter(|entry| entry.place == TokenStorage::Keyring) {
            keyring::delete(entry.id);
        }
        self.write()
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The string of the stored token of that name or id.
    pub(crate) fn find(&self, wanted: &str, at: &Issuer) -> Result<Option<String>> {
        let fits = |entry: &&Entry| {
            entry.is_of(at) && (entry.name == wanted || entry.id.to_string() == wanted)
        };
        self.contents.tokens.iter().rev().find(fits).map(value).transpose()
    }

    /// The string of a stored token whose scope matches an app: a read token before an operator
    /// token, then the newest.
    pub(crate) fn for_app(&self, app: &App, at: &Issuer) -> Result<Option<String>> {
        self.entry_for(app, at)?.map(value).transpose()
    }

    /// Whether there is such a token.
    pub(crate) fn fits(&self, app: &App, at: &Issuer) -> Result<bool> {
        Ok(self.entry_for(app, at)?.is_some())
    }

    fn entry_for(&self, app: &App, at: &Issuer) -> Result<Option<&Entry>> {
        let labels = Labels::parse(app.spec.labels.iter().flatten())
            .map_err(|error| Failure::new(error.to_string()))?;
        let fits = |entry: &&Entry| {
            entry.is_of(at)
                && entry.selector.as_ref().is_none_or(|selector| selector.matches(&labels))
        };
        let mut fitting: Vec<&Entry> = self.contents.tokens.iter().rev().filter(fits).collect();
        fitting.sort_by_key(|entry| (entry.role != Role::Read, entry.selector.is_none()));
        Ok(fitting.first().copied())
    }

    /// The names and roles of a region's stored tokens.
    pub(crate) fn names<'a>(&'a self, at: &'a Issuer) -> impl Iterator<Item = (&'a str, Role)> {
        let of_region = self.contents.tokens.iter().filter(move |entry| entry.is_of(at));
        of_region.map(|entry| (entry.name.as_str(), entry.role))
    }

    /// The stored tokens of a region, as text.
    pub(crate) fn describe(&self, at: &Issuer) -> String {
        let of_region = self.contents.tokens.iter().filter(|entry| entry.is_of(at));
        let described: Vec<String> = of_region
            .map(|entry| match &entry.selector {
                Some(selector) => format!("{} ({} on {selector})", entry.name, entry.role),
                None => format!("{} ({} on every app)", entry.name, entry.role),
            })
            .collect();
        described.join(", ")
    }

    /// Locks the file against other commands, and loads their changes.
    fn lock_and_reload(&mut self) -> Result<File> {
        let file = private_file::lock(&self.path)?;
        self.contents = private_file::read(&self.path, IF_DAMAGED)?;
        Ok(file)
    }

    fn write(&self) -> Result<()> {
        private_file::write(&self.path, &self.contents)
    }
}

fn value(entry: &Entry) -> Result<String> {
    let found = match entry.place {
        TokenStorage::File => entry.value.clone(),
        TokenStorage::Keyring => keyring::get(entry.id),
    };
    found.ok_or_else(|| {
        Failure::new(format!(
            "the string of the token {} can't be read from the keyring",
            entry.name
        ))
        .hint(format!(
            "unlock the keyring, or create a new string: ovhai token regenerate {}",
            entry.name
        ))
    })
}

/// The system's keyring. Every call runs in a thread and has a time-out: a keyring may wait to be
/// unlocked, or never answer.
#[cfg(feature = "keyring")]
mod keyring {
    use std::sync::mpsc;
    use std::time::Duration;

    use keyring::Entry;
    use ovhai_api_types::TokenId;

    const SERVICE: &str = "ovhai";
    const PATIENCE: Duration = Duration::from_secs(5);

    fn with_entry<T: Send + 'static>(
        id: TokenId,
        work: impl FnOnce(Entry) -> Option<T> + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let outcome = Entry::new(SERVICE, &id.to_string()).ok().and_then(work);
            // The caller may have given up.
            let _ = sender.send(outcome);
        });
        receiver.recv_timeout(PATIENCE).ok().flatten()
    }

    /// Whether it was stored, checked by reading it back.
    pub(super) fn set(id: TokenId, value: &str) -> bool {
        let value = value.to_owned();
        let kept = with_entry(id, move |entry| {
            entry.set_password(&value).ok()?;
            entry.get_password().ok().filter(|read| *read == value)
        });
        kept.is_some()
    }

    pub(super) fn get(id: TokenId) -> Option<String> {
        with_entry(id, |entry| entry.get_password().ok())
    }

    pub(super) fn delete(id: TokenId) {
        with_entry(id, |entry| entry.delete_credential().ok());
    }
}

#[cfg(not(feature = "keyring"))]
mod keyring {
    use ovhai_api_types::TokenId;

    pub(super) fn set(_id: TokenId, _value: &str) -> bool {
        false
    }

    pub(super) fn get(_id: TokenId) -> Option<String> {
        None
    }

    pub(super) fn delete(_id: TokenId) {}
}
