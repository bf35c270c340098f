//! What the end of a container means: whose fault, and what to say.

use ovhai_core::ports::{Blame, ReplicaEvent};
use ovhai_core::replica::ExitStatus;

/// Maximum length of a line of output in a message, in characters.
const LONGEST: usize = 300;

/// Why a replica ended, unless it was asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) fault: Blame,
    pub(crate) status: Option<ExitStatus>,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn user(message: impl Into<String>) -> Self {
        Self { fault: Blame::User, status: None, message: message.into() }
    }

    pub(crate) fn platform(message: impl Into<String>) -> Self {
        Self { fault: Blame::Platform, status: None, message: message.into() }
    }

    pub(crate) fn event(self) -> ReplicaEvent {
        let Self { fault, status, message } = self;
        ReplicaEvent::Exited { fault, status, message }
    }
}

/// What an engine knows of a container that has ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct End<'a> {
    pub(crate) code: i64,
    /// Whether the engine saw it run out of memory. Podman does not.
    pub(crate) is_out_of_memory: bool,
    /// The limit of its memory, in bytes.
    pub(crate) memory: Option<i64>,
    /// The lines that it wrote last, oldest first. Engines give the two streams in no certain order.
    pub(crate) last: &'a [String],
}

/// The end of a container that was not asked to end.
pub(crate) fn ended(end: &End<'_>) -> Failure {
    let code = i32::try_from(end.code).unwrap_or(-1);
    // Engines add 128 to a signal's number.
    let status = match code {
        129..=192 => ExitStatus::Signal(code - 128),
        code => ExitStatus::Code(code),
    };
    let shown = |line: &String| -> String {
        line.trim().trim_end_matches('.').chars().take(LONGEST).collect()
    };
    let last: Vec<String> = end.last.iter().map(shown).filter(|line| !line.is_empty()).collect();
    let has = |text: &str| last.iter().any(|line| line.contains(text));
    let mut message = match (code, end.memory.map(mebibytes)) {
        (137, Some(limit)) if end.is_out_of_memory => {
            format!("The container ran out of memory: its limit is {limit}")
        }
        (137, Some(limit)) => {
            format!("The container was killed, probably out of memory: its limit is {limit}")
        }
        (137, None) if end.is_out_of_memory => "The container ran out of memory".into(),
        (139, _) => "The container crashed: it was ended by signal 11 (SIGSEGV)".into(),
        (134, _) => "The container aborted: it was ended by signal 6 (SIGABRT)".into(),
        _ => format!("The container {}", status.predicate()),
    };
    match last.as_slice() {
        [] => {}
        [line] => message += &format!("; its last line was: {line}"),
        lines => message += &format!("; its last lines were: {}", lines.join(" / ")),
    }
    // The kernel refuses a program after the engine has started it.
    if has("exec format error") || has("Exec format error") {
        message += ". The program can't be run: a script without #! in its first line, a file that is cut off, or one of another architecture than linux/amd64";
    } else if has("exec ") && has("no such file or directory") {
        message += ". The program is there but not what runs it: its #! names a program that is missing, its lines end with CR LF, or its dynamic loader is missing";
    }
    Failure { fault: Blame::User, status: Some(status), message }
}

/// An engine that refused to start a container. Its status is of no use: each has another one.
pub(crate) fn not_started(said: &str) -> Failure {
    let said = said.trim().trim_end_matches('.');
    let lower = said.to_lowercase();
    let has = |text: &str| lower.contains(text);
    let is_exec = has("exec") || has("entrypoint") || has("starting container process");
    if has("executable file not found") || (is_exec && has("no such file or directory")) {
        return Failure {
            status: Some(ExitStatus::Code(127)),
            ..Failure::user(format!(
                "The image does not have the program that it starts with, or that the app's command names: {said}"
            ))
        };
    }
    if is_exec && has("permission denied") {
        return Failure {
            status: Some(ExitStatus::Code(126)),
            ..Failure::user(format!(
                "The user 42420 may not execute the program that the container starts with: {said}. In the Dockerfile: RUN chmod a+rx FILE"
            ))
        };
    }
    if is_exec && has("exec format error") {
        return Failure::user(format!(
            "The program that the container starts with is not one of linux/amd64: {said}"
        ));
    }
    if has("no command specified") || has("no command or entrypoint") {
        return Failure::user(
            "The image names no program to start with, and the app has no command",
        );
    }
    if has("rlimit") {
        return Failure::platform(format!(
            "The engine can't start a container: {said}. Podman may not raise its limits here: set default_ulimits in its containers.conf"
        ));
    }
    if has("insufficient uids") || has("invalid argument") && has("uid") {
        return Failure::platform(format!(
            "The engine has no user 42420 to give: {said}. Give yourself 65536 ids in /etc/subuid and /etc/subgid"
        ));
    }
    Failure::platform(format!("The engine can't start the container: {said}"))
}

fn mebibytes(bytes: i64) -> String {
    let mebibytes = bytes >> 20;
    if mebibytes % 1024 == 0 {
        format!("{} GiB", mebibytes / 1024)
    } else {
        format!("{mebibytes} MiB")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_it_ended() {
        let memory = Some(4 << 30);
        for (code, oom, memory, last, expected, also) in [
            (0, false, memory, None, ExitStatus::Code(0), "exited with status 0"),
            (3, false, memory, Some("no key."), ExitStatus::Code(3), "last line was: no key"),
            (
                137,
                true,
                memory,
                None,
                ExitStatus::Signal(9),
                "ran out of memory: its limit is 4 GiB",
            ),
            (137, false, memory, None, ExitStatus::Signal(9), "probably out of memory"),
            (137, false, None, None, ExitStatus::Signal(9), "was ended by signal 9 (SIGKILL)"),
            (139, false, memory, None, ExitStatus::Signal(11), "crashed"),
            (134, false, memory, None, ExitStatus::Signal(6), "aborted"),
            (1, false, memory, Some("exec /run.sh: exec format error"), ExitStatus::Code(1), "#!"),
            (
                1,
                false,
                memory,
                Some("exec /run.sh: no such file or directory"),
                ExitStatus::Code(1),
                "CR LF",
            ),
        ] {
            let last: Vec<String> = last.into_iter().map(str::to_owned).collect();
            let end = End { code, is_out_of_memory: oom, memory, last: &last };
            let failure = ended(&end);
            assert_eq!((failure.fault, failure.status), (Blame::User, Some(expected)), "{code}");
            assert!(failure.message.contains(also), "{}", failure.message);
        }
    }

    #[test]
    fn what_it_said_last() {
        let last = ["one".to_owned(), " ".to_owned(), "x".repeat(1000)];
        let message = ended(&End { code: 1, last: &last, ..End::default() }).message;
        let cut = "x".repeat(LONGEST);
        assert!(message.ends_with(&format!("; its last lines were: one / {cut}")), "{message}");
    }

    #[test]
    fn why_it_did_not_start() {
        // Each as Docker 20.10 and Podman 4.3 say it.
        for (said, fault, status) in [
            (
                "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"nope\": executable file not found in $PATH: unknown",
                Blame::User,
                Some(127),
            ),
            (
                "runc: runc create failed: unable to start container process: exec: \"/no/such\": stat /no/such: no such file or directory: OCI runtime attempted to invoke a command that was not found",
                Blame::User,
                Some(127),
            ),
            (
                "runc: runc create failed: unable to start container process: exec: \"/etc/passwd\": permission denied: OCI permission denied",
                Blame::User,
                Some(126),
            ),
            (
                "driver failed programming external connectivity: Bind for 127.0.0.1:80 failed: port is already allocated",
                Blame::Platform,
                None,
            ),
            ("runc: setting rlimits: operation not permitted", Blame::Platform, None),
        ] {
            let failure = not_started(said);
            assert_eq!(failure.fault, fault, "{said}");
            assert_eq!(failure.status, status.map(ExitStatus::Code), "{said}");
        }
    }
}
