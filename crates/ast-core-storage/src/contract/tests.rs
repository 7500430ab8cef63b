//! The suite of the contract is whole.

/// What is written and not listed is not run.
#[test]
fn every_test_is_listed() {
    let list = include_str!("mod.rs");
    let modules = [
        include_str!("commit.rs"),
        include_str!("documents.rs"),
        include_str!("fence.rs"),
        include_str!("files.rs"),
        include_str!("generations.rs"),
        include_str!("incremental.rs"),
        include_str!("jobs.rs"),
        include_str!("lexical.rs"),
        include_str!("opening.rs"),
        include_str!("soundness.rs"),
        include_str!("symbols.rs"),
        include_str!("vectors.rs"),
    ];
    let is_listed =
        |name: &str| list.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == name);
    let mut count = 0;
    for line in modules.iter().flat_map(|module| module.lines()) {
        let Some((head, _)) = line.split_once("<B: Backend>") else { continue };
        if let Some(name) = head.strip_prefix("pub async fn ").or_else(|| head.strip_prefix("pub fn ")) {
            assert!(is_listed(name), "{name} is not in the list of `store_contract!`");
            count += 1;
        }
    }
    assert!(count > 80, "{count} tests");
}
