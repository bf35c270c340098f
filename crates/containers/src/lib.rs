//! The domain's `Runtime` port for containers, on Docker or Podman.
//!
//! - [`engine`]: which engine there is, and where;
//! - [`ContainerRuntime`]: runs each replica as a container of its own;
//! - [`watcher`]: the process that removes the containers of an emulator that was killed;
//! - [`credentials`]: who may pull what;
//! - [`doctor`]: whether an image would run in AI Deploy.
//!
//! Every container and network has labels ([`labels`]) with the id of the state directory
//! and with the emulator's process: only what has them is ever removed.
//!
//! What must not be here: decisions about replicas or states, which are the domain's.

mod archive;
mod create;
pub mod credentials;
pub mod doctor;
pub mod engine;
mod exec;
mod exit;
mod from_apps;
mod hub;
mod images;
mod kindness;
pub mod labels;
mod network;
mod output;
mod pull;
mod reap;
mod reference;
mod replica;
mod runtime;
mod shared;
mod usage;
pub mod watcher;

pub use from_apps::{AppListener, AppPeers, FromApps, GATEWAY_HOST, GATEWAY_VARIABLE};
pub use runtime::{CallsFromApps, ContainerRuntime, EngineStatus};
pub use shared::ContainerSettings;
