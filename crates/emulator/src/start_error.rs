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
        /// Its process, when it has told.
        pid: Option<u32>,
    },
    /// The port is taken.
    #[error("port {port} is taken{}", holder.as_ref().map(|who| format!(" by {who}")).unwrap_or_default())]
    PortTaken {
        /// The port.
        port: u16,
        /// Whether it was to be that for HTTPS.
        tls: bool,
        /// Who holds it, as far as can be seen.
        holder: Option<String>,
    },
    /// The address can't be listened on.
    #[error("{address} can't be listened on: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
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
        /// What the system says.
        source: io::Error,
    },
    /// What was stored can't be brought back.
    #[error("the stored state can't be brought back: {0}")]
    Platform(ovhai_core::Error),
    /// A region's name is not one.
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
        /// What the system says.
        source: io::Error,
    },
    /// Anything else of the system.
    #[error("{0}")]
    System(io::Error),
}

impl StartError {
    /// Whether something could not be written for want of room.
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
