//! The allocator, for Rust and for tree-sitter. Files are parsed on arenas of their own; this is for all else.

use ast_core_engine::{SyntaxAllocator, set_syntax_allocator};
use std::ffi::c_void;

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Gives tree-sitter the same allocator. Call it first of all.
#[expect(unsafe_code, reason = "functions for C")]
pub(crate) fn install() {
    let allocator = SyntaxAllocator { malloc, calloc, realloc, free };
    // SAFETY: nothing of tree-sitter was called before, and this is the only thread. The functions are of one family,
    // align as malloc does, and end the program rather than give null.
    unsafe { set_syntax_allocator(Some(allocator)) };
}

#[expect(unsafe_code, reason = "a function for C")]
unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    // SAFETY: mi_malloc takes any size.
    given(unsafe { libmimalloc_sys::mi_malloc(size) }, size)
}

#[expect(unsafe_code, reason = "a function for C")]
unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    let size = count.saturating_mul(size);
    // SAFETY: mi_zalloc takes any size.
    given(unsafe { libmimalloc_sys::mi_zalloc(size) }, size)
}

#[expect(unsafe_code, reason = "a function for C")]
unsafe extern "C" fn realloc(memory: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller gives what one of these functions gave, or null.
    given(unsafe { libmimalloc_sys::mi_realloc(memory.cast(), size) }, size)
}

#[expect(unsafe_code, reason = "a function for C")]
unsafe extern "C" fn free(memory: *mut c_void) {
    // SAFETY: the caller gives what one of these functions gave, or null.
    unsafe { libmimalloc_sys::mi_free(memory.cast()) }
}

/// Tree-sitter does not look whether there was memory.
fn given<T>(memory: *mut T, size: usize) -> *mut c_void {
    if memory.is_null() && size > 0 {
        std::process::abort();
    }
    memory.cast()
}
