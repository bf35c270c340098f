//! Secrets of logins: made from the system's random numbers, stored as digests; passwords as
//! argon2id hashes with the library's default cost (19 MiB, two passes).
//!
//! Any client may cause a hash, so its memory is bounded: two buffers at most, which are reused,
//! and freed when logins pause.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use ovhai_core::ports::{BoxFuture, SecretError, Secrets};
use tokio::sync::Semaphore;

/// Maximum hashes at once, each on a buffer of its own.
const TURNS: usize = 2;
/// Time that a buffer is kept for the next hash.
const KEPT: Duration = Duration::from_millis(500);
/// Blocks that a buffer reserves, of which only those are touched that a hash needs. From 32 MiB on
/// glibc always maps memory of its own and returns it when it is freed; smaller buffers stay in the
/// heap of each thread that allocated one.
const RESERVED: usize = 33 * 1024 * 1024 / Block::SIZE;

/// Hashes passwords and makes secrets.
#[derive(Debug, Clone)]
pub(crate) struct SystemSecrets {
    turns: Arc<Semaphore>,
    buffers: Arc<Buffers>,
}

impl Default for SystemSecrets {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(TURNS)), buffers: Arc::default() }
    }
}

/// Buffers that are free, and when the last one was used.
#[derive(Debug, Default)]
struct Buffers(Mutex<Vec<(Instant, Vec<Block>)>>);

impl Buffers {
    /// A buffer of at least `blocks` blocks.
    fn take(&self, blocks: usize) -> Result<Vec<Block>, SecretError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = kept.map(|(_, buffer)| buffer).unwrap_or_default();
        if buffer.len() < blocks {
            buffer = Vec::new();
            buffer
                .try_reserve_exact(blocks.max(RESERVED))
                .map_err(|_| SecretError("out of memory for a password's hash".into()))?;
            buffer.resize(blocks, Block::new());
        }
        Ok(buffer)
    }

    fn put_back(&self, buffer: Vec<Block>) {
        let now = Instant::now();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((now, buffer));
    }

    /// Frees what no hash has used for a while.
    fn free(&self) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(since, _)| since.elapsed() < KEPT);
    }

    fn hash(
        &self,
        argon2: &Argon2<'_>,
        password: &[u8],
        salt: &[u8],
    ) -> Result<Output, SecretError> {
        let failed = |error: argon2::Error| SecretError(error.to_string());
        let params = argon2.params();
        let mut room = [0; Output::MAX_LENGTH];
        let out = room
            .get_mut(..params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN))
            .ok_or_else(|| SecretError("a stored hash is too long".into()))?;
        let mut buffer = self.take(params.block_count())?;
        let done = argon2.hash_password_into_with_memory(password, salt, out, &mut buffer);
        self.put_back(buffer);
        done.map_err(failed)?;
        Output::new(out).map_err(|error| SecretError(error.to_string()))
    }

    /// The PHC string of a new password.
    fn hash_new(&self, password: &[u8], salt: &[u8]) -> Result<String, SecretError> {
        let failed = |error: argon2::password_hash::phc::Error| SecretError(error.to_string());
        let params = Params::default();
        let stored =
            ParamsString::try_from(&params).map_err(|error| SecretError(error.to_string()))?;
        let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
        let output = self.hash(&Argon2::new(algorithm, version, params), password, salt)?;
        let hash = PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: stored,
            salt: Some(Salt::new(salt).map_err(failed)?),
            hash: Some(output),
        };
        Ok(hash.to_string())
    }

    /// Whether a password is that of a PHC string; compared in constant time.
    fn verify(&self, password: &[u8], stored: &str) -> Result<bool, SecretError> {
        let failed = |error: &dyn std::fmt::Display| SecretError(error.to_string());
        let stored = PasswordHash::new(stored).map_err(|error| failed(&error))?;
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else { return Ok(false) };
        let algorithm =
            Algorithm::try_from(stored.algorithm.as_str()).map_err(|error| failed(&error))?;
        let version = stored.version.map(Version::try_from).transpose();
        let version = version.map_err(|error| failed(&error))?.unwrap_or_default();
        let params = Params::try_from(&stored).map_err(|error| failed(&error))?;
        let output = self.hash(&Argon2::new(algorithm, version, params), password, salt)?;
        Ok(output == *expected)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |hex, byte| hex + &format!("{byte:02x}"))
}

/// 256 random bits, in hexadecimal digits.
pub(crate) fn random_secret() -> Result<String, SecretError> {
    random::<32>().map(|bytes| hex(&bytes))
}

fn random<const N: usize>() -> Result<[u8; N], SecretError> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| SecretError("no random numbers can be had".into()))?;
    Ok(bytes)
}

impl SystemSecrets {
    /// Runs what needs a buffer in a thread where it blocks nothing else.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Buffers) -> Result<T, SecretError> + Send + 'static,
    ) -> Result<T, SecretError> {
        let failed = |error: &dyn std::fmt::Display| SecretError(error.to_string());
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|error| failed(&error))?;
        let buffers = Arc::clone(&self.buffers);
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&buffers);
            // Held until here, also when the caller has gone away.
            drop(turn);
            done
        })
        .await;
        let buffers = Arc::clone(&self.buffers);
        tokio::spawn(async move {
            tokio::time::sleep(KEPT).await;
            buffers.free();
        });
        done.map_err(|error| failed(&error))?
    }
}

impl Secrets for SystemSecrets {
    fn random(&self) -> Result<String, SecretError> {
        random_secret()
    }

    fn digest(&self, secret: &str) -> String {
        hex(digest(&SHA256, secret.as_bytes()).as_ref())
    }

    fn hash_password(&self, password: String) -> BoxFuture<'_, Result<String, SecretError>> {
        Box::pin(async move {
            let salt = random::<16>()?;
            self.apart(move |buffers| buffers.hash_new(password.as_bytes(), &salt)).await
        })
    }

    fn verify_password(&self, password: String, hash: String) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            let verified = self.apart(move |buffers| buffers.verify(password.as_bytes(), &hash));
            verified.await.unwrap_or(false)
        })
    }
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::{PasswordHasher, PasswordVerifier};

    use super::*;

    #[tokio::test]
    async fn passwords() {
        let secrets = SystemSecrets::default();
        let hash = secrets.hash_password("correct horse".into()).await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(secrets.verify_password("correct horse".into(), hash.clone()).await);
        assert!(!secrets.verify_password("Correct horse".into(), hash).await);
        assert!(!secrets.verify_password("x".into(), "rubbish".into()).await);
        assert_eq!(
            secrets.digest("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_ne!(random_secret(), random_secret());
    }

    /// Hashes of other versions and of other costs are stored, and others read ours.
    #[tokio::test]
    async fn hashes_are_the_librarys() {
        let secrets = SystemSecrets::default();
        let argon2 = |cost: u32| {
            let params = Params::new(cost, 1, 2, Some(24)).expect("params");
            Argon2::new(Algorithm::Argon2i, Version::V0x10, params)
        };
        for other in [Argon2::default(), argon2(64), argon2(20_000)] {
            let hash = other.hash_password_with_salt(b"correct horse", &[7; 16]).expect("a hash");
            let (good, bad) = ("correct horse".to_owned(), "correct hors".to_owned());
            assert!(secrets.verify_password(good, hash.to_string()).await, "{hash}");
            assert!(!secrets.verify_password(bad, hash.to_string()).await, "{hash}");
        }
        let hash = secrets.hash_password("correct horse".into()).await.expect("a hash");
        let verified = Argon2::default().verify_password(b"correct horse", hash.as_str());
        assert!(verified.is_ok(), "{hash}");
    }

    /// Also when those who asked have gone away before it was done.
    #[tokio::test]
    async fn many_hashes_share_two_buffers() {
        let secrets = SystemSecrets::default();
        let mut asked = tokio::task::JoinSet::new();
        for number in 0..8 {
            let secrets = secrets.clone();
            let hash = async move { secrets.hash_password("a password".into()).await.is_ok() };
            if number % 2 == 0 {
                asked.spawn(hash);
            } else {
                let gave_up = tokio::time::timeout(Duration::from_millis(1), hash).await;
                assert!(gave_up.is_err());
            }
        }
        assert!(asked.join_all().await.into_iter().all(|done| done));
        let all = Arc::clone(&secrets.turns).acquire_many_owned(2).await.expect("turns");
        let kept = secrets.buffers.0.lock().expect("not poisoned").len();
        assert!((1..=TURNS).contains(&kept), "{kept}");
        drop(all);
        // The next one takes a buffer that is there.
        let at = |secrets: &SystemSecrets| {
            let kept = secrets.buffers.0.lock().expect("not poisoned");
            kept.iter()
                .map(|(_, buffer)| buffer.as_ptr())
                .collect::<std::collections::BTreeSet<_>>()
        };
        let before = at(&secrets);
        secrets.hash_password("a password".into()).await.expect("a hash");
        assert!(at(&secrets).is_subset(&before) || before.is_empty());
        // They go when logins pause.
        tokio::time::timeout(Duration::from_secs(30), async {
            while !at(&secrets).is_empty() {
                tokio::time::sleep(KEPT / 10).await;
            }
        })
        .await
        .expect("no buffer is kept");
    }
}
