//! An index that is searched while it is written.

use std::sync::PoisonError;
#[cfg(not(loom))]
use std::sync::{Arc, Mutex, RwLock};

// Under `--cfg loom` its tests go through all orders in which threads can come to these.
#[cfg(loom)]
use loom::sync::{Arc, Mutex, RwLock};

/// An index of which readers have snapshots while a writer changes it.
///
/// A change is made to a copy, which shares with the original all that stays, and then takes its place. Readers wait
/// for no writer, see a change as a whole or not at all, and keep their snapshot as long as they like. A change costs,
/// beyond itself, copying what it touches: mostly links, 128 bytes a vector with 16 links, and the table of keys, 14
/// to 20 bytes a vector. So make many changes in one [`update`](Self::update).
///
/// ```
/// use ast_core_vector::{AutoIndex, HnswConfig, Metric, SearchOptions, Shared, VectorIndex};
///
/// let index = Shared::new(AutoIndex::new(2, Metric::Cosine, HnswConfig::default())?);
/// let before = index.snapshot();
/// index.update(|index| index.insert(7, &[1.0, 0.0]))?;
/// assert!(before.search(&[1.0, 0.0], &SearchOptions::new(1))?.is_empty());
/// assert_eq!(index.snapshot().search(&[1.0, 0.0], &SearchOptions::new(1))?[0].key, 7);
/// # Ok::<(), ast_core_vector::VectorError>(())
/// ```
#[derive(Debug)]
pub struct Shared<I> {
    current: RwLock<Arc<I>>,
    /// Held by the writer, of which there is one at a time.
    writing: Mutex<()>,
}

impl<I: Clone> Shared<I> {
    /// Shares an index.
    pub fn new(index: I) -> Self {
        Self { current: RwLock::new(Arc::new(index)), writing: Mutex::new(()) }
    }

    /// The index as the last change left it.
    pub fn snapshot(&self) -> Arc<I> {
        // The lock guards one pointer, which is never half written.
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the index, one caller after another, and returns what `change` does. If `change` panics, the index is
    /// as it was.
    pub fn update<T>(&self, change: impl FnOnce(&mut I) -> T) -> T {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = I::clone(&self.snapshot());
        let result = change(&mut next);
        let next = Arc::new(next);
        let previous =
            std::mem::replace(&mut *self.current.write().unwrap_or_else(PoisonError::into_inner), next);
        // Outside the lock, because freeing a large index takes time.
        drop(previous);
        result
    }
}

#[cfg(all(test, loom))]
mod tests {
    use super::*;

    /// Two numbers that every change keeps equal.
    #[derive(Clone, Default)]
    struct Pair(u32, u32);

    fn add(shared: &Shared<Pair>) {
        shared.update(|pair| {
            pair.0 += 1;
            loom::thread::yield_now();
            pair.1 += 1;
        });
    }

    #[test]
    fn no_change_is_lost_or_seen_half() {
        loom::model(|| {
            let shared = Arc::new(Shared::new(Pair::default()));
            let writers = [0; 2].map(|_| {
                let shared = Arc::clone(&shared);
                loom::thread::spawn(move || add(&shared))
            });
            let first = shared.snapshot();
            let second = shared.snapshot();
            assert!(first.0 == first.1 && second.0 == second.1 && first.0 <= second.0);
            let kept = (first.0, first.1);
            for writer in writers {
                writer.join().unwrap();
            }
            assert_eq!((first.0, first.1), kept, "a snapshot stays what it was");
            let last = shared.snapshot();
            assert_eq!((last.0, last.1), (2, 2));
        });
    }
}
