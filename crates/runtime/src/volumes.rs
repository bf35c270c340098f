//! Volumes of a local process, which sees this machine's directories: nothing can be mounted for it.
//! It gets each volume's directory as a variable, and a hint where its command asks for the path that
//! only a container would have.

use ovhai_core::ports::{MountedVolume, ReplicaRequest};

/// The variable of a volume's directory.
fn variable(volume: &MountedVolume) -> String {
    format!("OVHAI_VOLUME_{}", volume.number)
}

/// The variables of a process.
pub(crate) fn variables(
    volumes: &[MountedVolume],
) -> impl Iterator<Item = (String, String)> + use<'_> {
    volumes.iter().map(|volume| (variable(volume), volume.directory.clone()))
}

/// Whether a text names a path, or one below it.
fn names(text: &str, path: &str) -> bool {
    text.match_indices(path).any(|(at, _)| {
        let after = text[at + path.len()..].chars().next();
        let before = text[..at].chars().next_back();
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        !after.is_some_and(is_part) && !before.is_some_and(|c| is_part(c) || c == '/')
    })
}

/// Hints for a process whose command, variables or working directory ask for the mount path
/// of a volume that is not there.
pub(crate) fn hints(request: &ReplicaRequest) -> Vec<String> {
    let spec = &request.spec;
    let words = spec.command.iter().flatten().map(String::as_str);
    let values = spec.env.iter().map(|env| env.value.as_str());
    let texts: Vec<&str> = words.chain(values).chain(spec.working_directory.as_deref()).collect();
    request
        .volumes
        .iter()
        .filter(|volume| texts.iter().any(|text| names(text, &volume.mount_path)))
        .map(|volume| {
            format!(
                "a local process has no mounts: the volume of {} is in the directory {} ({}); use the variable, or run the image in a container",
                volume.mount_path,
                volume.directory,
                variable(volume),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_named_as_a_whole() {
        for text in ["/w/data", "--dir=/w/data", "/w/data/x", "cat '/w/data'", "a:/w/data:b"] {
            assert!(names(text, "/w/data"), "{text}");
        }
        for text in ["/w/database", "/w/data-2", "/x/w/data", "w/data", ""] {
            assert!(!names(text, "/w/data"), "{text}");
        }
    }
}
