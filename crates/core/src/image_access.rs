//! What the image of an app may be pulled with: this machine's logins, if the local administrator
//! named the image, and the project's own at the image's registry.

use ovhai_api_types::{ImageName, registry_covers};

use crate::directory::Snapshot;
use crate::model::{AppRecord, RegistryRecord};
use crate::ports::{ImageAccess, RegistryLogin, SecretError, Vault};

/// What an app's image may be pulled with. A registry that names a path serves the images below it
/// only; the longest path comes first, then the newest registry.
pub(crate) fn image_access(snapshot: &Snapshot, vault: &dyn Vault, app: &AppRecord) -> ImageAccess {
    let image = ImageName::parse(&app.spec.image);
    let host = image.repository().split('/').next().unwrap_or_default();
    let mut found: Vec<_> = snapshot
        .registries_of(&app.region)
        .into_iter()
        .filter_map(|registry| Some((registry_covers(&registry.url, &image)?, registry)))
        .collect();
    found.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    let mut access =
        ImageAccess { is_local_administrator: app.trusted_image, ..ImageAccess::default() };
    for (_, registry) in found {
        match password(vault, &registry) {
            Ok(Some(password)) => access.logins.push(RegistryLogin {
                host: host.to_owned(),
                username: registry.username.clone(),
                password,
            }),
            Ok(None) => access.unusable.push(advice(&registry, "no password is stored for it")),
            Err(why) => access.unusable.push(advice(&registry, &why.to_string())),
        }
    }
    access
}

/// The password of a registry; none if none is stored.
pub(crate) fn password(
    vault: &dyn Vault,
    registry: &RegistryRecord,
) -> Result<Option<String>, SecretError> {
    let purpose = RegistryRecord::purpose(registry.id, &registry.region);
    registry.password.as_ref().map(|sealed| vault.open(&purpose, &sealed.0)).transpose()
}

fn advice(registry: &RegistryRecord, why: &str) -> String {
    let RegistryRecord { id, region, url, .. } = registry;
    format!(
        "The project's login at {url} can't be used: {why}. Give the password again: ovhai registry update {id} --region {region} --password-from-stdin"
    )
}
