//! What is merged when.
