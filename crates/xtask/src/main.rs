//! The project's own tasks: `cargo xtask test|gen|lint|bench`.

fn main() {}
