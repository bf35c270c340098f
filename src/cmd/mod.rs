//! The commands: one module a noun, one file a verb.

pub mod app;
mod completion;
mod demo;
pub mod emulator;
mod me;
pub mod token;

pub use completion::Completion;
pub use demo::Demo;
pub use me::Me;
