//! The domain's `Runtime` port: what runs the apps.
//!
//! - [`builtin`]: images that live in this program;
//! - [`process`]: an app's command as a local process under a [`supervisor`];
//! - [`tool`]: a program that the emulator needs for a moment;
//! - [`sim`]: nothing runs, tests say what happens.
//!
//! What must not be here: decisions about replicas or states, which are the domain's, and HTTP
//! beyond probes.

pub mod archive;
pub mod builtin;
mod changes;
pub mod descriptors;
#[cfg(target_os = "linux")]
mod diag;
pub mod environment;
mod exec;
pub mod identity;
pub mod launch;
mod listen_ports;
pub mod local;
mod port_watcher;
pub mod probe;
pub mod process;
mod pty;
pub mod remains;
pub mod sim;
pub mod sockets;
pub mod supervisor;
mod task;
pub mod tool;
mod usage;
mod volumes;

pub use local::LocalRuntime;
pub use sim::SimRuntime;
