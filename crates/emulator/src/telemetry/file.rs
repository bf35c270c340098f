//! The access log's file. Lines are gathered in memory and written by a thread of its own, which is
//! started with the first line.
//!
//! A worker never waits for the disk: when too much has gathered, or nothing can be written, lines
//! are dropped and counted. The file is readable by its owner only, and bounded: at a certain size
//! it is renamed to `….1`, in place of the one before.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, Once};
use std::time::{Duration, Instant};

use ovhai_core::components::{self, Component, Components};

use super::lock;

/// Size at which the file is renamed.
const FILE_MAX: u64 = 16 * 1024 * 1024;
/// Maximum bytes that gather, and for how long, before they are written: waking the writer takes
/// time from the workers.
const GATHER: usize = 256 * 1024;
const GATHER_FOR: Duration = Duration::from_secs(1);
/// Maximum bytes that wait for a slow disk, for each worker.
const WAITING_MAX: usize = 1024 * 1024;
/// Niceness of the writer. The share of a core that it gets when the workers leave nothing is
/// several times what it needs.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;
/// Time before a writer that panicked is restarted.
const AFTER_PANIC: Duration = Duration::from_secs(1);
/// Time between two warnings about a slow disk.
const COMPLAIN_EVERY: Duration = Duration::from_mins(1);

/// Where the access log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessLog {
    /// Nowhere.
    Off,
    /// Into this file.
    Path(PathBuf),
}

impl FromStr for AccessLog {
    type Err = &'static str;

    /// Parses `off`, or a path; a file named `off` is `./off`.
    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "" => Err("use off or the path of a file"),
            "off" => Ok(Self::Off),
            path => Ok(Self::Path(path.into())),
        }
    }
}

/// The open file.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
    size: u64,
    max: u64,
    /// A device has no size and is not renamed.
    is_regular: bool,
    /// Whether the last write failed.
    failing: bool,
}

impl LogFile {
    /// Opens a file to append to; creates it if it does not exist.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if std::fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo()) {
            // Opening it would wait for a reader.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe, not a file"));
        }
        let file = append_to(path)?;
        let found = file.metadata()?;
        let path = path.to_owned();
        let is_regular = found.is_file();
        Ok(Self { path, file, size: found.len(), max: FILE_MAX, is_regular, failing: false })
    }

    /// Writes whole lines, or nothing.
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let more = lines.len() as u64;
        if self.is_regular && self.size > 0 && self.size + more > self.max {
            self.put_aside()?;
        }
        let written = self.file.write_all(lines);
        match &written {
            Ok(()) => self.size += more,
            // A part of a line would spoil the next one. If truncating fails too, it does.
            Err(_) if self.is_regular => {
                let _ = self.file.set_len(self.size);
            }
            Err(_) => {}
        }
        written
    }

    fn put_aside(&mut self) -> io::Result<()> {
        let mut aside = self.path.clone().into_os_string();
        aside.push(".1");
        // Renaming over it would have ext4 write the whole file to the disk at once.
        match std::fs::remove_file(&aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        match std::fs::rename(&self.path, aside) {
            // The file was renamed or removed from outside.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.file = append_to(&self.path)?;
        self.size = self.file.metadata()?.len();
        Ok(())
    }

    /// Writes; if that fails, logs it once and counts the lines.
    fn write_or_drop(&mut self, lines: &[u8], dropped: &AtomicU64, components: &Components) {
        let written = self.write(lines);
        let path = self.path.display();
        match written {
            Ok(()) if self.failing => {
                self.failing = false;
                components.works(Component::AccessLog);
                tracing::warn!(%path, "the access log is written again");
            }
            Ok(()) => {}
            Err(error) => {
                let lost = lines.split(|byte| *byte == b'\n').count().saturating_sub(1) as u64;
                dropped.fetch_add(lost, Ordering::Relaxed);
                if !self.failing {
                    self.failing = true;
                    let why = format_args!("{path} can't be written: {error}");
                    components.fails(Component::AccessLog, why);
                    tracing::warn!(%path, %error, "the access log can't be written: its lines are dropped until it can; make room, or start the emulator with --access-log off");
                }
            }
        }
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// The lines that one worker has gathered.
#[derive(Debug, Default)]
struct Buffer {
    lines: Mutex<Vec<u8>>,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Signal {
    /// The writer is to write at once.
    urgent: bool,
    /// It is to write at once and end.
    stop: bool,
    /// Number of flushes that were requested, and of those that are done.
    asked: u64,
    done: u64,
}

#[derive(Debug, Default)]
struct Shared {
    buffers: Mutex<Vec<Arc<Buffer>>>,
    /// Whether the writer looks soon without being woken.
    told: AtomicBool,
    signal: Mutex<Signal>,
    changed: Condvar,
    /// Lines that could not be written.
    dropped: AtomicU64,
    components: Arc<Components>,
}

/// Gathers lines and has them written.
#[derive(Debug)]
pub(super) struct Sink {
    shared: Arc<Shared>,
    /// The file, until the writer takes it.
    file: Mutex<Option<LogFile>>,
    started: Once,
}

/// A worker's handle.
#[derive(Debug)]
pub(super) struct Lines(Arc<Buffer>);

impl Lines {
    /// Adds a line, which `write` appends to its buffer.
    pub(super) fn push(&self, sink: &Sink, write: impl FnOnce(&mut Vec<u8>)) {
        let is_full = {
            let mut lines = lock(&self.0.lines);
            let before = lines.len();
            if before >= WAITING_MAX {
                self.0.dropped.fetch_add(1, Ordering::Relaxed);
                return;
            }
            write(&mut lines);
            before < GATHER && lines.len() >= GATHER
        };
        if is_full || !sink.shared.told.load(Ordering::SeqCst) {
            sink.tell(is_full);
        }
    }
}

impl Sink {
    pub(super) fn new(file: LogFile, components: Arc<Components>) -> Self {
        let shared = Arc::new(Shared { components, ..Shared::default() });
        Self { shared, file: Mutex::new(Some(file)), started: Once::new() }
    }

    /// A handle for one worker.
    pub(super) fn lines(&self) -> Lines {
        let buffer = Arc::default();
        lock(&self.shared.buffers).push(Arc::clone(&buffer));
        Lines(buffer)
    }

    /// Lines that were dropped so far.
    pub(super) fn dropped(&self) -> u64 {
        let unwritten = self.shared.dropped.load(Ordering::Relaxed);
        unwritten + self.shared.overflown()
    }

    fn tell(&self, urgent: bool) {
        self.started.call_once(|| self.start());
        self.shared.told.store(true, Ordering::SeqCst);
        lock(&self.shared.signal).urgent |= urgent;
        self.shared.changed.notify_all();
    }

    fn start(&self) {
        let Some(file) = lock(&self.file).take() else { return };
        let shared = Arc::clone(&self.shared);
        let started = std::thread::Builder::new()
            .name("access-log".into())
            .stack_size(128 * 1024)
            .spawn(move || shared.run(file));
        if let Err(error) = started {
            let why = format_args!("its thread can't be started: {error}");
            self.shared.components.fails(Component::AccessLog, why);
            tracing::warn!(%error, "the access log's thread can't be started: its lines are dropped");
        }
    }

    /// Waits until earlier lines are written, at most until the deadline.
    pub(super) fn flush(&self, deadline: Duration) {
        if !self.started.is_completed() {
            return;
        }
        let mut signal = lock(&self.shared.signal);
        signal.asked += 1;
        signal.urgent = true;
        let mine = signal.asked;
        self.shared.changed.notify_all();
        // In time or not: the shutdown does not wait for a disk.
        let _ = self.shared.changed.wait_timeout_while(signal, deadline, |s| s.done < mine);
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // The writer writes the remaining lines; nothing waits for it.
        lock(&self.shared.signal).stop = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn overflown(&self) -> u64 {
        lock(&self.buffers).iter().map(|buffer| buffer.dropped.load(Ordering::Relaxed)).sum()
    }

    /// Runs the writer; restarts it if it panics.
    fn run(&self, mut file: LogFile) {
        // Workers go first. Only Linux has a niceness for a thread alone.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::setpriority_process(None, NICENESS);
        while let Err(panicked) = components::catch(|| self.write(&mut file)) {
            tracing::error!(%panicked, "the writer of the access log failed; it was restarted");
            self.components.begins_anew(Component::AccessLog, &panicked);
            std::thread::sleep(AFTER_PANIC);
            self.components.works(Component::AccessLog);
        }
    }

    fn write(&self, file: &mut LogFile) {
        let mut lines = Vec::new();
        let (mut complained, mut overflown) = (None::<Instant>, 0);
        loop {
            let (asked, stop) = self.wait();
            // While lines come it looks by itself: waking it costs the workers time.
            if !self.write_all(file, &mut lines) {
                self.told.store(false, Ordering::SeqCst);
                // Lines that came before that woke it not.
                self.write_all(file, &mut lines);
                lines = Vec::new();
                self.release();
            }
            let now_overflown = self.overflown();
            let may_complain = complained.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY);
            if now_overflown > overflown && may_complain {
                let dropped = now_overflown - overflown;
                tracing::warn!(
                    dropped,
                    "the disk is too slow for the access log: lines were dropped"
                );
                (complained, overflown) = (Some(Instant::now()), now_overflown);
            }
            lock(&self.signal).done = asked;
            self.changed.notify_all();
            if stop {
                return;
            }
        }
    }

    /// Writes what has gathered. Returns whether there was anything. `lines` is a buffer to use
    /// again.
    fn write_all(&self, file: &mut LogFile, lines: &mut Vec<u8>) -> bool {
        let mut any = false;
        let buffers = lock(&self.buffers).clone();
        for buffer in buffers {
            std::mem::swap(&mut *lock(&buffer.lines), lines);
            if !lines.is_empty() {
                any = true;
                file.write_or_drop(lines, &self.dropped, &self.components);
                lines.clear();
            }
        }
        any
    }

    /// Frees the buffers of workers that have nothing to write.
    fn release(&self) {
        for buffer in lock(&self.buffers).iter() {
            let mut lines = lock(&buffer.lines);
            if lines.is_empty() {
                *lines = Vec::new();
            }
        }
    }

    /// Waits until there is something to write and it has gathered for long enough. Returns the
    /// flushes that were requested, and whether it is the last time.
    fn wait(&self) -> (u64, bool) {
        let now = |signal: &Signal| signal.urgent || signal.stop;
        let waited = self.changed.wait_while(lock(&self.signal), |signal| {
            !now(signal) && !self.told.load(Ordering::SeqCst)
        });
        let signal = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(signal, GATHER_FOR, |signal| !now(signal));
        let (mut signal, _) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        signal.urgent = false;
        (signal.asked, signal.stop)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap_or_default()
    }

    const SOON: Duration = Duration::from_secs(30);

    #[test]
    fn lines_keep_their_order_and_the_file_is_bounded() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("access.log");
        std::fs::write(&path, "old\n").expect("written");
        let mut file = LogFile::open(&path).expect("opened");
        file.max = 100;
        let sink = Sink::new(file, Arc::default());
        let lines = sink.lines();
        for number in 0..40 {
            lines.push(&sink, |buffer| buffer.extend(format!("line {number:02}\n").bytes()));
            if number % 5 == 4 {
                sink.flush(SOON);
            }
        }
        let (new, aside) = (read(&path), read(&directory.path().join("access.log.1")));
        assert!(new.len() <= 100 && aside.len() <= 100, "{new:?} {aside:?}");
        let both: Vec<_> = aside.lines().chain(new.lines()).map(str::to_owned).collect();
        let expected: Vec<_> = (20..40).map(|number| format!("line {number}")).collect();
        assert!(both.ends_with(&expected[10..]) && both.len() >= 15, "{both:?}");
        assert_eq!(sink.dropped(), 0);
        for name in ["access.log", "access.log.1"] {
            let mode = std::fs::metadata(directory.path().join(name)).expect("there").permissions();
            assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn remaining_lines_are_written_at_the_end() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("access.log");
        let sink = Sink::new(LogFile::open(&path).expect("opened"), Arc::default());
        sink.lines().push(&sink, |buffer| buffer.extend(b"last\n"));
        let shared = Arc::downgrade(&sink.shared);
        drop(sink);
        let deadline = Instant::now() + SOON;
        while shared.strong_count() > 0 && Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert_eq!(read(&path), "last\n");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_loses_only_lines() {
        let components = Arc::<Components>::default();
        let file = LogFile::open(Path::new("/dev/full")).expect("opened");
        let sink = Sink::new(file, Arc::clone(&components));
        let lines = sink.lines();
        for _ in 0..3 {
            lines.push(&sink, |buffer| buffer.extend(b"a line\nanother\n"));
            sink.flush(SOON);
        }
        assert_eq!(sink.dropped(), 6);
        assert_eq!(components.faults()[0].component, "access log");
    }

    #[test]
    fn a_slow_disk_loses_lines_and_uses_no_memory() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("access.log");
        let sink = Sink::new(LogFile::open(&path).expect("opened"), Arc::default());
        // As if the writer had been started and did not come back from the disk.
        sink.started.call_once(|| {});
        let lines = sink.lines();
        let line = [b'x'; 1023];
        for _ in 0..1100 {
            lines.push(&sink, |buffer| {
                buffer.extend(line);
                buffer.push(b'\n');
            });
        }
        assert_eq!((lock(&lines.0.lines).len(), sink.dropped()), (WAITING_MAX, 1100 - 1024));
    }

    #[test]
    fn only_regular_files_are_accepted() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(LogFile::open(directory.path()).is_err());
        assert!(LogFile::open(&directory.path().join("not/there")).is_err());
        assert_eq!("off".parse(), Ok(AccessLog::Off));
        assert_eq!("./off".parse(), Ok(AccessLog::Path("./off".into())));
        assert!("".parse::<AccessLog>().is_err());
    }
}
