//! Which key sits in which slot.

use std::sync::Arc;

use hashbrown::HashTable;

/// Keys by slot, and the slots by key. A clone shares both until one of the two is changed.
///
/// The table holds slots only and looks the keys up in the list, which makes 8 bytes for the key and 6 to 12 for the
/// table, a little more than half of a map from key to slot.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    keys: Arc<Vec<u64>>,
    slots: Arc<HashTable<u32>>,
}

impl Keys {
    /// Most slots that there can be: half of what 32 bits number, because the walk through a graph marks slots in the
    /// other bit.
    pub(crate) const MAX: usize = i32::MAX as usize;

    /// The number of keys.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The keys in the order of their slots. A slot whose key was taken still has it.
    pub(crate) fn as_slice(&self) -> &[u64] {
        &self.keys
    }

    pub(crate) fn slot(&self, key: u64) -> Option<usize> {
        self.slots.find(hash(key), |&slot| self.keys[slot as usize] == key).map(|&slot| slot as usize)
    }

    /// Makes room for keys; `false` if there is none.
    pub(crate) fn reserve(&mut self, additional: usize) -> bool {
        let (keys, slots) = (Arc::make_mut(&mut self.keys), Arc::make_mut(&mut self.slots));
        keys.len().checked_add(additional).is_some_and(|total| total <= Self::MAX)
            && keys.try_reserve(additional).is_ok()
            && slots.try_reserve(additional, |&slot| hash(keys[slot as usize])).is_ok()
    }

    /// Adds a key that is not held yet, in the next slot. Room for it must have been made.
    pub(crate) fn push(&mut self, key: u64) {
        let slot = self.keys.len();
        Arc::make_mut(&mut self.keys).push(key);
        self.place(slot, key);
    }

    /// Adds a key that is not held yet, in a slot whose key was taken.
    pub(crate) fn put(&mut self, slot: usize, key: u64) {
        Arc::make_mut(&mut self.keys)[slot] = key;
        self.place(slot, key);
    }

    fn place(&mut self, slot: usize, key: u64) {
        debug_assert!(self.slot(key).is_none() && slot < Self::MAX);
        let keys = &self.keys;
        Arc::make_mut(&mut self.slots)
            .insert_unique(hash(key), slot as u32, |&slot| hash(keys[slot as usize]));
    }

    /// Takes a key out of its slot, which stays.
    pub(crate) fn take(&mut self, key: u64) -> Option<usize> {
        let keys = &self.keys;
        let slots = Arc::make_mut(&mut self.slots);
        let entry = slots.find_entry(hash(key), |&slot| keys[slot as usize] == key).ok()?;
        Some(entry.remove().0 as usize)
    }

    /// Removes a key and returns its slot, into which the key of the last slot has moved.
    pub(crate) fn swap_remove(&mut self, key: u64) -> Option<usize> {
        let (keys, slots) = (Arc::make_mut(&mut self.keys), Arc::make_mut(&mut self.slots));
        let entry = slots.find_entry(hash(key), |&slot| keys[slot as usize] == key).ok()?;
        let (slot, _) = entry.remove();
        let last = keys.len() as u32 - 1;
        if slot != last
            && let Some(moved) = slots.find_mut(hash(keys[last as usize]), |&other| other == last)
        {
            *moved = slot;
        }
        keys.swap_remove(slot as usize);
        Some(slot as usize)
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
                let expected: HashMap<u64, usize> = list.iter().copied().zip(0..).collect();
                for key in (0_u64..40).map(|key| key.wrapping_mul(0x1_0000_0001_0000)) {
                    prop_assert_eq!(keys.slot(key), expected.get(&key).copied());
                }
            }
        }
    }

    #[test]
    fn more_keys_than_slots_have_no_room() {
        assert!(!Keys::default().reserve(Keys::MAX + 1));
    }
}
