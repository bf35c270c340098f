//! The directories behind data stores, and the copies of them that apps get as volumes.

use super::future::BoxFuture;

/// Keeps the files of data stores and of volumes.
pub trait Volumes: Send + Sync + 'static {
    /// The real path of a directory that may be a data store; the error says why it may not, such as
    /// that it has the emulator's own files in it.
    fn accept_directory(&self, directory: String) -> BoxFuture<'_, Result<String, String>>;
}

/// No data stores and no volumes: an emulator without files.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoVolumes;

impl Volumes for NoVolumes {
    fn accept_directory(&self, _directory: String) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async { Err("this emulator has no data stores".into()) })
    }
}
