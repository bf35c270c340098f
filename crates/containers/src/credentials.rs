//! Who may pull what.
//!
//! The files and helpers of the docker CLI and of Podman belong to the machine's owner: they serve
//! only images that the local administrator named. Other images have the logins that the project
//! stored, each for its own host. Which, every launch says ([`ImageAccess`]).

use std::path::{Path, PathBuf};

use bollard::auth::DockerCredentials;
use docker_credential::{DockerCredential, get_credential_from_reader};
use ovhai_core::ports::ImageAccess;
use serde::{Deserialize, Serialize};

use crate::engine::docker_config;
use crate::reference::Reference;

/// The files with the machine's credentials, resolved by the command that starts the emulator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialFiles(Vec<PathBuf>);

impl CredentialFiles {
    /// The docker CLI's file and Podman's; `environment` reads a variable.
    pub fn resolve(environment: &dyn Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let mut files = Vec::new();
        files.extend(docker_config(&variable).map(|directory| directory.join("config.json")));
        let under = |name: &str, rest: &str| variable(name).map(|base| Path::new(&base).join(rest));
        match variable("REGISTRY_AUTH_FILE") {
            Some(file) => files.push(file.into()),
            None => {
                files.extend(under("XDG_RUNTIME_DIR", "containers/auth.json"));
                files.extend(under("HOME", ".config/containers/auth.json"));
            }
        }
        Self(files)
    }

    /// What the files and their helpers have for a registry. Blocks: a helper is a process.
    fn find(&self, image: &Reference) -> Vec<DockerCredentials> {
        let mut found = Vec::new();
        for file in &self.0 {
            let Ok(text) = std::fs::read(file) else { continue };
            let credential = keys(image)
                .into_iter()
                .find_map(|key| get_credential_from_reader(text.as_slice(), &key).ok());
            let server = Some(server(&image.host));
            let credential = match credential {
                Some(DockerCredential::IdentityToken(token)) => DockerCredentials {
                    identitytoken: Some(token),
                    serveraddress: server,
                    ..DockerCredentials::default()
                },
                Some(DockerCredential::UsernamePassword(username, password))
                    if !username.is_empty() =>
                {
                    DockerCredentials {
                        username: Some(username),
                        password: Some(password),
                        serveraddress: server,
                        ..DockerCredentials::default()
                    }
                }
                _ => continue,
            };
            if !found.contains(&credential) {
                found.push(credential);
            }
        }
        found
    }
}

/// The keys under which a file may have the registry: Podman's also name a part of the repository.
fn keys(image: &Reference) -> Vec<String> {
    if image.host == "docker.io" {
        return ["https://index.docker.io/v1/", "docker.io", "index.docker.io"]
            .map(str::to_owned)
            .into();
    }
    let mut keys = Vec::new();
    let mut path = format!("{}/{}", image.host, image.repository);
    while let Some(at) = path.rfind('/') {
        keys.push(path.clone());
        path.truncate(at);
    }
    keys.push(path);
    keys.push(format!("https://{}", image.host));
    keys
}

fn server(host: &str) -> String {
    if host == "docker.io" { "https://index.docker.io/v1/".into() } else { host.to_owned() }
}

/// What to try for an image, in this order; none is tried without credentials, and comes last:
/// stale ones would break public images.
pub(crate) async fn attempts(
    access: &ImageAccess,
    files: &CredentialFiles,
    image: &Reference,
) -> Vec<Option<DockerCredentials>> {
    let mut attempts: Vec<Option<DockerCredentials>> = access
        .logins
        .iter()
        .filter(|login| login.host.eq_ignore_ascii_case(&image.host))
        .map(|login| {
            Some(DockerCredentials {
                username: Some(login.username.clone()),
                password: Some(login.password.clone()),
                serveraddress: Some(server(&image.host)),
                ..DockerCredentials::default()
            })
        })
        .collect();
    if access.is_local_administrator {
        let (files, image) = (files.clone(), image.clone());
        let found = tokio::task::spawn_blocking(move || files.find(&image)).await;
        attempts.extend(found.unwrap_or_default().into_iter().map(Some));
    }
    attempts.push(None);
    attempts
}

#[cfg(test)]
mod tests {
    use ovhai_core::ports::RegistryLogin;

    use super::*;

    /// The user names and identity tokens that are tried for an image.
    async fn tried(files: &CredentialFiles, image: &str) -> Vec<Option<String>> {
        let administrator = ImageAccess { is_local_administrator: true, ..ImageAccess::default() };
        let image = Reference::parse(image).expect("a name");
        let attempts = attempts(&administrator, files, &image).await;
        let who = |it: DockerCredentials| it.username.or(it.identitytoken);
        attempts.into_iter().map(|attempt| attempt.and_then(who)).collect()
    }

    #[tokio::test]
    async fn identity_tokens() {
        let home = tempfile::tempdir().expect("a directory");
        // base64 of "me:": what the docker command writes beside a token.
        let config = r#"{"auths":{"r.example.com":{"auth":"bWU6","identitytoken":"t0ken"}}}"#;
        std::fs::write(home.path().join("config.json"), config).expect("written");
        let home = home.path().display().to_string();
        let of = |name: &str| (name == "DOCKER_CONFIG").then(|| home.clone());
        let files = CredentialFiles::resolve(&of);
        assert_eq!(tried(&files, "r.example.com/a:1").await, [Some("t0ken".to_owned()), None]);
        let image = Reference::parse("r.example.com/a:1").expect("a name");
        let found = files.find(&image);
        assert_eq!((&found[0].username, &found[0].password), (&None, &None), "the token alone");
        assert_eq!(found[0].serveraddress.as_deref(), Some("r.example.com"));
    }

    /// In both of its places, after the docker command's file, and by repository.
    #[tokio::test]
    async fn podmans_files() {
        let home = tempfile::tempdir().expect("a directory");
        let write = |file: &str, users: &[(&str, &str)]| {
            let auth = |(key, user): &(&str, &str)| {
                format!(r#""{key}":{{"username":"{user}","password":"p"}}"#)
            };
            let all: Vec<String> = users.iter().map(auth).collect();
            let file = home.path().join(file);
            std::fs::create_dir_all(file.parent().expect("a directory")).expect("made");
            std::fs::write(file, format!(r#"{{"auths":{{{}}}}}"#, all.join(","))).expect("written");
        };
        write(".docker/config.json", &[("r.example.com", "docker")]);
        write(
            "run/containers/auth.json",
            &[("r.example.com", "run"), ("r.example.com/team", "team")],
        );
        write(".config/containers/auth.json", &[("r.example.com", "config")]);
        write("named.json", &[("r.example.com", "named")]);
        let path = |rest: &str| home.path().join(rest).display().to_string();
        let resolve = |is_named: bool| {
            CredentialFiles::resolve(&|name| match name {
                "HOME" => Some(path("")),
                "XDG_RUNTIME_DIR" => Some(path("run")),
                "REGISTRY_AUTH_FILE" if is_named => Some(path("named.json")),
                _ => None,
            })
        };
        let all = |users: &[&str]| -> Vec<Option<String>> {
            users.iter().map(|user| Some((*user).to_owned())).chain([None]).collect()
        };
        let files = resolve(false);
        assert_eq!(tried(&files, "r.example.com/a:1").await, all(&["docker", "run", "config"]));
        assert_eq!(
            tried(&files, "r.example.com/team/a:1").await,
            all(&["docker", "team", "config"])
        );
        let files = resolve(true);
        assert_eq!(tried(&files, "r.example.com/a:1").await, all(&["docker", "named"]));
    }

    #[tokio::test]
    async fn files_serve_the_administrator_only() {
        let home = tempfile::tempdir().expect("a directory");
        let directory = home.path().join(".docker");
        std::fs::create_dir(&directory).expect("made");
        // base64 of "me:s3cret" and "you:~~~".
        let config = r#"{"auths":{"r.example.com":{"auth":"bWU6czNjcmV0"},
            "https://index.docker.io/v1/":{"auth":"eW91On5+fg=="}}}"#;
        std::fs::write(directory.join("config.json"), config).expect("written");
        let home = home.path().display().to_string();
        let files = CredentialFiles::resolve(&|name| (name == "HOME").then(|| home.clone()));
        let image = |name: &str| Reference::parse(name).expect("a name");
        let users = |attempts: Vec<Option<DockerCredentials>>| -> Vec<Option<String>> {
            attempts.into_iter().map(|attempt| attempt.and_then(|it| it.username)).collect()
        };
        let administrator = ImageAccess { is_local_administrator: true, ..ImageAccess::default() };
        let me = || Some("me".to_owned());
        let tried = attempts(&administrator, &files, &image("r.example.com/a/b:1")).await;
        assert_eq!(users(tried), [me(), None]);
        let tried = attempts(&administrator, &files, &image("ui:1")).await;
        assert_eq!(users(tried), [Some("you".to_owned()), None]);
        let tried = attempts(&administrator, &files, &image("other.example.com/b")).await;
        assert_eq!(users(tried), [None]);

        let login = RegistryLogin {
            host: "r.example.com".into(),
            username: "op".into(),
            password: "p".into(),
        };
        assert!(!format!("{login:?}").contains("op"), "a secret is not shown");
        let operator = ImageAccess { logins: vec![login], ..ImageAccess::default() };
        let tried = attempts(&operator, &files, &image("r.example.com/a/b:1")).await;
        assert_eq!(users(tried), [Some("op".to_owned()), None], "never the machine's own");
        let tried = attempts(&operator, &files, &image("ui:1")).await;
        assert_eq!(users(tried), [None], "each for its own host");
    }
}
