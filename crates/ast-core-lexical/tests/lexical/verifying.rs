//! What is sound is found to be, and any page that is not is named.

use crate::damage::store;
use crate::store::Store;
use ast_core_lexical::{FileTerms, LexicalError, PageId, Verified, Verify, run};
use ast_core_model::{ChunkId, ChunkTerms};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn verify(store: &Store) -> Verified {
    run::<_, LexicalError>(Verify::new(&store.manifest().unwrap()), |wanted| store.fetch(wanted)).unwrap()
}

fn page() -> impl Strategy<Value = PageId> {
    let pages = store().pages.into_keys().filter(|page| *page != PageId::MANIFEST);
    prop::sample::select(pages.collect::<Vec<_>>())
}

fn named(fault: &LexicalError) -> PageId {
    match fault {
        LexicalError::Damaged { page, .. } | LexicalError::Missing { page } => *page,
        other => panic!("{other}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_flipped_bit_is_found(page in page(), at in any::<prop::sample::Index>(), bit in 0..8) {
        let mut store = store();
        let data = store.pages.get_mut(&page).unwrap();
        let at = at.index(data.len());
        data[at] ^= 1_u8 << bit;
        let faults = verify(&store).faults;
        prop_assert_eq!(faults.iter().map(named).collect::<Vec<_>>(), [page]);
    }

    /// After any changes and merges what is found is what was put in.
    #[test]
    fn documents_and_terms_are_those_of_the_files(
        changes in prop::collection::vec((1..40_u64, 0..12_usize, any::<u8>(), any::<bool>()), 1..30),
    ) {
        let mut store = Store::default();
        let mut now: BTreeMap<u64, Vec<ChunkTerms>> = BTreeMap::new();
        let mut next = 1;
        for (at, chunks, seed, merges) in changes {
            let gone = now.keys().copied().filter(|number| number % 7 == at % 7).take(2).collect::<Vec<_>>();
            gone.iter().for_each(|number| drop(now.remove(number)));
            let chunk = |part: usize| ChunkTerms {
                name: format!("n{}", (part + usize::from(seed)) % 5),
                path: format!("src file{next}"),
                doc: "word ".repeat(part % 4),
                body: format!("common {} b{}", "again ".repeat(usize::from(seed) % 9), part * 31 % 17),
            };
            // Terms in more documents than a block has.
            let chunks: Vec<ChunkTerms> = (0..chunks * 16).map(chunk).collect();
            store.update(&gone, &[(next, chunks.clone())]).unwrap();
            now.insert(next, chunks);
            next += 1;
            if merges {
                let segments: Vec<u32> = (1..=next as u32 * 2).collect();
                store.merge(&segments).unwrap();
            }
        }
        let expected: Vec<(ChunkId, u64)> = now.iter().flat_map(|(number, chunks)| {
            let fingerprints = FileTerms::new(chunks).unwrap().fingerprints();
            let id = |ordinal| ChunkId::in_file(crate::store::file(*number), ordinal).unwrap();
            (0..).zip(fingerprints).map(|(ordinal, print)| (id(ordinal), print)).collect::<Vec<_>>()
        }).collect();
        let found = verify(&store);
        prop_assert_eq!(&found.faults, &[]);
        prop_assert_eq!(found.documents, expected);
        let manifest = store.manifest().unwrap();
        prop_assert!(store.pages.keys().all(|page| manifest.names(*page)), "a page is left behind");
        prop_assert_eq!(found.pages + u64::from(store.pages.contains_key(&PageId::MANIFEST)), store.pages.len() as u64);
    }
}

#[test]
fn every_missing_page_is_named() {
    for page in store().pages.into_keys().filter(|page| *page != PageId::MANIFEST) {
        let mut store = store();
        store.pages.remove(&page);
        assert_eq!(verify(&store).faults, [LexicalError::Missing { page }]);
    }
}

#[test]
fn a_segment_with_a_fault_hides_no_other() {
    let mut store = store();
    let sound = verify(&store).documents.len();
    let roots: Vec<PageId> = store
        .pages
        .keys()
        .copied()
        .filter(|page| page.get() & 0xFFFF_FFFF == 0 && *page != PageId::MANIFEST)
        .collect();
    assert_eq!(roots.len(), 3);
    for root in &roots[..2] {
        store.pages.get_mut(root).unwrap()[0] ^= 1;
    }
    let found = verify(&store);
    assert_eq!(found.faults.iter().map(named).collect::<Vec<_>>(), roots[..2]);
    assert!(!found.documents.is_empty() && found.documents.len() < sound);
}

#[test]
fn a_page_that_nobody_names_is_known_for_one() {
    let store = store();
    let manifest = store.manifest().unwrap();
    let last = *store.pages.keys().next_back().unwrap();
    for stranger in [last.get() + 1, last.get() + (1 << 32), 5] {
        assert!(!manifest.names(PageId::from_raw(stranger).unwrap()), "{stranger}");
    }
}

/// A new index does not number its segments as the one before did: pages in a cache are of the old one.
#[test]
fn an_index_that_begins_anew_has_names_of_its_own() {
    let mut old = store();
    let anew = old.manifest().unwrap().begin_anew(PageId::from_raw(9 << 32 | 7).unwrap());
    old.apply(anew.clone());
    assert_eq!(old.pages.keys().copied().collect::<Vec<_>>(), [PageId::MANIFEST]);
    let anew = anew.manifest;
    assert_eq!((anew.totals().documents, &anew), (0, &old.manifest().unwrap()));
    let terms = FileTerms::new(&[ChunkTerms { body: "word".into(), ..ChunkTerms::default() }]).unwrap();
    let cache = ast_core_lexical::PageCache::new(0);
    let update =
        ast_core_lexical::Update::new(anew, vec![], vec![(crate::store::file(1), terms)], &cache).unwrap();
    let changes = run::<_, LexicalError>(update, |wanted| old.fetch(wanted)).unwrap();
    let names = changes.put.iter().map(|page| page.id).filter(|page| *page != PageId::MANIFEST);
    assert!(names.clone().count() > 0);
    assert!(names.into_iter().all(|page| page.get() >> 32 > 9));
}
