//! Asking for memory before it is needed.

/// Bytes of a cache line.
const LINE: usize = 64;

/// Asks for the cache lines of a slice.
#[inline(always)]
pub(crate) fn prefetch<T>(slice: &[T]) {
    let start = slice.as_ptr().cast::<u8>();
    // The end of a loop over few lines would be guessed wrong too often.
    match size_of_val(slice).div_ceil(LINE) {
        1 => hints::<1>(start),
        2 => hints::<2>(start),
        3 => hints::<3>(start),
        4 => hints::<4>(start),
        6 => hints::<6>(start),
        lines => (0..lines).for_each(|line| hint(start.wrapping_add(line * LINE))),
    }
}

#[inline(always)]
fn hints<const LINES: usize>(start: *const u8) {
    for line in 0..LINES {
        hint(start.wrapping_add(line * LINE));
    }
}

/// Asks for the cache line that lies `distance` values behind a value.
#[inline(always)]
pub(in crate::kernel) fn prefetch_behind<T>(value: &T, distance: usize) {
    hint(std::ptr::from_ref(value).wrapping_add(distance).cast());
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn hint(address: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a prefetch is a hint. It reads nothing that the program can see and does not fault, whatever the
    // address is.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn hint(address: *const u8) {
    // SAFETY: as on x86-64: the instruction is a hint, changes no register or flag and cannot fault.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{address}]", address = in(reg) address,
            options(nostack, preserves_flags, readonly));
    }
}

/// Nothing: other targets have no stable prefetch.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline(always)]
fn hint(_address: *const u8) {}
