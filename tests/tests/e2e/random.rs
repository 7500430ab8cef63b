//! Random numbers that are the same each time: what failed once can be looked at again.

/// SplitMix64: Steele et al., "Fast splittable pseudorandom number generators", 2014.
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) as usize % bound
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// A number that a longer run is asked for with, by the variable; else the one for every day.
pub(crate) fn asked_for(variable: &str, usual: usize) -> usize {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}; expected a number")),
        Err(_) => usual,
    }
}

/// Tells what a long test did, whether it is asked to be heard or not.
pub(crate) fn tell(text: impl std::fmt::Display) {
    use std::io::Write;
    // Nobody may be there to be told.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
