//! Pulls from registries: an open one, and one that asks for a password.

use bollard::auth::DockerCredentials;
use bollard::query_parameters::{PushImageOptionsBuilder, TagImageOptionsBuilder};
use futures_util::StreamExt;
use ovhai_api_types::AppId;
use ovhai_containers::ContainerSettings;
use ovhai_containers::credentials::CredentialFiles;
use ovhai_core::ports::{Blame, ImageAccess, RegistryLogin, ReplicaEvent};
use ovhai_core::spec::PullPolicy;
use serde_json::json;
use uuid::Uuid;

use crate::bench::{Bench, client, engines, get, image, image_for, serve, spec, unique, variable};

/// Pushes an image; its name at the registry. It is no longer present.
async fn push(socket: &str, image: &str, registry: &str, password: Option<&str>) -> String {
    let docker = client(socket);
    let name = format!("{registry}/team/{}", unique());
    let options = TagImageOptionsBuilder::default().repo(&name).tag("1").build();
    docker.tag_image(image, Some(options)).await.unwrap();
    let login = DockerCredentials {
        username: password.map(|_| "ovhai".into()),
        password: password.map(str::to_owned),
        serveraddress: Some(registry.into()),
        ..DockerCredentials::default()
    };
    let options = PushImageOptionsBuilder::default().tag("1").build();
    let docker = docker.with_request_modifier(|mut request| {
        if let Some(value) = request.headers_mut().get_mut("X-Registry-Auth") {
            let safe = value.to_str().unwrap().replace('+', "-").replace('/', "_");
            *value = safe.parse().unwrap();
        }
        request
    });
    let mut steps = docker.push_image(&name, Some(options), Some(login));
    while let Some(step) = steps.next().await {
        let step = step.unwrap();
        assert!(step.error_detail.is_none(), "{step:?}");
    }
    forget(socket, &format!("{name}:1")).await;
    format!("{name}:1")
}

async fn forget(socket: &str, name: &str) {
    let options = bollard::query_parameters::RemoveImageOptionsBuilder::default().force(true);
    client(socket).remove_image(name, Some(options.build()), None).await.unwrap();
}

fn login(registry: &str, password: &str) -> ImageAccess {
    let login = RegistryLogin {
        host: registry.into(),
        username: "ovhai".into(),
        password: password.into(),
    };
    ImageAccess { logins: vec![login], ..ImageAccess::default() }
}

fn app() -> AppId {
    AppId(Uuid::new_v4())
}

#[tokio::test]
async fn an_image_is_pulled_once_for_all_replicas() {
    let Some(registry) = variable("OVHAI_TEST_REGISTRY") else { return };
    for (name, socket) in engines() {
        let local = image(&socket, &[]).await;
        let pushed = push(&socket, &local, &registry, None).await;
        // Stale credentials do not break a public image.
        for credentials in [ImageAccess::default(), login(&registry, "stale")] {
            let bench = Bench::with(&socket, ContainerSettings::default(), credentials);
            let app = app();
            let wire = json!({"image": pushed, "command": serve("")});
            let mut runs: Vec<_> = (0..3).map(|_| bench.launch_of(app, 1, wire.clone())).collect();
            for run in &mut runs {
                assert_eq!(get(&run.ready().await).await, "hello\n", "{name}");
                let said = |event: &ReplicaEvent| matches!(event, ReplicaEvent::Pending(text) if text.contains("pulling"));
                assert!(run.seen.iter().any(said), "{name}: {:?}", run.seen);
            }
            for run in runs {
                run.replica.stop(std::time::Duration::ZERO).await;
            }
            forget(&socket, &pushed).await;
        }
    }
}

/// A caller who can't pull an image does not get it because it is present.
#[tokio::test]
async fn a_private_image_is_its_owners() {
    let Some(registry) = variable("OVHAI_TEST_PRIVATE_REGISTRY") else { return };
    let Some(password) = variable("OVHAI_TEST_PASSWORD") else { return };
    for (name, socket) in engines() {
        let local = image(&socket, &[]).await;
        let pushed = push(&socket, &local, &registry, Some(&password)).await;
        let wire = json!({"image": pushed, "command": serve("")});
        let refused = |credentials: ImageAccess, policy: PullPolicy| {
            let (socket, mut spec) = (socket.clone(), spec(wire.clone()));
            spec.pull = policy;
            async move {
                let bench = Bench::with(&socket, ContainerSettings::default(), credentials);
                let (fault, _, message) = bench.launch_spec(app(), 1, spec).exited().await;
                assert_eq!(fault, Blame::User, "{message}");
                message
            }
        };
        let message = refused(ImageAccess::default(), PullPolicy::Missing).await;
        assert!(message.contains("not for you"), "{name}: {message}");
        refused(login(&registry, "stale"), PullPolicy::Missing).await;
        refused(login("other.example.com", &password), PullPolicy::Missing).await;

        // A stored login pulls it; so do the machine's files, for the administrator only.
        let directory = tempfile::tempdir().unwrap();
        let bench = Bench::with(&socket, ContainerSettings::default(), login(&registry, &password));
        let mut run = bench.launch(wire.clone());
        run.ready().await;
        run.replica.stop(std::time::Duration::ZERO).await;
        for policy in [PullPolicy::Missing, PullPolicy::Never] {
            let message = refused(ImageAccess::default(), policy).await;
            assert!(!message.contains(&password), "{name}: {message}");
        }
        forget(&socket, &pushed).await;
        let config = json!({"auths": {&registry: {"username": "ovhai", "password": password}}});
        std::fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
        let home = directory.path().display().to_string();
        let credentials =
            CredentialFiles::resolve(&|name| (name == "DOCKER_CONFIG").then(|| home.clone()));
        let settings = || ContainerSettings {
            credentials: credentials.clone(),
            ..ContainerSettings::default()
        };
        let operator = Bench::with(&socket, settings(), ImageAccess::default());
        let (fault, _, message) = operator.launch(wire.clone()).exited().await;
        assert_eq!(fault, Blame::User, "{name}: {message}");
        let owner = Bench::with(&socket, settings(), crate::bench::administrator());
        let mut run = owner.launch(wire.clone());
        run.ready().await;
        run.replica.stop(std::time::Duration::ZERO).await;
        // Present now: the owner of the machine needs no credentials for it.
        let bench = Bench::new(&socket);
        let mut run = bench.launch(wire.clone());
        run.ready().await;
        run.replica.stop(std::time::Duration::ZERO).await;
        forget(&socket, &pushed).await;
    }
}

#[tokio::test]
async fn an_image_of_another_platform_is_refused() {
    let Some(registry) = variable("OVHAI_TEST_REGISTRY") else { return };
    for (name, socket) in engines() {
        let local = image_for(&socket, &[], "arm64").await;
        let pushed = push(&socket, &local, &registry, None).await;
        let bench = Bench::new(&socket);
        let (fault, _, message) =
            bench.launch(json!({"image": pushed, "command": serve("")})).exited().await;
        assert_eq!(fault, Blame::User, "{name}: {message}");
        assert!(message.contains("--platform linux/amd64"), "{name}: {message}");
        let missing = format!("{registry}/team/none:1");
        let (fault, _, message) = bench.launch(json!({"image": missing})).exited().await;
        assert_eq!(fault, Blame::User, "{name}: {message}");
        assert!(message.contains("does not have it"), "{name}: {message}");
        // Nothing listens there: that is not the image's fault.
        let nowhere = json!({"image": "127.0.0.1:9/none:1"});
        let (fault, _, message) = bench.launch(nowhere).exited().await;
        assert_eq!(fault, Blame::Platform, "{name}: {message}");
    }
}
