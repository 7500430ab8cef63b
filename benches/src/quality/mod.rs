//! What it is measured with how well search finds what is asked for.

mod question;

pub use question::{Question, QuestionKind, read_questions};
