//! Names of container images, as Docker reads them
//! (<https://pkg.go.dev/github.com/distribution/reference>): `[registry/]path[:tag][@digest]`.
//! Without a registry the image is Docker Hub's, and one without a path of its own is in `library/`;
//! `index.docker.io` is the old name of `docker.io`.

const HUB: &str = "docker.io";
const OLD_HUB: &str = "index.docker.io";
const LATEST: &str = "latest";

/// A parsed image reference. Two references to one image are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl ImageName {
    /// Parses a reference. It never fails: the parts are checked when an image is pulled.
    pub fn parse(reference: &str) -> Self {
        let (rest, digest) = match reference.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (reference, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag.to_owned())),
            _ => (rest, None),
        };
        let is_registry = |part: &str| part.contains(['.', ':']) || part == "localhost";
        let (registry, path) = match path.split_once('/') {
            Some((first, path)) if is_registry(first) => (first.to_ascii_lowercase(), path),
            _ => (HUB.to_owned(), path),
        };
        let registry = if registry == OLD_HUB { HUB.to_owned() } else { registry };
        let library = if registry == HUB && !path.contains('/') { "library/" } else { "" };
        Self { repository: format!("{registry}/{library}{path}"), tag, digest }
    }

    /// Registry and path, such as `docker.io/library/python`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The one spelling of this reference, with the tag and digest that it has.
    pub fn canonical(&self) -> String {
        let tag = self.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = self.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
        format!("{}{tag}{digest}", self.repository)
    }

    /// The canonical spellings of this image, the most specific first: with its digest, with its
    /// tag (`latest` unless it has a tag or a digest), and for all tags.
    pub fn lookups(&self) -> impl Iterator<Item = String> {
        let repository = &self.repository;
        let with_digest = self.digest.as_ref().map(|_| self.canonical());
        let by_digest = self.digest.as_ref().map(|digest| format!("{repository}@{digest}"));
        let tag = match (&self.tag, &self.digest) {
            (None, None) => Some(LATEST),
            (tag, _) => tag.as_deref(),
        };
        let with_tag = tag.map(|tag| format!("{repository}:{tag}"));
        with_digest.into_iter().chain(by_digest).chain(with_tag).chain([repository.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_image_has_one_canonical_name() {
        for (reference, canonical) in [
            ("python", "docker.io/library/python"),
            ("library/python", "docker.io/library/python"),
            ("docker.io/python", "docker.io/library/python"),
            ("index.docker.io/library/python:3.11", "docker.io/library/python:3.11"),
            ("team/ui:v1", "docker.io/team/ui:v1"),
            ("Registry.Example.com/Team/ui", "registry.example.com/Team/ui"),
            ("localhost/ui", "localhost/ui"),
            ("host:5000/ui", "host:5000/ui"),
            ("host:5000/a/ui:2@sha256:00", "host:5000/a/ui:2@sha256:00"),
            ("ui@sha256:00", "docker.io/library/ui@sha256:00"),
        ] {
            assert_eq!(ImageName::parse(reference).canonical(), canonical, "{reference}");
        }
    }

    #[test]
    fn the_closest_spelling_is_looked_up_first() {
        let lookups = |reference| ImageName::parse(reference).lookups().collect::<Vec<_>>();
        assert_eq!(lookups("a.b/x"), ["a.b/x:latest", "a.b/x"]);
        assert_eq!(lookups("a.b/x:1"), ["a.b/x:1", "a.b/x"]);
        assert_eq!(lookups("a.b/x@s:0"), ["a.b/x@s:0", "a.b/x@s:0", "a.b/x"]);
        assert_eq!(lookups("a.b/x:1@s:0"), ["a.b/x:1@s:0", "a.b/x@s:0", "a.b/x:1", "a.b/x"]);
    }
}
