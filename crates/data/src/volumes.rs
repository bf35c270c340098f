//! The domain's `Volumes` port on the file system.
//!
//! `APP/N` is the copy of an app's volume number N, `APP/N.json` the versions of its files as they were
//! fetched, `APP/N.part` a half, and `APP/kept-N` a volume that is kept with the app. `APP/N.cache` names
//! a copy in `cache`, which is shared by all apps that name it. What is complete has its name by a
//! rename, so that an emulator that is killed leaves halves only, and the next one removes them.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use ovhai_api_types::{AppId, DataSyncDirection};
use ovhai_core::ports::{
    Blame, BoxFuture, Leaving, MountedVolume, SyncReport, VolumeFailure, VolumeRequest, Volumes,
};
use ovhai_core::sync::SyncCounts;
use ovhai_core::volume::VolumeSource;
use ovhai_runtime::tool::Tools;
use tokio::sync::OwnedMutexGuard;

use crate::error::DataError;
use crate::git;
use crate::modes::removal::{is_set_aside, remove_or_set_aside};
use crate::modes::{Reader, settle};
use crate::names::prefix_path;
use crate::roots::{Missing, StoreRoots, make};
use crate::tree::{Cancel, Manifest, Progress, Side, copy, delete};

const CACHE: &str = "cache";
const PART: &str = "part";
/// Ends the name of a file that names a shared copy.
const NOTE: &str = ".cache";

/// Keeps what is locked as long as a clone of it is there.
type Held = Arc<OwnedMutexGuard<()>>;

/// See the module.
#[derive(Debug, Clone)]
pub struct FileVolumes {
    roots: StoreRoots,
    base: Arc<PathBuf>,
    tools: Tools,
    locks: Arc<Mutex<HashMap<AppId, Arc<tokio::sync::Mutex<()>>>>>,
    /// Held while shared copies are made or removed.
    cache: Arc<tokio::sync::Mutex<()>>,
}

/// Where one volume's files are.
struct Place {
    directory: PathBuf,
    manifest: PathBuf,
    half: PathBuf,
}

impl Place {
    fn new(above: &Path, name: &str) -> Self {
        Self {
            directory: above.join(name),
            manifest: above.join(format!("{name}.json")),
            half: above.join(format!("{name}.{PART}")),
        }
    }
}

fn failure(fault: Blame, message: impl std::fmt::Display) -> VolumeFailure {
    VolumeFailure { fault, message: message.to_string() }
}

fn platform(what: &Path, error: &io::Error) -> VolumeFailure {
    failure(
        Blame::Platform,
        format!("The files of a volume can't be kept in {}: {error}", what.display()),
    )
}

/// Whether a copy is shared by all volumes like it. One that may be written to a directory of the
/// owner's is the app's own: another app, which another caller has changed, can't write into it.
fn is_shared(request: &VolumeRequest) -> bool {
    let is_host = request.store.as_ref().is_some_and(|store| store.is_owner_named());
    request.spec.cache
        && request.spec.source != VolumeSource::Standalone
        && !(is_host && request.spec.permission.writes())
}

impl FileVolumes {
    /// On these data stores; copies are kept in `base`, which is made when it is needed. `tools` starts
    /// git.
    pub fn new(roots: StoreRoots, base: PathBuf, tools: Tools) -> Self {
        let (locks, cache) = (Arc::default(), Arc::default());
        Self { roots, base: Arc::new(base), tools, locks, cache }
    }

    async fn lock(&self, app: AppId) -> Held {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(app).or_default())
        };
        Arc::new(lock.lock_owned().await)
    }

    fn above(&self, app: AppId) -> PathBuf {
        self.base.join(app.to_string())
    }

    /// The name of the copy that is shared by all volumes like this one.
    fn cache_key(request: &VolumeRequest) -> String {
        let mut hasher = DefaultHasher::new();
        let store = request.store.as_ref().map(|store| (store.key(), store.directory.clone()));
        let source = request.spec.shown_source();
        let reader = (request.for_container, request.spec.permission.writes(), request.is_owners);
        (store, source, reader).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// Where an app's volume is, or would be.
    fn place(&self, app: AppId, request: &VolumeRequest) -> Place {
        let above = self.above(app);
        if request.spec.source == VolumeSource::Standalone {
            return Place::new(&above, &format!("kept-{}", request.number));
        }
        if is_shared(request) {
            return Place::new(&self.base.join(CACHE), &Self::cache_key(request));
        }
        Place::new(&above, &request.number.to_string())
    }

    async fn mount_all(
        self,
        app: AppId,
        volumes: Vec<VolumeRequest>,
        anew: bool,
        report: SyncReport,
    ) -> Result<Vec<MountedVolume>, VolumeFailure> {
        let held = self.lock(app).await;
        let above = self.above(app);
        if anew {
            let path = above.clone();
            self.blocking(&held, move || clear(&path, false)).await?;
            self.sweep_cache().await;
        }
        let made = make(&above).and_then(|()| make(&self.base.join(CACHE)));
        made.map_err(|error| platform(&above, &error))?;
        let mut mounted = Vec::with_capacity(volumes.len());
        for request in volumes {
            let directory = self.mount_one(app, &request, &held, &report).await?;
            let directory = directory.into_os_string().into_string();
            mounted.push(MountedVolume {
                number: request.number,
                mount_path: request.spec.mount_path,
                directory: directory.map_err(|_| {
                    failure(Blame::Platform, "The state directory's path is not UTF-8")
                })?,
                permission: request.spec.permission,
            });
        }
        Ok(mounted)
    }

    async fn mount_one(
        &self,
        app: AppId,
        request: &VolumeRequest,
        held: &Held,
        report: &SyncReport,
    ) -> Result<PathBuf, VolumeFailure> {
        let place = self.place(app, request);
        let held = if is_shared(request) {
            let note = self.above(app).join(format!("{}{NOTE}", request.number));
            let name = place.directory.file_name().unwrap_or_default().to_string_lossy();
            // First: a copy that an app names is not swept.
            let written = std::fs::write(&note, name.as_bytes());
            written.map_err(|error| platform(&note, &error))?;
            &Arc::new(Arc::clone(&self.cache).lock_owned().await)
        } else {
            held
        };
        let reader =
            Reader { is_container: request.for_container, permission: request.spec.permission };
        if place.directory.is_dir() {
            return Ok(place.directory);
        }
        let half = place.half.clone();
        self.blocking(held, move || remove_or_set_aside(&half)).await?;
        if let VolumeSource::Git { url } = &request.spec.source {
            // Without settings of git.
            let home = self.above(app).join("home");
            make(&home).map_err(|error| platform(&home, &error))?;
            let held = Arc::clone(held);
            git::fetch(&self.tools, url, request.is_owners, &place.half, &home, held).await?;
        } else {
            make(&place.half).map_err(|error| platform(&place.half, &error))?;
        }
        let roots = self.roots.clone();
        let (job, report) = (request.clone(), Arc::clone(report));
        let directory = place.directory.clone();
        self.cancellable(held, move |cancel| {
            let manifest = if job.spec.source.container().is_some() {
                fill(&roots, &job, &place.half, &report, &cancel)?
            } else {
                Manifest::new()
            };
            settle(&place.half, reader).map_err(|error| platform(&place.half, &error))?;
            write_manifest(&place.manifest, &manifest)
                .and_then(|()| std::fs::rename(&place.half, &place.directory))
                .map_err(|error| platform(&place.directory, &error))
        })
        .await?;
        Ok(directory)
    }

    async fn sync_one(
        self,
        app: AppId,
        request: VolumeRequest,
        direction: DataSyncDirection,
        report: SyncReport,
    ) -> Result<String, VolumeFailure> {
        let held = self.lock(app).await;
        let shared = if is_shared(&request) {
            Some(Arc::clone(&self.cache).lock_owned().await)
        } else {
            None
        };
        let place = self.place(app, &request);
        let roots = self.roots.clone();
        self.cancellable(&held, move |cancel| {
            let _shared = shared;
            if !place.directory.is_dir() {
                return Ok("there is no copy of the volume".into());
            }
            let tell = |counts: SyncCounts| report(request.number, counts);
            let mut progress = Progress::new(&tell, cancel);
            let reader =
                Reader { is_container: request.for_container, permission: request.spec.permission };
            let synced = match direction {
                DataSyncDirection::Pull => {
                    // Files of a process that may only read can't be changed by the emulator, either.
                    settle(&place.directory, reader.while_changed())
                        .map_err(|error| platform(&place.directory, &error))?;
                    let pulled = pull(&roots, &request, &place, &mut progress);
                    settle(&place.directory, reader)
                        .map_err(|error| platform(&place.directory, &error))?;
                    pulled
                }
                DataSyncDirection::Push => push(&roots, &request, &place, &mut progress),
            };
            synced.map_err(told)?;
            Ok(progress.finish())
        })
        .await
    }

    async fn unmount_all(self, app: AppId, leaving: Leaving) {
        let held = self.lock(app).await;
        let above = self.above(app);
        let cleared =
            self.blocking(&held, move || clear(&above, leaving == Leaving::Deleted)).await;
        if let Err(VolumeFailure { message, .. }) = cleared {
            tracing::warn!(%app, why = message, "files of volumes can't be removed");
        }
        self.sweep_cache().await;
        if leaving == Leaving::Deleted {
            self.locks.lock().unwrap_or_else(PoisonError::into_inner).remove(&app);
        }
    }

    /// Removes shared copies that no app names.
    async fn sweep_cache(&self) {
        let held = Arc::new(Arc::clone(&self.cache).lock_owned().await);
        let base = Arc::clone(&self.base);
        if let Err(VolumeFailure { message, .. }) = self.blocking(&held, move || sweep(&base)).await
        {
            tracing::warn!(why = message, "copies of volumes that are not used can't be removed");
        }
    }

    /// Runs what blocks beside the async runtime; what is held stays so until it has ended.
    async fn blocking(
        &self,
        held: &Held,
        work: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> Result<(), VolumeFailure> {
        let base = Arc::clone(&self.base);
        self.cancellable(held, move |_| work().map_err(|error| platform(&base, &error))).await
    }

    /// The same for work that ends when the caller is dropped.
    async fn cancellable<T: Send + 'static>(
        &self,
        held: &Held,
        work: impl FnOnce(Cancel) -> Result<T, VolumeFailure> + Send + 'static,
    ) -> Result<T, VolumeFailure> {
        let (cancel, held) = (Cancel::default(), Arc::clone(held));
        let _dropped = CancelOnDrop(cancel.clone());
        let done = tokio::task::spawn_blocking(move || {
            let _held = held;
            work(cancel)
        });
        done.await.unwrap_or_else(|error| Err(failure(Blame::Platform, error)))
    }
}

struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn told(error: DataError) -> VolumeFailure {
    let fault = match error {
        DataError::Io { .. } | DataError::Cancelled => Blame::Platform,
        _ => Blame::User,
    };
    failure(fault, format!("The data of a volume can't be had: {error}"))
}

/// A volume's container and the directory in it; none if the container or the directory is missing.
fn source(
    roots: &StoreRoots,
    request: &VolumeRequest,
    missing: Missing,
) -> Result<Option<(Dir, PathBuf)>, DataError> {
    let Some((alias, container, prefix)) = request.spec.source.container() else { return Ok(None) };
    let Some(store) = &request.store else {
        return Err(DataError::Refused(format!(
            "there is no data store {alias} any more; list them: ovhai datastore list"
        )));
    };
    let path = prefix_path(prefix)?;
    let Some(root) = roots.container(store, container, missing)? else { return Ok(None) };
    let failed = |error| DataError::io(request.spec.shown_source(), error);
    if path.as_os_str().is_empty() {
        return Ok(Some((root, path)));
    }
    if missing == Missing::Make {
        root.create_dir_all(&path).map_err(failed)?;
    }
    match root.metadata(&path) {
        Ok(found) if found.is_dir() => Ok(Some((root, path))),
        Ok(_) => Err(failed(io::ErrorKind::NotADirectory.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn open(path: &Path) -> Result<Dir, DataError> {
    Dir::open_ambient_dir(path, ambient_authority())
        .map_err(|error| DataError::io(path.display().to_string(), error))
}

/// Fills a new copy.
fn fill(
    roots: &StoreRoots,
    request: &VolumeRequest,
    half: &Path,
    report: &SyncReport,
    cancel: &Cancel,
) -> Result<Manifest, VolumeFailure> {
    let tell = |counts: SyncCounts| report(request.number, counts);
    let mut progress = Progress::new(&tell, cancel.clone());
    let mut manifest = Manifest::new();
    let filled = (|| {
        let Some((root, base)) = source(roots, request, Missing::Leave)? else {
            return Ok(());
        };
        let target = open(half)?;
        let from = Side { root: &root, base: &base };
        let to = Side { root: &target, base: Path::new("") };
        copy(from, to, |_, _| false, &mut manifest, &mut progress)
    })();
    filled.map_err(told)?;
    let said = progress.finish();
    if !said.is_empty() {
        tracing::warn!(
            source = request.spec.shown_source(),
            said,
            "some files of a volume are missing"
        );
    }
    Ok(manifest)
}

/// New and changed files of the store come to the copy; what the app changed meanwhile stays, unless the
/// store has a newer version. A file that is not fetched, or that the store has no more, is in the copy as
/// it was, and so in the manifest: a push does not write it over what the store has.
fn pull(
    roots: &StoreRoots,
    request: &VolumeRequest,
    place: &Place,
    progress: &mut Progress<'_>,
) -> Result<(), DataError> {
    let Some((root, base)) = source(roots, request, Missing::Leave)? else { return Ok(()) };
    let target = open(&place.directory)?;
    let mut manifest = read_manifest(&place.manifest);
    let mut seen = Manifest::new();
    let from = Side { root: &root, base: &base };
    let to = Side { root: &target, base: Path::new("") };
    let is_known = |path: &Path, version| manifest.get(path) == Some(&version);
    let pulled = copy(from, to, is_known, &mut seen, progress);
    manifest.extend(seen);
    keep(place, &manifest).and(pulled)
}

/// New and changed files of the copy go to the store. With the permission to delete, files are deleted
/// there that were fetched, and that the app has deleted.
fn push(
    roots: &StoreRoots,
    request: &VolumeRequest,
    place: &Place,
    progress: &mut Progress<'_>,
) -> Result<(), DataError> {
    if !request.spec.permission.writes() {
        return Ok(());
    }
    let Some((root, base)) = source(roots, request, Missing::Make)? else { return Ok(()) };
    let copied = open(&place.directory)?;
    let mut manifest = read_manifest(&place.manifest);
    let from = Side { root: &copied, base: Path::new("") };
    let to = Side { root: &root, base: &base };
    let mut seen = Manifest::new();
    let is_known = |path: &Path, version| manifest.get(path) == Some(&version);
    let pushed = copy(from, to, is_known, &mut seen, progress);
    if pushed.is_ok() && request.spec.permission == ovhai_core::volume::Permission::Rwd {
        let is_gone = |path: &Path| {
            copied
                .symlink_metadata(path)
                .is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        };
        let gone: Vec<_> = manifest
            .iter()
            .filter(|(path, _)| is_gone(path))
            .map(|(path, version)| (path.clone(), *version))
            .collect();
        for (path, _) in &gone {
            manifest.remove(path);
        }
        delete(to, gone.into_iter(), progress)?;
    }
    manifest.extend(seen);
    keep(place, &manifest).and(pushed)
}

fn keep(place: &Place, manifest: &Manifest) -> Result<(), DataError> {
    write_manifest(&place.manifest, manifest)
        .map_err(|error| DataError::io(place.manifest.display().to_string(), error))
}

fn write_manifest(path: &Path, manifest: &Manifest) -> io::Result<()> {
    let half = path.with_extension(format!("json.{PART}"));
    std::fs::write(&half, serde_json::to_vec(manifest)?)?;
    std::fs::rename(half, path)
}

/// None that can be read is an empty one: nothing is deleted, and everything is written back.
fn read_manifest(path: &Path) -> Manifest {
    let text = std::fs::read(path).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn names(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// Removes an app's copies; what is kept with the app, too, if all goes.
fn clear(above: &Path, all: bool) -> io::Result<()> {
    if all {
        return remove_or_set_aside(above);
    }
    for name in names(above)? {
        let is_kept = name.starts_with("kept-") && !name.ends_with(PART);
        if !is_kept {
            remove_or_set_aside(&above.join(name))?;
        }
    }
    // It stays if something is kept.
    let _ = std::fs::remove_dir(above);
    Ok(())
}

/// Removes halves that are left.
fn remove_halves(above: &Path) -> io::Result<()> {
    let suffix = format!(".{PART}");
    for name in names(above)?.into_iter().filter(|name| name.ends_with(&suffix)) {
        remove_or_set_aside(&above.join(name))?;
    }
    Ok(())
}

/// Removes shared copies that no app names.
fn sweep(base: &Path) -> io::Result<()> {
    let mut used = BTreeSet::new();
    for app in names(base)?.into_iter().filter(|name| name != CACHE && !is_set_aside(name)) {
        let above = base.join(app);
        for note in names(&above)?.into_iter().filter(|name| name.ends_with(NOTE)) {
            used.insert(std::fs::read_to_string(above.join(note)).unwrap_or_default());
        }
    }
    let cache = base.join(CACHE);
    for name in names(&cache)? {
        let key = name.split('.').next().unwrap_or_default();
        if !used.contains(key) {
            remove_or_set_aside(&cache.join(name))?;
        }
    }
    Ok(())
}

/// Removes what an earlier emulator left, but of these apps. What can't be removed does not keep the
/// rest.
fn recover(base: &Path, keep: &BTreeSet<String>) -> io::Result<()> {
    for name in names(base)? {
        let above = base.join(&name);
        let removed = if name == CACHE || keep.contains(&name) {
            remove_halves(&above)
        } else {
            remove_or_set_aside(&above)
        };
        if let Err(error) = removed {
            tracing::warn!(directory = %above.display(), %error, "files of volumes that an earlier emulator left can't be removed");
        }
    }
    sweep(base)
}

impl Volumes for FileVolumes {
    fn accept_directory(&self, directory: String) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async move {
            let roots = self.roots.clone();
            let accepted =
                tokio::task::spawn_blocking(move || roots.accept(&PathBuf::from(directory))).await;
            let accepted = accepted.map_err(|error| error.to_string())?;
            let real = accepted.map_err(|error| error.to_string())?;
            real.into_os_string().into_string().map_err(|_| "the path is not UTF-8".to_owned())
        })
    }

    fn recover(&self, keep: Vec<AppId>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let base = Arc::clone(&self.base);
            let keep = keep.iter().map(ToString::to_string).collect();
            let done = tokio::task::spawn_blocking(move || recover(&base, &keep)).await;
            if let Ok(Err(error)) = done {
                tracing::warn!(%error, "files of volumes that an earlier emulator left can't be removed");
            }
        })
    }

    fn mount(
        &self,
        app: AppId,
        volumes: Vec<VolumeRequest>,
        anew: bool,
        report: SyncReport,
    ) -> BoxFuture<'static, Result<Vec<MountedVolume>, VolumeFailure>> {
        Box::pin(self.clone().mount_all(app, volumes, anew, report))
    }

    fn sync(
        &self,
        app: AppId,
        volume: VolumeRequest,
        direction: DataSyncDirection,
        report: SyncReport,
    ) -> BoxFuture<'static, Result<String, VolumeFailure>> {
        Box::pin(self.clone().sync_one(app, volume, direction, report))
    }

    fn unmount(&self, app: AppId, leaving: Leaving) -> BoxFuture<'static, ()> {
        Box::pin(self.clone().unmount_all(app, leaving))
    }
}

#[cfg(test)]
mod tests;
