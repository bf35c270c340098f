//! What a copy and its source become.

use std::time::{Duration, SystemTime};

use ovhai_core::model::DataStoreRecord;
use ovhai_core::volume::{Permission, VolumeSpec};

use super::*;
use crate::refused::Refused;

/// A data store on a directory, and a copy of its container `data`.
struct World {
    _all: tempfile::TempDir,
    roots: StoreRoots,
    request: VolumeRequest,
    place: Place,
    store: PathBuf,
}

fn world() -> World {
    let all = tempfile::tempdir().unwrap();
    let path = all.path().canonicalize().unwrap();
    let store = path.join("host/data");
    std::fs::create_dir_all(&store).unwrap();
    std::fs::create_dir(path.join("copies")).unwrap();
    let roots = StoreRoots::new(path.join("own"), Refused::new([]));
    let record: DataStoreRecord = serde_json::from_value(serde_json::json!({
        "alias": "LOCAL", "directory": path.join("host"), "created_at": "2026-01-01T00:00:00Z",
    }))
    .unwrap();
    let (alias, container) = ("LOCAL".to_owned(), "data".to_owned());
    let spec = VolumeSpec {
        mount_path: "/d".into(),
        permission: Permission::Rw,
        cache: false,
        source: VolumeSource::DataStore { alias, container, prefix: None },
    };
    let request = VolumeRequest {
        number: 1,
        spec,
        store: Some(Arc::new(record)),
        is_owners: true,
        for_container: false,
    };
    let place = Place::new(&path.join("copies"), "1");
    std::fs::create_dir(&place.directory).unwrap();
    World { _all: all, roots, request, place, store }
}

type Work = fn(&StoreRoots, &VolumeRequest, &Place, &mut Progress<'_>) -> Result<(), DataError>;

impl World {
    fn run(&self, work: Work) -> (SyncCounts, String) {
        let last = std::cell::Cell::new(SyncCounts::default());
        let report = |counts| last.set(counts);
        let mut progress = Progress::new(&report, Cancel::default());
        work(&self.roots, &self.request, &self.place, &mut progress).unwrap();
        let said = progress.finish();
        (last.get(), said)
    }
}

/// Writes a version of a file, whose number is its time, too.
fn write(path: &Path, version: u64) {
    let _ = std::fs::remove_file(path);
    std::fs::write(path, version.to_string()).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(version);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn a_push_after_a_pull_brings_no_old_file_back() {
    let w = world();
    let copied = &w.place.directory;
    for name in ["stuck", "linked", "gone", "changed"] {
        write(&w.store.join(name), 1);
    }
    assert_eq!(w.run(pull).0.completed, 4);
    // A newer one that can't be fetched, one that became a link that leads out, and one that is deleted.
    write(&w.store.join("stuck"), 2);
    std::fs::create_dir(copied.join("other")).unwrap();
    std::fs::rename(copied.join("stuck"), copied.join("other/stuck")).unwrap();
    std::fs::create_dir(copied.join("stuck")).unwrap();
    std::fs::remove_file(w.store.join("linked")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", w.store.join("linked")).unwrap();
    std::fs::remove_file(w.store.join("gone")).unwrap();
    write(&w.store.join("changed"), 2);
    let (counts, said) = w.run(pull);
    assert_eq!((counts.completed, counts.failed), (1, 1), "{said}");
    std::fs::remove_dir(copied.join("stuck")).unwrap();
    std::fs::rename(copied.join("other/stuck"), copied.join("stuck")).unwrap();
    std::fs::remove_file(w.store.join("linked")).unwrap();
    write(&w.store.join("linked"), 3);
    write(&w.store.join("changed"), 4);
    let (counts, said) = w.run(push);
    assert_eq!((counts.completed, counts.failed), (0, 0), "{said}");
    for (name, version) in [("stuck", "2"), ("linked", "3"), ("changed", "4")] {
        assert_eq!(std::fs::read_to_string(w.store.join(name)).unwrap(), version, "{name}");
    }
    assert!(!w.store.join("gone").exists());
    // What the app changes is written, though.
    write(&copied.join("gone"), 5);
    assert_eq!(w.run(push).0.completed, 1);
    assert!(w.store.join("gone").exists());
}

#[test]
fn the_next_emulator_removes_copies_of_apps_that_are_gone() {
    let all = tempfile::tempdir().unwrap();
    let base = all.path();
    for path in ["app/1", "app/2.part", "gone/1", "zone/1", "cache/used", "cache/unused"] {
        std::fs::create_dir_all(base.join(path)).unwrap();
    }
    std::fs::write(base.join("app/3.cache"), "used").unwrap();
    // No directory of an app can be read in its place: the others are removed all the same.
    std::fs::write(base.join("broken"), "").unwrap();
    recover(base, &["app", "broken"].map(str::to_owned).into()).unwrap_err();
    std::fs::remove_file(base.join("broken")).unwrap();
    assert_eq!(
        names(base).unwrap().into_iter().collect::<BTreeSet<_>>(),
        ["app", "cache"].map(str::to_owned).into()
    );
    recover(base, &["app".to_owned()].into()).unwrap();
    assert!(base.join("app/1").is_dir() && !base.join("app/2.part").exists());
    assert!(base.join("cache/used").is_dir() && !base.join("cache/unused").exists());
}

#[test]
fn a_copy_that_goes_to_a_directory_of_the_owner_is_not_shared() {
    let world = world();
    let shared = |cache: bool, permission: Permission, is_host: bool| {
        let mut request = world.request.clone();
        (request.spec.cache, request.spec.permission) = (cache, permission);
        if !is_host {
            request.store = None;
        }
        is_shared(&request)
    };
    assert!(!shared(true, Permission::Rw, true) && !shared(true, Permission::Rwd, true));
    assert!(shared(true, Permission::Ro, true) && shared(true, Permission::Rw, false));
    assert!(!shared(false, Permission::Ro, true));
}
