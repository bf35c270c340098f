//! No telemetry: a whole session connects to this machine only.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::process::{Command, Stdio};

use ovhai_test_support::TestCli;
use ovhai_test_support::processes::app_file;

use crate::OVHAI;

const SESSION: &str = r#"set -e
"$O" app run infrastructureascode/hello-world --name h --label group=A --wait
"$O" app run --runtime process python:3 --name p --label group=B --wait -- python3 "$SERVER"
"$O" token new reader --role read --selector group=A
"$O" app curl h
"$O" app curl --fail p --as reader && exit 9
"$O" app list
"$O" app update p --env A=b
"$O" app logs p
"$O" app events p
"$O" emulator requests --totals
"$O" emulator status
"$O" emulator metrics
"$O" emulator user add ann --password "a long password"
"$O" login -u ann --password "a long password"
"$O" me
"$O" logout
"$O" capabilities flavor list
"$O" emulator engine || true
"$O" app delete h --force --wait
"$O" demo
"#;

#[test]
fn a_session_connects_to_this_machine_only() {
    let cli = TestCli::new(OVHAI);
    let trace = cli.home().join("trace");
    let output = Command::new("strace")
        .args(["--follow-forks", "--seccomp-bpf", "--trace=%network", "--quiet=all", "--output"])
        .arg(&trace)
        .args([OVHAI, "emulator", "exec", "--tls", "--", "sh", "-c", SESSION])
        .env_clear()
        .envs(cli.environment())
        .env("O", OVHAI)
        .env("SERVER", app_file("server"))
        .current_dir(cli.home())
        .stdin(Stdio::null())
        .output()
        .expect("strace is installed by cargo xtask test");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    let trace = std::fs::read_to_string(&trace).unwrap();
    let after = |line: &str, start: &str, end: char| -> Vec<String> {
        let found = line.split(start).skip(1).filter_map(|rest| Some(rest.split_once(end)?.0));
        found.map(str::to_owned).collect()
    };
    let (mut families, mut connections) = (BTreeSet::new(), 0);
    // What the kernel lists are the sockets of others, too.
    for line in trace.lines().filter(|line| !line.contains("idiag_")) {
        families.extend(after(line, "sa_family=", ','));
        let v4 = after(line, "inet_addr(\"", '"');
        let v6 = after(line, "inet_pton(AF_INET6, \"", '"');
        for address in v4.into_iter().chain(v6) {
            let address: IpAddr = address.parse().unwrap();
            assert!(address.to_canonical().is_loopback(), "{line}");
            connections += usize::from(line.contains("connect("));
        }
    }
    assert!(connections > 20, "{connections} connections were seen");
    let local = ["AF_INET", "AF_INET6", "AF_NETLINK", "AF_UNIX", "AF_UNSPEC"].map(str::to_owned);
    assert!(families.is_subset(&BTreeSet::from(local)), "{families:?}");
}
