//! The training and the measuring of the built-in model of `ast-core-embed`.
//!
//! The model learns from functions and what their documentation says of them: a [question](sentence) is brought near the
//! [function](functions) that it stands over, and away from others of the same [package](packages). What it learns from is
//! a list of open source packages under [licences](licence) that allow it; what it is [measured](evaluate) with is kept
//! out of that list.
#![deny(missing_docs)]

pub mod evaluate;
pub mod functions;
pub mod licence;
pub mod packages;
pub mod pairs;
pub mod random;
pub mod sentence;
pub mod train;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
