//! Builds what reads tree-sitter's own memory against the private sources of the tree-sitter that is linked.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    for file in ["src/syntax/flatten.c", "src/syntax/stack.c", "build.rs"] {
        println!("cargo:rerun-if-changed={file}");
    }
    println!("cargo:rustc-check-cfg=cfg(ast_core_flatten)");
    println!("cargo:rustc-check-cfg=cfg(ast_core_stack)");
    // tree-sitter's build tells where its public headers are; the private sources lie beside them.
    let Some(include) = env::var_os("DEP_TREE_SITTER_INCLUDE").map(PathBuf::from) else { return };
    let Some(out) = env::var_os("OUT_DIR").map(PathBuf::from) else { return };
    let private = include.join("../src");
    let compiles = |name: &str| {
        let compiled = cc::Build::new()
            .std("c11")
            .include(&include)
            .include(&private)
            .include(&out)
            .opt_level(3)
            // The private sources are not ours to mend, and may change: then we do without.
            .warnings(false)
            .cargo_warnings(false)
            .file(format!("src/syntax/{name}.c"))
            .try_compile(&format!("ast_core_{name}"));
        compiled.is_ok()
    };
    if private.join("subtree.h").is_file() && compiles("flatten") {
        println!("cargo:rustc-cfg=ast_core_flatten");
    }
    let heads = copy_head(&private.join("parser.c"), "struct TSParser {", &out.join("parser_head.h"))
        .and_then(|()| copy_head(&private.join("stack.c"), "struct Stack {", &out.join("stack_head.h")));
    if heads.is_some() && compiles("stack") {
        println!("cargo:rustc-cfg=ast_core_stack");
    }
}

/// Copies the beginning of a C file, up to the end of a struct.
fn copy_head(file: &Path, begin: &str, to: &Path) -> Option<()> {
    const END: &str = "\n};\n";
    let text = fs::read_to_string(file).ok()?.replace("\r\n", "\n");
    let at = text.find(begin)?;
    let end = at + text[at..].find(END)? + END.len();
    fs::write(to, &text[..end]).ok()
}
