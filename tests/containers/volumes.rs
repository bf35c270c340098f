//! Volumes of containers: mounted for all replicas, read-only where they are, and written back.

use std::os::unix::fs::PermissionsExt;

use ovhai_test_support::{TestCli, eventually_now};

use super::{IMAGE, OVHAI, UNIX, engines, make_image};

#[test]
fn containers_get_their_volumes_mounted() {
    for socket in engines() {
        let cli = TestCli::new(OVHAI);
        make_image(&socket, cli.home());
        let engine = format!("{UNIX}{socket}");
        cli.ok(&["emulator", "start", "--detach", "--engine", &engine]);
        let store = cli.state_dir().join("data/local");
        for container in ["in", "out"] {
            std::fs::create_dir_all(store.join(container).join("sub")).unwrap();
            std::fs::write(store.join(container).join("sub/a"), "from the store").unwrap();
        }
        let volumes = [
            "--volume",
            "in@local:/workspace/in:ro",
            "--volume",
            "out@local/sub:/workspace/out:rwd",
        ];
        let run = ["app", "run", IMAGE, "--name", "v", "--cpu", "1", "--label", "group=A"];
        let more = ["--replicas", "2", "--volume-writeback", "--wait"];
        let app = cli.json(&[&run[..], &volumes[..], &more[..]].concat());
        let id = app["id"].as_str().unwrap();
        let new = ["token", "new", "r", "--selector", "group=A", "--role", "read"];
        cli.ok(&new);
        let inside =
            |script: &str| cli.ok(&["app", "curl", "v", "/cgi-bin/run", "--data-binary", script]);
        assert!(inside("cat /workspace/in/sub/a").contains("from the store"), "{socket}");
        assert!(inside("id -u; cat /workspace/out/a").contains("42420"), "{socket}");
        let refused =
            inside("echo x > /workspace/in/x; echo y > /workspace/in/sub/a; ls /workspace/in");
        assert!(refused.contains("Read-only file system"), "{socket}: {refused}");
        inside("echo written > /workspace/out/b; rm /workspace/out/a");
        // Each request goes to one of the replicas.
        for _ in 0..4 {
            let seen = inside("cat /workspace/out/b; ls /workspace/out");
            assert!(seen.contains("written"), "{socket}: {seen}");
        }
        let copy = cli.state_dir().join("volumes").join(id);
        let rights = copy.metadata().unwrap().permissions().mode();
        assert_eq!(rights & 0o077, 0, "other users of this machine do not get there");
        cli.ok(&["app", "stop", "v", "--wait"]);
        let out = store.join("out/sub");
        assert_eq!(std::fs::read_to_string(out.join("b")).unwrap(), "written\n", "{socket}");
        assert!(!out.join("a").exists(), "{socket}");
        assert!(store.join("in/sub/a").exists(), "{socket}");
        eventually_now("the copies are gone", || (!copy.exists()).then_some(()));
        cli.ok(&["emulator", "stop"]);
    }
}
