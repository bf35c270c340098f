//! The commands: one module a noun, one file a verb.

pub mod app;
mod completion;
mod demo;
pub mod emulator;
mod help;
mod me;
mod reference;
pub mod token;

pub use completion::Completion;
pub use demo::Demo;
pub use help::Help;
pub use me::Me;
pub use reference::Reference;
