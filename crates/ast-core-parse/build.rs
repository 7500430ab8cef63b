//! Builds the fast reader of syntax trees against the private headers of the tree-sitter that is linked.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=src/syntax/flatten.c");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(ast_core_flatten)");
    // tree-sitter's build tells where its public headers are; the private ones lie beside them.
    let Some(include) = env::var_os("DEP_TREE_SITTER_INCLUDE").map(PathBuf::from) else { return };
    let private = include.join("../src");
    if !private.join("subtree.h").is_file() {
        return;
    }
    let compiled = cc::Build::new()
        .std("c11")
        .include(&include)
        .include(private)
        .opt_level(3)
        // The private headers are not ours to mend, and their layout may change: then the cursor is used.
        .warnings(false)
        .cargo_warnings(false)
        .file("src/syntax/flatten.c")
        .try_compile("ast_core_flatten");
    if compiled.is_ok() {
        println!("cargo:rustc-cfg=ast_core_flatten");
    }
}
