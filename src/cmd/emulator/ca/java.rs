//! The store of a Java runtime: `cacerts`.

use std::path::{Path, PathBuf};

use super::machine::{Machine, run as run_program, shown};
use super::{Became, Certificate, Outcome, Task};

const STORE: &str = "java";
/// The default password of every `cacerts`, which is no secret.
const PASSWORD: &str = "changeit";

pub(super) fn run(machine: &Machine, task: Task, certificate: Certificate<'_>) -> Outcome {
    let Some(home) = home(machine) else {
        return Outcome::skipped(
            STORE,
            "Java was not found: JAVA_HOME is not set, and there is no java on the PATH",
        );
    };
    let store = ["lib/security/cacerts", "jre/lib/security/cacerts"]
        .map(|path| home.join(path))
        .into_iter()
        .find(|path| path.is_file());
    let Some(store) = store else {
        return Outcome::skipped(STORE, format!("{} has no cacerts", home.display()));
    };
    let keytool = Some(home.join("bin/keytool")).filter(|path| path.is_file());
    let Some(keytool) = keytool.or_else(|| machine.program("keytool")) else {
        return Outcome::skipped(STORE, format!("there is no keytool in {}", home.display()));
    };
    let place = store.display().to_string();
    match change(&keytool, &store, task, certificate) {
        Ok(result) => Outcome::new(STORE, place, result),
        Err((reason, arguments)) => {
            let command = arguments.map(|arguments| {
                shown(&[&["sudo".to_owned(), keytool.display().to_string()], &*arguments].concat())
            });
            Outcome::failed(STORE, place, reason, command)
        }
    }
}

/// `JAVA_HOME`, or the home of the `java` on the PATH.
fn home(machine: &Machine) -> Option<PathBuf> {
    machine.java_home.clone().or_else(|| {
        let java = machine.program("java")?.canonicalize().ok()?;
        Some(java.parent()?.parent()?.to_owned())
    })
}

type Refused = (String, Option<Vec<String>>);

fn change(
    keytool: &Path,
    store: &Path,
    task: Task,
    certificate: Certificate<'_>,
) -> Result<Became, Refused> {
    let with_store = |words: &[&str]| -> Vec<String> {
        let file = store.to_string_lossy();
        let of_store = ["-keystore", &*file, "-storepass", PASSWORD];
        words.iter().chain(&of_store).map(|word| (*word).to_owned()).collect()
    };
    // Its output is parsed.
    let list = with_store(&["-J-Duser.language=en", "-list"]);
    let all = run_program(keytool, &list).map_err(|reason| (reason, None))?;
    let there = alias(&String::from_utf8_lossy(&all), certificate.fingerprint);
    let arguments = match (task, &there) {
        (Task::Install, Some(_)) => return Ok(Became::AlreadyThere),
        (Task::Remove, None) => return Ok(Became::NotThere),
        (Task::Install, None) => with_store(&[
            "-importcert",
            "-noprompt",
            "-trustcacerts",
            "-alias",
            certificate.name,
            "-file",
            &certificate.path.to_string_lossy(),
        ]),
        (Task::Remove, Some(alias)) => with_store(&["-delete", "-noprompt", "-alias", alias]),
    };
    // The stack trace would say the same.
    if let Err(error) = std::fs::File::options().write(true).open(store) {
        return Err((format!("{} can't be changed: {error}", store.display()), Some(arguments)));
    }
    match run_program(keytool, &arguments) {
        Ok(_) if task == Task::Install => Ok(Became::Installed),
        Ok(_) => Ok(Became::Removed),
        Err(reason) => Err((reason, Some(arguments))),
    }
}

/// The alias of the certificate with this fingerprint, in what keytool lists: `alias, date, …` and
/// `Certificate fingerprint (SHA-256): AA:BB…` in the next line. Another program may have added it,
/// as Debian does with the system's store.
fn alias(list: &str, fingerprint: &str) -> Option<String> {
    let mut before = "";
    for line in list.lines() {
        if let Some((_, shown)) = line.split_once("(SHA-256): ")
            && shown.trim().replace(':', "").eq_ignore_ascii_case(fingerprint)
        {
            return before.split_once(", ").map(|(alias, _)| alias.to_owned());
        }
        before = line;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alias_is_found_by_fingerprint() {
        let list = "Your keystore contains 2 entries\n\ndebian:a.pem, Nov 1, 2026, trustedCertEntry, \nCertificate fingerprint (SHA-256): AA:01\novhai emulator ca 1, Nov 2, 2026, trustedCertEntry, \nCertificate fingerprint (SHA-256): BB:02\n";
        assert_eq!(alias(list, "BB02").as_deref(), Some("ovhai emulator ca 1"));
        assert_eq!(alias(list, "aa01").as_deref(), Some("debian:a.pem"));
        assert_eq!(alias(list, "CC03"), None);
    }
}
