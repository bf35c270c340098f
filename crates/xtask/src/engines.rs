//! Container engines and registries for tests: Debian's own, started for one run of the tests.
//!
//! Their data is below `target/test-env`, their sockets are below `/run`. Tests find them by `OVHAI_TEST_DOCKER` and
//! `OVHAI_TEST_PODMAN` (sockets), `OVHAI_TEST_REGISTRY` and `OVHAI_TEST_PRIVATE_REGISTRY` (host and
//! port; the user is `ovhai`, the password [`PASSWORD`]). A Docker that answers already is used as it
//! is: a second one would need a network namespace of its own.

use std::hash::{Hash, Hasher};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::run::{is_installed, output, root};

/// Programs that engines need, and the Debian packages that have them.
pub(crate) const PROGRAMS: [(&str, &str); 6] = [
    ("dockerd", "docker.io"),
    ("podman", "podman"),
    ("runc", "runc"),
    ("iptables", "iptables"),
    ("docker-registry", "docker-registry"),
    ("busybox", "busybox-static"),
];
/// Podman's networks; it has no program on the path.
pub(crate) const PLUGINS: (&str, &str) = ("/usr/lib/cni/bridge", "containernetworking-plugins");

/// The password at the private registry, with characters that are hard to encode.
pub(crate) const PASSWORD: &str = "s3cret~~?>";
/// The line of the password file for it: `htpasswd -nbB -C 5 ovhai PASSWORD`.
const HTPASSWD: &str = "ovhai:$2y$05$SgQZEt6sPBATGhsyRYXMJ.W7jAFmxn88awEuTv9Elmn2YcvEvpBdK";

/// Time for an engine to answer.
const START: Duration = Duration::from_mins(1);
/// Time for an engine to end in order.
const END: Duration = Duration::from_secs(15);
const DOCKER: &str = "/var/run/docker.sock";

/// What was started; it ends when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Engines {
    children: Vec<(&'static str, Child)>,
    environment: Vec<(&'static str, String)>,
    /// The pid file of the Docker that was started, which a test may have started again.
    docker: Option<PathBuf>,
    /// What engines mount.
    mounts: Vec<PathBuf>,
    /// Sockets and runtime state; removed at the end.
    runtime: Option<PathBuf>,
}

impl Drop for Engines {
    fn drop(&mut self) {
        let again = self.docker.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        for (name, child) in self.children.iter_mut().rev() {
            // In order, so that networks and mounts go with it.
            let asked =
                Command::new("kill").arg(child.id().to_string()).stderr(Stdio::null()).status();
            let begun = Instant::now();
            while matches!(child.try_wait(), Ok(None)) {
                if asked.is_err() || begun.elapsed() > END {
                    eprintln!("{name} does not end; it is killed");
                    let _ = child.kill();
                    let _ = child.wait();
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        if let Some(pid) = again {
            // If a test restarted it, it is no child of this process.
            let process = Path::new("/proc").join(pid.trim());
            let is_docker = std::fs::read_to_string(process.join("comm"));
            if is_docker.is_ok_and(|name| name.trim() == "dockerd") {
                let _ = Command::new("kill").arg(pid.trim()).status();
                let begun = Instant::now();
                while process.exists() && begun.elapsed() < END {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
        // Engines mount their directories on themselves, and leave that to their next start.
        for mounted in &self.mounts {
            while Command::new("umount")
                .arg(mounted)
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
            {}
        }
        if let Some(runtime) = &self.runtime {
            remove_runtime_directory(runtime);
        }
    }
}

impl Engines {
    /// The variables by which tests find what was started.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.environment.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Starts the engines alone, without registries; an error where that is impossible.
    pub(crate) fn start_alone() -> Result<Self> {
        let mut engines = Self::default();
        let directory = directory()?;
        let runtime = engines.create_runtime_directory()?;
        engines.start_docker(&directory.join("docker"), &runtime)?;
        engines.start_podman(&directory.join("podman"), &runtime, &[])?;
        Ok(engines)
    }

    /// A variable for tests, such as the socket of an engine.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The process of an engine that was started.
    pub(crate) fn pid(&self, name: &str) -> Option<u32> {
        self.children.iter().find(|(known, _)| *known == name).map(|(_, child)| child.id())
    }

    /// Starts all of it. Where this machine can't (engines need root's rights), tests with engines are
    /// left out, which is an error in CI.
    pub(crate) fn start() -> Result<Self> {
        let mut engines = Self::default();
        match engines.start_all() {
            Ok(()) => Ok(engines),
            Err(error) if std::env::var_os("CI").is_some() => Err(error),
            Err(error) => {
                eprintln!("tests with container engines are left out: {error:#}");
                Ok(Self::default())
            }
        }
    }

    fn start_all(&mut self) -> Result<()> {
        let directory = directory()?;
        let runtime = self.create_runtime_directory()?;
        let open = self.start_registry("registry", &directory, "OVHAI_TEST_REGISTRY", false)?;
        let name = "OVHAI_TEST_PRIVATE_REGISTRY";
        let private = self.start_registry("private-registry", &directory, name, true)?;
        self.start_docker(&directory.join("docker"), &runtime)?;
        self.start_podman(&directory.join("podman"), &runtime, &[&open, &private])
    }

    /// Creates an empty directory for sockets and Podman's runroot. Its path is short wherever the
    /// checkout is: the kernel limits the path of a socket to 107 bytes, and Podman limits that of a
    /// runroot to 50.
    fn create_runtime_directory(&mut self) -> Result<PathBuf> {
        let directory = runtime_directory();
        // That of a run that was killed.
        remove_runtime_directory(&directory);
        std::fs::create_dir(&directory)
            .with_context(|| format!("{} can't be created", directory.display()))?;
        self.runtime = Some(directory.clone());
        Ok(directory)
    }

    fn spawn(&mut self, name: &'static str, log: &Path, command: &mut Command) -> Result<()> {
        let log = std::fs::File::create(log)?;
        let child = command
            // Podman's monitors leave files there.
            .current_dir(self.runtime.as_deref().unwrap_or(&root()))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C ends the tests first.
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} can't be started"))?;
        self.children.push((name, child));
        Ok(())
    }

    fn start_docker(&mut self, directory: &Path, runtime: &Path) -> Result<()> {
        if UnixStream::connect(DOCKER).is_ok() {
            self.environment.push(("OVHAI_TEST_DOCKER", DOCKER.into()));
            return Ok(());
        }
        std::fs::create_dir_all(directory)?;
        let socket = runtime.join("docker.sock");
        let exec = runtime.join("docker");
        let log = directory.join("log");
        let at = |name: &str| directory.join(name);
        // A pid file of a run that was killed.
        let _ = std::fs::remove_file(at("pid"));
        let at = |name: &str| at(name).display().to_string();
        let options = [
            "--data-root".to_owned(),
            at("data"),
            "--exec-root".to_owned(),
            exec.display().to_string(),
            "--pidfile".to_owned(),
            at("pid"),
            "-H".to_owned(),
            format!("unix://{}", socket.display()),
        ];
        let mut command = with_us("dockerd");
        command.args(&options);
        self.spawn("dockerd", &log, &mut command)?;
        self.answers("dockerd", &socket, &log)?;
        self.environment.push(("OVHAI_TEST_DOCKER", socket.display().to_string()));
        self.environment.push(("OVHAI_TEST_DOCKER_PIDFILE", at("pid")));
        // Quoted for a shell. What a killed one left of its pid file would stop the next one, and so
        // would its containerd, which ends a moment later.
        let quoted: Vec<String> = options.iter().map(|option| format!("'{option}'")).collect();
        let start = format!(
            "for i in $(seq 100); do [ -d /proc/$(cat '{}' 2>/dev/null || echo none) ] || break; sleep 0.1; done; rm -f '{}'; setsid dockerd {} >>'{}' 2>&1 </dev/null &",
            exec.join("containerd/containerd.pid").display(),
            at("pid"),
            quoted.join(" "),
            log.display()
        );
        self.environment.push(("OVHAI_TEST_DOCKER_START", start));
        self.docker = Some(directory.join("pid"));
        self.mounts.push(directory.join("data"));
        Ok(())
    }

    /// Whether a Docker was started that a test may end.
    pub(crate) fn has_own_docker(&self) -> bool {
        self.docker.is_some()
    }

    fn start_podman(
        &mut self,
        directory: &Path,
        runtime: &Path,
        registries: &[&str],
    ) -> Result<()> {
        std::fs::create_dir_all(directory)?;
        let socket = runtime.join("podman.sock");
        let log = directory.join("log");
        let at = |name: &str| directory.join(name);
        // Its own are higher than what may be allowed here.
        let limit = |flag: &str| -> Result<String> {
            let said = output(Command::new("bash").args(["-c", &format!("ulimit -H{flag}")]))?;
            Ok(String::from_utf8_lossy(&said).trim().replace("unlimited", "-1"))
        };
        let files = limit("n")?;
        // Podman lowers its own limit of processes to the number of ids, and can't raise it again.
        let ids = std::fs::read_to_string("/proc/sys/kernel/pid_max")?.trim().parse::<i64>()?;
        let processes = limit("u")?.parse::<i64>().ok().filter(|limit| *limit > 0);
        let processes = processes.map_or(ids, |limit| limit.min(ids));
        std::fs::write(
            at("containers.conf"),
            format!(
                "[containers]\ndefault_ulimits = [\"nofile={files}:{files}\", \"nproc={processes}:{processes}\"]\n"
            ),
        )?;
        let insecure: Vec<String> = registries
            .iter()
            .map(|at| format!("[[registry]]\nlocation = \"{at}\"\ninsecure = true\n"))
            .collect();
        std::fs::write(at("registries.conf"), insecure.concat())?;
        // What it loads, it leaves among the temporary files.
        let temporary = at("temporary");
        if temporary.exists() {
            std::fs::remove_dir_all(&temporary)?;
        }
        std::fs::create_dir(&temporary)?;
        self.mounts.push(at("root/overlay"));
        let mut command = with_us("podman");
        podman_in(&mut command, directory, runtime);
        command.args(["system", "service", "--time=0"]).arg(format!("unix://{}", socket.display()));
        self.spawn("podman", &log, &mut command)?;
        self.answers("podman", &socket, &log)?;
        self.environment.push(("OVHAI_TEST_PODMAN", socket.display().to_string()));
        Ok(())
    }

    fn start_registry(
        &mut self,
        name: &'static str,
        directory: &Path,
        variable: &'static str,
        is_private: bool,
    ) -> Result<String> {
        let directory = directory.join(name);
        // Nothing is kept from one run to the next.
        if directory.exists() {
            std::fs::remove_dir_all(&directory)?;
        }
        std::fs::create_dir_all(&directory)?;
        // Free a moment later, too, as a rule.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let at = format!("127.0.0.1:{port}");
        let mut config = format!(
            "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {at}\n",
            directory.join("data").display()
        );
        if is_private {
            let passwords = directory.join("htpasswd");
            std::fs::write(&passwords, format!("{HTPASSWD}\n"))?;
            config += &format!(
                "auth:\n  htpasswd:\n    realm: tests\n    path: {}\n",
                passwords.display()
            );
        }
        let file = directory.join("config.yml");
        std::fs::write(&file, config)?;
        let log = directory.join("log");
        self.spawn(name, &log, with_us("docker-registry").arg("serve").arg(&file))?;
        self.wait(name, &log, || std::net::TcpStream::connect(&at).is_ok())?;
        self.environment.push((variable, at.clone()));
        Ok(at)
    }

    fn answers(&mut self, name: &'static str, socket: &Path, log: &Path) -> Result<()> {
        self.wait(name, log, || UnixStream::connect(socket).is_ok())
    }

    fn wait(&mut self, name: &str, log: &Path, is_there: impl Fn() -> bool) -> Result<()> {
        let begun = Instant::now();
        while !is_there() {
            let ended = self.children.last_mut().map(|(_, child)| child.try_wait());
            if matches!(ended, Some(Ok(Some(_)))) || begun.elapsed() > START {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let last: Vec<&str> = said.lines().rev().take(5).collect();
                bail!("{name} does not start: {}", last.join(" | "));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// Where the engines keep everything; an error without root's rights.
fn directory() -> Result<PathBuf> {
    let user = output(Command::new("id").arg("-u"))?;
    if String::from_utf8_lossy(&user).trim() != "0" {
        bail!("Docker and Podman are started as root");
    }
    let directory = root().join("target/test-env/engines");
    std::fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// The directory of [`Engines::create_runtime_directory`].
fn runtime_directory() -> PathBuf {
    let mut hasher = std::hash::DefaultHasher::new();
    root().hash(&mut hasher);
    PathBuf::from(format!("/run/ovhai-test-{:08x}", hasher.finish() & 0xffff_ffff))
}

/// Podman's command line, with the containers of the service that [`Engines`] started.
pub(crate) fn podman() -> Result<Command> {
    let mut command = Command::new("podman");
    podman_in(&mut command, &directory()?.join("podman"), &runtime_directory());
    Ok(command)
}

fn podman_in(command: &mut Command, directory: &Path, runtime: &Path) {
    let at = |name: &str| directory.join(name);
    command
        .arg("--root")
        .arg(at("root"))
        .arg("--runroot")
        .arg(runtime.join("podman"))
        .arg("--tmpdir")
        .arg(runtime.join("libpod"))
        .arg("--network-config-dir")
        .arg(at("net"))
        .env("TMPDIR", at("temporary"))
        .env("CONTAINERS_CONF", at("containers.conf"))
        .env("CONTAINERS_REGISTRIES_CONF", at("registries.conf"));
}

/// A program that is asked to end when this process ends, however it does.
fn with_us(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", program]);
    command
}

/// Unmounts what engines mounted below the directory, and removes it.
fn remove_runtime_directory(directory: &Path) {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let below = |mount: &&str| Path::new(mount).starts_with(directory);
    // The last mount may lie below an earlier one.
    for mount in mounts.lines().rev().filter_map(|line| line.split(' ').nth(1)).filter(below) {
        let _ = Command::new("umount").arg(mount).stderr(Stdio::null()).status();
    }
    let _ = std::fs::remove_dir_all(directory);
}

/// The Debian packages that are missing.
pub(crate) fn missing() -> Vec<&'static str> {
    let mut missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| {
            !is_installed(program) && !Path::new("/usr/sbin").join(program).exists()
        })
        .map(|(_, package)| *package)
        .collect();
    if !Path::new(PLUGINS.0).exists() {
        missing.push(PLUGINS.1);
    }
    missing
}
