//! The commands: one module a noun, one file a verb.

mod access;
pub mod app;
pub mod capabilities;
mod completion;
pub mod config;
mod debug;
mod demo;
pub mod emulator;
mod feature;
mod help;
mod login;
mod me;
mod reference;
pub mod registry;
mod secret_input;
pub mod token;

pub use completion::Completion;
pub use debug::Debug;
pub use demo::Demo;
pub use feature::FeatureCommand;
pub use help::Help;
pub use login::{Login, Logout};
pub use me::Me;
pub use reference::Reference;
