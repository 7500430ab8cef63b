//! Replays the inputs of the fuzz targets that are kept: one or two files of each language, and what once failed.

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library of its own, too")]
mod fuzz;

use ast_core_parse::Language;
use std::path::Path;

#[test]
fn every_input_that_is_kept_holds() {
    for (name, target) in fuzz::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fixtures").join(name);
        let mut inputs: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "nothing in {}", folder.display());
        for input in inputs {
            let bytes = std::fs::read(&input).unwrap();
            // A panic says what does not hold; this says where.
            let result = std::panic::catch_unwind(|| target(&bytes));
            assert!(result.is_ok(), "{}", input.display());
        }
    }
}

#[test]
fn every_language_has_a_letter() {
    let unknown: Vec<_> =
        Language::all().filter(|language| !fuzz::LANGUAGES.contains(&language.as_str())).collect();
    assert!(unknown.is_empty(), "add them to the end of LANGUAGES in fuzz/src/lib.rs: {unknown:?}");
}
