//! What it is measured with how well search finds what is asked for: questions, other ways to search, and means of what came
//! of it.

pub mod baseline;
mod outcome;
mod question;
mod report;

pub use outcome::{Group, Interval, MEASURES, Outcome, interval};
pub use question::{Question, QuestionKind, read_questions};
pub use report::{Method, Report};
