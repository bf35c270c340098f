//! `config.json` in the settings directory: the default region or endpoint, and the endpoints
//! beside the local emulator.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ovhai_api_types::Region;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Failure, Result};
use crate::private_file;
use crate::settings::config_dir;

/// A server that speaks the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RemoteEndpoint {
    /// Base of its API, to which `/v1/…` is added; without a slash at the end.
    pub(crate) url: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Contents {
    /// A region of the local emulator, or the name of an endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    #[serde(default)]
    endpoints: BTreeMap<String, RemoteEndpoint>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Config {
    path: PathBuf,
    contents: Contents,
}

const IF_DAMAGED: &str = "fix or delete the file, then run the command again";

impl Config {
    pub(crate) fn open(context: &Context) -> Result<Self> {
        let path = config_dir(context)?.join("config.json");
        let contents = private_file::read(&path, IF_DAMAGED)?;
        Ok(Self { path, contents })
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// The default region or endpoint.
    pub(crate) fn current(&self) -> Option<&str> {
        self.contents.current.as_deref()
    }

    /// The endpoints, by name.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = (&str, &RemoteEndpoint)> {
        self.contents.endpoints.iter().map(|(name, endpoint)| (name.as_str(), endpoint))
    }

    /// The endpoint of that name, in any case.
    pub(crate) fn endpoint(&self, name: &str) -> Option<(&str, &RemoteEndpoint)> {
        self.endpoints().find(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    pub(crate) fn set_current(&mut self, name: &str) -> Result<()> {
        self.change(|contents| contents.current = Some(name.to_owned()))
    }

    pub(crate) fn add(&mut self, name: &str, url: &str) -> Result<()> {
        let endpoint = RemoteEndpoint { url: url.to_owned() };
        self.change(|contents| drop(contents.endpoints.insert(name.to_owned(), endpoint)))
    }

    pub(crate) fn remove(&mut self, name: &str) -> Result<()> {
        self.change(|contents| {
            contents.endpoints.remove(name);
            if contents.current.as_deref().is_some_and(|now| now.eq_ignore_ascii_case(name)) {
                contents.current = None;
            }
        })
    }

    fn change(&mut self, change: impl FnOnce(&mut Contents)) -> Result<()> {
        let _lock = private_file::lock(&self.path)?;
        self.contents = private_file::read(&self.path, IF_DAMAGED)?;
        change(&mut self.contents);
        private_file::write(&self.path, &self.contents)
    }
}

/// Checks the name of an endpoint, which is used like a region's.
pub(crate) fn checked_name(name: &str) -> Result<&str> {
    name.parse::<Region>().map(|_| name).map_err(|_| {
        Failure::usage(format!("{name:?} is not a name for an endpoint"))
            .hint("use letters, digits and hyphens, at most 32, such as cloud-gra")
    })
}

/// Checks an endpoint's address, and normalises it.
pub(crate) fn checked_url(url: &str) -> Result<String> {
    let refused = |why: &str| {
        Failure::usage(format!("{url:?} is not the address of an API")).because(why).hint(
            "use one such as https://gra.ai.cloud.ovh.net or http://127.0.0.1:4480/regions/GRA",
        )
    };
    let parsed = http::Uri::try_from(url).map_err(|error| refused(&error.to_string()))?;
    if url.contains('#') {
        return Err(refused("it must not have a fragment"));
    }
    if !matches!(parsed.scheme_str(), Some("http" | "https")) {
        return Err(refused("it does not begin with https:// or http://"));
    }
    let authority = parsed.authority().ok_or_else(|| refused("it has no host"))?;
    if authority.as_str().contains('@') {
        return Err(refused(
            "it must not contain a name or a password; log in instead: ovhai login",
        ));
    }
    let port = authority.as_str().rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
    if port.is_some_and(|(_, port)| port.parse::<u16>().unwrap_or(0) == 0) {
        return Err(refused("its port is not in the range 1 to 65535"));
    }
    if parsed.query().is_some() {
        return Err(refused("it must not have a query"));
    }
    // Normalised, so that the checked address is the one that is used.
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let url = format!("{}://{}", scheme.to_ascii_lowercase(), rest.trim_end_matches('/'));
    let url = url.as_str();
    Ok(url.strip_suffix("/v1").unwrap_or(url).to_owned())
}
