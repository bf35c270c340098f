//! An engine with the benchmark's images, and containers that are started by hand.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::super::process::output;
use super::super::tools;
use super::image::{Image, PORT};
use crate::engines::{self, Engines};

/// Label of containers, and name of the network.
const OWN: &str = "ovhai-bench";
/// Label of the containers of emulators.
const EMULATOR: &str = "ovh.emulator";
/// Time for an engine to remove what is left.
const REMOVED: Duration = Duration::from_mins(3);
/// Addresses of a network that are used in turn, after the first few.
const FIRST: u32 = 10;
const ADDRESSES: u32 = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Docker,
    Podman,
}

/// See the module. What was made is removed when this is dropped.
pub(super) struct Engine {
    pub(super) kind: Kind,
    /// As `--engine` takes it.
    pub(super) address: String,
    /// The process of the daemon or service.
    pub(super) pid: u32,
    /// The first address of the network of containers that are started by hand.
    network: Ipv4Addr,
    /// How many addresses were used.
    used: Cell<u32>,
}

impl Engine {
    pub(super) fn set_up(engines: &Engines, kind: Kind, images: &[Image]) -> Result<Self> {
        let (variable, process) = match kind {
            Kind::Docker => ("OVHAI_TEST_DOCKER", "dockerd"),
            Kind::Podman => ("OVHAI_TEST_PODMAN", "podman"),
        };
        let socket = engines.variable(variable).context("the engine was not started")?;
        let mut engine = Self {
            kind,
            address: format!("unix://{socket}"),
            pid: engines.pid(process).with_context(|| format!("{process} was not started"))?,
            network: Ipv4Addr::UNSPECIFIED,
            used: Cell::new(0),
        };
        // What a run left that was broken off.
        engine.clear()?;
        for image in images {
            engine.import(image)?;
        }
        engine.network = engine.make_network()?;
        Ok(engine)
    }

    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Docker => "Docker",
            Kind::Podman => "Podman",
        }
    }

    /// What starts a container by hand.
    pub(super) fn by_hand(&self) -> &'static str {
        match self.kind {
            Kind::Docker => "docker run",
            Kind::Podman => "podman run",
        }
    }

    /// The processes that serve the engine's API.
    pub(super) fn daemon(&self) -> &'static str {
        match self.kind {
            Kind::Docker => "dockerd with containerd",
            Kind::Podman => "podman system service",
        }
    }

    /// The versions of the command line and the daemon.
    pub(super) fn versions(&self) -> Result<String> {
        match self.kind {
            Kind::Docker => {
                let format = "{{.Client.Version}} at a daemon {{.Server.Version}}";
                Ok(format!("docker {}", self.call(&["version", "--format", format])?.trim()))
            }
            Kind::Podman => Ok(self.call(&["--version"])?.trim().replacen(" version", "", 1)),
        }
    }

    fn command(&self) -> Result<Command> {
        match self.kind {
            Kind::Docker => {
                let mut command = Command::new(tools::program("docker")?);
                command.env_remove("DOCKER_HOST").env_remove("DOCKER_CONTEXT");
                command.args(["-H", &self.address]);
                Ok(command)
            }
            Kind::Podman => engines::podman(),
        }
    }

    fn call(&self, arguments: &[&str]) -> Result<String> {
        output(self.command()?.args(arguments))
    }

    fn import(&self, image: &Image) -> Result<()> {
        let mut command = self.command()?;
        command.arg("import");
        for change in &image.changes {
            command.args(["--change", change]);
        }
        output(command.arg(&image.archive).arg(image.name))?;
        Ok(())
    }

    /// Makes the network; the first address of its range.
    fn make_network(&self) -> Result<Ipv4Addr> {
        self.call(&["network", "create", OWN])?;
        let subnet = self.subnet()?;
        if self.kind == Kind::Docker {
            // A container may only choose its address in a network whose range was given.
            self.call(&["network", "rm", OWN])?;
            self.call(&["network", "create", "--subnet", &subnet, OWN])?;
        }
        let (first, _) = subnet.split_once('/').context("a subnet has no length")?;
        Ok(first.parse()?)
    }

    fn subnet(&self) -> Result<String> {
        let text = self.call(&["network", "inspect", OWN])?;
        let network: Value = serde_json::from_str(&text)?;
        let subnet = match self.kind {
            Kind::Docker => network.pointer("/0/IPAM/Config/0/Subnet"),
            Kind::Podman => network.pointer("/0/subnets/0/subnet"),
        };
        let subnet = subnet.and_then(Value::as_str);
        Ok(subnet.with_context(|| format!("the network has no subnet: {text}"))?.to_owned())
    }

    /// The command that starts a container by hand, and the address where it will answer. Each has an
    /// address of its own, because the kernel remembers the neighbour behind a used one.
    pub(super) fn run_command(&self, image: &str) -> Result<(Command, SocketAddr)> {
        let number = self.used.replace(self.used.get() + 1);
        let address = Ipv4Addr::from(u32::from(self.network) + FIRST + number % ADDRESSES);
        let mut command = self.command()?;
        command.args(arguments(&address.to_string(), image));
        Ok((command, (address, PORT).into()))
    }

    /// The same as one types it, without the options that name the engine.
    pub(super) fn run_text(&self, image: &str) -> String {
        let program = self.name().to_lowercase();
        format!("{program} {}", arguments("$IP", image).join(" "))
    }

    /// Removes a container that was started by hand.
    pub(super) fn remove(&self, id: &str) -> Result<()> {
        output(self.remove_command()?.arg(id)).map(drop)
    }

    fn remove_command(&self) -> Result<Command> {
        let mut command = self.command()?;
        command.args(["rm", "-f"]);
        if self.kind == Kind::Podman {
            // It would wait for one that ignores SIGTERM.
            command.args(["-t", "0"]);
        }
        Ok(command)
    }

    /// Waits until no container of an emulator is left.
    pub(super) fn wait_for_removal(&self) -> Result<()> {
        let since = Instant::now();
        loop {
            let left = self.containers(EMULATOR)?;
            if left.is_empty() {
                return Ok(());
            }
            if since.elapsed() > REMOVED {
                bail!("{} containers of the emulator are left", left.len());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The containers with a label.
    fn containers(&self, label: &str) -> Result<Vec<String>> {
        let said = self.call(&["ps", "-aq", "--filter", &format!("label={label}")])?;
        Ok(said.split_whitespace().map(str::to_owned).collect())
    }

    fn clear(&self) -> Result<()> {
        let mut left = self.containers(OWN)?;
        left.extend(self.containers(EMULATOR)?);
        if !left.is_empty() {
            output(self.remove_command()?.args(&left))?;
        }
        self.call(&["network", "prune", "-f"])?;
        // Which may not be there.
        for name in Image::NAMES {
            let _ = self.call(&["rmi", "-f", name]);
        }
        Ok(())
    }
}

/// Of a container that is started by hand.
fn arguments<'a>(address: &'a str, image: &'a str) -> [&'a str; 9] {
    ["run", "-d", "--network", OWN, "--ip", address, "--label", OWN, image]
}

impl Drop for Engine {
    fn drop(&mut self) {
        // What can't be removed, the next run removes.
        let _ = self.clear();
    }
}
