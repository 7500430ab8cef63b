//! The steps of what is made from an index, for tests to make them fail, panic or wait; else they are nothing.

use crate::EngineError;

/// A step is reached.
#[cfg(feature = "failpoints")]
pub(crate) fn reach(step: &'static str) -> Result<(), EngineError> {
    fail::fail_point!(step, |_| Err(EngineError::Internal { what: format!("{step} was made to fail") }));
    Ok(())
}

/// A step is reached.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) const fn reach(_step: &'static str) -> Result<(), EngineError> {
    Ok(())
}
