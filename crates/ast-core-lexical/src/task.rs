//! Work that needs pages, and says which.

use crate::{LexicalError, Page, PageId};

/// Work that needs pages. It reads nothing by itself, so that pages can come from where and how its caller likes:
/// as long as [`wanted`](Self::wanted) names pages, fetch them, all in one go, and [`supply`](Self::supply) them.
pub trait Task {
    /// What comes of it.
    type Output;

    /// The pages that it needs to go on; when there are none, it can be [finished](Self::finish).
    fn wanted(&self) -> &[PageId];

    /// Goes on with the pages that it wanted, in any order.
    ///
    /// # Errors
    /// [`LexicalError::Missing`] if one is not among them, [`LexicalError::Damaged`] if one is not as it was written.
    fn supply(&mut self, pages: Vec<Page>) -> Result<(), LexicalError>;

    /// Ends it.
    ///
    /// # Errors
    /// [`LexicalError::Unfinished`] while it wants pages; [`LexicalError::Damaged`].
    fn finish(self) -> Result<Self::Output, LexicalError>;
}

/// Does a task with pages from a function, which is called a few times.
///
/// # Errors
/// Those of the task and of the function.
pub fn run<T, E>(
    mut task: T,
    mut fetch: impl FnMut(&[PageId]) -> Result<Vec<Page>, E>,
) -> Result<T::Output, E>
where
    T: Task,
    E: From<LexicalError>,
{
    while !task.wanted().is_empty() {
        let pages = fetch(task.wanted())?;
        task.supply(pages)?;
    }
    Ok(task.finish()?)
}

pub(crate) fn unfinished(wanted: &[PageId]) -> Result<(), LexicalError> {
    if wanted.is_empty() { Ok(()) } else { Err(LexicalError::Unfinished { waiting: wanted.len() }) }
}
