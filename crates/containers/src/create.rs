//! What an engine is asked to create for a replica.
//!
//! As in the cloud: user and group 42420 whatever the image says, no capabilities, the limits of the
//! flavor. `HOME` and `PORT` are the image's or the spec's own: nothing shows that the platform sets
//! them; only the gateway's address is added, where containers may call other apps. The engine keeps neither log nor exit code of a container that it removes itself, and knows
//! no back-off: it neither removes nor restarts.

use std::collections::{BTreeSet, HashMap};

use bollard::models::{
    ContainerCreateBody, DeviceRequest, EndpointIpamConfig, EndpointSettings, HostConfig, Mount,
    MountType, NetworkingConfig, PortBinding,
};
use ovhai_core::ports::{ReplicaRequest, STOP_GRACE};
use ovhai_core::spec::Spec;

use crate::engine::{EngineInfo, EngineKind, Gpus};
use crate::from_apps::{self, GATEWAY_HOST, GATEWAY_VARIABLE};
use crate::images::Image;
use crate::labels::{APP, Owner, REPLICA, REVISION};
use crate::network::Place;

/// The user and group of every app.
pub(crate) const UID: u32 = 42420;
/// Maximum number of processes and threads of a replica.
const PIDS: i64 = 4096;
/// Memory that an engine accepts at least.
const LEAST_MEMORY: i64 = 16 * 1024 * 1024;

/// What is known when a container is created.
pub(crate) struct Plan<'a> {
    pub(crate) owner: &'a Owner,
    pub(crate) engine: &'a EngineInfo,
    pub(crate) request: &'a ReplicaRequest,
    pub(crate) image: &'a Image,
    pub(crate) place: &'a Place,
    /// Labels that the user wants.
    pub(crate) labels: &'a [(String, String)],
    /// A file of this machine that stands for the image's `/etc/passwd`.
    pub(crate) passwd: Option<&'a str>,
}

/// The limit of memory, in bytes; none if the engine can't set one.
pub(crate) fn memory(spec: &Spec, engine: &EngineInfo) -> Option<i64> {
    let machine = i64::try_from(engine.memory).ok().filter(|bytes| *bytes > 0);
    let flavor = spec.resources.memory.filter(|_| engine.limits.memory)?;
    Some(machine.map_or(flavor, |machine| flavor.min(machine)).max(LEAST_MEMORY))
}

/// The ports that are published where a container has no address of its own.
pub(crate) fn ports(spec: &Spec, image: &Image) -> BTreeSet<u16> {
    let own = [Some(spec.http_port), spec.grpc_port, spec.probe_port];
    let own = own.into_iter().flatten();
    own.chain(image.ports.iter().copied()).chain(spec.publish.iter().copied()).collect()
}

fn devices(spec: &Spec, engine: &EngineInfo) -> Option<Vec<DeviceRequest>> {
    let count = spec.resources.gpu.filter(|count| *count > 0)?;
    match engine.gpus {
        Gpus::None => None,
        Gpus::Runtime => Some(vec![DeviceRequest {
            count: Some(count),
            capabilities: Some(vec![vec!["gpu".into()]]),
            ..DeviceRequest::default()
        }]),
        Gpus::Cdi => Some(vec![DeviceRequest {
            driver: Some("cdi".into()),
            device_ids: Some((0..count).map(|i| format!("nvidia.com/gpu={i}")).collect()),
            ..DeviceRequest::default()
        }]),
    }
}

/// The app's own variables, and the gateway's address unless the app has one of that name.
fn environment(spec: &Spec, place: &Place) -> Vec<String> {
    let has_own = spec.env.iter().any(|env| env.name == GATEWAY_VARIABLE);
    let gateway = place.from_apps.filter(|_| !has_own);
    let gateway = gateway.map(|at| format!("{GATEWAY_VARIABLE}={}", from_apps::url(at.port())));
    let own = spec.env.iter().map(|env| format!("{}={}", env.name, env.value));
    own.chain(gateway).collect()
}

/// The container of a replica.
pub(crate) fn body(plan: &Plan<'_>) -> ContainerCreateBody {
    let Plan { owner, engine, request, image, place, .. } = plan;
    let spec = &request.spec;
    let mut labels: HashMap<String, String> = plan.labels.iter().cloned().collect();
    // Ours win: what is removed is recognised by them.
    labels.extend(owner.labels());
    labels.insert(APP.into(), request.app.to_string());
    let replica = format!("{}.{}", request.replica.ordinal, request.replica.attempt);
    labels.insert(REPLICA.into(), replica);
    labels.insert(REVISION.into(), request.revision.to_string());

    let published = if place.is_direct() { BTreeSet::new() } else { ports(spec, image) };
    let on_loopback = || {
        Some(vec![PortBinding {
            host_ip: Some("127.0.0.1".into()),
            // The engine chooses: a port that is free now may be taken at the start.
            host_port: Some(String::new()),
        }])
    };
    let bindings = published.iter().map(|port| (format!("{port}/tcp"), on_loopback())).collect();
    let memory = memory(spec, engine);
    let cores = spec.resources.cpu.filter(|_| engine.limits.cpu);
    // Docker lets every user bind the ports below 1024; Podman does not.
    let sysctls = (engine.kind == EngineKind::Podman)
        .then(|| [("net.ipv4.ip_unprivileged_port_start".into(), "0".into())].into());
    // Labelled for SELinux (z), which only this form can say, and only for a path without its colons.
    let (bound, mounted): (Vec<&str>, Vec<&str>) =
        plan.passwd.into_iter().partition(|file| !file.contains(':'));
    let mut binds: Vec<String> =
        bound.iter().map(|file| format!("{file}:/etc/passwd:ro,z")).collect();
    let mut mounts: Vec<Mount> = mounted
        .iter()
        .map(|file| Mount {
            target: Some("/etc/passwd".into()),
            source: Some((*file).into()),
            typ: Some(MountType::BIND),
            read_only: Some(true),
            ..Mount::default()
        })
        .collect();
    for volume in request.volumes.iter() {
        let read_only = !volume.permission.writes();
        if volume.directory.contains(':') {
            mounts.push(Mount {
                target: Some(volume.mount_path.clone()),
                source: Some(volume.directory.clone()),
                typ: Some(MountType::BIND),
                read_only: Some(read_only),
                ..Mount::default()
            });
        } else {
            // All replicas of the app share it.
            let mode = if read_only { "ro,z" } else { "rw,z" };
            binds.push(format!("{}:{}:{mode}", volume.directory, volume.mount_path));
        }
    }
    let endpoint = EndpointSettings {
        ipam_config: place.address.map(|address| EndpointIpamConfig {
            ipv4_address: Some(address.to_string()),
            ..EndpointIpamConfig::default()
        }),
        ..EndpointSettings::default()
    };
    ContainerCreateBody {
        image: Some(image.id.clone()),
        user: Some(format!("{UID}:{UID}")),
        env: Some(environment(spec, place)),
        cmd: spec.command.clone(),
        labels: Some(labels),
        exposed_ports: Some(published.iter().map(|port| format!("{port}/tcp")).collect()),
        host_config: Some(HostConfig {
            memory,
            // No swap beyond it.
            memory_swap: memory,
            nano_cpus: cores.map(|cores| cores.clamp(1, engine.cpus.into()) * 1_000_000_000),
            pids_limit: engine.limits.pids.then_some(PIDS),
            cap_drop: Some(vec!["ALL".into()]),
            security_opt: Some(vec!["no-new-privileges".into()]),
            sysctls,
            extra_hosts: place.from_apps.map(|at| vec![format!("{GATEWAY_HOST}:{}", at.ip())]),
            binds: Some(binds),
            mounts: Some(mounts),
            device_requests: devices(spec, engine),
            network_mode: Some(place.network.clone()),
            port_bindings: Some(bindings),
            ..HostConfig::default()
        }),
        // For those who stop it with the engine's own command. The signal is the image's.
        stop_timeout: i64::try_from(STOP_GRACE.as_secs()).ok(),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some([(place.network.clone(), endpoint)].into()),
        }),
        ..ContainerCreateBody::default()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::{Ipv4Addr, SocketAddrV4};
    use std::sync::Arc;

    use ovhai_api_types::{AppId, AppSpec};
    use ovhai_core::logs::LogBuffer;
    use ovhai_core::ports::{ImageAccess, MountedVolume};
    use ovhai_core::volume::Permission;

    use super::*;
    use crate::engine::Limits;

    pub(crate) fn request(wire: &str) -> ReplicaRequest {
        let wire: AppSpec = serde_json::from_str(wire).expect("a spec");
        let logs = Arc::new(LogBuffer::default());
        ReplicaRequest {
            app: AppId(uuid::Uuid::from_u128(7)),
            number: 1,
            replica: logs.begin(2),
            revision: 3,
            spec: Spec::check(&wire, |_| "it".into()).expect("valid"),
            environment: None,
            volumes: Arc::default(),
            image_access: ImageAccess::default(),
            logs,
        }
    }

    pub(crate) fn engine(kind: EngineKind) -> EngineInfo {
        EngineInfo {
            kind,
            version: "1".into(),
            api_version: "1.41".into(),
            address: "unix:///x".into(),
            source: "test".into(),
            is_rootless: false,
            system: String::new(),
            architecture: "amd64".into(),
            cpus: 2,
            memory: 8 << 30,
            limits: Limits { memory: true, cpu: true, pids: true },
            network_backend: None,
            gpus: Gpus::None,
        }
    }

    fn place(is_direct: bool) -> Place {
        Place::for_tests("net", is_direct.then_some(Ipv4Addr::new(10, 0, 0, 5)), is_direct)
    }

    fn image() -> Image {
        Image { id: "sha256:1".into(), ports: vec![9000], ..Image::default() }
    }

    fn created(wire: &str, engine: &EngineInfo, place: &Place) -> ContainerCreateBody {
        let owner = Owner::own("state");
        body(&Plan {
            owner: &owner,
            engine,
            request: &request(wire),
            image: &image(),
            place,
            labels: &[("team".into(), "x".into()), (crate::labels::STATE.into(), "other".into())],
            passwd: Some("/s/passwd"),
        })
    }

    #[test]
    fn what_the_cloud_gives() {
        let wire = r#"{"image":"ui","command":["serve","--now"],"envVars":[{"name":"A","value":"1=2"}],
            "resources":{"cpu":12}}"#;
        let made = created(wire, &engine(EngineKind::Docker), &place(true));
        assert_eq!(made.image.as_deref(), Some("sha256:1"), "by its id");
        assert_eq!(made.user.as_deref(), Some("42420:42420"));
        assert_eq!(made.env, Some(vec!["A=1=2".to_owned()]), "neither HOME nor PORT");
        assert_eq!(made.cmd, Some(vec!["serve".to_owned(), "--now".to_owned()]));
        assert_eq!((made.entrypoint, made.tty), (None, None));
        assert_eq!((made.stop_signal, made.stop_timeout), (None, Some(10)), "the image's signal");
        let labels = made.labels.expect("labels");
        assert_eq!(labels["team"], "x");
        assert_eq!(labels[crate::labels::STATE], "state", "ours can't be replaced");
        assert_eq!((labels[REPLICA].as_str(), labels[REVISION].as_str()), ("2.1", "3"));
        let host = made.host_config.expect("a host");
        assert_eq!(host.memory, Some(8 << 30), "48 GiB, at most the machine's");
        assert_eq!(host.memory_swap, host.memory);
        assert_eq!(host.nano_cpus, Some(2_000_000_000), "12 cores, at most the machine's");
        assert_eq!(host.cap_drop, Some(vec!["ALL".to_owned()]));
        assert_eq!(host.security_opt, Some(vec!["no-new-privileges".to_owned()]));
        assert!(host.pids_limit.is_some() && host.restart_policy.is_none());
        assert_eq!((host.auto_remove, host.init), (None, None));
        assert_eq!(host.binds, Some(vec!["/s/passwd:/etc/passwd:ro,z".to_owned()]));
        assert_eq!(host.port_bindings, Some(HashMap::new()), "its address is reached");
        let networks = made.networking_config.and_then(|it| it.endpoints_config).expect("one");
        let own = networks["net"].ipam_config.clone().and_then(|it| it.ipv4_address);
        assert_eq!(own.as_deref(), Some("10.0.0.5"));
    }

    #[test]
    fn volumes_are_mounted() {
        let volume = |number, directory: &str, permission| MountedVolume {
            number,
            mount_path: format!("/workspace/{number}"),
            directory: directory.into(),
            permission,
        };
        let volumes = [
            volume(1, "/s/1", Permission::Ro),
            volume(2, "/s/2", Permission::Rwd),
            volume(3, "/s:x/3", Permission::Ro),
        ];
        let mut request = request(r#"{"image":"ui"}"#);
        request.volumes = volumes.into();
        let made = body(&Plan {
            owner: &Owner::own("state"),
            engine: &engine(EngineKind::Docker),
            request: &request,
            image: &image(),
            place: &place(true),
            labels: &[],
            passwd: None,
        });
        let host = made.host_config.expect("a host");
        let expected = ["/s/1:/workspace/1:ro,z", "/s/2:/workspace/2:rw,z"].map(str::to_owned);
        assert_eq!(host.binds, Some(expected.to_vec()));
        let mounts = host.mounts.expect("mounts");
        assert_eq!(mounts.len(), 1);
        assert_eq!(mounts[0].source.as_deref(), Some("/s:x/3"));
        assert_eq!(mounts[0].read_only, Some(true));
    }

    #[test]
    fn ports_on_loopback_where_there_is_no_address() {
        let wire = r#"{"image":"ui","defaultHttpPort":80,"grpcPort":50051,"probe":{"port":81}}"#;
        let made = created(wire, &engine(EngineKind::Podman), &place(false));
        let host = made.host_config.expect("a host");
        let bindings = host.port_bindings.expect("bindings");
        let mut ports: Vec<&str> = bindings.keys().map(String::as_str).collect();
        ports.sort_unstable();
        assert_eq!(ports, ["50051/tcp", "80/tcp", "81/tcp", "9000/tcp"]);
        let binding = bindings["80/tcp"].as_ref().map(|all| &all[0]).expect("one");
        assert_eq!(binding.host_ip.as_deref(), Some("127.0.0.1"));
        assert_eq!(binding.host_port.as_deref(), Some(""), "the engine chooses");
        let sysctls = host.sysctls.expect("sysctls");
        assert_eq!(sysctls["net.ipv4.ip_unprivileged_port_start"], "0");
    }

    #[test]
    fn the_gateway_where_containers_may_call_other_apps() {
        let engine = engine(EngineKind::Docker);
        let at = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 4480);
        let made = created(r#"{"image":"ui"}"#, &engine, &place(true).with_from_apps(at));
        let variable = "OVHAI_GATEWAY=http://gateway.ovhai.internal:4480".to_owned();
        assert_eq!(made.env, Some(vec![variable]));
        let hosts = made.host_config.and_then(|host| host.extra_hosts);
        assert_eq!(hosts, Some(vec!["gateway.ovhai.internal:10.0.0.1".to_owned()]));
        let own = r#"{"image":"ui","envVars":[{"name":"OVHAI_GATEWAY","value":"mine"}]}"#;
        let made = created(own, &engine, &place(true).with_from_apps(at));
        assert_eq!(made.env, Some(vec!["OVHAI_GATEWAY=mine".to_owned()]));
        let made = created(r#"{"image":"ui"}"#, &engine, &place(true));
        assert_eq!(made.env, Some(Vec::new()));
        assert_eq!(made.host_config.and_then(|host| host.extra_hosts), None);
    }

    #[test]
    fn limits_that_an_engine_lacks_are_left_out() {
        let mut engine = engine(EngineKind::Podman);
        engine.limits = Limits { memory: false, cpu: false, pids: false };
        let made = created(r#"{"image":"ui"}"#, &engine, &place(true));
        let host = made.host_config.expect("a host");
        assert_eq!((host.memory, host.memory_swap), (None, None));
        assert_eq!((host.nano_cpus, host.pids_limit), (None, None));
    }

    #[test]
    fn as_many_gpus_as_asked_for() {
        let wire = r#"{"image":"ui","resources":{"gpu":2}}"#;
        let mut engine = engine(EngineKind::Docker);
        let devices = |engine: &EngineInfo| {
            created(wire, engine, &place(true)).host_config.and_then(|host| host.device_requests)
        };
        assert_eq!(devices(&engine), None);
        engine.gpus = Gpus::Runtime;
        assert_eq!(devices(&engine).map(|all| all[0].count), Some(Some(2)));
        engine.gpus = Gpus::Cdi;
        let ids = devices(&engine).and_then(|all| all[0].device_ids.clone());
        assert_eq!(ids, Some(vec!["nvidia.com/gpu=0".to_owned(), "nvidia.com/gpu=1".to_owned()]));
    }
}
