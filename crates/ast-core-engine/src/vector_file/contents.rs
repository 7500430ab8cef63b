//! What a vector file says of the files whose vectors it has.

use ast_core_model::{ChunkId, FileId, SymbolKind};
use ast_core_storage::FileVersion;

/// The versions of files whose vectors a file has, and the kinds of their chunks.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Contents {
    /// In order of ids.
    pub(crate) files: Vec<Held>,
    /// A byte a chunk: 0 for none, or one more than the place of its kind in the list of kinds, which only ever grows at its
    /// end.
    pub(super) kinds: Vec<u8>,
}

/// A version of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Held {
    pub(crate) id: FileId,
    checksum: u64,
    /// Its first chunk among all.
    first: usize,
    pub(crate) chunks: u32,
}

/// What a file has and a store has not, and the other way round.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Difference {
    /// By their places in [`Contents::files`].
    pub(crate) gone: Vec<usize>,
    pub(crate) missing: Vec<FileVersion>,
}

impl Contents {
    /// Adds a file, of a higher id than all before.
    pub(super) fn push(&mut self, id: FileId, checksum: u64, kinds: &[Option<SymbolKind>]) {
        let place = |kind| SymbolKind::ALL.iter().position(|known| *known == kind);
        let bytes = kinds.iter().map(|kind| kind.and_then(place).map_or(0, |at| at as u8 + 1)).collect();
        self.push_bytes(id, checksum, bytes);
    }

    pub(super) fn push_bytes(&mut self, id: FileId, checksum: u64, mut kinds: Vec<u8>) {
        self.files.push(Held { id, checksum, first: self.kinds.len(), chunks: kinds.len() as u32 });
        self.kinds.append(&mut kinds);
    }

    pub(super) fn held(&self, id: FileId) -> Option<&Held> {
        let at = self.files.binary_search_by_key(&id, |held| held.id).ok()?;
        self.files.get(at)
    }

    /// The kinds of the chunks of a file, as they are encoded.
    pub(super) fn kinds_of(&self, held: &Held) -> Option<&[u8]> {
        self.kinds.get(held.first..)?.get(..held.chunks as usize)
    }

    /// Numbers in little-endian order: how many files there are; of each its id, its checksum and its number of chunks in
    /// 8, 8 and 4 bytes; kinds.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + self.files.len() * HELD + self.kinds.len());
        bytes.extend((self.files.len() as u64).to_le_bytes());
        for held in &self.files {
            bytes.extend(held.id.get().to_le_bytes());
            bytes.extend(held.checksum.to_le_bytes());
            bytes.extend(held.chunks.to_le_bytes());
        }
        bytes.extend(&self.kinds);
        bytes
    }

    /// `None` if nothing of this form was encoded so.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (count, rest) = bytes.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_le_bytes(*count)).ok()?.checked_mul(HELD)?;
        let (list, kinds) = rest.split_at_checked(length)?;
        let mut files: Vec<Held> = Vec::with_capacity(list.len() / HELD);
        let mut first = 0_usize;
        for held in list.as_chunks::<HELD>().0 {
            let (id, rest) = held.split_first_chunk::<8>()?;
            let (checksum, chunks) = rest.split_first_chunk::<8>()?;
            let id = FileId::new(u64::from_le_bytes(*id))?;
            if files.last().is_some_and(|last| last.id >= id) {
                return None;
            }
            let chunks = u32::from_le_bytes(chunks.try_into().ok()?);
            files.push(Held { id, checksum: u64::from_le_bytes(*checksum), first, chunks });
            first = first.checked_add(chunks as usize)?;
        }
        let is_kind = |byte: &u8| usize::from(*byte) <= SymbolKind::ALL.len();
        (kinds.len() == first && kinds.iter().all(is_kind)).then(|| Self { files, kinds: kinds.to_vec() })
    }

    /// How many chunks a file has.
    pub(crate) fn chunks_of(&self, file: FileId) -> usize {
        let at = self.files.binary_search_by_key(&file, |held| held.id);
        at.map_or(0, |at| self.files[at].chunks as usize)
    }

    /// The kind of the definition that a chunk is about.
    pub(crate) fn kind_of(&self, chunk: ChunkId) -> Option<SymbolKind> {
        let byte = self.kinds_of(self.held(chunk.file())?)?.get(chunk.ordinal() as usize)?;
        SymbolKind::ALL.get(usize::from(byte.checked_sub(1)?)).copied()
    }

    /// Whether these are the kinds of the chunks of a file.
    pub(super) fn has_kinds(&self, id: FileId, kinds: &[Option<SymbolKind>]) -> bool {
        let chunks = (0..kinds.len() as u32).filter_map(|ordinal| ChunkId::in_file(id, ordinal));
        self.held(id).is_some_and(|held| held.chunks as usize == kinds.len())
            && chunks.zip(kinds).all(|(chunk, kind)| self.kind_of(chunk) == *kind)
    }

    /// How it differs from what a store has, in order of ids.
    pub(crate) fn difference(&self, versions: &[FileVersion]) -> Difference {
        let mut difference = Difference::default();
        let mut versions = versions.iter().peekable();
        for (place, held) in self.files.iter().enumerate() {
            while let Some(before) = versions.next_if(|version| version.id < held.id) {
                difference.missing.push(*before);
            }
            match versions.next_if(|version| version.id == held.id) {
                Some(same) if same.checksum == Some(held.checksum) => {}
                other => {
                    difference.gone.push(place);
                    difference.missing.extend(other);
                }
            }
        }
        difference.missing.extend(versions);
        difference
    }
}

/// Bytes of a file in the list of files.
const HELD: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(number: u64) -> FileId {
        FileId::new(number).unwrap()
    }

    fn contents() -> impl Strategy<Value = Contents> {
        let kind = (0..=SymbolKind::ALL.len()).prop_map(|at| SymbolKind::ALL.get(at).copied());
        let file = (any::<u64>(), prop::collection::vec(kind, 0..9));
        prop::collection::btree_map(1_u64..60, file, 0..20).prop_map(|files| {
            let mut contents = Contents::default();
            for (number, (checksum, kinds)) in files {
                contents.push(id(number), checksum, &kinds);
            }
            contents
        })
    }

    proptest! {
        #[test]
        fn contents_come_back_and_no_others(contents in contents(), at in any::<usize>(), byte in any::<u8>()) {
            let bytes = contents.encode();
            let decoded = Contents::decode(&bytes);
            prop_assert_eq!(decoded.as_ref(), Some(&contents));
            prop_assert_eq!(Contents::decode(&bytes[..at % bytes.len()]), None);
            // Whatever is decoded is of the form that is encoded.
            let mut changed = bytes;
            let at = at % changed.len();
            changed[at] = byte;
            if let Some(other) = Contents::decode(&changed) {
                prop_assert_eq!(other.encode(), changed);
                for held in &other.files {
                    let past = ChunkId::in_file(held.id, held.chunks);
                    prop_assert_eq!(past.and_then(|chunk| other.kind_of(chunk)), None);
                }
            }
        }

        #[test]
        fn a_difference_is_what_one_has_and_the_other_has_not(
            contents in contents(),
            stored in prop::collection::btree_map(1_u64..60, prop::option::of(any::<u64>()), 0..20),
            same in any::<u64>(),
        ) {
            let versions: Vec<FileVersion> = stored
                .into_iter()
                .map(|(number, checksum)| {
                    // Many are as they were.
                    let held = contents.files.iter().find(|held| held.id == id(number) && same >> number & 1 == 1);
                    FileVersion { id: id(number), checksum: held.map_or(checksum, |held| Some(held.checksum)), size: 1 }
                })
                .collect();
            let is_same = |held: &Held, version: &FileVersion| {
                held.id == version.id && Some(held.checksum) == version.checksum
            };
            let Difference { gone, missing } = contents.difference(&versions);
            let places = 0..contents.files.len();
            let expected = places.filter(|place| !versions.iter().any(|version| is_same(&contents.files[*place], version)));
            prop_assert_eq!(gone, expected.collect::<Vec<_>>());
            let expected = versions.iter().filter(|version| !contents.files.iter().any(|held| is_same(held, version)));
            prop_assert_eq!(missing, expected.copied().collect::<Vec<_>>());
        }
    }
}
