//! The pages of the index of words.

use crate::sample::{files, id, new_store, rust};
use crate::tables::rows;
use ast_core_storage::{Store, WriteBatch};

/// One segment a commit, merged as they become many.
#[tokio::test]
async fn many_small_commits_leave_few_segments() {
    let (_directory, store) = new_store().await;
    for number in 1..=150_u64 {
        let gone = number.checked_sub(37).filter(|gone| *gone > 0 && gone % 2 == 0);
        let file = rust(number, &format!("{number}.rs"), "word");
        let batch = WriteBatch { removed: gone.map(id).into_iter().collect(), ..files(vec![file]) };
        store.commit(batch).await.unwrap();
    }
    for table in ["lexical_pages", "name_pages"] {
        let count = format!("SELECT count(DISTINCT id >> 32) FROM {table}");
        let segments = &rows(store.path(), &count).await[0][0];
        assert!(segments.parse::<u32>().unwrap() < 24, "{segments} segments of {table}");
    }
}
