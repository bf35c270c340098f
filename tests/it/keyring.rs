//! Token strings in a real Secret Service: gnome-keyring, on a D-Bus session of the test's own.

use std::process::Command;

use ovhai_test_support::TestCli;

use crate::OVHAI;

/// Ends with `passed`. An item with the attributes `service` and `username` only is what versions up to
/// format 3 of the database stored.
const SCRIPT: &str = r#"
set -eu
printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null
until printf x | secret-tool store --label=probe probe 1 2>/dev/null; do sleep 0.05; done

"$OVHAI" app run ovhai/echo -n e -l group=A --wait -q >/dev/null
token=$("$OVHAI" token new t --role read --selector group=A -o json | python3 -c '
import json, sys
token = json.load(sys.stdin)
print(token["id"], token["status"]["value"])')
id=${token% *} value=${token#* }
grep -q '"place": "keyring"' "$OVHAI_STATE_DIR/credentials.json"
if grep -q "$value" "$OVHAI_STATE_DIR/credentials.json"; then echo "the string is in the file"; exit 1; fi
test "$(secret-tool lookup service ovhai username "$id")" = "$value"

secret-tool clear service ovhai username "$id"
if "$OVHAI" app curl e >/dev/null 2>&1; then echo "there was no string"; exit 1; fi
printf %s "$value" | secret-tool store --label=earlier service ovhai username "$id"
"$OVHAI" app curl e >/dev/null
"$OVHAI" token delete t --yes -q
if secret-tool lookup service ovhai username "$id"; then echo "the string is left"; exit 1; fi
echo passed
"#;

#[test]
fn token_strings_of_earlier_versions_are_read_and_removed() {
    let cli = TestCli::new(OVHAI);
    let run = cli.home().join("run");
    std::fs::create_dir(&run).unwrap();
    let output = Command::new("dbus-run-session")
        .args(["--", "timeout", "60", "bash", "-c", SCRIPT])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", cli.home())
        .env("USER", "tester")
        .env("XDG_RUNTIME_DIR", &run)
        .env("OVHAI", OVHAI)
        .env("OVHAI_STATE_DIR", cli.state_dir())
        .env("OVHAI_PORT", "0")
        .output()
        .expect("run the tests with `cargo xtask test`, which installs dbus-run-session");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.trim_end().ends_with("passed"), "{output:?}");
}
