//! What is wrong with a query.

/// Why a query cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// A search mode that is not in the list.
    #[error("unknown search mode {received:?}; expected hybrid, lexical or semantic")]
    UnknownMode {
        /// The name as received.
        received: String,
    },
    /// There is nothing to look for.
    #[error("the query {text:?} holds no word to look for; expected a name or a few words")]
    Empty {
        /// The text as received.
        text: String,
    },
    /// A filter in the query whose value is none that there is.
    #[error("the query filters by {filter}{received}: {reason}")]
    Filter {
        /// Its name with the colon, such as `lang:`.
        filter: &'static str,
        /// The value as received.
        received: String,
        /// What is wrong with it, and what was expected.
        reason: String,
    },
}
