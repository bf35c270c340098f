//! Names of containers and objects.

use std::path::{Path, PathBuf};

use ovhai_api_types::UNFINISHED;

use crate::error::DataError;

/// Maximum length of a container's name, in bytes, as in Swift; that of a file system, too.
const LONGEST: usize = 255;
/// Maximum length of an object's name, in bytes, as in S3.
const LONGEST_OBJECT: usize = 1024;

/// Whether a file's name is that of one that is not complete.
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(UNFINISHED)
}

/// The name that a file has in the same directory until it is complete.
pub fn temporary(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    // A name may be as long as the file system allows.
    let begin: String = name.chars().take(40).collect();
    let mut hasher = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(&name, &mut hasher);
    let hash = std::hash::Hasher::finish(&hasher);
    target.with_file_name(format!("{UNFINISHED}{begin}-{hash:x}"))
}

/// Checks the name of a container, which is one of a directory, too.
pub fn check_container(name: &str) -> Result<(), DataError> {
    let why = if name.is_empty() || name.len() > LONGEST {
        "a name has 1 to 255 bytes"
    } else if name.starts_with(['.', '-']) {
        "a name does not begin with '.' or '-'"
    } else if name.contains(['/', '\\']) || name.chars().any(char::is_control) {
        "a name has no '/', '\\' and no control characters"
    } else {
        return Ok(());
    };
    Err(DataError::Name { what: "container", name: name.into(), why })
}

/// The path of a prefix beneath its container: of a directory, whose name may end with `/`. The empty
/// prefix is the container.
pub fn prefix_path(prefix: &str) -> Result<PathBuf, DataError> {
    path("prefix", prefix)
}

/// The path of an object beneath its container.
pub fn object_path(key: &str) -> Result<PathBuf, DataError> {
    let found = path("object", key)?;
    let fault = |why| DataError::Name { what: "object", name: key.into(), why };
    if found.as_os_str().is_empty() || key.ends_with('/') {
        return Err(fault("the name of a file is missing"));
    }
    Ok(found)
}

fn path(what: &'static str, name: &str) -> Result<PathBuf, DataError> {
    let fault = |why| Err(DataError::Name { what, name: name.into(), why });
    if name.len() > LONGEST_OBJECT {
        return fault("a name has at most 1024 bytes");
    }
    if name.contains('\0') {
        return fault("a NUL is not allowed");
    }
    let mut path = PathBuf::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => return fault("'..' is not allowed: a name does not leave its container"),
            part if part.len() > LONGEST => return fault("a part has at most 255 bytes"),
            part => path.push(part),
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["data", "training_metrics", "a.b", "ü"] {
            assert!(check_container(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", ".ssh", "-x", "a/b", "a\\b", "a\nb", &"x".repeat(256)] {
            assert!(check_container(bad).is_err(), "{bad}");
        }
        for (given, path) in
            [("", ""), ("/", ""), ("a//b/", "a/b"), ("./a", "a"), ("a/..b", "a/..b")]
        {
            assert_eq!(prefix_path(given).unwrap(), PathBuf::from(path), "{given}");
        }
        for bad in ["..", "a/../b", "../x", "a\0b", &"x/".repeat(600)] {
            assert!(prefix_path(bad).is_err(), "{bad}");
        }
        assert_eq!(object_path("a/b").unwrap(), PathBuf::from("a/b"));
        for bad in ["", "/", "a/", "../a"] {
            assert!(object_path(bad).is_err(), "{bad}");
        }
    }
}
