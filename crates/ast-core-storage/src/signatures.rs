//! What is kept of a source beside it, to tell whether a text may be in it.

use ast_core_lexical::{Signature, SignatureMaker};
use std::cell::RefCell;

thread_local! {
    static MAKER: RefCell<SignatureMaker> = RefCell::default();
}

/// The signature of a source. One in UTF-16 is searched as text in UTF-8, of which its bytes say nothing.
pub(crate) fn signature_of(source: &[u8]) -> Vec<u8> {
    match source {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Signature::OPEN.bytes().to_vec(),
        _ => MAKER.with_borrow_mut(|maker| maker.signature(source)),
    }
}
