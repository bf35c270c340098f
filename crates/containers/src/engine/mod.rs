//! Container engines: where they are looked for, and what one is that answers.

mod find;
mod hex;
mod libpod;
mod limits;
mod settings;
mod upgrade;

pub use find::{Engine, EngineInfo, EngineKind, Gpus, NoEngine, Tried};
pub(crate) use find::{connect, find, status, text};
pub(crate) use hex::sha256;
pub use limits::Limits;
pub(crate) use settings::docker_config;
pub use settings::{Candidate, EngineAddress, EngineSettings};
pub(crate) use upgrade::start_terminal;
