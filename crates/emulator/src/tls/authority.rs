//! The local certificate authority: created on first use, valid for names of this machine only.
//!
//! `ca.key` (0600) and `ca.pem` are in the state directory. The name constraints make it safe to
//! trust: a stolen key can sign for `localhost`, names under it and the loopback addresses, and for
//! nothing on the internet.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, PKCS_ECDSA_P256_SHA256, SerialNumber,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::TlsError;
use crate::secret;

const DAY: Duration = Duration::from_hours(24);
/// How long an authority is valid: installing one is work.
const VALID: Duration = Duration::from_hours(10 * 365 * 24);
/// Clocks of clients, such as containers, may be a little behind.
pub(super) const BACKDATED: Duration = DAY;
/// Prefix of every authority's name; the rest tells them apart.
pub const NAME: &str = "ovhai emulator CA";

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    name: String,
    not_after: SystemTime,
    path: Option<PathBuf>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Authority {
    /// Creates one that is not kept.
    pub fn ephemeral() -> Result<Self, TlsError> {
        Ok(make(SystemTime::now())?.0)
    }

    /// Loads the one of this state directory, if there is one that is still valid.
    pub fn load(dir: &Path) -> Result<Option<Self>, TlsError> {
        load(&Files::of(dir), SystemTime::now())
    }

    /// Loads the one of this state directory, or creates it if there is none that is still valid.
    /// The directory must exist.
    pub fn load_or_create(dir: &Path) -> Result<Self, TlsError> {
        load_or_create(dir, SystemTime::now())
    }

    /// Its certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The file with its certificate, if it is kept.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Its name, which no other has.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The SHA-256 of its certificate, in hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let hash = digest(&SHA256, &self.certificate);
        hash.as_ref().iter().fold(String::new(), |all, byte| all + &format!("{byte:02X}"))
    }

    /// When it ends.
    pub(super) fn not_after(&self) -> SystemTime {
        self.not_after
    }

    pub(super) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }
}

/// The files of an authority.
struct Files {
    key: PathBuf,
    certificate: PathBuf,
}

impl Files {
    fn of(dir: &Path) -> Self {
        Self { key: dir.join("ca.key"), certificate: dir.join("ca.pem") }
    }
}

fn load_or_create(dir: &Path, now: SystemTime) -> Result<Authority, TlsError> {
    let unusable = |source| TlsError { path: Some(dir.into()), source };
    // A lock: two commands at once must not create two authorities.
    let lock = File::open(dir).map_err(unusable)?;
    lock.lock().map_err(unusable)?;
    let files = Files::of(dir);
    if let Some(authority) = load(&files, now)? {
        return Ok(authority);
    }
    let (mut authority, key) = make(now)?;
    let at = |path: &Path| {
        let path = Some(path.to_owned());
        move |source| TlsError { path, source }
    };
    // A certificate is never beside another's key, even if this is interrupted.
    match std::fs::remove_file(&files.certificate) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(at(&files.certificate)(error));
        }
        _ => {}
    }
    secret::write(&files.key, key.as_bytes()).map_err(at(&files.key))?;
    secret::write(&files.certificate, authority.pem.as_bytes()).map_err(at(&files.certificate))?;
    authority.path = Some(files.certificate);
    Ok(authority)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, TlsError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TlsError { path: Some(path.into()), source }),
    }
}

/// None when a file is missing, or the authority has expired.
fn load(files: &Files, now: SystemTime) -> Result<Option<Authority>, TlsError> {
    let (Some(key), Some(pem)) = (read(&files.key)?, read(&files.certificate)?) else {
        return Ok(None);
    };
    let damaged = |path: &Path, why: &str| TlsError {
        path: Some(path.into()),
        source: io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "{why}; remove it, and a new certificate authority is made, which has to be installed again"
            ),
        ),
    };
    let key = PrivateKeyDer::from_pem_slice(&key)
        .ok()
        .and_then(|key| KeyPair::from_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256).ok())
        .ok_or_else(|| damaged(&files.key, "it does not hold an ECDSA key"))?;
    let bad = |why| damaged(&files.certificate, why);
    let certificate = CertificateDer::from_pem_slice(&pem)
        .map_err(|_| bad("it does not hold a certificate"))?
        .into_owned();
    let (_, parsed) = x509_parser::parse_x509_certificate(&certificate)
        .map_err(|_| bad("it does not hold a certificate"))?;
    if !parsed.is_ca() {
        return Err(bad("it is not the certificate of an authority"));
    }
    if *parsed.public_key().subject_public_key.data != *key.public_key_raw() {
        return Err(bad("it does not belong to the key in ca.key"));
    }
    let not_after = u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or(0);
    let not_after = SystemTime::UNIX_EPOCH + Duration::from_secs(not_after);
    if not_after < now + DAY {
        tracing::warn!(certificate = %files.certificate.display(), "the certificate authority has ended: a new one is made, which has to be installed again: ovhai emulator ca install");
        return Ok(None);
    }
    let name = parsed
        .subject()
        .iter_common_name()
        .next()
        .and_then(|name| name.as_str().ok())
        .ok_or_else(|| bad("its certificate has no name"))?
        .to_owned();
    let pem = String::from_utf8(pem).map_err(|_| bad("it does not hold a certificate"))?;
    let issuer = Issuer::from_ca_cert_der(&certificate, key)
        .map_err(|_| bad("it does not hold a certificate that can be used"))?;
    let path = Some(files.certificate.clone());
    Ok(Some(Authority { issuer, certificate, pem, name, not_after, path }))
}

/// Creates an authority, and its key as PEM.
fn make(now: SystemTime) -> Result<(Authority, String), TlsError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(TlsError::of)?;
    let mut tag = [0; 4];
    random(&mut tag)?;
    let name = format!("{NAME} {:08x}", u32::from_be_bytes(tag));
    let not_after = now + VALID;

    let mut params = CertificateParams::default();
    params.distinguished_name = named(&name);
    params.serial_number = Some(serial()?);
    params.not_before = (now - BACKDATED).into();
    params.not_after = not_after.into();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            // That includes every name under it (RFC 5280 section 4.2.1.10).
            GeneralSubtree::DnsName("localhost".into()),
            GeneralSubtree::IpAddress(CidrSubnet::V4([127, 0, 0, 1], [255; 4])),
            GeneralSubtree::IpAddress(CidrSubnet::V6(
                std::net::Ipv6Addr::LOCALHOST.octets(),
                [255; 16],
            )),
        ],
        excluded_subtrees: Vec::new(),
    });
    let certificate = params.self_signed(&key).map_err(TlsError::of)?;
    let key_pem = key.serialize_pem();
    let pem = certificate.pem();
    let certificate = certificate.der().clone();
    let issuer = Issuer::new(params, key);
    Ok((Authority { issuer, certificate, pem, name, not_after, path: None }, key_pem))
}

/// The name of an authority, and of what it signs.
pub(super) fn named(name: &str) -> DistinguishedName {
    let mut all = DistinguishedName::new();
    all.push(DnType::OrganizationName, "ovhai");
    all.push(DnType::CommonName, name);
    all
}

/// NSS refuses two certificates of one authority with the same serial number.
pub(super) fn serial() -> Result<SerialNumber, TlsError> {
    let mut bytes = [0; 16];
    random(&mut bytes)?;
    // Positive, and always of the same length.
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(bytes.to_vec().into())
}

fn random(bytes: &mut [u8]) -> Result<(), TlsError> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| TlsError::of("no random numbers could be had"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_authority_is_created_once_and_private() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(Authority::load(dir.path()).expect("none is no error").is_none());
        let made = Authority::load_or_create(dir.path()).expect("made");
        let read = Authority::load_or_create(dir.path()).expect("read");
        assert_eq!((made.pem(), made.name()), (read.pem(), read.name()));
        assert_eq!(made.fingerprint(), read.fingerprint());
        assert_eq!(made.path(), Some(&*dir.path().join("ca.pem")));
        let key = std::fs::metadata(dir.path().join("ca.key")).expect("there");
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
        assert!(!made.pem().contains("PRIVATE"), "{}", made.pem());
    }

    #[test]
    fn concurrent_starts_create_one_authority() {
        let dir = tempfile::tempdir().expect("a directory");
        let names: Vec<String> = std::thread::scope(|scope| {
            let make = || Authority::load_or_create(dir.path()).expect("made").name().to_owned();
            let all: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            all.into_iter().map(|one| one.join().expect("no panic")).collect()
        });
        assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    }

    #[test]
    fn an_expired_authority_is_replaced() {
        let dir = tempfile::tempdir().expect("a directory");
        let then = SystemTime::now() - VALID;
        let old = load_or_create(dir.path(), then).expect("made");
        let still = load_or_create(dir.path(), then + VALID - 2 * DAY).expect("read");
        assert_eq!(old.name(), still.name());
        let new = Authority::load_or_create(dir.path()).expect("made");
        assert_ne!(old.name(), new.name());
        assert!(Authority::load(dir.path()).expect("read").is_some());
    }

    #[test]
    fn damaged_files_are_named_and_kept() {
        let dir = tempfile::tempdir().expect("a directory");
        let (key, pem) = (dir.path().join("ca.key"), dir.path().join("ca.pem"));
        Authority::load_or_create(dir.path()).expect("made");
        let good = (std::fs::read(&key).expect("there"), std::fs::read(&pem).expect("there"));
        let other = tempfile::tempdir().expect("a directory");
        Authority::load_or_create(other.path()).expect("made");
        let other = std::fs::read(other.path().join("ca.pem")).expect("there");
        for (path, content, says) in [
            (&key, b"rubbish".to_vec(), "it does not hold an ECDSA key"),
            (&pem, b"rubbish".to_vec(), "it does not hold a certificate"),
            (&pem, other, "it does not belong to the key"),
        ] {
            std::fs::write(path, &content).expect("written");
            let error = Authority::load_or_create(dir.path()).expect_err("damaged").to_string();
            assert!(error.contains(says) && error.contains(&*path.to_string_lossy()), "{error}");
            assert!(error.contains("remove it"), "{error}");
            assert_eq!(std::fs::read(path).expect("there"), content, "it is left");
            std::fs::write(&key, &good.0).expect("written");
            std::fs::write(&pem, &good.1).expect("written");
        }
        std::fs::remove_file(&key).expect("removed");
        Authority::load_or_create(dir.path()).expect("a new one");
    }
}
