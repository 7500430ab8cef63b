//! Removing.
use super::Hnsw;
#[derive(Clone, Default)]
pub(crate) struct Sweep {
    dead: Vec<u32>,
}
impl Hnsw {
    pub(super) fn kill(&mut self, key: u64) -> bool {
        let Some(slot) = self.keys.take(key) else { return false };
        self.live.remove(slot as u32);
        self.sweep.dead.push(slot as u32);
        true
    }
}
