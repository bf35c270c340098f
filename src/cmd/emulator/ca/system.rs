//! The system's store: a directory of certificates with a program that imports them, or the
//! keychain of macOS.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::machine::{Machine, run as run_program, shown};
use super::{Became, Certificate, Outcome, Task};

const STORE: &str = "system";

/// A kind of system: the directory, the program, and its arguments to add and to remove.
struct Kind {
    directory: &'static str,
    program: &'static str,
    add: &'static [&'static str],
    remove: &'static [&'static str],
}

const KINDS: [Kind; 4] = [
    // Debian, Ubuntu, Alpine
    Kind {
        directory: "usr/local/share/ca-certificates",
        program: "update-ca-certificates",
        add: &[],
        remove: &["--fresh"],
    },
    // Fedora and its kin
    Kind {
        directory: "etc/pki/ca-trust/source/anchors",
        program: "update-ca-trust",
        add: &["extract"],
        remove: &["extract"],
    },
    // Arch
    Kind {
        directory: "etc/ca-certificates/trust-source/anchors",
        program: "update-ca-trust",
        add: &["extract"],
        remove: &["extract"],
    },
    // SUSE
    Kind {
        directory: "etc/pki/trust/anchors",
        program: "update-ca-certificates",
        add: &[],
        remove: &["--fresh"],
    },
];

pub(super) fn run(machine: &Machine, task: Task, certificate: Certificate<'_>) -> Outcome {
    let keychain = machine.root.join("Library/Keychains/System.keychain");
    if let Some(security) = machine.program("security").filter(|_| keychain.exists()) {
        return macos(&security, &keychain, task, certificate);
    }
    let found = KINDS.iter().find_map(|kind| {
        let directory = machine.root.join(kind.directory);
        let program = machine.program(kind.program).filter(|_| directory.is_dir())?;
        Some((kind, directory, program))
    });
    let Some((kind, directory, program)) = found else {
        return Outcome::skipped(
            STORE,
            "update-ca-certificates or update-ca-trust is missing (Debian: ca-certificates)",
        );
    };
    let file = directory.join(format!("{}.crt", certificate.name.replace(' ', "-")));
    let place = file.display().to_string();
    let arguments = if task == Task::Install { kind.add } else { kind.remove };
    let outcome = match task {
        Task::Install => install(&file, &program, arguments, certificate),
        Task::Remove => remove(&file, &program, arguments),
    };
    match outcome {
        Ok(result) => Outcome::new(STORE, place, result),
        Err(reason) => {
            let update = shown(&[&["sudo", kind.program], arguments].concat());
            let change = match task {
                Task::Install => shown(&[
                    "sudo".as_ref(),
                    "install".as_ref(),
                    "-m644".as_ref(),
                    certificate.path.as_os_str(),
                    file.as_os_str(),
                ]),
                Task::Remove => {
                    shown(&["sudo".as_ref(), "rm".as_ref(), "-f".as_ref(), file.as_os_str()])
                }
            };
            Outcome::failed(STORE, place, reason, Some(format!("{change} && {update}")))
        }
    }
}

fn install(
    file: &Path,
    program: &Path,
    arguments: &[&str],
    certificate: Certificate<'_>,
) -> Result<Became, String> {
    if std::fs::read(file).is_ok_and(|there| there == certificate.pem.as_bytes()) {
        return Ok(Became::AlreadyThere);
    }
    write(file, certificate.pem).map_err(|error| told(file, &error))?;
    run_program(program, arguments).map(|_| Became::Installed).inspect_err(|_| {
        // Otherwise the next attempt would find the file.
        let _ = std::fs::remove_file(file);
    })
}

fn remove(file: &Path, program: &Path, arguments: &[&str]) -> Result<Became, String> {
    match std::fs::remove_file(file) {
        Ok(()) => run_program(program, arguments).map(|_| Became::Removed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Became::NotThere),
        Err(error) => Err(told(file, &error)),
    }
}

fn told(file: &Path, error: &io::Error) -> String {
    let directory = file.parent().unwrap_or(file);
    format!("{} can't be changed: {error}", directory.display())
}

/// Written atomically, and readable by every user.
fn write(file: &Path, pem: &str) -> io::Result<()> {
    let mut temporary = tempfile::NamedTempFile::new_in(file.parent().unwrap_or(file))?;
    temporary.write_all(pem.as_bytes())?;
    temporary.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    temporary.persist(file)?;
    Ok(())
}

fn macos(security: &Path, keychain: &Path, task: Task, certificate: Certificate<'_>) -> Outcome {
    let place = keychain.display().to_string();
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let find = ["find-certificate", "-c", certificate.name, &place];
    let there = run_program(security, &find).is_ok();
    let file = path(certificate.path);
    let arguments = match (task, there) {
        (Task::Install, true) => return Outcome::new(STORE, place, Became::AlreadyThere),
        (Task::Remove, false) => return Outcome::new(STORE, place, Became::NotThere),
        (Task::Install, false) => {
            vec!["add-trusted-cert", "-d", "-r", "trustRoot", "-k", &place, &file]
        }
        (Task::Remove, true) => vec!["delete-certificate", "-t", "-c", certificate.name, &place],
    };
    match run_program(security, &arguments) {
        Ok(_) if task == Task::Install => Outcome::new(STORE, place, Became::Installed),
        Ok(_) => Outcome::new(STORE, place, Became::Removed),
        Err(reason) => {
            let command = shown(&[&["sudo", "security"], arguments.as_slice()].concat());
            Outcome::failed(STORE, place.clone(), reason, Some(command))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine whose program records its calls and then runs this script.
    fn machine(root: &Path, then: &str) -> Machine {
        let bin = root.join("bin");
        let store = root.join("usr/local/share/ca-certificates");
        std::fs::create_dir_all(&bin).expect("made");
        std::fs::create_dir_all(&store).expect("made");
        let program = bin.join("update-ca-certificates");
        let calls = root.join("calls");
        let script = format!("#!/bin/sh\necho \"called $*\" >> {}\n{then}\n", calls.display());
        std::fs::write(&program, script).expect("written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("set");
        Machine { root: root.into(), home: None, java_home: None, path: vec![bin] }
    }

    fn certificate(path: &Path) -> Certificate<'_> {
        Certificate { path, pem: "a certificate", name: "ovhai emulator CA 1", fingerprint: "AA" }
    }

    #[test]
    fn the_certificate_is_installed_once_and_removed() {
        let root = tempfile::tempdir().expect("a directory");
        let machine = machine(root.path(), "");
        let file = root.path().join("usr/local/share/ca-certificates/ovhai-emulator-CA-1.crt");
        let ca = root.path().join("ca.pem");
        let become_of = |task| run(&machine, task, certificate(&ca)).result;
        assert_eq!(become_of(Task::Remove), Became::NotThere);
        assert_eq!(become_of(Task::Install), Became::Installed);
        assert_eq!(std::fs::read_to_string(&file).expect("there"), "a certificate");
        let mode = std::fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        assert_eq!(become_of(Task::Install), Became::AlreadyThere);
        assert_eq!(become_of(Task::Remove), Became::Removed);
        assert!(!file.exists());
        let calls = std::fs::read_to_string(root.path().join("calls")).expect("there");
        assert_eq!(calls, "called \ncalled --fresh\n");
    }

    #[test]
    fn missing_permissions_are_reported_with_a_command() {
        let root = tempfile::tempdir().expect("a directory");
        let machine = machine(root.path(), "echo 'no luck' >&2; exit 3");
        let ca = root.path().join("ca.pem");
        for _ in 0..2 {
            let outcome = run(&machine, Task::Install, certificate(&ca));
            assert_eq!(outcome.result, Became::Failed);
            let reason = outcome.reason.expect("a reason");
            assert!(reason.contains("no luck") && reason.contains("exit status: 3"), "{reason}");
            let command = outcome.command.expect("a command");
            let ca = ca.to_string_lossy();
            assert!(command.starts_with(&format!("sudo install -m644 {ca}")), "{command}");
            assert!(command.ends_with("&& sudo update-ca-certificates"), "{command}");
        }
        let nothing = Machine { path: Vec::new(), ..machine };
        let outcome = run(&nothing, Task::Install, certificate(&ca));
        assert_eq!(outcome.result, Became::Skipped);
    }
}
