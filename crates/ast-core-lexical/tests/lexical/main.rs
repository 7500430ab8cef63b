//! The index against a comparison with all documents, and against damage.

mod damage;
mod merging;
mod oracle;
mod ranking;
mod store;
mod verifying;
