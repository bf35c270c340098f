//! The wheel: built from the executable under test, installed into a fresh environment, and used
//! there by the tests of tests/wheel, as a project would.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::OVHAI;

/// `cargo xtask test` makes the environment that the wheel is built and tested with, and names its
/// Python here.
const PYTHON: &str = "OVHAI_TEST_WHEEL_PYTHON";
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn python() -> PathBuf {
    let python = std::env::var_os(PYTHON).unwrap_or_else(|| {
        panic!(
            "{PYTHON} is not set: run the tests with `cargo xtask test`, which installs the tools"
        )
    });
    python.into()
}

fn succeeds(command: &mut Command) -> Output {
    let output = command.output().expect("it runs");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}\n{}",
        output.status,
        said(&output.stdout),
        said(&output.stderr)
    );
    output
}

/// An environment with nothing but the wheel.
struct Installed {
    directory: TempDir,
    wheel: PathBuf,
}

impl Installed {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let build = ["-B", "-m", "hatchling", "build", "-t", "wheel", "-d"];
        succeeds(
            Command::new(python())
                .args(build)
                .arg(directory.path())
                .current_dir(Path::new(ROOT).join("crates/wheel"))
                .env("OVHAI_BINARY", OVHAI),
        );
        let mut found = std::fs::read_dir(directory.path()).unwrap();
        let wheel = found.next().expect("a wheel").unwrap().path();
        let installed = Self { directory, wheel };
        succeeds(
            Command::new(python()).args(["-m", "venv", "--without-pip"]).arg(installed.venv()),
        );
        let install = ["-m", "pip", "--disable-pip-version-check", "--python"];
        succeeds(
            Command::new(python())
                .args(install)
                .arg(installed.venv().join("bin/python"))
                .args(["install", "--quiet", "--no-index", "--no-deps"])
                .arg(&installed.wheel),
        );
        installed
    }

    fn venv(&self) -> PathBuf {
        self.directory.path().join("venv")
    }

    /// Its Python, in a directory of the test's own.
    fn python(&self, home: &Path) -> Command {
        let bin = self.venv().join("bin");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(bin.join("python"));
        command
            .current_dir(home)
            .env_clear()
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("HOME", home)
            .env("TMPDIR", home);
        command
    }
}

/// One for all tests, since building it takes seconds. The other packages are added to it once it was
/// seen to work without them.
fn installed() -> &'static Installed {
    static INSTALLED: OnceLock<Installed> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let installed = Installed::new();
        works_alone(&installed);
        let purelib = "import sysconfig; print(sysconfig.get_path('purelib'))";
        let output = succeeds(Command::new(python()).args(["-c", purelib]));
        let home = tempfile::tempdir().unwrap();
        let own = succeeds(installed.python(home.path()).args(["-c", purelib]));
        let own = String::from_utf8(own.stdout).unwrap();
        std::fs::write(Path::new(own.trim()).join("tools.pth"), output.stdout).unwrap();
        installed
    })
}

/// The executable and the package need nothing else.
fn works_alone(installed: &Installed) {
    let home = tempfile::tempdir().unwrap();
    let version = succeeds(
        Command::new(installed.venv().join("bin/ovhai"))
            .arg("--version")
            .env_clear()
            .env("HOME", home.path()),
    );
    let version = String::from_utf8(version.stdout).unwrap();
    assert_eq!(version.trim(), concat!("ovhai ", env!("CARGO_PKG_VERSION")));
    let code = "
from importlib.metadata import requires, version
from ovhai_emulator import Emulator
assert requires('ovhai-emulator') is None
with Emulator() as emulator:
    app = emulator.run(image='ovhai/echo')
    assert app.get('/', token=emulator.token()).status == 200
    assert app.get('/', token=None).status == 401
print(version('ovhai-emulator'))
";
    let output = succeeds(installed.python(home.path()).args(["-c", code]));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_wheel_works_alone_in_a_fresh_environment() {
    let installed = installed();
    let name = installed.wheel.file_name().unwrap().to_str().unwrap();
    let start = concat!("ovhai_emulator-", env!("CARGO_PKG_VERSION"), "-py3-none-");
    assert!(name.starts_with(start), "{name}");
    // `python -m ovhai_emulator` is the executable; a second start finds it beside the package, too.
    let home = tempfile::tempdir().unwrap();
    let output =
        succeeds(installed.python(home.path()).args(["-m", "ovhai_emulator", "--version"]));
    assert!(output.stdout.starts_with(b"ovhai "), "{output:?}");
}

/// The name promises a glibc: the executable must need no newer one, and no other libraries.
#[cfg(target_os = "linux")]
#[test]
fn the_tag_of_the_wheel_is_what_the_executable_needs() {
    let installed = installed();
    let ovhai = installed.venv().join("bin/ovhai");
    let output = succeeds(Command::new("readelf").args(["-V", "-d", "-S", "-W"]).arg(ovhai));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains(".symtab") && !text.contains(".debug_info"), "it is not stripped");
    let versions = text.split("Name: GLIBC_2.").skip(1);
    let newest = versions
        .filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok());
    let newest = newest.max().expect("it needs the C library");
    let name = installed.wheel.file_name().unwrap().to_str().unwrap();
    let promised = name.split("manylinux_2_").nth(1).and_then(|rest| rest.split('_').next());
    let promised: u32 = promised.expect("a manylinux tag").parse().unwrap();
    assert_eq!(promised, newest.max(17), "{name}");
}

/// The package itself, and tests that use it: their types come from where it is installed.
#[test]
fn the_package_is_typed_strictly() {
    let installed = installed();
    let home = tempfile::tempdir().unwrap();
    let tests = Path::new(ROOT).join("tests/wheel");
    let mypy = ["-B", "-m", "mypy", "--strict", "--cache-dir", "."];
    let check = |arguments: &[PathBuf]| {
        succeeds(installed.python(home.path()).args(mypy).args(arguments));
    };
    check(&["-p".into(), "ovhai_emulator".into()]);
    check(&["test_fixtures.py", "test_plugin.py"].map(|name| tests.join(name)));
}

#[test]
fn the_package_is_python_3_9() {
    let code = "
import ast, pathlib, sys
for file in pathlib.Path(sys.argv[1]).glob('*.py'):
    ast.parse(file.read_text(), feature_version=(3, 9))
";
    let sources = Path::new(ROOT).join("crates/wheel/ovhai_emulator");
    succeeds(Command::new(python()).args(["-c", code]).arg(sources));
}

/// The official SDK, `FastAPI`, Streamlit, WSGI, workers of xdist, and sessions that are killed.
#[test]
fn the_fixtures_work_with_the_sdk_and_with_frameworks() {
    let installed = installed();
    let home = tempfile::tempdir().unwrap();
    let output = succeeds(
        installed
            .python(home.path())
            .args(["-B", "-m", "pytest", "-p", "no:cacheprovider", "-q", "-n", "3", "--basetemp"])
            .arg(home.path().join("pytest"))
            .arg(Path::new(ROOT).join("tests/wheel"))
            .env("PYTHONDONTWRITEBYTECODE", "1"),
    );
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains(" passed") && !said.contains("skipped"), "{said}");
}
