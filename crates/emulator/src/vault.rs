//! Passwords of registries, encrypted with a key beside the database. That protects copies of the
//! database only: who can read the state directory has both.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::aead::RandomizedNonceKey;
use ovhai_core::ports::{BoxFuture, SecretError, Vault};

use crate::{random, seal, secret};

/// Encrypts with one key: in a file, which is created (mode 0600) with the first secret; or in
/// memory.
#[derive(Clone)]
pub(crate) struct KeyVault {
    path: Option<PathBuf>,
    key: Arc<Mutex<VaultKey>>,
}

enum VaultKey {
    /// No secret was encrypted yet, or the file was removed since.
    None,
    Known(Arc<RandomizedNonceKey>),
    /// The file can't be used, for this reason. It is not replaced: its owner may repair it.
    Unusable(String),
}

impl KeyVault {
    /// With the key in this file, or in memory. A file that can't be used makes its secrets unreadable,
    /// and nothing else.
    pub(crate) fn new(path: Option<PathBuf>) -> Self {
        let key = path.as_deref().map_or(VaultKey::None, load);
        Self { path, key: Arc::new(Mutex::new(key)) }
    }

    fn known(&self) -> Result<Option<Arc<RandomizedNonceKey>>, SecretError> {
        match &*self.key.lock().unwrap_or_else(PoisonError::into_inner) {
            VaultKey::None => Ok(None),
            VaultKey::Known(key) => Ok(Some(Arc::clone(key))),
            VaultKey::Unusable(why) => Err(SecretError(why.clone())),
        }
    }

    /// The key, which is created if there is none.
    fn known_or_new(&self) -> Result<Arc<RandomizedNonceKey>, SecretError> {
        if let Some(key) = self.known()? {
            return Ok(key);
        }
        // Under the lock: there is one key.
        let mut known = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let VaultKey::Known(key) = &*known {
            return Ok(Arc::clone(key));
        }
        let bytes = random::bytes();
        let key = bytes.as_ref().and_then(|bytes| seal::key_of(bytes));
        let (Some(bytes), Some(key)) = (bytes, key) else {
            return Err(SecretError("no random numbers can be had".into()));
        };
        if let Some(path) = &self.path {
            let failed = |error| SecretError(format!("{}: {error}", path.display()));
            secret::write(path, &bytes).map_err(failed)?;
        }
        let key = Arc::new(key);
        *known = VaultKey::Known(Arc::clone(&key));
        Ok(key)
    }

    fn name(&self) -> String {
        self.path.as_ref().map_or("the key in memory".into(), |path| path.display().to_string())
    }
}

fn load(path: &Path) -> VaultKey {
    match std::fs::read(path) {
        Ok(bytes) => match seal::key_of(&bytes) {
            Some(key) => VaultKey::Known(Arc::new(key)),
            None => VaultKey::Unusable(format!(
                "{} does not hold a key: restore it, or remove it and give the passwords again",
                path.display()
            )),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => VaultKey::None,
        Err(error) => VaultKey::Unusable(format!("{} can't be read: {error}", path.display())),
    }
}

impl Vault for KeyVault {
    fn seal(&self, purpose: String, secret: String) -> BoxFuture<'_, Result<String, SecretError>> {
        let vault = self.clone();
        Box::pin(async move {
            // The first one writes a file.
            let sealed = tokio::task::spawn_blocking(move || {
                let key = vault.known_or_new()?;
                seal::seal_with(&key, purpose.as_bytes(), secret.into_bytes())
                    .ok_or_else(|| SecretError("no random numbers can be had".into()))
            });
            sealed.await.unwrap_or_else(|_| Err(SecretError("the encryption failed".into())))
        })
    }

    fn open(&self, purpose: &str, sealed: &str) -> Result<String, SecretError> {
        let Some(key) = self.known()? else {
            return Err(SecretError(format!(
                "the key of its password is missing: {}",
                self.name()
            )));
        };
        seal::open_with(&key, purpose.as_bytes(), sealed.as_bytes())
            .and_then(|opened| String::from_utf8(opened).ok())
            .ok_or_else(|| {
                SecretError(format!(
                    "its password was encrypted with another key than {}, or is damaged",
                    self.name()
                ))
            })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    async fn sealed(vault: &KeyVault) -> Result<String, SecretError> {
        vault.seal("a".into(), "hush".into()).await
    }

    #[tokio::test]
    async fn a_key_in_a_file_opens_what_it_sealed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("registry.key");
        let vault = KeyVault::new(Some(path.clone()));
        assert!(vault.open("a", "x").expect_err("no key").0.contains("missing"));
        assert!(!path.exists(), "made with the first secret");
        let text = sealed(&vault).await.expect("sealed");
        assert!(!text.contains("hush"));
        assert_ne!(text, sealed(&vault).await.expect("sealed"), "a nonce of its own each");
        let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for vault in [vault, KeyVault::new(Some(path.clone()))] {
            assert_eq!(vault.open("a", &text).as_deref(), Ok("hush"));
            for (purpose, text) in [("b", text.as_str()), ("a", &text[1..]), ("a", ""), ("a", "ä")]
            {
                assert!(vault.open(purpose, text).expect_err("refused").0.contains("another key"));
            }
        }

        // Another key, none, and a file that is no key.
        std::fs::write(&path, [7; 32]).expect("written");
        let other = KeyVault::new(Some(path.clone()));
        assert!(other.open("a", &text).expect_err("refused").0.contains("another key"));
        std::fs::remove_file(&path).expect("removed");
        let without = KeyVault::new(Some(path.clone()));
        assert!(without.open("a", &text).expect_err("refused").0.contains("missing"));
        std::fs::write(&path, "rubbish").expect("written");
        let broken = KeyVault::new(Some(path.clone()));
        for error in [broken.open("a", &text), sealed(&broken).await] {
            assert!(error.expect_err("refused").0.contains("registry.key does not hold a key"));
        }
        assert_eq!(std::fs::read(&path).expect("a file"), b"rubbish", "not replaced");
    }

    #[tokio::test]
    async fn a_key_in_memory_is_each_emulators_own() {
        let (one, other) = (KeyVault::new(None), KeyVault::new(None));
        let text = sealed(&one).await.expect("sealed");
        assert_eq!(one.open("a", &text).as_deref(), Ok("hush"));
        assert!(other.open("a", &text).is_err());
        sealed(&other).await.expect("sealed");
        assert!(other.open("a", &text).is_err());
    }
}
