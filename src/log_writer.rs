//! The emulator's own log on standard error, which may be a full disk, a closed pipe or a pipe that
//! is not read.
//!
//! Writing a line never fails, never panics and rarely waits. A line that can't be written is
//! counted; the count is written before the next line.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ovhai_emulator::{Component, Components};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing_subscriber::fmt::MakeWriter;

/// Bytes that a writable pipe takes at once (`PIPE_BUF`).
const AT_ONCE: usize = 4096;
/// How long a line waits for a slow reader.
const WAIT: Duration = Duration::from_millis(10);

/// A stream that lines are written to.
pub(crate) trait LogTarget: Write + AsFd + Send {}

impl<T: Write + AsFd + Send> LogTarget for T {}

/// Makes writers that may lose lines, but never block or fail.
pub(crate) struct LossyLog<T> {
    state: Mutex<State<T>>,
    components: Arc<Components>,
}

struct State<T> {
    target: T,
    /// Lines lost since the last one written.
    lost: u64,
    /// Whether the last line was written only in part.
    is_torn: bool,
}

impl<T: LogTarget> LossyLog<T> {
    /// A log on `target`.
    pub(crate) fn new(target: T, components: Arc<Components>) -> Self {
        Self { state: Mutex::new(State { target, lost: 0, is_torn: false }), components }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_line(&self, line: &[u8]) {
        let mut state = self.lock();
        let written = state.say_what_was_lost().and_then(|()| state.write(line));
        match written {
            Ok(()) => self.components.works(Component::Log),
            Err(error) => {
                state.lost += 1;
                let lost = state.lost;
                self.components.fails(Component::Log, format_args!("{lost} lines lost: {error}"));
            }
        }
    }
}

impl<T: LogTarget> State<T> {
    fn say_what_was_lost(&mut self) -> io::Result<()> {
        if self.lost == 0 {
            return Ok(());
        }
        let begin = if self.is_torn { "\n" } else { "" };
        let lines = if self.lost == 1 { "1 line" } else { &format!("{} lines", self.lost) };
        let now = jiff::Timestamp::now();
        let text =
            format!("{begin}{now:.6}  WARN ovhai: {lines} of this log could not be written\n");
        self.write(text.as_bytes())?;
        self.lost = 0;
        Ok(())
    }

    /// Writes the whole text, or a part of it and an error.
    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        for part in text.chunks(AT_ONCE) {
            let mut part = part;
            while !part.is_empty() {
                self.wait()?;
                match self.target.write(part) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(written) => {
                        part = &part[written..];
                        self.is_torn = part.last().is_some_and(|byte| *byte != b'\n');
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        self.is_torn = false;
        Ok(())
    }

    /// Waits a moment until something can be written; not at all after an earlier wait was in vain.
    fn wait(&self) -> io::Result<()> {
        let wait = if self.lost == 0 { WAIT } else { Duration::ZERO };
        if is_writable(&self.target, wait) {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, "its reader does not read"))
    }
}

/// Whether a stream becomes writable, or reports an error, within a time.
pub(crate) fn is_writable(stream: &impl AsFd, within: Duration) -> bool {
    let wait = Timespec { tv_sec: 0, tv_nsec: within.subsec_nanos().into() };
    let mut polled = [PollFd::new(stream, PollFlags::OUT)];
    !matches!(poll(&mut polled, Some(&wait)), Ok(0))
}

/// Writes one line.
pub(crate) struct LineWriter<'a, T>(&'a LossyLog<T>);

impl<T: LogTarget> Write for LineWriter<'_, T> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_line(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a, T: LogTarget + 'a> MakeWriter<'a> for LossyLog<T> {
    type Writer = LineWriter<'a, T>;

    fn make_writer(&'a self) -> Self::Writer {
        LineWriter(self)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;

    use super::*;

    /// A pipe that only the test reads.
    fn pipe() -> (io::PipeReader, LossyLog<io::PipeWriter>) {
        let (reader, writer) = io::pipe().unwrap();
        (reader, LossyLog::new(writer, Arc::default()))
    }

    fn failing<T>(log: &LossyLog<T>) -> bool {
        log.components.any_failing()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_loses_lines() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let log = LossyLog::new(full, Arc::default());
        for _ in 0..3 {
            writeln!(log.make_writer(), "a line").unwrap();
        }
        assert!(failing(&log) && log.lock().lost >= 3);
        let reason = log.components.faults().remove(0).reason.unwrap();
        assert!(reason.contains("lines lost: No space left"), "{reason}");
    }

    #[test]
    fn a_closed_pipe_loses_lines() {
        let (reader, log) = pipe();
        drop(reader);
        log.make_writer().write_all(b"a line\n").unwrap();
        assert!(failing(&log) && log.lock().lost == 1);
    }

    #[test]
    fn a_blocked_pipe_loses_lines_and_reports_their_number_later() {
        let (mut reader, log) = pipe();
        let line = [&[b'x'; 999][..], b"\n"].concat();
        let mut lines = 0;
        while !failing(&log) {
            log.make_writer().write_all(&line).unwrap();
            lines += 1;
        }
        for _ in 0..100 {
            log.make_writer().write_all(&line).unwrap();
        }
        let mut read = vec![0; 20_000];
        reader.read_exact(&mut read).unwrap();
        log.make_writer().write_all(b"after\n").unwrap();
        assert!(!failing(&log));
        drop(log);
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        let text = String::from_utf8(read).unwrap() + &rest;
        let (whole, end) = text.rsplit_once("x\n20").unwrap();
        assert!(
            end.ends_with("  WARN ovhai: 101 lines of this log could not be written\nafter\n"),
            "{end}"
        );
        assert_eq!(whole.lines().count(), lines - 1, "every other line is there");
    }
}
