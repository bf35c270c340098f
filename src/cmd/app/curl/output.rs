//! The output of a response: the screen, or a file that appears only when it is complete.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Failure, Result};

/// See the module.
pub(super) enum Output {
    Screen,
    /// A device or a pipe, which can't be replaced by a file.
    Device(File),
    /// A temporary file beside its final name.
    Whole {
        part: NamedTempFile,
        path: PathBuf,
    },
}

impl Output {
    /// The output for a path, or `-`.
    pub(super) fn to(directory: &Path, name: &str) -> Result<Self> {
        if name == "-" {
            return Ok(Self::Screen);
        }
        if name.is_empty() {
            return Err(Failure::usage("the name of the output file is empty")
                .hint("use -o FILE, or -o - for standard output"));
        }
        Self::open(&directory.join(name)).map_err(|error| unwritable(name, &error))
    }

    /// The output named like the last part of a request's path, always in this directory.
    pub(super) fn named_by(directory: &Path, target: &str) -> Result<Self> {
        let path = target.split('?').next().unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default();
        if matches!(name, "" | "." | "..") || name.chars().any(char::is_control) {
            return Err(Failure::usage(format!("the path {path:?} does not name a file"))
                .hint("choose a file: -o FILE"));
        }
        // An existing file or link of this name is replaced, not followed.
        Self::whole(&directory.join(name), Permissions::from_mode(0o666))
            .map_err(|error| unwritable(name, &error))
    }

    fn open(path: &Path) -> io::Result<Self> {
        match std::fs::metadata(path) {
            Ok(there) if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(there) if there.is_file() => {
                // A read-only file is not replaced, even if its directory is writable.
                File::options().write(true).open(path)?;
                let part = Self::whole(&path.canonicalize()?, Permissions::from_mode(0o600))?;
                if let Self::Whole { part, .. } = &part {
                    part.as_file().set_permissions(there.permissions())?;
                }
                Ok(part)
            }
            Ok(_) => Ok(Self::Device(File::options().write(true).open(path)?)),
            Err(_) => Self::whole(path, Permissions::from_mode(0o666)),
        }
    }

    fn whole(path: &Path, permissions: Permissions) -> io::Result<Self> {
        let directory = path.parent().unwrap_or(Path::new("."));
        // The process's umask applies to the permissions.
        let part = tempfile::Builder::new()
            .prefix(".ovhai-part-")
            .permissions(permissions)
            .tempfile_in(directory)
            // Its own message names the temporary file, which would not help.
            .map_err(|error| io::Error::from(error.kind()))?;
        Ok(Self::Whole { part, path: path.to_owned() })
    }

    /// Where to write to.
    pub(super) fn writer<'a>(
        &'a mut self,
        screen: &'a mut (dyn Write + Send),
    ) -> &'a mut dyn Write {
        match self {
            Self::Screen => screen,
            Self::Device(file) => file,
            Self::Whole { part, .. } => part,
        }
    }

    pub(super) fn is_screen(&self) -> bool {
        matches!(self, Self::Screen)
    }

    /// Moves the complete file to its name.
    pub(super) fn finish(self) -> Result<()> {
        if let Self::Whole { part, path } = self {
            part.persist(&path)
                .map_err(|error| unwritable(&path.display().to_string(), &error.error))?;
        }
        Ok(())
    }
}

fn unwritable(name: &str, error: &io::Error) -> Failure {
    Failure::new(format!("{name} can't be written"))
        .because(error)
        .hint("choose another file with -o FILE")
}
