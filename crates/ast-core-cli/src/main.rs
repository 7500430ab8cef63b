//! The `ast-core` command.
fn main() {}
