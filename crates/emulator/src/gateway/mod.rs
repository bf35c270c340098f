//! The gateway to the apps: finds the app, checks the caller, passes requests on.
//!
//! Access is decided by the domain's policy, with the newest durable snapshot, on every request.
//! The bearer that grants access is not passed on. Every refusal has a JSON body; all bad tokens
//! get one and the same.
//!
//! What must not be here: connections of clients, the API.

pub(crate) mod access;
pub(crate) mod admission;
mod affinity;
pub(crate) mod bearer;
pub(crate) mod body;
pub(crate) mod compose;
pub(crate) mod cors;
pub(crate) mod exchange;
pub(crate) mod forward;
pub(crate) mod grpc;
mod health;
pub(crate) mod hold;
mod hops;
pub(crate) mod incoming;
pub(crate) mod login;
pub(crate) mod place;
pub(crate) mod refusal;
pub(crate) mod relay;
pub(crate) mod reserved;
pub(crate) mod route;
pub(crate) mod tunnel;
pub(crate) mod upstream;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use ovhai_core::Platform;
use tokio_util::sync::CancellationToken;

use affinity::Pins;
use health::Health;
use login::Logins;

/// The gateway, shared by all workers.
pub(crate) struct Gateway {
    platform: Arc<Platform>,
    health: Health,
    turn: AtomicUsize,
    pins: Pins,
    /// Whether the log has said that the cloud has no `X-OVHAI-Token`.
    warned_token_header: AtomicBool,
    /// Whether the log has said that the cloud takes no login beside `Authorization`.
    warned_cookie_with_auth: AtomicBool,
    pub(crate) logins: Logins,
    /// Cancelled when open tunnels have to end.
    stopping: CancellationToken,
}

impl Gateway {
    pub(crate) fn new(platform: Arc<Platform>, stopping: CancellationToken) -> Self {
        Self {
            logins: Logins::new(Arc::clone(&platform)),
            platform,
            health: Health::default(),
            turn: AtomicUsize::new(0),
            pins: Pins::default(),
            warned_token_header: AtomicBool::new(false),
            warned_cookie_with_auth: AtomicBool::new(false),
            stopping,
        }
    }
}
