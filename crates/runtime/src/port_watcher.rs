//! Watches the ports that a process group listens on, at little cost.
//!
//! On Linux ([`crate::diag`]) a look is one question to the kernel, and one link read for each socket
//! of the app: while the same sockets listen and the app's are still its own, nothing has changed.
//! Any change leads to a full look at once. Elsewhere all looks within a moment share one reading of
//! the system's tables.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ovhai_core::ports::ReplicaEndpoint;

use crate::listen_ports::{self, Ports};
use crate::sockets::{self, Listening};

/// How long one reading of the system's tables is used for all apps.
const SHARED: Duration = Duration::from_millis(200);

/// The group's endpoint, and the address of its probe; or why there is none.
pub(crate) type Found = Result<(ReplicaEndpoint, SocketAddr), String>;

/// See the module.
#[derive(Debug)]
pub(crate) struct PortWatcher {
    group: u32,
    ports: Ports,
    #[cfg(target_os = "linux")]
    held: Option<linux::Held>,
}

impl PortWatcher {
    pub(crate) fn new(group: u32, ports: Ports) -> Self {
        Self {
            group,
            ports,
            #[cfg(target_os = "linux")]
            held: None,
        }
    }

    /// Where the group listens now.
    pub(crate) async fn look(&mut self) -> Found {
        #[cfg(target_os = "linux")]
        {
            if let Some(listeners) = crate::diag::listeners() {
                return self.look_at(listeners).await;
            }
            if linux::has_no_descriptors() {
                return self.blind();
            }
        }
        let (group, ports) = (self.group, self.ports);
        let read = tokio::task::spawn_blocking(move || {
            listen_ports::find(&shared_reading(), |l| l.is_in_group(group), ports)
        });
        read.await.unwrap_or_else(|error| Err(error.to_string()))
    }
}

/// What the whole machine listens on, read at most [`SHARED`] ago.
fn shared_reading() -> Arc<Vec<Listening>> {
    static LAST: Mutex<Option<(Instant, Arc<Vec<Listening>>)>> = Mutex::new(None);
    // Callers that come meanwhile wait for the one reading.
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((at, all)) = &*last
        && at.elapsed() < SHARED
    {
        return Arc::clone(all);
    }
    let all = Arc::new(sockets::listening());
    *last = Some((Instant::now(), Arc::clone(&all)));
    all
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::{HashMap, HashSet};
    use std::fs::{File, read_dir, read_link};
    use std::io;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, Instant};

    use super::{Found, PortWatcher, Ports, listen_ports, sockets};
    use crate::diag::Listener;
    use crate::sockets::Listening;

    /// Time between two full looks even when nothing has changed: processes pass sockets on silently.
    const FULL_LOOK: Duration = Duration::from_secs(10);

    /// A socket, and a process that has it.
    #[derive(Debug)]
    struct Socket {
        inode: u64,
        pid: u32,
        /// `/proc/PID/fd/NUMBER`.
        link: PathBuf,
    }

    /// The result of the last full look.
    #[derive(Debug)]
    pub(super) struct Held {
        since: Instant,
        listeners: Vec<Listener>,
        ours: Vec<Socket>,
        found: Found,
    }

    impl Held {
        fn holds(&self, listeners: &[Listener], group: u32) -> bool {
            let is_had = |one: &Socket| {
                inode(&one.link) == Some(one.inode) && is_in_group(one.pid, group).unwrap_or(true)
            };
            self.found.is_ok()
                && self.since.elapsed() < FULL_LOOK
                && self.listeners == listeners
                && self.ours.iter().all(is_had)
        }
    }

    /// Whether an error says that there are no free file descriptors.
    fn is_exhausted(error: &io::Error) -> bool {
        use rustix::io::Errno;
        let errno = Errno::from_io_error(error);
        matches!(errno, Some(Errno::MFILE | Errno::NFILE))
    }

    /// Whether this process has no free file descriptors at the moment.
    pub(super) fn has_no_descriptors() -> bool {
        File::open("/proc/self/stat").is_err_and(|error| is_exhausted(&error))
    }

    /// Nothing for an object that is gone or belongs to another user; an error without descriptors.
    fn seen<T>(read: io::Result<T>) -> io::Result<Option<T>> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(error) if is_exhausted(&error) => Err(error),
            Err(_) => Ok(None),
        }
    }

    impl PortWatcher {
        /// The result of the last look, for a moment without free descriptors: that the app's sockets
        /// can't be seen does not mean that it has none.
        pub(super) fn blind(&self) -> Found {
            let why = "the emulator has no free file descriptors to look for the app's port";
            self.held.as_ref().map_or_else(|| Err(why.to_owned()), |held| held.found.clone())
        }

        pub(super) async fn look_at(&mut self, listeners: Vec<Listener>) -> Found {
            if let Some(held) = &self.held
                && held.holds(&listeners, self.group)
            {
                return held.found.clone();
            }
            let (group, ports) = (self.group, self.ports);
            let full = tokio::task::spawn_blocking(move || look(listeners, group, ports));
            match full.await.map_err(|error| error.to_string())? {
                Ok(held) => self.held.insert(held).found.clone(),
                // Only a lack of descriptors stops a look.
                Err(_) => self.blind(),
            }
        }
    }

    /// Looks in full.
    fn look(listeners: Vec<Listener>, group: u32, ports: Ports) -> io::Result<Held> {
        let mut had: HashMap<u64, Socket> = HashMap::new();
        for one in sockets_of(group)? {
            had.entry(one.inode).or_insert(one);
        }
        let whose = |inode| had.get(&inode).map_or(0, |one| one.pid);
        let mut all: Vec<Listening> = listeners
            .iter()
            .map(|one| Listening {
                pid: whose(one.inode),
                name: String::new(),
                address: one.address,
            })
            .collect();
        let members: HashSet<u32> = had.values().map(|one| one.pid).collect();
        let is_ours = |l: &Listening| members.contains(&l.pid);
        let mut found = listen_ports::find(&all, is_ours, ports);
        if found.is_err() && name_rivals(&mut all, group, ports) {
            found = listen_ports::find(&all, is_ours, ports);
        }
        let ours = listeners.iter().filter_map(|one| had.remove(&one.inode)).collect();
        Ok(Held { since: Instant::now(), listeners, ours, found })
    }

    /// Names the processes whose sockets conflict with ours; whether there are any.
    fn name_rivals(all: &mut [Listening], group: u32, ports: Ports) -> bool {
        let of_ours: Vec<u16> = all
            .iter()
            .filter(|l| l.pid != 0)
            .map(|l| l.address.port())
            .chain([ports.http.own, ports.http.given])
            .collect();
        let mut rivals =
            all.iter_mut().filter(|l| l.pid == 0 && of_ours.contains(&l.address.port())).peekable();
        if rivals.peek().is_none() {
            return false;
        }
        let known = sockets::listening();
        for rival in rivals {
            let is_it = |l: &&Listening| l.address == rival.address && !l.is_in_group(group);
            if let Some(same) = known.iter().find(is_it) {
                (rival.pid, rival.name) = (same.pid, same.name.clone());
            }
        }
        true
    }

    /// Reads the file itself: libraries do not expect the kernel's own threads, whose group is 0.
    fn is_in_group(pid: u32, group: u32) -> io::Result<bool> {
        let Some(stat) = seen(std::fs::read(format!("/proc/{pid}/stat")))? else {
            return Ok(false);
        };
        // `PID (NAME) STATE PARENT GROUP`; the name may have any characters.
        let end = stat.iter().rposition(|byte| *byte == b')').unwrap_or(0);
        let mut words = stat[end..].split(|byte| *byte == b' ').skip(3);
        Ok(words.next() == Some(group.to_string().as_bytes()))
    }

    fn inode(link: &Path) -> Option<u64> {
        let target = read_link(link).ok()?;
        target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    }

    /// The sockets of a group's processes, as far as this user can read them.
    fn sockets_of(group: u32) -> io::Result<Vec<Socket>> {
        let mut sockets = Vec::new();
        for entry in seen(read_dir("/proc"))?.into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            if !is_in_group(pid, group)? {
                continue;
            }
            let files = seen(read_dir(format!("/proc/{pid}/fd")))?;
            for link in files.into_iter().flatten().flatten().map(|file| file.path()) {
                sockets.extend(inode(&link).map(|inode| Socket { inode, pid, link }));
            }
        }
        Ok(sockets)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::listen_ports::Port;

    fn bound(address: &str) -> (TcpListener, u16) {
        let listener = TcpListener::bind(address).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        (listener, port)
    }

    fn own_group() -> u32 {
        rustix::process::getpgid(None).expect("a group").as_raw_nonzero().get().unsigned_abs()
    }

    fn looks(group: u32, given: u16) -> PortWatcher {
        let http = Port { given, own: 1 };
        PortWatcher::new(group, Ports { http, grpc: None, probe: None })
    }

    #[tokio::test]
    async fn the_next_look_finds_opened_and_closed_ports() {
        let (first, port) = bound("127.0.0.1:0");
        let mut looks = looks(own_group(), port);
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        for _ in 0..3 {
            let (endpoint, probed) = looks.look().await.expect("it listens");
            assert_eq!((endpoint.http, probed), (at(port), at(port)));
        }
        drop(first);
        let why = looks.look().await.expect_err("it is gone");
        assert!(
            why.contains(&format!("not on port {port}")) || why.contains("not listen"),
            "{why}"
        );
        let again = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        assert_eq!(looks.look().await.expect("it is back").0.http, at(port));
        // It has it twice: only the process is asked, and both sockets are its.
        let (more, other) = bound("127.0.0.1:0");
        assert_ne!(other, port);
        assert_eq!(looks.look().await.expect("it listens").0.http, at(port));
        drop((again, more));
    }

    #[tokio::test]
    async fn ports_of_other_process_groups_are_ignored() {
        let (_held, port) = bound("127.0.0.1:0");
        let mut child = std::process::Command::new("sleep");
        let mut child = std::os::unix::process::CommandExt::process_group(&mut child, 0)
            .arg("600")
            .spawn()
            .expect("it runs");
        let why = looks(child.id(), port).look().await.expect_err("it is not its");
        child.kill().and_then(|()| child.wait()).expect("ended");
        assert!(why.contains("the process does not listen on port"), "{why}");
    }

    /// The portable way sees the same.
    #[test]
    fn concurrent_lookups_share_one_reading() {
        let (_held, port) = bound("127.0.0.1:0");
        let find = || shared_reading().iter().any(|l| l.address.port() == port);
        let begun = Instant::now();
        while !find() {
            assert!(begun.elapsed() < Duration::from_secs(10), "the port is not seen");
            std::thread::yield_now();
        }
        let (a, b) = (shared_reading(), shared_reading());
        let elsewhere = Arc::ptr_eq(&a, &b) || begun.elapsed() > SHARED;
        assert!(elsewhere, "the second one is the first");
    }
}
