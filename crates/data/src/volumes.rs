//! The domain's `Volumes` port on the file system.

use std::path::PathBuf;

use ovhai_core::ports::{BoxFuture, Volumes};

use crate::roots::StoreRoots;

/// See the module.
#[derive(Debug, Clone)]
pub struct FileVolumes {
    roots: StoreRoots,
}

impl FileVolumes {
    /// On these data stores.
    pub fn new(roots: StoreRoots) -> Self {
        Self { roots }
    }
}

impl Volumes for FileVolumes {
    fn accept_directory(&self, directory: String) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async move {
            let roots = self.roots.clone();
            let accepted = blocking(move || roots.accept(&PathBuf::from(directory))).await?;
            let real = accepted.map_err(|error| error.to_string())?;
            real.into_os_string().into_string().map_err(|_| "the path is not UTF-8".to_owned())
        })
    }
}

/// Runs what blocks beside the async runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())
}
