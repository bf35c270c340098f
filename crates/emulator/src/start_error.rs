//! Why an emulator does not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use ovhai_api_types::InvalidRegion;
use ovhai_store::OpenError;

use crate::tls::TlsError;

/// Why an emulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another one runs in the same directory.
    #[error("an emulator already runs in {}{}", path.display(), pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    AlreadyRunning {
        /// The directory.
        path: PathBuf,
        /// Its process, if known.
        pid: Option<u32>,
    },
    /// The port is taken.
    #[error("port {port} is taken{}", holder.as_ref().map(|who| format!(" by {who}")).unwrap_or_default())]
    PortTaken {
        /// The port.
        port: u16,
        /// Whether it is the port for HTTPS.
        tls: bool,
        /// What holds it, if known.
        holder: Option<String>,
    },
    /// The address can't be listened on.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The state directory can't be used.
    #[error("{} can't be used: {source}", path.display())]
    State {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The stored state can't be loaded.
    #[error("the stored state can't be loaded: {0}")]
    Platform(ovhai_core::Error),
    /// A region's name is not valid.
    #[error(transparent)]
    Region(#[from] InvalidRegion),
    /// The certificate authority can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The access log can't be written.
    #[error("the access log {} can't be written: {source}", path.display())]
    AccessLog {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Any other error of the system.
    #[error("{0}")]
    System(io::Error),
}

impl StartError {
    /// Whether it failed because the disk is full.
    pub fn is_about_room(&self) -> bool {
        use ovhai_core::Error;
        use ovhai_core::ports::StoreError;
        match self {
            Self::Store(OpenError::Full { .. })
            | Self::Platform(
                Error::Storage(StoreError::Full { .. })
                | Error::Unknown(StoreError::Full { .. })
                | Error::Load(StoreError::Full { .. }),
            ) => true,
            Self::State { source, .. } | Self::AccessLog { source, .. } | Self::System(source) => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }
}
