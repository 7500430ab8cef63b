//! Answers that commits can tear: they are begun anew, a few times.

use crate::{EngineError, VectorError};

/// How often an answer is made before it does without what commits took away meanwhile: a file that is indexed anew is
/// another.
pub(crate) const ATTEMPTS: usize = 4;

/// The attempts that are left at an answer.
pub(crate) struct Attempts(usize);

impl Attempts {
    pub(crate) fn new() -> Self {
        Self(ATTEMPTS)
    }

    /// What an attempt comes to, of which it is said whether it is torn; `None` if there is to be another.
    pub(crate) fn judge<T>(
        &mut self,
        attempt: Result<(T, bool), EngineError>,
    ) -> Option<Result<T, EngineError>> {
        self.0 -= 1;
        match attempt {
            // The vector file is only read where it is needed, so that damage shows here. Everything is in the store.
            Err(EngineError::Vector(VectorError::Damaged { .. })) if self.0 > 0 => None,
            Ok((_, true)) if self.0 > 0 => None,
            judged => Some(judged.map(|(answer, _)| answer)),
        }
    }
}
