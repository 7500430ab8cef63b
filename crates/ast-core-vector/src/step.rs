//! The steps of writing a file, for tests to make them fail, panic or wait; else they are nothing.

use std::io;

/// A step is reached.
#[cfg(feature = "failpoints")]
pub(crate) fn reach(step: &'static str) -> io::Result<()> {
    fail::fail_point!(step, |_| Err(io::Error::other(format!("{step} was made to fail"))));
    Ok(())
}

/// A step is reached.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) const fn reach(_step: &'static str) -> io::Result<()> {
    Ok(())
}
