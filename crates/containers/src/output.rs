//! A container's output, line by line, into the app's log.

use std::sync::Arc;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;
use ovhai_api_types::Timestamp;
use ovhai_core::logs::{LINE_MAX, LogBuffer};
use ovhai_core::replica::ReplicaId;

use crate::engine::{status, text};
use crate::hub::Link;
use crate::reap;

/// Time before a log that broke off is asked for again.
const AGAIN: Duration = Duration::from_millis(250);

/// Where a container's output goes.
#[derive(Clone)]
pub(crate) struct Sink {
    pub(crate) replica: ReplicaId,
    pub(crate) logs: Arc<LogBuffer>,
}

impl Sink {
    pub(crate) fn push(&self, line: String) {
        self.logs.push(Timestamp::now(), self.replica, line);
    }

    /// A line of the emulator.
    pub(crate) fn note(&self, line: &str) {
        self.push(format!("[ovhai] {line}"));
    }
}

/// One of the two streams. Lines are counted, so that those that were taken before a connection
/// broke are skipped after it: time stamps won't do, as Podman's are whole seconds.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
    taken: u64,
    seen: u64,
}

impl Lines {
    /// The log is read from its beginning again.
    fn restart(&mut self) {
        self.rest.clear();
        self.seen = 0;
    }

    fn take(&mut self, bytes: &[u8], mut push: impl FnMut(String)) {
        for byte in bytes {
            if *byte != b'\n' {
                self.rest.push(*byte);
                if self.rest.len() < LINE_MAX {
                    continue;
                }
            } else if self.rest.last() == Some(&b'\r') {
                self.rest.pop();
            }
            self.end(&mut push);
        }
    }

    fn end(&mut self, push: &mut impl FnMut(String)) {
        self.seen += 1;
        if self.seen > self.taken {
            self.taken = self.seen;
            push(String::from_utf8_lossy(&self.rest).into_owned());
        }
        self.rest.clear();
    }

    /// What has no end of line.
    fn finish(&mut self, mut push: impl FnMut(String)) {
        if !self.rest.is_empty() {
            self.end(&mut push);
        }
    }
}

/// Follows the log until the container has ended and all of it was read, over any number of
/// connections.
pub(crate) async fn follow(link: Arc<Link>, id: String, sink: Sink) {
    let mut streams = [Lines::default(), Lines::default()];
    loop {
        let Ok(engine) = link.engine().await else {
            tokio::time::sleep(AGAIN).await;
            continue;
        };
        let options =
            LogsOptionsBuilder::default().follow(true).stdout(true).stderr(true).tail("all");
        let mut log = engine.docker.logs(&id, Some(options.build()));
        streams.iter_mut().for_each(Lines::restart);
        let mut refused = None;
        while let Some(output) = log.next().await {
            let (at, bytes) = match &output {
                Ok(LogOutput::StdErr { message }) => (1, message),
                Ok(
                    LogOutput::StdOut { message }
                    | LogOutput::Console { message }
                    | LogOutput::StdIn { message },
                ) => (0, message),
                Err(error) => {
                    refused = status(error).map(|status| (status, text(error)));
                    break;
                }
            };
            streams[at].take(bytes, |line| sink.push(line));
        }
        match refused {
            Some((404 | 409, _)) => return,
            Some((_, why)) => {
                // A log driver that can't be read.
                sink.note(&format!("the engine does not give the container's output: {why}"));
                return;
            }
            None => {}
        }
        // The stream ends with the container, and with the connection.
        let is_running = match reap::inspect(&engine.docker, &id).await {
            Ok(found) => found.state.and_then(|state| state.running).unwrap_or(false),
            Err(error) if status(&error) == Some(404) => false,
            Err(_) => true,
        };
        if !is_running {
            for stream in &mut streams {
                stream.finish(|line| sink.push(line));
            }
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_were_taken_are_skipped() {
        let mut lines = Lines::default();
        let mut all = Vec::new();
        lines.take(b"one\r\ntwo\nthr", |line| all.push(line));
        assert_eq!(all, ["one", "two"]);
        lines.restart();
        lines.take(b"one\ntwo\nthree\nfo", |line| all.push(line));
        lines.take(b"ur", |line| all.push(line));
        lines.finish(|line| all.push(line));
        lines.finish(|line| all.push(line));
        assert_eq!(all, ["one", "two", "three", "four"]);
    }

    #[test]
    fn long_lines_are_cut() {
        let mut lines = Lines::default();
        let mut all = Vec::new();
        let long = "x".repeat(LINE_MAX + 3);
        lines.take(format!("{long}\nlast\n").as_bytes(), |line| all.push(line));
        assert_eq!(all, [&long[..LINE_MAX], "xxx", "last"]);
    }
}
