//! Indexes that earlier versions wrote: they open, and say what they said.
//!
//! `fixtures/schema-6.db` is an index of a few files, as it was written before documents were columns: `schema-6.txt` is what
//! is in it. `AST_CORE_WRITE_EXPECTED` writes that anew.

use crate::sample::{files, id, open, rust};
use ast_core_storage::{
    Access, Document, FileRecord, NameMatch, SqliteStore, Store, StoreError, TrigramQuery,
};
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/fixtures").join(name)
}

/// Everything that is kept of the content of files, a line a thing.
fn dump(documents: &[(FileRecord, Document)]) -> String {
    let mut text = String::new();
    for (record, document) in documents {
        let Document { source, symbols, references, chunks } = document;
        writeln!(text, "{} {:?}, {} bytes", record.id.get(), record.path, source.len()).unwrap();
        symbols.iter().for_each(|symbol| writeln!(text, "  {symbol:?}").unwrap());
        references.iter().for_each(|reference| writeln!(text, "  {reference:?}").unwrap());
        chunks.iter().for_each(|chunk| writeln!(text, "  {chunk:?}").unwrap());
    }
    text
}

async fn all(store: &SqliteStore) -> Vec<(FileRecord, Document)> {
    let ids: Vec<_> = store.files().await.unwrap().iter().map(|file| file.id).collect();
    Store::documents(store, &ids).await.unwrap()
}

#[tokio::test]
async fn an_index_of_before_columns_says_what_it_said() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    std::fs::copy(fixture("schema-6.db"), &path).unwrap();
    assert!(matches!(open(&path, Access::Read).await.err(), Some(StoreError::Missing { .. })));
    let store = open(&path, Access::Write).await.unwrap();
    let documents = all(&store).await;
    let found = dump(&documents);
    let expected = fixture("schema-6.txt");
    if std::env::var_os("AST_CORE_WRITE_EXPECTED").is_some() {
        std::fs::write(&expected, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&expected).unwrap());

    // The built-in model's vectors were in the store then, and are as good as ever.
    let ids = [2, 3, 4].map(id);
    let vectors = store.vectors(&ids).await.unwrap();
    let chunks: Vec<usize> = documents.iter().map(|(_, document)| document.chunks.len()).collect();
    assert_eq!(vectors.iter().map(|vectors| vectors.kinds.len()).collect::<Vec<_>>(), chunks);
    assert!(vectors.iter().all(|vectors| vectors.codes.len() == 256 * vectors.kinds.len()));
    let naming = store.files_naming("HandPump", NameMatch::Exact).await.unwrap();
    assert_eq!(naming.iter().map(|naming| naming.file).collect::<Vec<_>>(), [id(4)]);

    // Signatures are made of what was there.
    let query = |text: &str| TrigramQuery::of_text(text.as_bytes());
    let with = async |text: &str| {
        let found = store.files_with(&query(text)).await.unwrap();
        found.into_iter().map(|version| version.id).collect::<Vec<_>>()
    };
    assert_eq!(with("implements Pump").await, [id(4)]);
    assert_eq!(with("setdefault").await, [id(3)]);
    assert_eq!(with("no such text").await, []);

    // What comes in now is beside it in the form of now.
    store.commit(files(vec![rust(20, "src/tank.rs", "alpha")])).await.unwrap();
    let after = all(&store).await;
    assert_eq!(after.iter().map(|(record, _)| record.id).collect::<Vec<_>>(), [3, 4, 20].map(id));
    assert_eq!(after[..2], documents[1..]);
    store.close().await;
    let reader = open(&path, Access::Read).await.unwrap();
    assert_eq!(all(&reader).await, after);
}
