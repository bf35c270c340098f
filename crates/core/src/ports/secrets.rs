//! What makes ids, tokens and secrets.

use ovhai_api_types::{AppId, TokenId};
use uuid::Uuid;

use super::future::BoxFuture;
use crate::model::token::TokenClaims;

/// Makes ids and other unguessable numbers.
pub trait Ids: Send + Sync + 'static {
    /// A new random UUID.
    fn uuid(&self) -> Uuid;

    /// A new app id.
    fn app(&self) -> AppId {
        AppId(self.uuid())
    }

    /// A new token id.
    fn token(&self) -> TokenId {
        TokenId(self.uuid())
    }
}

/// Why a token could not be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SignError(pub String);

/// Makes and checks the strings of tokens. Must not keep or log one.
pub trait Signer: Send + Sync + 'static {
    /// The string that carries these claims.
    fn sign(&self, claims: &TokenClaims) -> Result<String, SignError>;

    /// The claims of a string with a good signature; `None` whatever else it is.
    fn verify(&self, token: &str) -> Option<TokenClaims>;
}

/// Why the system gives no random numbers, a password can't be hashed, or a secret can't be sealed or
/// opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SecretError(pub String);

/// Makes secrets and keeps them unreadable. Must not keep or log one.
pub trait Secrets: Send + Sync + 'static {
    /// A new secret of at least 128 bits, in letters and digits.
    fn random(&self) -> Result<String, SecretError>;

    /// The digest of such a secret, in hexadecimal digits.
    fn digest(&self, secret: &str) -> String;

    /// The hash of a password, as a PHC string; slow on purpose.
    fn hash_password(&self, password: String) -> BoxFuture<'_, Result<String, SecretError>>;

    /// Whether a password is the one of a hash; as slow.
    fn verify_password(&self, password: String, hash: String) -> BoxFuture<'_, bool>;
}

/// Encrypts the secrets that have to be read again. Must not keep or log one.
pub trait Vault: Send + Sync + 'static {
    /// Encrypts a secret for one purpose.
    fn seal(&self, purpose: String, secret: String) -> BoxFuture<'_, Result<String, SecretError>>;

    /// The secret that was encrypted for this purpose. The error says what is wrong with the key, or
    /// with the text.
    fn open(&self, purpose: &str, sealed: &str) -> Result<String, SecretError>;
}
