//! Which key sits in which slot.

use std::sync::{Arc, OnceLock};

use hashbrown::{HashTable, hash_table::Entry};

use crate::bits::Bits;

/// Keys by slot, and the slots by key. A clone shares both until one of the two is changed.
///
/// The table holds slots only and looks the keys up in the list, which makes 8 bytes for the key and 6 to 12 for the
/// table, a little more than half of a map from key to slot.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    keys: Arc<Vec<u64>>,
    /// Made from the list when it is needed; searches mostly do with the list.
    slots: Arc<OnceLock<HashTable<u32>>>,
    /// Slots that have a key.
    count: usize,
    /// Which those were before there was a table, if not all.
    first: Option<Bits>,
    /// Whether all slots had keys before there was a table, in ascending order.
    is_sorted: bool,
}

impl Keys {
    /// Most slots that there can be: half of what 32 bits number, because the walk through a graph marks slots in the
    /// other bit.
    pub(crate) const MAX: usize = i32::MAX as usize;

    /// The keys in the slots of a set, or in all. There must not be more than [`Self::MAX`]. Where two of them are equal,
    /// the first is meant.
    pub(crate) fn of_slots(keys: Vec<u64>, slots: Option<Bits>) -> Self {
        let count = slots.as_ref().map_or(keys.len(), Bits::count);
        let is_sorted = slots.is_none() && keys.is_sorted_by(|a, b| a < b);
        Self { keys: Arc::new(keys), slots: Arc::default(), count, first: slots, is_sorted }
    }

    /// The number of keys.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The keys in the order of their slots. A slot whose key was taken still has it.
    pub(crate) fn as_slice(&self) -> &[u64] {
        &self.keys
    }

    fn table(&self) -> &HashTable<u32> {
        self.slots.get_or_init(|| {
            let keys = self.keys.as_slice();
            let hash_of = |&slot: &u32| hash(keys[slot as usize]);
            let mut table = HashTable::with_capacity(self.count);
            let mut add = |slot: u32| {
                let is_equal = |&other: &u32| keys[other as usize] == keys[slot as usize];
                if let Entry::Vacant(place) = table.entry(hash_of(&slot), is_equal, hash_of) {
                    place.insert(slot);
                }
            };
            match &self.first {
                Some(slots) => slots.iter().for_each(&mut add),
                None => (0..keys.len() as u32).for_each(&mut add),
            }
            table
        })
    }

    /// The table to be changed. There is always one.
    fn table_mut(&mut self) -> Option<&mut HashTable<u32>> {
        self.table();
        Arc::make_mut(&mut self.slots).get_mut()
    }

    pub(crate) fn slot(&self, key: u64) -> Option<usize> {
        if self.is_sorted && self.slots.get().is_none() {
            // To make the table takes longer than a few thousand such searches.
            return self.keys.binary_search(&key).ok();
        }
        self.table().find(hash(key), |&slot| self.keys[slot as usize] == key).map(|&slot| slot as usize)
    }

    /// Makes room for keys; `false` if there is none.
    pub(crate) fn reserve(&mut self, additional: usize) -> bool {
        let has_room = self.keys.len().checked_add(additional).is_some_and(|total| total <= Self::MAX)
            && Arc::make_mut(&mut self.keys).try_reserve(additional).is_ok();
        let keys = Arc::clone(&self.keys);
        has_room
            && self
                .table_mut()
                .is_some_and(|table| table.try_reserve(additional, |&slot| hash(keys[slot as usize])).is_ok())
    }

    /// Adds a key that is not held yet, in the next slot. Room for it must have been made.
    pub(crate) fn push(&mut self, key: u64) {
        let slot = self.keys.len();
        self.table();
        Arc::make_mut(&mut self.keys).push(key);
        self.place(slot, key);
    }

    /// Adds a key that is not held yet, in a slot whose key was taken.
    pub(crate) fn put(&mut self, slot: usize, key: u64) {
        self.table();
        Arc::make_mut(&mut self.keys)[slot] = key;
        self.place(slot, key);
    }

    fn place(&mut self, slot: usize, key: u64) {
        debug_assert!(self.slot(key).is_none() && slot < Self::MAX);
        let keys = &self.keys;
        if let Some(table) = Arc::make_mut(&mut self.slots).get_mut() {
            table.insert_unique(hash(key), slot as u32, |&slot| hash(keys[slot as usize]));
            self.count += 1;
        }
    }

    /// Takes a key out of its slot, which stays.
    pub(crate) fn take(&mut self, key: u64) -> Option<usize> {
        let slot = self.slot(key)?;
        let entry = self.table_mut()?.find_entry(hash(key), |&other| other == slot as u32).ok()?;
        entry.remove();
        self.count -= 1;
        Some(slot)
    }

    /// Removes a key and returns its slot, into which the key of the last slot has moved.
    pub(crate) fn swap_remove(&mut self, key: u64) -> Option<usize> {
        let slot = self.take(key)?;
        let (last, last_key) = (self.keys.len() - 1, *self.keys.last()?);
        if slot != last
            && let Some(table) = self.table_mut()
            && let Some(moved) = table.find_mut(hash(last_key), |&other| other == last as u32)
        {
            *moved = slot as u32;
        }
        Arc::make_mut(&mut self.keys).swap_remove(slot);
        Some(slot)
    }
}

/// Spreads a key over 64 bits: the product with an odd constant close to 2^64 over the golden ratio, folded, so that
/// low and high bits both depend on all of the key. Keys are ids of the caller, not input of strangers, and mostly
/// count upwards; a keyed hash would cost several times as much and protect from nobody.
fn hash(key: u64) -> u64 {
    let product = u128::from(key ^ 0x5851_F42D_4C95_7F2D) * 0x9E37_79B9_7F4A_7C15;
    (product as u64) ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn slots_agree_with_a_map(operations in prop::collection::vec((any::<bool>(), 0_u64..40), 0..200)) {
            let mut keys = Keys::default();
            let mut list: Vec<u64> = Vec::new();
            for (add, key) in operations {
                let key = key.wrapping_mul(0x1_0000_0001_0000);
                let slot = list.iter().position(|&other| other == key);
                if add && slot.is_none() {
                    prop_assert!(keys.reserve(1));
                    keys.push(key);
                    list.push(key);
                } else if !add {
                    prop_assert_eq!(keys.swap_remove(key), slot);
                    if let Some(slot) = slot {
                        list.swap_remove(slot);
                    }
                }
                prop_assert_eq!(keys.as_slice(), &list[..]);
                prop_assert_eq!(keys.len(), list.len());
                let expected: HashMap<u64, usize> = list.iter().copied().zip(0..).collect();
                for key in (0_u64..40).map(|key| key.wrapping_mul(0x1_0000_0001_0000)) {
                    prop_assert_eq!(keys.slot(key), expected.get(&key).copied());
                }
            }
        }
    }

    #[test]
    fn keys_of_slots_are_found_where_they_are() {
        let list = vec![50, 40, 30, 20];
        let some = Bits::from_words(vec![0b1011], 4);
        for (slots, expected) in
            [(None, [Some(0), Some(1), Some(2), Some(3)]), (some, [Some(0), Some(1), None, Some(3)])]
        {
            let keys = Keys::of_slots(list.clone(), slots);
            let mut changed = keys.clone();
            assert_eq!(list.iter().map(|&key| keys.slot(key)).collect::<Vec<_>>(), expected);
            assert_eq!(keys.len(), expected.iter().flatten().count());
            assert!(changed.reserve(1));
            changed.push(7);
            assert_eq!(changed.take(40), Some(1));
            assert_eq!((changed.slot(7), changed.slot(20), changed.slot(40)), (Some(4), Some(3), None));
            assert_eq!((keys.slot(7), keys.slot(40)), (None, Some(1)));
            assert_eq!(changed.len(), keys.len());
        }
    }

    #[test]
    fn more_keys_than_slots_have_no_room() {
        assert!(!Keys::default().reserve(Keys::MAX + 1));
    }
}
