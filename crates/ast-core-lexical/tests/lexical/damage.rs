//! A page that is not as it was written is an error or makes no difference; it is never a panic or a wrong answer.

use crate::store::Store;
use ast_core_lexical::{Bm25f, Filter, LexicalError, Match, PageCache, PageId, TermMatch};
use ast_core_model::ChunkTerms;
use proptest::prelude::*;

const RANKING: Bm25f = Bm25f { weights: [8.0, 2.0, 1.5, 1.0], b: [0.3, 0.5, 0.75, 0.75], k1: 2.0 };
const TERMS: [&str; 4] = ["common", "odd", "t7", "missing"];

/// Three segments with pages of every kind.
pub(crate) fn store() -> Store {
    let mut store = Store::default();
    for commit in 0..3_u64 {
        let files: Vec<_> = (0..60)
            .map(|index| {
                let number = 1 + commit * 60 + index;
                let chunk = |part: u64| ChunkTerms {
                    name: format!("t{}", number * 7 + part),
                    path: format!("src f{number}"),
                    doc: if part.is_multiple_of(5) { "odd common".into() } else { String::new() },
                    body: format!("common t{} {}", part % 13, "x ".repeat((number % 9) as usize)),
                };
                (number, (0..8).map(chunk).collect())
            })
            .collect();
        store.update(&[1 + commit * 60, 5 + commit * 20], &files).unwrap();
    }
    store
}

/// Hits with the bits of their scores, frequencies, and matches.
type Answers = (Vec<(u64, u64)>, Vec<u64>, Vec<Match>);

/// All that can be asked of an index.
fn answers(store: &mut Store) -> Result<Answers, LexicalError> {
    let cache = PageCache::new(1 << 20);
    let hits = store.search(&TERMS, RANKING, 20, Filter::All, &cache)?;
    let hits = hits.iter().map(|hit| (hit.chunk.get(), hit.score.to_bits())).collect();
    let answers =
        (hits, store.frequencies(&TERMS, &cache)?, store.matches(TermMatch::Substring("t1"), &cache)?);
    store.update(&[30, 31], &[])?;
    store.merge(&[1, 2, 3])?;
    Ok(answers)
}

fn check(page: PageId, damage: impl FnOnce(&mut Vec<u8>)) -> Result<(), TestCaseError> {
    let mut store = store();
    damage(store.pages.get_mut(&page).unwrap());
    match answers(&mut store) {
        Ok(found) => prop_assert_eq!(found, answers(&mut self::store()).unwrap()),
        Err(LexicalError::Damaged { page: named, .. }) => prop_assert_eq!(named, page),
        Err(error) => prop_assert!(false, "{error}"),
    }
    Ok(())
}

fn page() -> impl Strategy<Value = PageId> {
    prop::sample::select(store().pages.into_keys().collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bits_are_noticed(page in page(), at in any::<prop::sample::Index>(), bit in 0..8) {
        check(page, |data| {
            let at = at.index(data.len());
            data[at] ^= 1_u8 << bit;
        })?;
    }

    #[test]
    fn lost_ends_are_noticed(page in page(), at in any::<prop::sample::Index>()) {
        check(page, |data| data.truncate(at.index(data.len())))?;
    }

    #[test]
    fn any_bytes_are_no_page(page in page(), bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        check(page, |data| *data = bytes)?;
    }
}

#[test]
fn pages_that_took_each_others_places_are_noticed() {
    let whole = store();
    let ids: Vec<PageId> = whole.pages.keys().copied().collect();
    for (one, other) in ids.iter().zip(&ids[1..]) {
        let mut store = store();
        store.pages.insert(*one, whole.pages[other].clone());
        store.pages.insert(*other, whole.pages[one].clone());
        let error = answers(&mut store).unwrap_err();
        assert!(
            matches!(error, LexicalError::Damaged { page, .. } if page == *one || page == *other),
            "{error}"
        );
    }
}

#[test]
fn a_page_that_is_gone_is_named() {
    for page in store().pages.into_keys().filter(|page| *page != PageId::MANIFEST) {
        let mut store = store();
        store.pages.remove(&page);
        assert_eq!(answers(&mut store).unwrap_err(), LexicalError::Missing { page });
    }
}

#[test]
fn there_are_pages_of_every_kind() {
    let mut kinds: Vec<u8> = store().pages.values().map(|data| data[data.len() - 9]).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, [1, 2, 3, 4, 5, 6]);
}
