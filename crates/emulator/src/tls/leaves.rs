//! A certificate per host, made when a client first asks for it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use quick_cache::sync::Cache;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, SanType};
use rustls::crypto::aws_lc_rs::sign::any_ecdsa_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};

use super::TlsError;
use super::authority::{Authority, BACKDATED, named, serial};
use crate::host::{self, Door};

/// Clients refuse certificates that are valid for more than 397 days.
const VALID: Duration = Duration::from_hours(90 * 24);
/// Age at which a new one is made.
const FRESH: Duration = Duration::from_hours(45 * 24);
/// Maximum certificates that are remembered; making one again costs a signature.
const REMEMBERED: usize = 256;
/// The host of clients that name none, as those that connect to an address.
const LOCAL: &str = "localhost";

/// Makes certificates for hosts that the emulator serves, and for no others.
pub(super) struct Leaves {
    authority: Authority,
    /// One key for all of them: all are the emulator's own, and in memory only.
    key: KeyPair,
    signing: Arc<dyn SigningKey>,
    made: Cache<Box<str>, Leaf>,
}

#[derive(Clone)]
struct Leaf {
    certified: Arc<CertifiedKey>,
    since: SystemTime,
}

impl std::fmt::Debug for Leaves {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leaves").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl Leaves {
    pub(super) fn new(authority: Authority) -> Result<Self, TlsError> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(TlsError::of)?;
        let der = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let signing = any_ecdsa_type(&der).map_err(TlsError::of)?;
        Ok(Self { authority, key, signing, made: Cache::new(REMEMBERED) })
    }

    /// The certificate for a host; none if the emulator does not serve it.
    fn find(&self, host: Option<&str>, now: SystemTime) -> Option<Arc<CertifiedKey>> {
        let name = match host {
            None => LOCAL.to_owned(),
            Some(host) => match host::door(host).ok()? {
                Door::Local => LOCAL.to_owned(),
                Door::Api { .. } | Door::App { .. } | Door::Grpc { .. } => {
                    host.to_ascii_lowercase()
                }
            },
        };
        if let Some(leaf) = self.made.get(name.as_str())
            // After a clock was set back, a new one is made, too.
            && now.duration_since(leaf.since).is_ok_and(|age| age < FRESH)
        {
            return Some(leaf.certified);
        }
        match self.make(&name, now) {
            Ok(certified) => {
                let certified = Arc::new(certified);
                let leaf = Leaf { certified: Arc::clone(&certified), since: now };
                self.made.insert(name.into(), leaf);
                Some(certified)
            }
            Err(error) => {
                tracing::warn!(name, %error, "no certificate could be made");
                None
            }
        }
    }

    fn make(&self, name: &str, now: SystemTime) -> Result<CertifiedKey, TlsError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named("ovhai emulator");
        params.serial_number = Some(serial()?);
        params.not_before = (now - BACKDATED).into();
        params.not_after = (now + VALID).min(self.authority.not_after()).into();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.subject_alt_names = vec![SanType::DnsName(name.try_into().map_err(TlsError::of)?)];
        if name == LOCAL {
            params.subject_alt_names.extend([
                SanType::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()),
                SanType::IpAddress(std::net::Ipv6Addr::LOCALHOST.into()),
            ]);
        }
        let certificate =
            params.signed_by(&self.key, self.authority.issuer()).map_err(TlsError::of)?;
        Ok(CertifiedKey::new(vec![certificate.der().clone()], Arc::clone(&self.signing)))
    }
}

impl ResolvesServerCert for Leaves {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.find(hello.server_name(), SystemTime::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11";

    fn leaves() -> Leaves {
        Leaves::new(Authority::ephemeral().expect("made")).expect("made")
    }

    #[test]
    fn certificates_are_issued_only_for_own_hosts() {
        let (leaves, now) = (leaves(), SystemTime::now());
        let find = |host: &str| leaves.find(Some(host), now);
        let app = format!("{ID}.app.gra.ai.localhost");
        let first = find(&app).expect("ours");
        let again = find(&app.to_uppercase()).expect("ours");
        assert!(Arc::ptr_eq(&first, &again), "it is remembered");
        let local = leaves.find(None, now).expect("for addresses");
        assert!(Arc::ptr_eq(&local, &find("localhost").expect("ours")));
        for host in [
            format!("{ID}-8501.app.gra.ai.localhost"),
            format!("{ID}.app-grpc.us-east-va.ai.localhost"),
            "bhs.ai.localhost".into(),
        ] {
            assert!(find(&host).is_some(), "{host}");
        }
        for host in ["example.org", "x.localhost", "a.app.gra.ai.localhost", "", "*.ai.localhost"] {
            assert!(find(host).is_none(), "{host}");
        }
    }

    #[test]
    fn certificates_are_short_lived_and_renewed() {
        let (leaves, now) = (leaves(), SystemTime::now());
        let at = |then| leaves.find(None, then).expect("made");
        let first = at(now);
        let (_, parsed) = x509_parser::parse_x509_certificate(&first.cert[0]).expect("parsed");
        let days = (parsed.validity().not_after.timestamp()
            - parsed.validity().not_before.timestamp())
            / (24 * 3600);
        assert_eq!(days, 91);
        assert!(Arc::ptr_eq(&first, &at(now + FRESH / 2)));
        let second = at(now + FRESH);
        assert!(!Arc::ptr_eq(&first, &second));
        let (_, other) = x509_parser::parse_x509_certificate(&second.cert[0]).expect("parsed");
        assert_ne!(parsed.raw_serial(), other.raw_serial());
        // Not longer than the authority.
        let end = leaves.authority.not_after();
        let last = at(end - FRESH);
        let (_, last) = x509_parser::parse_x509_certificate(&last.cert[0]).expect("parsed");
        let seconds = end.duration_since(SystemTime::UNIX_EPOCH).expect("after").as_secs();
        assert_eq!(u64::try_from(last.validity().not_after.timestamp()), Ok(seconds));
    }

    #[test]
    fn the_number_of_kept_certificates_is_bounded() {
        let leaves = leaves();
        for n in 0..REMEMBERED * 2 {
            let host = format!("{}.app.gra.ai.localhost", uuid::Uuid::from_u128(n as u128));
            assert!(leaves.find(Some(&host), SystemTime::now()).is_some());
        }
        assert!(leaves.made.len() <= REMEMBERED, "{}", leaves.made.len());
    }
}
