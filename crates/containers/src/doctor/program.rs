//! The program that a container starts with: where it is, whether 42420 may run it, what it is.

use futures_util::future::{join_all, try_join_all};

use super::archive::{Archive, EXECUTE, Kind, READ, Stat, join};
use super::elf::{self, Elf};

/// How much of a program is read at first, and at the most, in bytes.
const HEAD: usize = 64 * 1024;
const MOST: usize = 64 * 1024 * 1024;
/// Maximum size of the loader's list of libraries, in bytes.
const CACHE: usize = 4 * 1024 * 1024;
/// Directories of libraries, whatever the system.
const LIBRARIES: [&str; 10] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/local/cuda/lib64",
    "/usr/local/nvidia/lib64",
];
/// Directories that are open on every system.
const OPEN: [&str; 9] = [
    "",
    "/bin",
    "/sbin",
    "/usr",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/sbin",
];

/// What a program is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// A program of Linux: its loader and libraries that the image lacks.
    Elf { elf: Elf, missing: Vec<String> },
    /// A script: what runs it, whether the image has that, and whether its first line ends with
    /// CR LF.
    Script { interpreter: String, is_there: bool, has_crlf: bool },
    /// Neither.
    Other,
}

/// The program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    /// As it was named.
    pub(super) name: String,
    /// None: the image does not have it.
    pub(super) stat: Option<Stat>,
    /// The file or directory on its path that 42420 may not run or enter.
    pub(super) denied: Option<Stat>,
    pub(super) content: Option<Content>,
    /// The text of a script.
    pub(super) script: String,
}

/// Finds the program of a command line; none: the command line is empty.
pub(super) async fn find(
    archive: &impl Archive,
    words: &[String],
    working: &str,
    path: &str,
    libraries: &str,
) -> Result<Option<Program>, String> {
    let Some(name) = words.first() else { return Ok(None) };
    let places: Vec<String> = if name.contains('/') {
        vec![join(working, name)]
    } else {
        path.split(':').filter(|it| !it.is_empty()).map(|directory| join(directory, name)).collect()
    };
    let found = try_join_all(places.iter().map(|path| archive.stat(path))).await?;
    let stat = found.into_iter().flatten().find(|stat| stat.kind == Kind::File);
    let mut program = Program {
        name: name.clone(),
        stat: stat.clone(),
        denied: None,
        content: None,
        script: String::new(),
    };
    let Some(stat) = stat else { return Ok(Some(program)) };
    let (denied, head) =
        futures_util::join!(denied(archive, &stat), archive.read(&stat.path, HEAD));
    program.denied = denied?;
    let head = head?;
    program.content = Some(if let Some(elf) = elf::read(&head) {
        linked(archive, &stat.path, elf, libraries).await?
    } else if head.starts_with(b"#!") {
        program.script = String::from_utf8_lossy(&head).into_owned();
        script(archive, &program.script, path).await?
    } else {
        Content::Other
    });
    Ok(Some(program))
}

/// The first directory on the way that 42420 may not enter, or the file itself.
async fn denied(archive: &impl Archive, stat: &Stat) -> Result<Option<Stat>, String> {
    let mut parents: Vec<&str> = Vec::new();
    let mut rest = stat.path.as_str();
    while let Some((parent, _)) = rest.rsplit_once('/').filter(|(parent, _)| !OPEN.contains(parent))
    {
        parents.push(parent);
        rest = parent;
    }
    let all = parents.iter().rev().map(|path| archive.may(path, EXECUTE));
    let found = try_join_all(all).await?;
    let own = archive.may(&stat.path, EXECUTE).await?;
    Ok(found.into_iter().chain([own]).flatten().find(|stat| !stat.allows(EXECUTE)))
}

async fn script(archive: &impl Archive, text: &str, path: &str) -> Result<Content, String> {
    let line = text.lines().next().unwrap_or_default();
    let has_crlf = text.split('\n').next().is_some_and(|line| line.ends_with('\r'));
    let mut words = line.trim_start_matches("#!").split_whitespace();
    let first = words.next().unwrap_or_default();
    let mut interpreter = first.to_owned();
    let mut is_there = archive.stat(first).await?.is_some_and(|it| it.kind == Kind::File);
    if is_there && first.ends_with("/env") {
        let name = words.find(|word| !word.starts_with('-') && !word.contains('='));
        if let Some(name) = name {
            let places: Vec<String> =
                path.split(':').map(|directory| join(directory, name)).collect();
            let found = join_all(places.iter().map(|path| archive.stat(path))).await;
            is_there = found.into_iter().any(|stat| matches!(stat, Ok(Some(_))));
            interpreter = name.to_owned();
        }
    }
    Ok(Content::Script { interpreter, is_there, has_crlf })
}

/// A program with its loader and libraries looked for.
///
/// `libraries` is the value of `LD_LIBRARY_PATH`.
async fn linked(
    archive: &impl Archive,
    path: &str,
    head: Elf,
    libraries: &str,
) -> Result<Content, String> {
    let extent = usize::try_from(head.extent).unwrap_or(usize::MAX);
    let elf = if extent > HEAD && extent <= MOST {
        let whole = archive.read(path, extent).await?;
        elf::read(&whole).unwrap_or(head)
    } else {
        head
    };
    let mut missing = Vec::new();
    if let Some(interpreter) = &elf.interpreter
        && archive.stat(interpreter).await?.is_none()
    {
        missing.push(interpreter.clone());
    }
    if elf.machine == "amd64" && missing.is_empty() {
        let origin = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let own = elf.search.iter().map(|directory| {
            join("/", &directory.replace("$ORIGIN", origin).replace("${ORIGIN}", origin))
        });
        let directories: Vec<String> = own
            .chain(libraries.split(':').filter(|it| !it.is_empty()).map(str::to_owned))
            .chain(LIBRARIES.iter().map(|it| (*it).to_owned()))
            .collect();
        // musl's loader is its C library.
        let wanted = elf.needed.iter().filter(|name| !name.starts_with("libc.musl"));
        let found = try_join_all(wanted.map(|name| has_library(archive, &directories, name)));
        missing.extend(found.await?.into_iter().flatten());
        if !missing.is_empty()
            && let Some(cache) = archive.stat("/etc/ld.so.cache").await?
        {
            // Its own directories are not ours to know; a name in it was found there.
            let cache = archive.read(&cache.path, CACHE).await?;
            missing.retain(|name| {
                !cache.windows(name.len().max(1)).any(|part| part == name.as_bytes())
            });
        }
    }
    Ok(Content::Elf { elf, missing })
}

/// The name of a library that is in none of the directories.
async fn has_library(
    archive: &impl Archive,
    directories: &[String],
    name: &str,
) -> Result<Option<String>, String> {
    for directory in directories {
        if let Some(stat) = archive.stat(&join(directory, name)).await?
            && (stat.owner.is_none() || stat.allows(READ) || stat.mode & 0o444 != 0)
        {
            return Ok(None);
        }
    }
    Ok(Some(name.to_owned()))
}
