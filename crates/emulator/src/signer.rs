//! Strings of application tokens: `EdDSA` JWTs of the form that a guide of 2021 prints.
//!
//! The header is exactly `{"alg":"EdDSA"}`; the payload has `project`, `jti` (`<token
//! id>-<version>`), `iss`, `sub`; there is no expiry. Verification accepts that header, byte for
//! byte, and no other.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ovhai_api_types::TokenId;
use ovhai_core::model::TokenClaims;
use ovhai_core::ports::{SignError, Signer};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::secret;

/// The issuer that the service's tokens name.
const ISSUER: &str = "training.ai.cloud.ovh.net";
/// `{"alg":"EdDSA"}` as a token begins with it.
const HEADER: &str = "eyJhbGciOiJFZERTQSJ9.";
/// Maximum length of a string that is verified; signed strings are far shorter.
const LONGEST: usize = 1024;
/// Maximum verified strings that are remembered, by their hash.
const REMEMBERED: usize = 4096;
/// Maximum strings with a bad signature that are remembered; apart, so that they displace no good
/// one.
const REFUSED: usize = 1024;

/// Signs and verifies with one Ed25519 key.
pub struct JwtSigner {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    verified: Cache<[u8; 32], TokenClaims>,
    refused: Cache<[u8; 32], ()>,
}

impl std::fmt::Debug for JwtSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JwtSigner")
    }
}

#[derive(Serialize, Deserialize)]
struct Payload {
    project: Uuid,
    jti: String,
    iss: String,
    sub: Uuid,
}

impl JwtSigner {
    /// Creates a signer with a key that is not kept.
    pub fn ephemeral() -> io::Result<Self> {
        Self::from_pkcs8(&generate()?)
    }

    /// Creates a signer with the key in this file, which is created (mode 0600) if it does not
    /// exist.
    pub fn from_file(path: &Path) -> io::Result<Self> {
        let key = match std::fs::read(path) {
            Ok(key) => key,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = generate()?;
                secret::write(path, &key)?;
                key
            }
            Err(error) => return Err(error),
        };
        Self::from_pkcs8(&key)
    }

    fn from_pkcs8(key: &[u8]) -> io::Result<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(key).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, "it does not hold an Ed25519 key")
        })?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_issuer(&[ISSUER]);
        Ok(Self {
            encoding: EncodingKey::from_ed_der(key),
            decoding: DecodingKey::from_ed_der(pair.public_key().as_ref()),
            validation,
            verified: Cache::new(REMEMBERED),
            refused: Cache::new(REFUSED),
        })
    }

    fn verify_signature(&self, token: &str) -> Option<TokenClaims> {
        let payload =
            jsonwebtoken::decode::<Payload>(token, &self.decoding, &self.validation).ok()?.claims;
        let (id, version) = payload.jti.rsplit_once('-')?;
        Some(TokenClaims {
            project: payload.project,
            id: id.parse::<TokenId>().ok()?,
            version: version.parse().ok()?,
            subject: payload.sub,
        })
    }
}

fn generate() -> io::Result<Vec<u8>> {
    let failed = |_| io::Error::other("no Ed25519 key could be made");
    let pair = Ed25519KeyPair::generate().map_err(failed)?;
    Ok(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec())
}

/// Whether these bytes contain a token of the service, of any emulator and version, however signed.
/// Tokens of other issuers with the same header are not the service's.
pub(crate) fn mentions_token(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Issued<'a> {
        iss: Cow<'a, str>,
    }
    memchr::memmem::find_iter(bytes, HEADER).any(|at| {
        let rest = &bytes[at + HEADER.len()..];
        let end = rest.iter().position(|byte| *byte == b'.').unwrap_or(rest.len());
        let payload = URL_SAFE_NO_PAD.decode(&rest[..end.min(LONGEST)]).unwrap_or_default();
        serde_json::from_slice::<Issued<'_>>(&payload).is_ok_and(|of| of.iss == ISSUER)
    })
}

impl Signer for JwtSigner {
    fn sign(&self, claims: &TokenClaims) -> Result<String, SignError> {
        let payload = Payload {
            project: claims.project,
            jti: format!("{}-{}", claims.id, claims.version),
            iss: ISSUER.into(),
            sub: claims.subject,
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = None;
        jsonwebtoken::encode(&header, &payload, &self.encoding)
            .map_err(|error| SignError(error.to_string()))
    }

    fn verify(&self, token: &str) -> Option<TokenClaims> {
        if token.len() > LONGEST || !token.starts_with(HEADER) {
            return None;
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        if let Some(claims) = self.verified.get(&hash) {
            return Some(claims);
        }
        if self.refused.get(&hash).is_some() {
            return None;
        }
        match self.verify_signature(token) {
            Some(claims) => {
                self.verified.insert(hash, claims);
                Some(claims)
            }
            None => {
                self.refused.insert(hash, ());
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claims() -> TokenClaims {
        TokenClaims {
            project: Uuid::from_u128(1),
            id: TokenId(Uuid::from_u128(2)),
            version: 3,
            subject: Uuid::from_u128(4),
        }
    }

    #[test]
    fn tokens_have_the_documented_form() {
        let signer = JwtSigner::ephemeral().expect("a key");
        let token = signer.sign(&claims()).expect("signed");
        let parts: Vec<_> = token
            .split('.')
            .take(2)
            .map(|part| {
                String::from_utf8(URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("text")
            })
            .collect();
        assert_eq!(parts[0], r#"{"alg":"EdDSA"}"#);
        assert_eq!(
            parts[1],
            r#"{"project":"00000000-0000-0000-0000-000000000001","jti":"00000000-0000-0000-0000-000000000002-3","iss":"training.ai.cloud.ovh.net","sub":"00000000-0000-0000-0000-000000000004"}"#
        );
        assert_eq!(signer.verify(&token), Some(claims()));
        assert_eq!(signer.verify(&token), Some(claims()), "and from the cache");
    }

    #[test]
    fn other_tokens_are_refused() {
        let signer = JwtSigner::ephemeral().expect("a key");
        let token = signer.sign(&claims()).expect("signed");
        let other = JwtSigner::ephemeral().expect("a key").sign(&claims()).expect("signed");
        let (_, rest) = token.split_once('.').expect("three parts");
        let with_header = |json: &str| format!("{}.{rest}", URL_SAFE_NO_PAD.encode(json));
        for bad in [
            other,
            with_header(r#"{"alg":"none"}"#),
            with_header(r#"{"alg":"EdDSA","typ":"JWT"}"#),
            with_header(r#"{ "alg":"EdDSA"}"#),
            format!("{token}="),
            format!("{token}."),
            format!(" {token}"),
            token[..token.len() - 2].to_owned(),
            String::new(),
            HEADER.to_owned(),
            format!("{HEADER}{}", "a".repeat(100_000)),
        ] {
            assert_eq!(signer.verify(&bad), None, "{bad:.60}");
        }
    }

    #[test]
    fn foreign_bearers_are_recognized() {
        let signer = JwtSigner::ephemeral().expect("a key");
        let token = signer.sign(&claims()).expect("signed");
        let unsigned = &token[..token.rfind('.').expect("three parts")];
        for ours in [format!("Bearer {token}"), format!("x,{token},y"), format!("{unsigned}.x")] {
            assert!(mentions_token(ours.as_bytes()), "{ours}");
        }
        let with = |json: &str| format!("Bearer {HEADER}{}.x", URL_SAFE_NO_PAD.encode(json));
        for others in [
            with(r#"{"iss":"https://login.example","sub":"me"}"#),
            with(r#"{"sub":"training.ai.cloud.ovh.net"}"#),
            with("rubbish"),
            HEADER.repeat(1000),
            "Bearer sk-own".into(),
        ] {
            assert!(!mentions_token(others.as_bytes()), "{others:.60}");
        }
        let both = format!("{}, {token}", with("{}"));
        assert!(mentions_token(both.as_bytes()), "{both}");
    }

    #[test]
    fn the_key_is_stored_privately() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("signing.key");
        let token = JwtSigner::from_file(&path).expect("made").sign(&claims()).expect("signed");
        assert_eq!(JwtSigner::from_file(&path).expect("read").verify(&token), Some(claims()));
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(&path, "rubbish").expect("written");
        assert!(JwtSigner::from_file(&path).is_err());
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_detected(at in 0usize..250, bit in 0u8..7) {
            let signer = JwtSigner::ephemeral().expect("a key");
            let token = signer.sign(&claims()).expect("signed");
            let mut bytes = token.clone().into_bytes();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            if let Ok(changed) = String::from_utf8(bytes) {
                // The last character of base64 has unused bits; a decoder that ignored them would
                // give one token two spellings.
                prop_assert_eq!(signer.verify(&changed), None, "{} {}", at, bit);
            }
        }
    }
}
