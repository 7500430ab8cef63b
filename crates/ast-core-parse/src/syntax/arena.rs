//! The memory of one parse, given back at once.
//!
//! A tenth of tree-sitter's time goes into asking for the memory of small nodes and giving it back, and half as much
//! again into walking a finished tree to free it. While an [`Arena`] is in use, all of that is a bump of a pointer, or
//! the head of a list of blocks of the same size that were freed; when it is done with, nothing is walked.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Blocks begin at multiples of this, and their sizes are multiples of it, in bytes.
const UNIT: usize = 16;
/// What stands before the memory that is given: the block's class.
const HEADER: usize = size_of::<usize>();
/// Blocks of up to so many units have a class for each size.
const SMALL: usize = 64;
/// Beyond it there are so many classes for each power of two.
const STEPS: usize = 4;
/// The number of classes, the last of which are larger than any memory.
const CLASSES: usize = SMALL + 1 + STEPS * 44;
/// The size of the first chunk in bytes; each further one has twice the size of the one before, up to a limit.
const FIRST_CHUNK: usize = 1 << 20;
const LARGEST_CHUNK: usize = 64 << 20;
/// How much is kept from one parse to the next, in bytes: what most files need.
const KEPT: usize = 8 << 20;

/// Memory for all that one parse asks for.
pub(crate) struct Arena {
    /// Where the next block goes, and the end of the chunk it is in.
    next: usize,
    end: usize,
    /// The first free block of each class; each holds the address of the next.
    free: [*mut *mut u8; CLASSES],
    chunks: Vec<Chunk>,
    /// How many of the chunks are in use.
    used: usize,
}

struct Chunk {
    start: *mut u8,
    layout: Layout,
}

// SAFETY: what it points to is its own.
unsafe impl Send for Arena {}

thread_local! {
    /// The arena that is in use on this thread, if any.
    static CURRENT: Cell<*mut Arena> = const { Cell::new(ptr::null_mut()) };
}

impl Arena {
    /// An arena without memory. The first of a process puts itself between tree-sitter and its allocator.
    pub(crate) fn new() -> Self {
        hook::install();
        Self { next: 0, end: 0, free: [ptr::null_mut(); CLASSES], chunks: Vec::new(), used: 0 }
    }

    /// Does some work for which tree-sitter's memory on this thread comes out of the arena, and takes all of it back;
    /// `None`, and nothing is done, if tree-sitter was given another allocator since.
    ///
    /// # Safety
    /// Nothing that tree-sitter makes during the work may be used after it, not even to be dropped, and nothing of
    /// tree-sitter's that was there before may be dropped or changed during it.
    pub(crate) unsafe fn run<T>(&mut self, work: impl FnOnce() -> T) -> Option<T> {
        /// Takes the memory back also if the work panics.
        struct InUse(*mut Arena);
        impl Drop for InUse {
            fn drop(&mut self) {
                CURRENT.set(ptr::null_mut());
                // SAFETY: it is the arena that `run` borrows, which nobody else uses.
                unsafe { (*self.0).reset() };
            }
        }
        if !hook::is_in_place() || !CURRENT.get().is_null() {
            return None;
        }
        let arena: *mut Self = self;
        let in_use = InUse(arena);
        CURRENT.set(arena);
        let result = work();
        drop(in_use);
        Some(result)
    }

    fn reset(&mut self) {
        self.free = [ptr::null_mut(); CLASSES];
        self.used = 0;
        (self.next, self.end) = (0, 0);
        let mut kept = 0;
        let sizes = self.chunks.iter().map(|chunk| chunk.layout.size());
        let count = sizes
            .take_while(|size| {
                kept += size;
                kept <= KEPT
            })
            .count();
        self.free_chunks(count);
    }

    /// Gives all chunks but the first back to the system.
    fn free_chunks(&mut self, keep: usize) {
        for chunk in self.chunks.drain(keep..) {
            // SAFETY: it was allocated with this layout, and nothing in it is used any more.
            unsafe { dealloc(chunk.start, chunk.layout) };
        }
    }

    fn give(&mut self, size: usize) -> *mut u8 {
        let (class, block) = class_of(size);
        let first = self.free[class];
        if !first.is_null() {
            // SAFETY: a free block of this class, which holds the address of the next.
            self.free[class] = unsafe { *first }.cast();
            return first.cast();
        }
        if self.end - self.next < block {
            self.next_chunk(block);
        }
        let header = self.next as *mut usize;
        self.next += block;
        // SAFETY: the block is within the chunk, which has been allocated, and begins with its header.
        unsafe {
            *header = class;
            header.add(1).cast()
        }
    }

    /// # Safety
    /// The memory was given by [`give`](Self::give) and is not free yet.
    unsafe fn take_back(&mut self, memory: *mut u8) {
        debug_assert!(self.owns(memory));
        let free = memory.cast::<*mut u8>();
        // SAFETY: as the caller promises; a block has room for its header and an address.
        unsafe {
            let class = *memory.cast::<usize>().sub(1);
            *free = self.free[class].cast();
            self.free[class] = free;
        }
    }

    /// # Safety
    /// As for [`take_back`](Self::take_back).
    unsafe fn resize(&mut self, memory: *mut u8, size: usize) -> *mut u8 {
        debug_assert!(self.owns(memory));
        // SAFETY: as the caller promises.
        let header = unsafe { memory.cast::<usize>().sub(1) };
        // SAFETY: likewise.
        let old_block = block_of(unsafe { *header });
        let (class, block) = class_of(size);
        if block <= old_block {
            return memory;
        }
        let start = header as usize;
        if start + old_block == self.next && self.end - start >= block {
            self.next = start + block;
            // SAFETY: the header is the block's, and the block is within the chunk.
            unsafe { *header = class };
            return memory;
        }
        let larger = self.give(size);
        // SAFETY: both blocks have room for what was in the old one, and are not the same.
        unsafe {
            ptr::copy_nonoverlapping(memory, larger, old_block - HEADER);
            self.take_back(memory);
        }
        larger
    }

    /// Makes the next chunk the current one: one that is there, or a new one.
    #[cold]
    fn next_chunk(&mut self, block: usize) {
        while let Some(chunk) = self.chunks.get(self.used) {
            self.used += 1;
            if self.enter(chunk.start as usize, chunk.layout.size(), block) {
                return;
            }
        }
        let last = self.chunks.last().map_or(FIRST_CHUNK / 2, |chunk| chunk.layout.size());
        let size = (2 * last).min(LARGEST_CHUNK).max(block.saturating_add(2 * UNIT));
        // As libc's functions do for tree-sitter: it does not look whether there was memory.
        let Ok(layout) = Layout::from_size_align(size, UNIT) else { std::process::abort() };
        // SAFETY: the size is not 0.
        let start = unsafe { alloc(layout) };
        if start.is_null() {
            handle_alloc_error(layout);
        }
        self.chunks.push(Chunk { start, layout });
        self.used = self.chunks.len();
        self.enter(start as usize, size, block);
    }

    /// Makes a chunk the current one; whether there is room for the block.
    fn enter(&mut self, start: usize, size: usize, block: usize) -> bool {
        // What follows a header is aligned.
        self.next = start + UNIT - HEADER;
        self.end = start + size;
        self.end - self.next >= block
    }

    fn owns(&self, memory: *mut u8) -> bool {
        let at = memory as usize;
        let chunks = self.chunks.iter().take(self.used);
        chunks
            .map(|chunk| (chunk.start as usize, chunk.layout.size()))
            .any(|(start, size)| at >= start && at < start + size)
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.free_chunks(0);
    }
}

/// The class of a request for so many bytes, and the size of its blocks.
#[inline]
fn class_of(size: usize) -> (usize, usize) {
    let Some(units) = size.checked_add(HEADER + UNIT - 1).map(|bytes| bytes / UNIT) else {
        std::process::abort()
    };
    if units <= SMALL {
        return (units, units * UNIT);
    }
    // The highest bits of the size, rounded up.
    let shift = (units - 1).ilog2() - STEPS.ilog2();
    let step = (units - 1) >> shift;
    let class = SMALL + 1 + (shift - (SMALL / STEPS).ilog2()) as usize * STEPS + (step - STEPS);
    if class >= CLASSES {
        std::process::abort();
    }
    (class, ((step + 1) << shift) * UNIT)
}

/// The size of the blocks of a class.
fn block_of(class: usize) -> usize {
    if class <= SMALL {
        return class * UNIT;
    }
    let above = class - SMALL - 1;
    let shift = above / STEPS + (SMALL / STEPS).ilog2() as usize;
    ((STEPS + above % STEPS + 1) << shift) * UNIT
}

/// The functions that tree-sitter calls, in front of those that it called before.
mod hook {
    use super::{Arena, AtomicPtr, CURRENT, Once, Ordering, c_void, ptr};
    use std::mem::transmute;
    use std::sync::OnceLock;
    use tree_sitter::Allocator;

    unsafe extern "C" {
        // Pointers to functions, which C reads without further ado.
        static ts_current_malloc: AtomicPtr<c_void>;
        static ts_current_calloc: AtomicPtr<c_void>;
        static ts_current_realloc: AtomicPtr<c_void>;
        static ts_current_free: AtomicPtr<c_void>;
    }

    /// What tree-sitter called before, and is still called where no arena is in use.
    static BEFORE: OnceLock<Allocator> = OnceLock::new();

    /// Puts the functions into place, once in a process.
    pub(super) fn install() {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            // SAFETY: tree-sitter defines the four, and they hold functions of these types. Another thread may call
            // them at this moment: it finds the old function or the new one, which does what the old one does as long
            // as no arena is in use on its thread.
            unsafe {
                let before = Allocator {
                    malloc: transmute::<*mut c_void, Malloc>(ts_current_malloc.load(Ordering::Acquire)),
                    calloc: transmute::<*mut c_void, Calloc>(ts_current_calloc.load(Ordering::Acquire)),
                    realloc: transmute::<*mut c_void, Realloc>(ts_current_realloc.load(Ordering::Acquire)),
                    free: transmute::<*mut c_void, Free>(ts_current_free.load(Ordering::Acquire)),
                };
                if BEFORE.set(before).is_ok() {
                    ts_current_malloc.store(malloc as Malloc as *mut c_void, Ordering::Release);
                    ts_current_calloc.store(calloc as Calloc as *mut c_void, Ordering::Release);
                    ts_current_realloc.store(realloc as Realloc as *mut c_void, Ordering::Release);
                    ts_current_free.store(free as Free as *mut c_void, Ordering::Release);
                }
            }
        });
    }

    /// Whether the functions are those that tree-sitter calls.
    pub(super) fn is_in_place() -> bool {
        // SAFETY: tree-sitter defines them.
        let (given, freed) =
            unsafe { (ts_current_malloc.load(Ordering::Relaxed), ts_current_free.load(Ordering::Relaxed)) };
        given == malloc as Malloc as *mut c_void && freed == free as Free as *mut c_void
    }

    type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
    type Calloc = unsafe extern "C" fn(usize, usize) -> *mut c_void;
    type Realloc = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
    type Free = unsafe extern "C" fn(*mut c_void);

    fn before() -> &'static Allocator {
        // They are in place only after it was set.
        BEFORE.get().unwrap_or_else(|| std::process::abort())
    }

    /// The arena in use on this thread.
    #[inline]
    fn current<'arena>() -> Option<&'arena mut Arena> {
        // SAFETY: `Arena::run` has borrowed it for as long as it is there, and tree-sitter calls nothing of ours from
        // here: there is no other reference while this one is used.
        unsafe { CURRENT.get().as_mut() }
    }

    unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
        match current() {
            Some(arena) => arena.give(size).cast(),
            // SAFETY: the caller's arguments are passed on.
            None => unsafe { (before().malloc)(size) },
        }
    }

    unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
        let Some(arena) = current() else {
            // SAFETY: the caller's arguments are passed on.
            return unsafe { (before().calloc)(count, size) };
        };
        let size = count.saturating_mul(size);
        let memory = arena.give(size);
        // SAFETY: so many bytes were given.
        unsafe { ptr::write_bytes(memory, 0, size) };
        memory.cast()
    }

    unsafe extern "C" fn realloc(memory: *mut c_void, size: usize) -> *mut c_void {
        match current() {
            Some(arena) if memory.is_null() => arena.give(size).cast(),
            // SAFETY: while an arena is in use, the thread's memory is the arena's.
            Some(arena) => unsafe { arena.resize(memory.cast(), size).cast() },
            // SAFETY: the caller's arguments are passed on.
            None => unsafe { (before().realloc)(memory, size) },
        }
    }

    unsafe extern "C" fn free(memory: *mut c_void) {
        match current() {
            Some(_) if memory.is_null() => {}
            // SAFETY: while an arena is in use, the thread's memory is the arena's.
            Some(arena) => unsafe { arena.take_back(memory.cast()) },
            // SAFETY: the caller's arguments are passed on.
            None => unsafe { (before().free)(memory) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::languages::LANGUAGES;
    use crate::syntax::{Columns, Reader};
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::time::Duration;

    /// Something that is asked of the arena; the place of what it is asked about, among what is there.
    #[derive(Debug, Clone)]
    enum Step {
        Give(usize),
        Resize(usize, usize),
        TakeBack(usize),
        Reset,
    }

    fn sizes() -> impl Strategy<Value = usize> {
        prop_oneof![8 => 0..400usize, 3 => 400..20_000usize, 1 => 20_000..3_000_000usize]
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            12 => sizes().prop_map(Step::Give),
            6 => (any::<usize>(), sizes()).prop_map(|(at, size)| Step::Resize(at, size)),
            8 => any::<usize>().prop_map(Step::TakeBack),
            1 => Just(Step::Reset),
        ];
        proptest::collection::vec(step, 0..200)
    }

    proptest! {
        /// Memory that is given keeps what is written to it until it is taken back: compared with vectors.
        #[test]
        fn memory_is_nobody_elses(steps in steps()) {
            let mut arena = Arena::new();
            let mut given: Vec<(*mut u8, Vec<u8>)> = Vec::new();
            let mut mark = 0u8;
            for step in steps {
                mark = mark.wrapping_add(1);
                // SAFETY: only memory that was given and not taken back is touched, within its size.
                unsafe {
                    match step {
                        Step::Give(size) => {
                            let memory = arena.give(size);
                            prop_assert_eq!(memory as usize % UNIT, 0);
                            ptr::write_bytes(memory, mark, size);
                            given.push((memory, vec![mark; size]));
                        }
                        Step::Resize(at, size) if !given.is_empty() => {
                            let at = at % given.len();
                            let (memory, content) = &mut given[at];
                            let before = content.len();
                            *memory = arena.resize(*memory, size);
                            prop_assert_eq!(*memory as usize % UNIT, 0);
                            content.resize(size, mark);
                            if size > before {
                                ptr::write_bytes(memory.add(before), mark, size - before);
                            }
                        }
                        Step::TakeBack(at) if !given.is_empty() => {
                            let (memory, _) = given.swap_remove(at % given.len());
                            arena.take_back(memory);
                        }
                        Step::Reset => {
                            given.clear();
                            arena.reset();
                        }
                        _ => {}
                    }
                    for (memory, content) in &given {
                        prop_assert_eq!(std::slice::from_raw_parts(*memory, content.len()), &content[..]);
                    }
                }
            }
        }

        #[test]
        fn blocks_have_room_and_little_is_wasted(size in 0..1usize << 40) {
            let (class, block) = class_of(size);
            prop_assert_eq!(block, block_of(class));
            prop_assert!(block >= size + HEADER);
            prop_assert!(block < (size + HEADER + UNIT) * 5 / 4 + UNIT);
        }
    }

    const LONG: Duration = Duration::from_secs(60);

    fn columns_of(reader: &mut Reader, language: crate::Language, text: &str) -> Columns {
        let mut columns = Columns::default();
        let keep = vec![true; language.0.compiled().kept.len()];
        reader.fill(&mut columns, &keep, text, language, LONG).unwrap().unwrap();
        columns
    }

    /// By a tree that lives outside of any arena.
    fn columns_of_kept_tree(reader: &mut Reader, language: crate::Language, text: &str) -> Columns {
        let mut columns = Columns::default();
        let keep = vec![true; language.0.compiled().kept.len()];
        let tree = reader.tree(text, language, None, LONG).unwrap().unwrap();
        columns.fill_by_cursor(&tree, &keep);
        columns
    }

    #[test]
    fn what_is_kept_is_bounded_and_used_again() {
        let mut arena = Arena::new();
        for _ in 0..3 {
            for _ in 0..100 {
                arena.give(1 << 20);
            }
            arena.reset();
            assert!(arena.chunks.iter().map(|chunk| chunk.layout.size()).sum::<usize>() <= KEPT);
            assert!(!arena.chunks.is_empty());
        }
        let first = arena.give(10);
        arena.reset();
        assert_eq!(arena.give(10), first);
    }

    /// What is read from trees in the arena is what is read from those that are kept; on several threads at once, and
    /// where an arena is in use already.
    #[test]
    fn trees_are_the_same() {
        let mut texts: HashMap<&str, Vec<String>> = HashMap::new();
        crate::languages::tests::for_each_fixture(|language, _, bytes| {
            texts.entry(language.as_str()).or_default().push(String::from_utf8_lossy(bytes).into_owned());
        });
        let read = |specs: &'static [&'static crate::languages::Spec]| {
            let (mut reader, mut outer) = (Reader::new(), Arena::new());
            for spec in specs {
                let language = crate::Language(spec);
                for text in texts.get(spec.name).into_iter().flatten() {
                    let kept = columns_of_kept_tree(&mut reader, language, text);
                    let at_once = columns_of(&mut reader, language, text);
                    // SAFETY: the reader and all that it makes are gone afterwards.
                    let inside = unsafe { outer.run(|| columns_of(&mut Reader::new(), language, text)) };
                    for columns in [at_once, inside.expect("the functions are in place")] {
                        assert_eq!(
                            (&columns.kind, &columns.start, &columns.next, &columns.flags),
                            (&kept.kind, &kept.start, &kept.next, &kept.flags),
                            "{language}"
                        );
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for specs in LANGUAGES.chunks(4) {
                scope.spawn(|| read(specs));
            }
        });
    }
}
