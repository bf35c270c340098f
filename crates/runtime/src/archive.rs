//! Files and directories as tar archives: packed, unpacked, and checked on their way into a
//! container.
//!
//! Unpacking writes nowhere but beneath one directory. Names with `..` and absolute names, links that
//! lead out of the destination, devices and the like are refused, and nothing is written through a
//! link that is there already. Owners are not restored.
//!
//! The program itself copies the files of an app that runs as a local process: `ovhai __archive`,
//! under the app's supervisor, with the archive as standard input or output.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileTimes, Metadata};
use std::io::{self, Error, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use ovhai_api_types::{CopyDirection, PathStatus};
use rustix::stdio::stdout;
use tar::{Archive, Builder, EntryType, Header};

/// The hidden subcommand of `ovhai`.
pub const SUBCOMMAND: &str = "__archive";
/// Bits of a mode that are kept.
const MODE: u32 = 0o777;

/// Runs the subcommand; `main` calls this before anything else when it is given.
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(2);
    let (direction, path) = (arguments.next(), arguments.next());
    let outcome = match (direction.as_deref().and_then(OsStr::to_str), path) {
        (Some(direction), Some(path)) => match direction.parse() {
            Ok(direction) => copy(direction, Path::new(&path)),
            Err(why) => Err(Error::other(why)),
        },
        _ => Err(Error::other("a direction and a path are needed")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let told = rustix::stdio::stderr().try_clone_to_owned().map(File::from);
            // There is no other place to tell.
            let _ = told.and_then(|mut told| writeln!(told, "{error}"));
            ExitCode::FAILURE
        }
    }
}

fn copy(direction: CopyDirection, path: &Path) -> io::Result<()> {
    let mut out = io::BufWriter::new(File::from(stdout().try_clone_to_owned()?));
    match direction {
        CopyDirection::Look => {
            let status = look(path)?;
            out.write_all(&serde_json::to_vec(&status)?)?;
        }
        CopyDirection::Read => {
            let name = path.to_str().and_then(base_name).unwrap_or_else(|| ".".into());
            pack(path, Path::new(&name), &mut out)?;
        }
        CopyDirection::Write => {
            let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
            unpack(input, |_| Ok(Target::directory(path)))?;
        }
    }
    out.flush()
}

/// What is at a path; links are followed.
pub fn look(path: &Path) -> io::Result<PathStatus> {
    match fs::metadata(path) {
        Ok(found) => Ok(PathStatus { exists: true, is_directory: found.is_dir() }),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(PathStatus { exists: false, is_directory: false })
        }
        Err(error) => Err(of(path, &error)),
    }
}

fn of(path: &Path, error: &Error) -> Error {
    Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Packs a file, or a directory with everything in it, under this name; `.` for none. Links are
/// packed as links. What is neither file, directory nor link is left out. Returns the number of files.
pub fn pack(path: &Path, name: &Path, to: impl Write) -> io::Result<u64> {
    let mut tar = Builder::new(to);
    let found = fs::symlink_metadata(path).map_err(|error| of(path, &error))?;
    let count = pack_one(&mut tar, path, name, &found)?;
    tar.finish()?;
    Ok(count)
}

fn pack_one(
    tar: &mut Builder<impl Write>,
    path: &Path,
    name: &Path,
    found: &Metadata,
) -> io::Result<u64> {
    let failed = |error: Error| of(path, &error);
    let mut header = Header::new_gnu();
    header.set_metadata(found);
    // It writes a time before 1970 as one in the far future.
    header.set_mtime(u64::try_from(found.mtime()).unwrap_or(0));
    if found.is_symlink() {
        let target = fs::read_link(path).map_err(failed)?;
        header.set_size(0);
        tar.append_link(&mut header, name, target)?;
        Ok(1)
    } else if found.is_dir() {
        header.set_size(0);
        tar.append_data(&mut header, name, io::empty())?;
        let mut inside: Vec<_> =
            fs::read_dir(path).map_err(failed)?.collect::<io::Result<_>>().map_err(failed)?;
        inside.sort_by_key(fs::DirEntry::file_name);
        let mut count = 0;
        for entry in inside {
            let path = entry.path();
            let found = fs::symlink_metadata(&path).map_err(|error| of(&path, &error))?;
            count += pack_one(tar, &path, &name.join(entry.file_name()), &found)?;
        }
        Ok(count)
    } else if found.is_file() {
        let file = File::open(path).map_err(failed)?;
        header.set_size(found.len());
        tar.append_data(&mut header, name, Exactly { from: file, left: found.len() })
            .map_err(failed)?;
        Ok(1)
    } else {
        Ok(0)
    }
}

/// As many bytes as were announced, whatever becomes of the file meanwhile.
struct Exactly<R> {
    from: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(room.len());
        let read = self.from.read(&mut room[..most])?;
        if read == 0 && most > 0 {
            return Err(Error::new(ErrorKind::UnexpectedEof, "the file became shorter meanwhile"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// The first entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct First {
    /// Its name; empty for `.`.
    pub name: PathBuf,
    /// Whether it is a directory.
    pub is_directory: bool,
}

/// Where an archive is unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    directory: PathBuf,
    rename: Option<(PathBuf, PathBuf)>,
    /// Whether the destination is what the first entry becomes, and not the directory.
    is_new: bool,
}

impl Target {
    /// Into this directory, under the names that entries have.
    pub fn directory(path: &Path) -> Self {
        Self { directory: path.to_owned(), rename: None, is_new: false }
    }

    /// The first entry, and what is in it, as `name` in this directory; or, without a name, as the
    /// directory itself. Other entries are refused.
    pub fn rename(directory: &Path, first: &First, name: Option<&OsStr>) -> Self {
        let name = name.map_or_else(PathBuf::new, PathBuf::from);
        let rename = Some((first.name.clone(), name));
        Self { directory: directory.to_owned(), rename, is_new: false }
    }

    /// As [`Target::rename`], for a destination that is not there yet: links may not lead out of it
    /// into the directory that it is made in.
    pub fn create(directory: &Path, first: &First, name: Option<&OsStr>) -> Self {
        Self { is_new: true, ..Self::rename(directory, first, name) }
    }

    fn name(&self, name: &Path) -> io::Result<PathBuf> {
        let Some((old, new)) = &self.rename else { return Ok(name.to_owned()) };
        let inside = name.strip_prefix(old).map_err(|_| {
            invalid(format!("the archive has {}, beside {}", name.display(), old.display()))
        })?;
        Ok(new.join(inside).components().collect())
    }

    /// Whether a link of this name leads to something in the destination.
    fn holds_link(&self, name: &Path, target: &Path) -> bool {
        let destination = self.rename.as_ref().filter(|_| self.is_new).map(|(_, new)| new);
        let inside = destination.and_then(|new| name.strip_prefix(new).ok());
        stays_inside(inside.unwrap_or(name), target)
    }
}

fn invalid(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, why.into())
}

/// The name of an entry, without `.`; an error if it may lead out of its directory.
fn checked(name: &Path) -> io::Result<PathBuf> {
    let mut safe = PathBuf::new();
    for component in name.components() {
        match component {
            Component::Normal(part) => safe.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(invalid(format!(
                    "the archive has the name {}, which leads out of its directory",
                    name.display()
                )));
            }
        }
    }
    Ok(safe)
}

/// Whether a link in an archive leads to something in the same archive: it first goes up, no further
/// than to the root, and then down.
fn stays_inside(link: &Path, target: &Path) -> bool {
    let depth = link.components().count().saturating_sub(1);
    let up = target.components().take_while(|part| matches!(part, Component::ParentDir)).count();
    let rest = target.components().skip(up);
    up <= depth
        && rest.into_iter().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

fn refuse_link(name: &Path, target: &Path) -> Error {
    invalid(format!(
        "the archive has the link {}, which leads out of its directory: {}",
        name.display(),
        target.display()
    ))
}

/// What an entry may be.
enum Kind {
    File,
    Directory,
    Link(PathBuf),
    /// Another name of a file that came before.
    Same(PathBuf),
}

fn kind<R: Read>(entry: &tar::Entry<'_, R>, name: &Path) -> io::Result<Kind> {
    let target = || {
        let target = entry.link_name()?;
        target.map(std::borrow::Cow::into_owned).ok_or_else(|| invalid("a link without a target"))
    };
    Ok(match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Kind::File,
        EntryType::Directory => Kind::Directory,
        EntryType::Symlink => Kind::Link(target()?),
        EntryType::Link => Kind::Same(checked(&target()?)?),
        other => {
            return Err(invalid(format!(
                "the archive has {}, which is neither a file nor a directory ({other:?})",
                name.display()
            )));
        }
    })
}

/// The links that an archive has had so far.
#[derive(Default)]
struct Links(HashSet<PathBuf>);

impl Links {
    /// The name and the kind of an entry. Nothing may be beneath a link, or be another name of one:
    /// where that leads says only what is in the destination.
    fn pass<R: Read>(&mut self, entry: &tar::Entry<'_, R>) -> io::Result<(PathBuf, Kind)> {
        let name = checked(&entry.path()?)?;
        let kind = kind(entry, &name)?;
        self.refuse_beneath(&name)?;
        match &kind {
            Kind::Link(_) => drop(self.0.insert(name.clone())),
            Kind::Same(of) => {
                self.refuse_beneath(of)?;
                if self.0.contains(of) {
                    return Err(refuse_link(&name, of));
                }
            }
            Kind::File | Kind::Directory => {}
        }
        Ok((name, kind))
    }

    fn refuse_beneath(&self, name: &Path) -> io::Result<()> {
        if name.ancestors().skip(1).any(|above| self.0.contains(above)) {
            return Err(invalid(format!("{} is beneath a link of the archive", name.display())));
        }
        Ok(())
    }
}

/// The time of an entry, in seconds since 1970. One before that, or one that is none, becomes 0.
fn modified(header: &Header) -> io::Result<u64> {
    header.mtime().map(|seconds| i64::try_from(seconds).map_or(0, i64::unsigned_abs))
}

/// Unpacks an archive where `decide` says, for its first entry. Returns the number of files.
pub fn unpack(
    from: impl Read,
    decide: impl FnOnce(&First) -> io::Result<Target>,
) -> io::Result<u64> {
    let mut archive = Archive::new(from);
    let (mut decide, mut place) = (Some(decide), None);
    // Times of directories change when something is put into them.
    let mut directories = Vec::new();
    let mut links = Links::default();
    let mut count = 0;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let (name, kind) = links.pass(&entry)?;
        if let Some(decide) = decide.take() {
            let first = First { name: name.clone(), is_directory: matches!(kind, Kind::Directory) };
            let target = decide(&first)?;
            let root = fs::canonicalize(&target.directory)
                .map_err(|error| of(&target.directory, &error))?;
            if !root.is_dir() {
                return Err(Error::new(
                    ErrorKind::NotADirectory,
                    format!("{}: not a directory", target.directory.display()),
                ));
            }
            place = Some((target, root));
        }
        let Some((target, root)) = &place else { continue };
        let name = target.name(&name)?;
        let path = beneath(root, &name)?;
        let failed = |error: Error| of(&path, &error);
        let header = entry.header();
        let mode = fs::Permissions::from_mode(header.mode()? & MODE);
        let modified = SystemTime::UNIX_EPOCH
            .checked_add(Duration::from_secs(modified(header)?))
            .unwrap_or(SystemTime::UNIX_EPOCH);
        match kind {
            Kind::Directory => {
                if !name.as_os_str().is_empty() {
                    make_directory(&path).map_err(failed)?;
                    directories.push((path, mode, modified));
                }
            }
            Kind::File => {
                let mut file = make_file(&path).map_err(failed)?;
                io::copy(&mut entry, &mut file)?;
                file.set_permissions(mode).map_err(failed)?;
                file.set_times(FileTimes::new().set_modified(modified)).map_err(failed)?;
                count += 1;
            }
            Kind::Link(to) => {
                if !target.holds_link(&name, &to) {
                    return Err(refuse_link(&name, &to));
                }
                clear(&path).map_err(failed)?;
                std::os::unix::fs::symlink(to, &path).map_err(failed)?;
                count += 1;
            }
            Kind::Same(of_file) => {
                let original = beneath(root, &target.name(&of_file)?)?;
                if !fs::symlink_metadata(&original).map_err(failed)?.is_file() {
                    return Err(refuse_link(&name, &of_file));
                }
                clear(&path).map_err(failed)?;
                fs::copy(&original, &path).map_err(failed)?;
                count += 1;
            }
        }
    }
    for (path, mode, modified) in directories.into_iter().rev() {
        let directory = File::open(&path).map_err(|error| of(&path, &error))?;
        directory.set_times(FileTimes::new().set_modified(modified))?;
        directory.set_permissions(mode)?;
    }
    Ok(count)
}

/// The path of a name beneath a directory. No directory on the way may be a link.
fn beneath(root: &Path, name: &Path) -> io::Result<PathBuf> {
    let mut path = root.to_owned();
    let mut parts = name.components().peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        if parts.peek().is_some()
            && fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink())
        {
            return Err(invalid(format!(
                "{} is a link: nothing is written through it",
                path.display()
            )));
        }
    }
    Ok(path)
}

fn make_directory(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(Error::new(ErrorKind::AlreadyExists, "it is there, and not a directory")),
        // Writable until everything is in it.
        Err(_) => fs::DirBuilder::new().mode(0o700).recursive(true).create(path),
    }
}

/// Makes room for a file or a link.
fn clear(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => {
            Err(Error::new(ErrorKind::IsADirectory, "it is a directory"))
        }
        Ok(_) => fs::remove_file(path),
        Err(_) => match path.parent() {
            Some(parent) => fs::create_dir_all(parent),
            None => Ok(()),
        },
    }
}

fn make_file(path: &Path) -> io::Result<File> {
    // A file that is there keeps its links and its readers.
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_file()) {
        return File::options().write(true).truncate(true).open(path);
    }
    clear(path)?;
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

/// Passes an archive on with harmless entries only: every one belongs to this user, and has no bits
/// for other users' rights. What [`unpack`] refuses is refused.
pub fn sanitize(from: impl Read, to: impl Write, owner: u64) -> io::Result<()> {
    let mut tar = Builder::new(to);
    let mut links = Links::default();
    for entry in Archive::new(from).entries()? {
        let mut entry = entry?;
        let (name, kind) = links.pass(&entry)?;
        if let Kind::Link(target) = &kind
            && !stays_inside(&name, target)
        {
            return Err(refuse_link(&name, target));
        }
        if name.as_os_str().is_empty() {
            // The directory itself, which is there, keeps its owner and its mode.
            continue;
        }
        let mut header = Header::new_gnu();
        header.set_mode(entry.header().mode()? & MODE);
        header.set_mtime(modified(entry.header())?);
        header.set_uid(owner);
        header.set_gid(owner);
        header.set_size(0);
        match kind {
            Kind::Directory => {
                header.set_entry_type(EntryType::Directory);
                tar.append_data(&mut header, name, io::empty())?;
            }
            Kind::File => {
                header.set_size(entry.size());
                tar.append_data(&mut header, name, &mut entry)?;
            }
            Kind::Link(target) => {
                header.set_entry_type(EntryType::Symlink);
                tar.append_link(&mut header, name, target)?;
            }
            Kind::Same(target) => {
                header.set_entry_type(EntryType::Link);
                tar.append_link(&mut header, name, target)?;
            }
        }
    }
    tar.into_inner()?.flush()
}

/// The last name of a path as it was written, if it has one: not `.`, `..` or `/`.
pub fn base_name(path: &str) -> Option<OsString> {
    let path = path.trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or(path);
    (!matches!(last, "" | "." | "..")).then(|| last.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar_of(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut tar = Builder::new(Vec::new());
        for (name, kind, content) in entries {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o4755);
            header.set_mtime(1_000_000_000);
            header.set_size(0);
            let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
            let data = if is_link { "" } else { content };
            header.set_size(data.len() as u64);
            // As a hostile program writes them: unchecked.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            if is_link {
                header.as_old_mut().linkname[..content.len()].copy_from_slice(content.as_bytes());
            }
            header.set_cksum();
            tar.append(&header, data.as_bytes()).expect("appended");
        }
        tar.into_inner().expect("a tar")
    }

    fn into(directory: &Path, tar: &[u8]) -> io::Result<u64> {
        unpack(tar, |_| Ok(Target::directory(directory)))
    }

    #[test]
    fn a_tree_there_and_back() {
        let (from, to) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("two"));
        let tree = from.path().join("tree");
        fs::create_dir_all(tree.join("inner/empty")).expect("made");
        fs::write(tree.join("inner/file"), vec![7; 100_000]).expect("written");
        fs::set_permissions(tree.join("inner/file"), fs::Permissions::from_mode(0o640))
            .expect("set");
        std::os::unix::fs::symlink("../inner/file", tree.join("inner/link")).expect("linked");
        let long = "x".repeat(200);
        fs::write(tree.join(&long), "long").expect("written");
        let mut tar = Vec::new();
        assert_eq!(pack(&tree, Path::new("tree"), &mut tar).expect("packed"), 3);
        let target = |first: &First| {
            assert_eq!((first.name.as_path(), first.is_directory), (Path::new("tree"), true));
            Ok(Target::rename(to.path(), first, Some(OsStr::new("new"))))
        };
        assert_eq!(unpack(&tar[..], target).expect("unpacked"), 3);
        let new = to.path().join("new");
        assert_eq!(fs::read(new.join("inner/file")).expect("read"), vec![7; 100_000]);
        let mode = fs::metadata(new.join("inner/file")).expect("found").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(
            fs::read_link(new.join("inner/link")).expect("a link"),
            Path::new("../inner/file")
        );
        assert!(new.join("inner/empty").is_dir() && new.join(&long).is_file());
    }

    #[test]
    fn nothing_is_written_outside() {
        use EntryType::{Block, Directory, Fifo, Link, Regular, Symlink};
        let hostile: [&[(&str, EntryType, &str)]; 14] = [
            &[("../out", Regular, "x")],
            &[("/out", Regular, "x")],
            &[("a/../../out", Regular, "x")],
            &[("l", Symlink, "/etc")],
            &[("l", Symlink, "..")],
            &[("d/", Directory, ""), ("d/l", Symlink, "../..")],
            &[("d/", Directory, ""), ("d/m", Symlink, ".."), ("d/l", Symlink, "m/..")],
            &[("l", Symlink, "d"), ("l/out", Regular, "x")],
            &[
                ("x/y/z/s", Symlink, "../../.."),
                ("x/y/z/s/t", Symlink, "../../../.."),
                ("x/y/z/s/t/out", Regular, "x"),
            ],
            // Another name of a link is a link from elsewhere.
            &[("d/s", Symlink, ".."), ("l", Link, "d/s")],
            &[("l", Link, "../out")],
            &[("l", Link, "/etc/passwd")],
            &[("p", Fifo, "")],
            &[("b", Block, "")],
        ];
        for entries in hostile {
            let home = tempfile::tempdir().expect("a directory");
            let inner = home.path().join("inner");
            fs::create_dir(&inner).expect("made");
            fs::write(home.path().join("out"), "kept").expect("written");
            let tar = tar_of(entries);
            assert!(into(&inner, &tar).is_err(), "{entries:?}");
            assert_eq!(fs::read(home.path().join("out")).expect("there"), b"kept");
            assert!(sanitize(&tar[..], io::sink(), 1).is_err(), "{entries:?}");
        }
        let tar = tar_of(&[("d/s", Symlink, ".."), ("d/s/f", Regular, "x")]);
        let why = sanitize(&tar[..], io::sink(), 1).expect_err("beneath a link").to_string();
        assert_eq!(why, "d/s/f is beneath a link of the archive");
    }

    #[test]
    fn links_are_judged_by_where_they_will_be() {
        use EntryType::{Directory, Symlink};
        let tar = tar_of(&[("dir/", Directory, ""), ("dir/l", Symlink, "../secret")]);
        let unpack_as = |make: fn(&Path, &First) -> Target| {
            let home = tempfile::tempdir().expect("a directory");
            unpack(&tar[..], |first| Ok(make(home.path(), first)))
        };
        let within = |path: &Path, first: &First| Target::rename(path, first, Some("dir".as_ref()));
        let as_it = |path: &Path, first: &First| Target::rename(path, first, None);
        let new = |path: &Path, first: &First| Target::create(path, first, Some("out".as_ref()));
        assert_eq!(unpack_as(within).expect("it stays in the destination"), 1);
        for target in [as_it, new] {
            let why = unpack_as(target).expect_err("it leads out").to_string();
            assert!(why.contains("leads out of its directory: ../secret"), "{why}");
        }
    }

    #[test]
    fn times_before_1970() {
        let (from, to) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("two"));
        let old = from.path().join("old");
        let before = SystemTime::UNIX_EPOCH - Duration::from_hours(24);
        let file = File::create(&old).expect("made");
        file.set_times(FileTimes::new().set_modified(before)).expect("set");
        let mut tar = Vec::new();
        pack(&old, Path::new("old"), &mut tar).expect("packed");
        let mtime = |tar: &[u8]| {
            let mut archive = Archive::new(tar);
            let entry = archive.entries().expect("entries").next().expect("one").expect("whole");
            entry.header().mtime().expect("a time")
        };
        assert_eq!(mtime(&tar), 0);
        // As other programs write it.
        let mut header = Header::new_gnu();
        header.set_mtime((-86_400_i64).cast_unsigned());
        header.set_size(0);
        header.set_mode(0o644);
        let mut foreign = Builder::new(Vec::new());
        foreign.append_data(&mut header, "old", io::empty()).expect("appended");
        let foreign = foreign.into_inner().expect("a tar");
        for tar in [&tar, &foreign] {
            into(to.path(), tar).expect("unpacked");
            let found = fs::metadata(to.path().join("old")).expect("there").modified();
            assert_eq!(found.expect("a time"), SystemTime::UNIX_EPOCH);
        }
        let mut safe = Vec::new();
        sanitize(&foreign[..], &mut safe, 1).expect("harmless");
        assert_eq!(mtime(&safe), 0);
    }

    #[test]
    fn links_that_are_there_are_replaced_or_refused() {
        let home = tempfile::tempdir().expect("a directory");
        let inner = home.path().join("inner");
        fs::create_dir(&inner).expect("made");
        fs::write(home.path().join("out"), "kept").expect("written");
        std::os::unix::fs::symlink("../out", inner.join("file")).expect("linked");
        std::os::unix::fs::symlink("..", inner.join("up")).expect("linked");
        into(&inner, &tar_of(&[("file", EntryType::Regular, "new")])).expect("unpacked");
        assert_eq!(fs::read(inner.join("file")).expect("there"), b"new");
        into(&inner, &tar_of(&[("up/out", EntryType::Regular, "x")])).expect_err("a link");
        assert_eq!(fs::read(home.path().join("out")).expect("there"), b"kept");
    }

    #[test]
    fn what_goes_into_a_container_is_harmless() {
        let tar = tar_of(&[
            ("d/", EntryType::Directory, ""),
            ("d/f", EntryType::Regular, "content"),
            ("d/g", EntryType::Link, "d/f"),
        ]);
        let mut safe = Vec::new();
        sanitize(&tar[..], &mut safe, 42420).expect("harmless");
        let mut names = Vec::new();
        for entry in Archive::new(&safe[..]).entries().expect("entries") {
            let entry = entry.expect("an entry");
            let header = entry.header();
            assert_eq!((header.uid().ok(), header.gid().ok()), (Some(42420), Some(42420)));
            assert_eq!(header.mode().expect("a mode"), 0o755, "no set-user-id bit");
            names.push(entry.path().expect("a path").into_owned());
        }
        assert_eq!(names, [Path::new("d"), Path::new("d/f"), Path::new("d/g")]);
    }

    #[test]
    fn last_names() {
        for (path, name) in [("a/b", Some("b")), ("a/b/", Some("b")), ("/", None), ("a/..", None)] {
            assert_eq!(base_name(path).as_deref(), name.map(OsStr::new), "{path}");
        }
    }
}
