//! Container engines: where they are looked for, and what one is that answers.

mod find;
mod hex;
mod settings;

pub use find::{Engine, EngineInfo, EngineKind, Gpus, Limits, NoEngine, Tried};
pub(crate) use find::{connect, find, status, text};
pub(crate) use hex::sha256;
pub(crate) use settings::docker_config;
pub use settings::{Candidate, EngineAddress, EngineSettings};
