//! NSS databases: Chromium's, and one per Firefox profile.

use std::path::{Path, PathBuf};

use super::machine::{Machine, run as run_program, shown};
use super::{Became, Certificate, Outcome, Task};

const STORE: &str = "nss";
/// Chromium's databases, below the home directory; other programs use the first one too.
const CHROMIUM: [&str; 2] = [".pki/nssdb", "snap/chromium/current/.pki/nssdb"];
/// Directories of Firefox profiles.
const FIREFOX: [&str; 5] = [
    ".mozilla/firefox",
    ".config/mozilla/firefox",
    "snap/firefox/common/.mozilla/firefox",
    ".var/app/org.mozilla.firefox/.mozilla/firefox",
    "Library/Application Support/Firefox/Profiles",
];
/// The file that identifies a database.
const DATABASE: &str = "cert9.db";

/// `make`: creates Chromium's database if it is missing.
pub(super) fn run(
    machine: &Machine,
    task: Task,
    certificate: Certificate<'_>,
    make: bool,
) -> Vec<Outcome> {
    let Some(home) = &machine.home else {
        return vec![Outcome::skipped(STORE, "HOME is not set")];
    };
    let mut databases = databases(home);
    let make = make && task == Task::Install && databases.is_empty();
    if databases.is_empty() && !make {
        return vec![Outcome::skipped(
            STORE,
            "there is no database of Chromium or Firefox in HOME (--nss creates one)",
        )];
    }
    let Some(certutil) = machine.program("certutil") else {
        let missing =
            "certutil is missing (Debian: libnss3-tools; Fedora: nss-tools; Homebrew: nss)";
        return vec![Outcome::skipped(STORE, missing)];
    };
    if make {
        let database = home.join(CHROMIUM[0]);
        let there = std::fs::create_dir_all(&database).map_err(|error| error.to_string());
        let arguments = ["-N", "-d", &sql(&database), "--empty-password"];
        if let Err(reason) = there.and_then(|()| run_program(&certutil, &arguments)) {
            let place = database.display().to_string();
            return vec![Outcome::failed(STORE, place, reason, None)];
        }
        databases.push(database);
    }
    let each = databases.iter().map(|database| one(&certutil, task, certificate, database));
    each.collect()
}

fn databases(home: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = CHROMIUM.iter().map(|path| home.join(path)).collect();
    for firefox in FIREFOX {
        let profiles = std::fs::read_dir(home.join(firefox)).into_iter().flatten().flatten();
        let mut profiles: Vec<PathBuf> = profiles.map(|entry| entry.path()).collect();
        profiles.sort();
        all.extend(profiles);
    }
    all.retain(|directory| directory.join(DATABASE).is_file());
    all
}

fn sql(database: &Path) -> String {
    format!("sql:{}", database.to_string_lossy())
}

fn one(certutil: &Path, task: Task, certificate: Certificate<'_>, database: &Path) -> Outcome {
    let place = database.display().to_string();
    let sql = sql(database);
    let there = run_program(certutil, &["-L", "-d", &sql, "-n", certificate.name, "-a"])
        .is_ok_and(|pem| same(&String::from_utf8_lossy(&pem), certificate.pem));
    let file = certificate.path.to_string_lossy().into_owned();
    let arguments = match (task, there) {
        (Task::Install, true) => return Outcome::new(STORE, place, Became::AlreadyThere),
        (Task::Remove, false) => return Outcome::new(STORE, place, Became::NotThere),
        // Trusted for servers only.
        (Task::Install, false) => {
            vec!["-A", "-d", &sql, "-t", "C,,", "-n", certificate.name, "-i", &file]
        }
        (Task::Remove, true) => vec!["-D", "-d", &sql, "-n", certificate.name],
    };
    match run_program(certutil, &arguments) {
        Ok(_) if task == Task::Install => Outcome::new(STORE, place, Became::Installed),
        Ok(_) => Outcome::new(STORE, place, Became::Removed),
        // certutil asks for a primary password, if there is one.
        Err(reason) => {
            let command = shown(&[&["certutil"], arguments.as_slice()].concat());
            Outcome::failed(STORE, place, reason, Some(command))
        }
    }
}

/// Whether two PEM texts hold the same certificate, in any layout.
fn same(one: &str, other: &str) -> bool {
    let content = |text: &str| -> String { text.split_whitespace().collect() };
    content(one) == content(other)
}
