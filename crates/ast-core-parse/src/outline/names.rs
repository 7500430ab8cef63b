//! Which names there are already.

use ast_core_model::Symbol;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// The names that definitions have inside of them; gathered when they are first asked for.
#[derive(Default)]
pub(super) struct Names {
    /// A symbol for each name of a definition, by the definition and the name's hash.
    symbols: HashMap<(Option<u32>, u64), u32>,
    hasher: RandomState,
    /// How many symbols were gathered.
    gathered: usize,
}

impl Names {
    pub(super) fn clear(&mut self) {
        self.symbols.clear();
        self.gathered = 0;
    }

    /// Whether a symbol of this one's name belongs to what this one belongs to.
    pub(super) fn has(&mut self, symbols: &[Symbol], symbol: &Symbol) -> bool {
        for (index, known) in symbols.iter().enumerate().skip(self.gathered) {
            self.symbols.insert((known.parent, self.hasher.hash_one(&known.name)), index as u32);
        }
        self.gathered = symbols.len();
        let found = self.symbols.get(&(symbol.parent, self.hasher.hash_one(&symbol.name)));
        found.is_some_and(|&index| symbols[index as usize].name == symbol.name)
    }
}
