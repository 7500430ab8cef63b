//! Code that is like other code.
