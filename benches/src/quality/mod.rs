//! How well search finds what is asked for: measures, and what they are taken of.

mod measure;
mod question;

pub use measure::{Measures, Relevance};
pub use question::{Question, QuestionKind, read_questions};
