//! How a replica that was not asked to stop ends, and what is said.

use crate::bench::{Bench, administrator, client, engines, image, image_for, serve};
use ovhai_containers::ContainerSettings;
use ovhai_core::ports::Blame;
use ovhai_core::replica::ExitStatus;
use serde_json::{Value, json};

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

/// Failed containers stay for their owner, and are no other emulator's to remove.
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
        client(&socket).remove_container(&kept[0], None).await.unwrap();
    }
}
