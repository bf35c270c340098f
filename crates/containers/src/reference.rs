//! Names of images: registry, repository, tag or digest.

/// A name of an image that engines may be asked for. The grammar is that of the registries, so that
/// no name reaches another call of an engine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Reference {
    /// As the user gave it.
    given: String,
    /// The registry's host and port.
    pub(crate) host: String,
    /// The repository at that host.
    pub(crate) repository: String,
    /// `:tag` or `@digest`.
    version: String,
}

impl Reference {
    /// Parses a name; the error says what is wrong with it.
    pub(crate) fn parse(given: &str) -> Result<Self, String> {
        let wrong = || format!("{given:?} is no name of an image: use [REGISTRY/]NAME[:TAG]");
        let (rest, digest) = match given.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (given, None),
        };
        let after_slash = rest.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match rest[after_slash..].find(':') {
            Some(at) => (&rest[..after_slash + at], Some(&rest[after_slash + at + 1..])),
            None => (rest, None),
        };
        let is_host = |part: &str| part.contains(['.', ':']) || part == "localhost";
        let (host, path) = match name.split_once('/') {
            Some((first, path)) if is_host(first) => (first, path.to_owned()),
            _ if name.contains('/') => ("docker.io", name.to_owned()),
            _ => ("docker.io", format!("library/{name}")),
        };
        let host = if host == "index.docker.io" { "docker.io" } else { host };
        let is_word = |part: &str| {
            let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
            ends(part.chars().next())
                && ends(part.chars().next_back())
                && !part.contains("..")
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
        };
        let is_tag = |tag: &str| {
            (1..=128).contains(&tag.len())
                && tag.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
                && !tag.starts_with(['.', '-'])
        };
        let is_digest = |digest: &str| {
            digest.strip_prefix("sha256:").is_some_and(|hex| {
                hex.len() == 64 && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
            })
        };
        let is_good = path.split('/').all(is_word)
            && host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
            && !host.contains("..")
            && host
                .rsplit_once(':')
                .is_none_or(|(_, port)| port.ends_with(']') || port.parse::<u16>().is_ok())
            && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c))
            && tag.is_none_or(is_tag)
            && digest.is_none_or(is_digest);
        if !is_good {
            return Err(wrong());
        }
        let version = match (tag, digest) {
            (_, Some(digest)) => format!("@{digest}"),
            (Some(tag), None) => format!(":{tag}"),
            (None, None) => ":latest".into(),
        };
        // A name with both is the digest's.
        let given = match (tag, digest) {
            (Some(_), Some(digest)) => format!("{name}@{digest}"),
            _ => given.to_owned(),
        };
        Ok(Self { given, host: host.to_owned(), repository: path, version })
    }

    /// The name in full, which means the same to every engine.
    pub(crate) fn full(&self) -> String {
        format!("{}/{}{}", self.host, self.repository, self.version)
    }

    /// Names under which an engine may have it.
    pub(crate) fn local_names(&self) -> Vec<String> {
        let mut names = vec![self.given.clone(), self.full()];
        // Podman's name for what was built here.
        if self.host == "docker.io" {
            let path = self.repository.strip_prefix("library/").unwrap_or(&self.repository);
            names.push(format!("localhost/{path}{}", self.version));
        }
        names.dedup();
        names
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_full() {
        for (given, full) in [
            ("ui", "docker.io/library/ui:latest"),
            ("my/ui:1", "docker.io/my/ui:1"),
            ("index.docker.io/my/ui", "docker.io/my/ui:latest"),
            ("registry.example.com/team/ui:v1", "registry.example.com/team/ui:v1"),
            ("localhost:5000/a/b/c:T-1", "localhost:5000/a/b/c:T-1"),
            ("localhost/x", "localhost/x:latest"),
            ("127.0.0.1:5000/x", "127.0.0.1:5000/x:latest"),
        ] {
            let parsed = Reference::parse(given).map(|reference| reference.full());
            assert_eq!(parsed.as_deref(), Ok(full), "{given}");
        }
        let digest = format!("sha256:{}", "a".repeat(64));
        let both = Reference::parse(&format!("ui:1@{digest}")).expect("a name");
        assert_eq!(both.full(), format!("docker.io/library/ui@{digest}"));
        let own = Reference::parse("my/ui:1").expect("a name").local_names();
        assert_eq!(own, ["my/ui:1", "docker.io/my/ui:1", "localhost/my/ui:1"]);
    }

    #[test]
    fn no_name_reaches_another_call() {
        for bad in [
            "",
            ":1",
            "/x",
            "x/",
            "x//y",
            "../x",
            "x/../../containers/1",
            "x?y",
            "x#y",
            "x y",
            "x%2f",
            "X",
            "x:",
            "x:a/b",
            "x@sha256:1",
            "x@",
            "x..y/z",
            "-x",
            "x\n",
            "localhost:5000/",
        ] {
            assert!(Reference::parse(bad).is_err(), "{bad:?}");
        }
    }
}
