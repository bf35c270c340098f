//! Networks: traffic between the containers of different apps is off.
//!
//! On Docker there is one network per emulator, in which the engine drops what goes from container
//! to container. Its addresses are given by us, in turn, so that one that was used is not used again
//! for as long as possible. Podman separates networks from each other, but not the containers in one
//! of them: there each app has a network of its own.
//!
//! Containers are dialled at their own addresses if the network's gateway is an address of this
//! machine; it is none where the engine runs in a virtual machine, without root's rights, or in
//! another network namespace. There alone the gateway can listen for containers ([`FromApps`]).

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, TcpListener};
use std::sync::{Mutex as StdMutex, PoisonError};

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use ovhai_api_types::AppId;
use tokio::sync::Mutex;

use crate::engine::{Engine, EngineKind, status, text};
use crate::from_apps::{FromApps, OpenListener};
use crate::labels::Owner;

const NO_TRAFFIC: &str = "com.docker.network.bridge.enable_icc";

/// A container's place in a network.
#[derive(Debug)]
pub(crate) struct Place {
    /// The network's name.
    pub(crate) network: String,
    /// The address that it gets; none: the engine chooses.
    pub(crate) address: Option<Ipv4Addr>,
    /// Where the gateway listens for containers.
    pub(crate) from_apps: Option<SocketAddrV4>,
    is_direct: bool,
    gateway: Option<Ipv4Addr>,
}

impl Place {
    /// Whether the container's own address can be dialled, as far as is known before it runs.
    pub(crate) fn is_direct(&self) -> bool {
        self.is_direct
    }

    fn is_reached(&self) -> bool {
        self.gateway.is_some_and(is_own)
    }

    #[cfg(test)]
    pub(crate) fn for_tests(network: &str, address: Option<Ipv4Addr>, is_direct: bool) -> Self {
        Self { network: network.into(), address, from_apps: None, is_direct, gateway: None }
    }

    #[cfg(test)]
    pub(crate) fn with_from_apps(self, at: SocketAddrV4) -> Self {
        Self { from_apps: Some(at), ..self }
    }
}

/// Whether this machine has the address, in this process's network namespace.
fn is_own(address: Ipv4Addr) -> bool {
    TcpListener::bind((address, 0)).is_ok()
}

/// Addresses that are given in turn.
#[derive(Debug)]
struct Addresses {
    first: u32,
    last: u32,
    next: u32,
    gateway: u32,
    taken: HashSet<u32>,
}

impl Addresses {
    fn new(subnet: &str, gateway: Ipv4Addr) -> Option<Self> {
        let (base, prefix) = subnet.split_once('/')?;
        let base = u32::from(base.parse::<Ipv4Addr>().ok()?);
        let prefix = prefix.parse::<u32>().ok().filter(|prefix| (1..=29).contains(prefix))?;
        let size = 1_u32 << (32 - prefix);
        let first = (base & !(size - 1)) + 1;
        let last = first + size - 3;
        Some(Self { first, last, next: first, gateway: gateway.into(), taken: HashSet::new() })
    }

    fn take(&mut self) -> Option<Ipv4Addr> {
        for _ in self.first..=self.last {
            let address = self.next;
            self.next = if address >= self.last { self.first } else { address + 1 };
            if address != self.gateway && self.taken.insert(address) {
                return Some(address.into());
            }
        }
        None
    }
}

/// A network that exists.
#[derive(Debug)]
struct Network {
    name: String,
    gateway: Option<Ipv4Addr>,
    addresses: Option<StdMutex<Addresses>>,
    users: StdMutex<u32>,
    /// The listener for its containers.
    from_apps: Option<OpenListener>,
}

/// The networks of an emulator, by engine and, on Podman, by app.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    made: Mutex<HashMap<(String, Option<AppId>), Network>>,
    /// Why containers can reach each other, if they can.
    open: StdMutex<Option<String>>,
    /// The addresses of engines whose containers were dialled at their own addresses. Podman sets a
    /// network's gateway up with its first container only.
    reached: StdMutex<HashSet<String>>,
    /// Whether own addresses are not dialled, though they might be.
    is_published: bool,
    /// Opens listeners for containers, if they may call other apps.
    from_apps: Option<FromApps>,
    /// Why they can't, if they may.
    no_calls: StdMutex<Option<String>>,
}

fn key(engine: &Engine, app: AppId) -> (String, Option<AppId>) {
    let app = (engine.info.kind == EngineKind::Podman).then_some(app);
    (engine.info.address.clone(), app)
}

impl Networks {
    /// `is_published`: containers are dialled at published ports only.
    pub(crate) fn new(is_published: bool, from_apps: Option<FromApps>) -> Self {
        Self { is_published, from_apps, ..Self::default() }
    }

    /// The gateway's address for containers, or why they can't call other apps; none: they may not.
    pub(crate) fn calls(&self) -> Option<Result<String, String>> {
        let from_apps = self.from_apps.as_ref()?;
        let fault = self.no_calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(fault.map_or_else(|| Ok(from_apps.url()), Err))
    }

    fn can_call(&self, fault: Option<String>) {
        let mut known = self.no_calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = fault.as_ref().filter(|_| *known != fault) {
            tracing::warn!(why, "containers can't call other apps");
        }
        *known = fault;
    }

    /// A place for a container of the app. To be given back with [`Self::leave`].
    pub(crate) async fn enter(
        &self,
        engine: &Engine,
        owner: &Owner,
        app: AppId,
    ) -> Result<Place, String> {
        let key = key(engine, app);
        let mut made = self.made.lock().await;
        // It may have been removed behind our back.
        if let Some(known) = made.get(&key)
            && let Err(error) = engine.docker.inspect_network(&known.name, None).await
            && status(&error) == Some(404)
        {
            made.remove(&key);
        }
        if !made.contains_key(&key) {
            let network = self.make(engine, owner, key.1).await?;
            made.insert(key.clone(), network);
        }
        let network = made.get(&key).ok_or("the network is gone")?;
        let address = match &network.addresses {
            Some(addresses) => {
                let taken = addresses.lock().unwrap_or_else(PoisonError::into_inner).take();
                Some(taken.ok_or_else(|| format!("the network {} is full", network.name))?)
            }
            None => None,
        };
        *network.users.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Ok(Place {
            network: network.name.clone(),
            address,
            from_apps: network.from_apps.as_ref().map(|listener| listener.at),
            is_direct: !self.is_published
                && (network.gateway.is_some_and(is_own) || self.is_known(&key.0)),
            gateway: network.gateway,
        })
    }

    fn is_known(&self, engine: &str) -> bool {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner).contains(engine)
    }

    /// A container was started there: whether it is dialled at its own address.
    pub(crate) fn is_reached(&self, engine: &Engine, place: &Place) -> bool {
        if place.from_apps.is_some() {
            let why = "the network of the containers has no address on this machine: the engine runs in a virtual machine, without root's rights, or in another network namespace";
            self.can_call((!place.is_reached()).then(|| why.into()));
        }
        let is_reached = !self.is_published && place.is_reached();
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        if is_reached {
            reached.insert(engine.info.address.clone());
        } else {
            reached.remove(&engine.info.address);
        }
        is_reached
    }

    /// The container is gone. A network of an app goes with its last container.
    pub(crate) async fn leave(&self, engine: &Engine, app: AppId, place: &Place) {
        let key = key(engine, app);
        let mut made = self.made.lock().await;
        let Some(network) = made.get(&key).filter(|network| network.name == place.network) else {
            return;
        };
        if let (Some(addresses), Some(address)) = (&network.addresses, place.address) {
            let mut addresses = addresses.lock().unwrap_or_else(PoisonError::into_inner);
            addresses.taken.remove(&address.into());
        }
        let users = {
            let mut users = network.users.lock().unwrap_or_else(PoisonError::into_inner);
            *users = users.saturating_sub(1);
            *users
        };
        if users == 0 && key.1.is_some() {
            // One that a kept container is in stays: the app's next container gets it.
            let removed = engine.docker.remove_network(&network.name).await;
            if !matches!(&removed, Err(error) if status(error).is_some_and(|code| code != 404)) {
                // What is left, the next emulator removes.
                made.remove(&key);
            }
        }
    }

    /// The app was deleted: a network of its own goes, if a kept container was in it.
    pub(crate) async fn forget(&self, engine: &Engine, app: AppId) {
        let key = key(engine, app);
        let mut made = self.made.lock().await;
        if key.1.is_some()
            && let Some(network) = made.remove(&key)
        {
            let _ = engine.docker.remove_network(&network.name).await;
        }
    }

    /// Why the containers of different apps can reach each other; none: they can't.
    pub(crate) fn open(&self) -> Option<String> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_open(&self, why: String) {
        tracing::warn!(%why, "containers of different apps can reach each other");
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    async fn make(
        &self,
        engine: &Engine,
        owner: &Owner,
        app: Option<AppId>,
    ) -> Result<Network, String> {
        let mut name = format!("ovhai-{}", owner.word());
        let mut options: HashMap<String, String> = HashMap::new();
        match app {
            Some(app) => {
                name = format!("{name}-{app}");
                options.insert("isolate".into(), "true".into());
            }
            None => drop(options.insert(NO_TRAFFIC.into(), "false".into())),
        }
        // Another one with this name was left by an earlier emulator.
        let _ = engine.docker.remove_network(&name).await;
        let request = NetworkCreateRequest {
            name: name.clone(),
            driver: Some("bridge".into()),
            options: Some(options),
            labels: Some(owner.labels()),
            ..NetworkCreateRequest::default()
        };
        let failed = |why: String| format!("a network for the containers can't be created: {why}");
        let request = match engine.docker.create_network(request.clone()).await {
            Ok(_) => request,
            Err(error) if status(&error).is_some() => {
                // A kernel may be unable to separate containers, an engine may not know how.
                let why = text(&error);
                let open = NetworkCreateRequest { options: None, ..request };
                let again = engine.docker.create_network(open.clone()).await;
                again.map_err(|error| failed(text(&error)))?;
                self.is_open(why);
                open
            }
            Err(error) => return Err(failed(text(&error))),
        };
        let (subnet, gateway) = range(engine, &name).await.map_err(failed)?;
        let addresses = match (app, &subnet, gateway) {
            (None, Some(subnet), Some(gateway)) => Addresses::new(subnet, gateway),
            _ => None,
        };
        if addresses.is_some() {
            // Docker takes addresses only in a network whose range was given: the one that it chose.
            let config = IpamConfig {
                subnet: subnet.clone(),
                gateway: gateway.map(|address| address.to_string()),
                ..IpamConfig::default()
            };
            let ipam = Ipam { config: Some(vec![config]), ..Ipam::default() };
            let request = NetworkCreateRequest { ipam: Some(ipam), ..request };
            let again = async {
                engine.docker.remove_network(&name).await?;
                engine.docker.create_network(request).await
            };
            again.await.map_err(|error| failed(text(&error)))?;
        }
        Ok(Network {
            from_apps: self.listen(subnet.as_deref(), gateway).await,
            name,
            gateway,
            addresses: addresses.map(StdMutex::new),
            users: StdMutex::new(0),
        })
    }

    /// Listens for the containers of a network, if they may call other apps.
    async fn listen(
        &self,
        subnet: Option<&str>,
        gateway: Option<Ipv4Addr>,
    ) -> Option<OpenListener> {
        let from_apps = self.from_apps.as_ref()?;
        let (Some(subnet), Some(gateway)) = (subnet, gateway) else {
            self.can_call(Some("the network of the containers has no IPv4 gateway".into()));
            return None;
        };
        let opened = from_apps.open(subnet, gateway).await;
        let why = |error| format!("the gateway can't listen for containers at {gateway}: {error}");
        opened.map_err(|error| self.can_call(Some(why(error)))).ok()
    }
}

/// The network's IPv4 subnet and gateway.
async fn range(engine: &Engine, name: &str) -> Result<(Option<String>, Option<Ipv4Addr>), String> {
    let found = engine.docker.inspect_network(name, None).await.map_err(|error| text(&error))?;
    let ranges = found.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    let gateway = |range: &IpamConfig| {
        let text = range.gateway.as_deref()?;
        match text.split('/').next()?.parse().ok()? {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        }
    };
    let range = ranges.iter().find(|range| gateway(range).is_some());
    Ok((range.and_then(|range| range.subnet.clone()), range.and_then(gateway)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_turn() {
        let gateway = Ipv4Addr::new(10, 1, 0, 1);
        let mut addresses = Addresses::new("10.1.0.0/29", gateway).expect("a range");
        let taken: Vec<u8> =
            std::iter::from_fn(|| addresses.take()).map(|address| address.octets()[3]).collect();
        assert_eq!(taken, [2, 3, 4, 5, 6], "neither the network's nor the gateway's");
        for back in [3, 5] {
            addresses.taken.remove(&u32::from(Ipv4Addr::new(10, 1, 0, back)));
        }
        assert_eq!(addresses.take(), Some(Ipv4Addr::new(10, 1, 0, 3)));
        addresses.taken.remove(&u32::from(Ipv4Addr::new(10, 1, 0, 3)));
        assert_eq!(addresses.take(), Some(Ipv4Addr::new(10, 1, 0, 5)), "not the one just left");
        for bad in ["", "10.1.0.0", "x/24", "10.0.0.0/0", "10.0.0.0/31", "fd00::/64"] {
            assert!(Addresses::new(bad, gateway).is_none(), "{bad}");
        }
    }

    #[test]
    fn addresses_of_this_machine() {
        assert!(is_own(Ipv4Addr::LOCALHOST));
        assert!(!is_own(Ipv4Addr::new(192, 0, 2, 1)));
    }
}
