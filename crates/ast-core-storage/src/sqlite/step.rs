//! The steps of what is done to a store, for tests to make them fail, panic or wait; else they are nothing.

/// A step is reached.
#[cfg(feature = "failpoints")]
pub(crate) fn reach(step: &'static str) -> rusqlite::Result<()> {
    fail::fail_point!(step, |_| Err(rusqlite::Error::InvalidQuery));
    Ok(())
}

/// A step is reached.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) const fn reach(_step: &'static str) -> rusqlite::Result<()> {
    Ok(())
}
