//! Secrets of logins: made from the system's random numbers, kept as digests; passwords as
//! argon2id hashes with the library's default cost (19 MiB, two passes).

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use ovhai_core::ports::{BoxFuture, SecretError, Secrets};

/// See the module.
#[derive(Debug)]
pub(crate) struct SystemSecrets;

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

async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SecretError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| SecretError(error.to_string()))
}

impl Secrets for SystemSecrets {
    fn random(&self) -> Result<String, SecretError> {
        random_secret()
    }

    fn digest(&self, secret: &str) -> String {
        hex(digest(&SHA256, secret.as_bytes()).as_ref())
    }

    fn hash_password(&self, password: String) -> BoxFuture<'_, Result<String, SecretError>> {
        Box::pin(async {
            let salt = random::<16>()?;
            apart(move || {
                Argon2::default()
                    .hash_password_with_salt(password.as_bytes(), &salt)
                    .map(|hash| hash.to_string())
                    .map_err(|error| SecretError(error.to_string()))
            })
            .await?
        })
    }

    fn verify_password(&self, password: String, hash: String) -> BoxFuture<'_, bool> {
        Box::pin(async {
            let verified = apart(move || {
                Argon2::default().verify_password(password.as_bytes(), hash.as_str()).is_ok()
            });
            verified.await.unwrap_or(false)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn passwords() {
        let hash = SystemSecrets.hash_password("correct horse".into()).await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(SystemSecrets.verify_password("correct horse".into(), hash.clone()).await);
        assert!(!SystemSecrets.verify_password("Correct horse".into(), hash).await);
        assert!(!SystemSecrets.verify_password("x".into(), "rubbish".into()).await);
        assert_eq!(
            SystemSecrets.digest("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_ne!(random_secret(), random_secret());
    }
}
