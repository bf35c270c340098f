//! How a replica that was not asked to stop ends, and what is said.

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::CreateContainerOptionsBuilder;
use ovhai_api_types::AppId;
use ovhai_containers::engine::EngineSettings;
use ovhai_containers::{ContainerRuntime, ContainerSettings};
use ovhai_core::ports::{Blame, Runtime};
use ovhai_core::replica::ExitStatus;
use serde_json::{Value, json};

use crate::bench::{
    Bench, administrator, client, engines, eventually, image, image_for, serve, unique,
};

#[tokio::test]
async fn exits_are_told() {
    let code = |code| Some(ExitStatus::Code(code));
    let cases: [(Value, Option<ExitStatus>, &str); 9] = [
        (json!(["sh", "-c", "echo first; echo no key >&2; exit 3"]), code(3), "no key"),
        (json!(["true"]), code(0), "exited with status 0"),
        (json!(["/no/such"]), code(127), "/no/such"),
        (json!(["nosuch"]), code(127), "nosuch"),
        (json!(["/forbidden"]), code(126), "chmod a+rx"),
        (json!(["/etc/passwd"]), code(126), "chmod a+rx"),
        (json!(["sh", "-c", "kill -SEGV $$"]), Some(ExitStatus::Signal(11)), "SIGSEGV"),
        (json!(["sh", "-c", "kill -ABRT $$"]), Some(ExitStatus::Signal(6)), "SIGABRT"),
        (json!(["sh", "-c", "kill -KILL $$; sleep 9"]), None, ""),
    ];
    for (name, socket) in engines() {
        let bench = Bench::new(&socket);
        let image = image(&socket, &[]).await;
        for (command, status, says) in &cases {
            let mut run = bench.launch(json!({"image": image, "command": command}));
            if command[2] == "kill -KILL $$; sleep 9" {
                // The first process is not ended by its own signal.
                run.replica.stop(std::time::Duration::ZERO).await;
                continue;
            }
            let (fault, said, message) = run.exited().await;
            assert_eq!(fault, Blame::User, "{name}: {command}: {message}");
            // The first process of a container has no default handlers: some signals do nothing.
            if !matches!(status, Some(ExitStatus::Signal(_))) {
                assert_eq!(said, *status, "{name}: {command}: {message}");
                assert!(message.contains(says), "{name}: {command}: {message}");
            }
        }
        for file in ["/bad-interpreter", "/bad-format"] {
            let mut run = bench.launch(json!({"image": image, "command": [file]}));
            let (fault, _, message) = run.exited().await;
            assert_eq!(fault, Blame::User, "{name}: {file}: {message}");
            assert!(message.contains("#!") || message.contains("linux/amd64"), "{name}: {message}");
        }
        let mut run = bench.launch(json!({"image": image}));
        let (fault, _, message) = run.exited().await;
        assert_eq!(fault, Blame::User, "{name}: no command: {message}");
        assert_eq!(bench.containers().await, Vec::<String>::new(), "{name}");
    }
}

#[tokio::test]
async fn out_of_memory() {
    for (name, socket) in engines() {
        let bench = Bench::new(&socket);
        let image = image(&socket, &[]).await;
        let script = "echo 700 > /proc/self/oom_score_adj; exec tail /dev/zero";
        let mut spec = crate::bench::spec(json!({"image": image, "command": ["sh", "-c", script]}));
        spec.resources.memory = Some(32 << 20);
        let app = ovhai_api_types::AppId(uuid::Uuid::new_v4());
        let mut run = bench.launch_spec(app, 1, spec);
        let (fault, status, message) = run.exited().await;
        assert_eq!((fault, status), (Blame::User, Some(ExitStatus::Signal(9))), "{name}");
        assert!(message.contains("out of memory: its limit is 32 MiB"), "{name}: {message}");
    }
}

#[tokio::test]
async fn images_that_can_not_be_run() {
    for (name, socket) in engines() {
        let bench = Bench::new(&socket);
        let arm = image_for(&socket, &["CMD [\"true\"]"], "arm64").await;
        let spec = |image: &str, pull| {
            let mut spec = crate::bench::spec(json!({"image": image}));
            spec.pull = pull;
            spec
        };
        let app = || ovhai_api_types::AppId(uuid::Uuid::new_v4());
        for (spec, says) in [
            (spec("x?y", ovhai_core::spec::PullPolicy::Missing), "no name of an image"),
            (
                spec("ovhai-test/none:1", ovhai_core::spec::PullPolicy::Never),
                "pull policy is never",
            ),
            (spec(&arm, ovhai_core::spec::PullPolicy::Never), "--platform linux/amd64"),
        ] {
            let mut run = bench.launch_spec(app(), 1, spec.clone());
            let (fault, _, message) = run.exited().await;
            assert_eq!(fault, Blame::User, "{name}: {message}");
            assert!(message.contains(says), "{name}: {message}");
        }
    }
}

/// A container like this one, as an earlier emulator of the same state directory would have left it.
async fn relabelled(socket: &str, kept: &str) -> String {
    let docker = client(socket);
    let found = docker.inspect_container(kept, None).await.unwrap();
    let mut labels = found.config.and_then(|config| config.labels).unwrap();
    labels.insert("ovh.emulator.pid-start".into(), "earlier".into());
    let name = format!("ovhai-failed-{}-1", unique());
    let body = ContainerCreateBody {
        image: found.image,
        cmd: Some(vec!["true".into()]),
        labels: Some(labels),
        ..ContainerCreateBody::default()
    };
    let options = CreateContainerOptionsBuilder::default().name(&name).build();
    docker.create_container(Some(options), body).await.unwrap();
    name
}

/// Failed containers stay for their owner: the newest of each app, until the app is deleted or an
/// emulator is started without the option.
#[tokio::test]
async fn failed_containers_are_kept_on_request() {
    for (name, socket) in engines() {
        let settings = ContainerSettings { keep_failed: true, ..ContainerSettings::default() };
        let bench = Bench::with(&socket, settings, administrator());
        let image = image(&socket, &[]).await;
        let mut run = bench.launch(json!({"image": image, "command": ["sh", "-c", "exit 4"]}));
        run.exited().await;
        let kept = bench.containers().await;
        assert_eq!(kept.len(), 1, "{name}");
        assert!(kept[0].contains("ovhai-failed-"), "{name}: {kept:?}");
        let mut good = bench.launch(json!({"image": image, "command": serve("")}));
        good.ready().await;
        good.replica.stop(std::time::Duration::ZERO).await;
        assert_eq!(bench.containers().await, kept, "{name}: one that was stopped is not kept");

        let app = AppId(uuid::Uuid::new_v4());
        let wire = json!({"image": image, "command": ["sh", "-c", "exit 4"]});
        let mut names = Vec::new();
        for _ in 0..5 {
            let mut run = bench.launch_of(app, 1, wire.clone());
            run.exited().await;
            let notes = run.logs.read(0, |_| true).into_iter().map(|line| line.text);
            let note = notes.filter_map(|line| {
                let name = line.split_once("the container ")?.1.strip_suffix(" was kept")?;
                Some(name.to_owned())
            });
            names.extend(note);
        }
        let mut all = bench.containers().await;
        all.retain(|one| *one != kept[0]);
        all.sort_unstable();
        let mut newest = names.split_off(2);
        newest.sort_unstable();
        assert_eq!(all, newest, "{name}: the newest three of this app");

        // The emulator is stopped, and started again with the option.
        let (state, directory) = (bench.state.clone(), bench.directory.path().join("containers"));
        let next = |keep_failed| {
            let engine = EngineSettings::only("test", &socket);
            let settings =
                ContainerSettings { keep_failed, engine, ..ContainerSettings::default() };
            ContainerRuntime::new(settings, state.clone(), directory.clone(), None, None)
        };
        let again = next(true);
        again.recover().await;
        assert_eq!(bench.containers().await.len(), 4, "{name}");
        bench.runtime.forget(app);
        eventually("the app's are gone", || async {
            (bench.containers().await == kept).then_some(())
        })
        .await;
        // The containers of this process are spared: it is the same emulator.
        let stranger = relabelled(&socket, &kept[0]).await;
        next(true).recover().await;
        assert!(bench.containers().await.contains(&stranger), "{name}");
        next(false).recover().await;
        assert_eq!(bench.containers().await, kept, "{name}");
        client(&socket).remove_container(&kept[0], None).await.unwrap();
    }
}
