//! Sets of slots.

use std::sync::Arc;

/// A bit for each slot. A clone shares them until one of the two is changed.
#[derive(Clone, Default)]
pub(crate) struct Bits {
    words: Arc<Vec<u64>>,
    count: usize,
}

impl Bits {
    /// The set of the bits of `words`; `None` if one is not below `slots`.
    pub(crate) fn from_words(words: Vec<u64>, slots: usize) -> Option<Self> {
        let beyond = |(index, word): (usize, &u64)| match slots.saturating_sub(index * 64) {
            below @ 0..64 => word >> below != 0,
            _ => false,
        };
        if words.iter().enumerate().any(beyond) {
            return None;
        }
        let count = words.iter().map(|word| word.count_ones() as usize).sum();
        Some(Self { words: Arc::new(words), count })
    }

    /// The set as words of bits.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// How many are in the set.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    #[inline]
    pub(crate) fn contains(&self, slot: u32) -> bool {
        self.words.get(slot as usize / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    pub(crate) fn insert(&mut self, slot: u32) {
        let words = Arc::make_mut(&mut self.words);
        let word = slot as usize / 64;
        if words.len() <= word {
            words.resize(word + 1, 0);
        }
        let bit = 1 << (slot % 64);
        self.count += usize::from(words[word] & bit == 0);
        words[word] |= bit;
    }

    pub(crate) fn remove(&mut self, slot: u32) {
        if self.contains(slot) {
            Arc::make_mut(&mut self.words)[slot as usize / 64] &= !(1 << (slot % 64));
            self.count -= 1;
        }
    }

    /// The slots `64 * word..64 * (word + 1)`, one a bit.
    #[inline]
    pub(crate) fn word(&self, word: usize) -> u64 {
        self.words.get(word).copied().unwrap_or(0)
    }

    /// Those of the set whose values pass, of values by slot.
    pub(crate) fn filtered<T: Copy>(&self, values: &[T], passes: impl Fn(T) -> bool) -> Self {
        let mut count = 0;
        let word = |(&word, values): (&u64, &[T])| {
            let kept = match values.as_array::<64>() {
                // Without looking for the next bit, and without a jump that depends on the answer.
                Some(values) if word == u64::MAX => {
                    let mut passing = [0_u8; 64];
                    for (passing, &value) in passing.iter_mut().zip(values) {
                        *passing = u8::from(passes(value));
                    }
                    let bytes = passing.as_chunks::<8>().0.iter().rev();
                    bytes.fold(0, |kept, &eight| kept << 8 | packed(u64::from_le_bytes(eight)))
                }
                _ => {
                    let passing = ones(word)
                        .filter(|&bit| values.get(bit as usize).is_some_and(|&value| passes(value)));
                    passing.fold(0, |kept, bit| kept | 1 << bit)
                }
            };
            count += u64::count_ones(kept) as usize;
            kept
        };
        let words = self.words.iter().zip(values.chunks(64)).map(word).collect();
        Self { words: Arc::new(words), count }
    }

    /// The slots of the set in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().zip(0..).flat_map(|(&word, index)| ones(word).map(move |bit| index * 64 + bit))
    }
}

/// The bits of eight bytes that are 0 or 1 each, the first byte's the lowest.
#[inline]
fn packed(bytes: u64) -> u64 {
    // Bit 8 * i comes to 56 + i, and nothing else comes to or carries into the highest byte.
    bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// The positions of the bits that are set.
pub(crate) fn ones(word: u64) -> impl Iterator<Item = u32> {
    let rest = |word: u64| (word != 0).then_some(word);
    std::iter::successors(rest(word), move |word| rest(word & (word - 1))).map(u64::trailing_zeros)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_agree_with_a_set(changes in prop::collection::vec((any::<bool>(), 0_u32..300), 0..200)) {
            let mut bits = Bits::default();
            let mut set = BTreeSet::new();
            for (insert, slot) in changes {
                if insert {
                    bits.insert(slot);
                    set.insert(slot);
                } else {
                    bits.remove(slot);
                    set.remove(&slot);
                }
            }
            // A word that is full.
            (128..192).filter(|&slot| set.insert(slot)).for_each(|slot| bits.insert(slot));
            let snapshot = bits.clone();
            bits.insert(500);
            prop_assert!(bits.contains(500) && !snapshot.contains(500));
            prop_assert_eq!(snapshot.count(), set.len());
            prop_assert!(snapshot.iter().eq(set.iter().copied()));
            let words = snapshot.words().to_vec();
            let end = set.last().map_or(0, |&last| last as usize + 1);
            prop_assert!(end == 0 || Bits::from_words(words.clone(), end - 1).is_none());
            for slots in [end, end + 1, 1000] {
                let read = Bits::from_words(words.clone(), slots).unwrap();
                prop_assert!(read.count() == set.len() && read.iter().eq(set.iter().copied()));
            }
            prop_assert!((0..600).all(|slot| snapshot.contains(slot) == set.contains(&slot)));
            let values: Vec<u32> = (0..600).map(|slot| slot + 7).collect();
            let odd = snapshot.filtered(&values, |value| value % 2 == 1);
            prop_assert!(odd.iter().eq(set.iter().copied().filter(|slot| slot % 2 == 0)));
            prop_assert_eq!(odd.count(), odd.iter().count());
        }
    }
}
