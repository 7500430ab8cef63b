//! Bounded parallel work: stages, back-pressure, a memory budget, progress and cancellation.
#![deny(missing_docs)]
