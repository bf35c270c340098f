//! Files that only their owner can read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a file of mode 0600 atomically.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension(format!("tmp-{}", std::process::id()));
    let written = create(&temporary).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    let moved = written.and_then(|()| std::fs::rename(&temporary, path)).and_then(|()| {
        // The name has to survive a power cut, too.
        path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
    });
    if moved.is_err() {
        // The temporary file is useless; the first error is the one to report.
        let _ = std::fs::remove_file(&temporary);
    }
    moved
}

fn create(path: &Path) -> io::Result<File> {
    let _ = std::fs::remove_file(path);
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
