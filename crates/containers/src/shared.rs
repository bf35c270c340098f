//! What all replicas share, and what a replica shares with its owner.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use crate::credentials::CredentialFiles;
use crate::engine::EngineSettings;
use crate::hub::Link;
use crate::images::Images;
use crate::kindness::Known;
use crate::network::Networks;
use crate::usage::Running;

/// How containers are run: kept with the emulator's options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerSettings {
    /// Where an engine is looked for.
    pub engine: EngineSettings,
    /// The machine's own credentials.
    pub credentials: CredentialFiles,
    /// Whether a container in which an app failed is kept, for its owner to look at.
    pub keep_failed: bool,
    /// Whether containers are dialled at published ports only, even where their own addresses can be
    /// reached.
    #[serde(default)]
    pub is_published: bool,
    /// Labels of every container, beside ours.
    pub labels: Vec<(String, String)>,
}

pub(crate) struct Shared {
    pub(crate) settings: ContainerSettings,
    pub(crate) directory: PathBuf,
    pub(crate) link: Arc<Link>,
    pub(crate) images: Images,
    pub(crate) networks: Networks,
    pub(crate) known: Known,
    pub(crate) launches: AtomicU64,
}

impl Shared {
    /// A name that no other container has: engines differ in what they say to one that is taken.
    pub(crate) fn name(&self, of: &str) -> String {
        let count = self.launches.fetch_add(1, Ordering::Relaxed);
        format!("ovhai-{of}-{}-{count}", self.link.owner.word())
    }
}

/// The replica's side of a launched container.
pub(crate) struct Control {
    /// Requests to stop, each with its grace; closes when the replica is dropped.
    pub(crate) stop: mpsc::UnboundedReceiver<Duration>,
    /// Dropped when nothing is left.
    pub(crate) done: watch::Sender<()>,
    /// The container, while it runs.
    pub(crate) running: Arc<Mutex<Option<Running>>>,
}
