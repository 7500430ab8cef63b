//! Files whose checksums are right and whose contents are not: nothing they say may lead to a panic.

use std::{fs, path::Path};

use super::format::{Fields, PREFIX, Part, checksum};
use crate::{
    ByteIndex, ByteWriter, Expected, Hnsw, HnswConfig, Metric, SaveOptions, SearchOptions, Storage,
    VectorError, VectorIndex,
};

const DIMENSION: usize = 5;

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn vector(&mut self) -> Vec<f32> {
        (0..DIMENSION).map(|_| self.below(1000) as f32 / 300.0 - 1.5).collect()
    }
}

/// Makes the checksums of a file fit what is in it.
fn seal(bytes: &mut [u8]) {
    let header = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    let sum = checksum(&bytes[PREFIX..header]);
    bytes[16..24].copy_from_slice(&sum.to_le_bytes());
    let Ok(mut fields) = Fields::decode(Path::new("sealed"), &bytes[..header]) else { return };
    let state = fields.state;
    let Some(at) = fields.table.iter().position(|entry| entry.part == Part::Checksums) else { return };
    let sums = fields.table[at].offset as usize;
    for entry in &mut fields.table {
        let section = entry.offset as usize..(entry.offset + entry.length) as usize;
        if section.end > bytes.len() || entry.shift > 32 || entry.first > 1 << 32 {
            return;
        }
        let rows = if entry.part == Part::Upper { state.upper } else { state.slots };
        if entry.shift == 0 || rows == 0 {
            entry.checksum = checksum(&bytes[section]);
            continue;
        }
        let row = section.len() / rows;
        let block = (row << entry.shift).max(1);
        let blocks: Vec<u8> =
            bytes[section].chunks(block).flat_map(|block| checksum(block).to_le_bytes()).collect();
        entry.checksum = checksum(&blocks);
        let first = sums + entry.first as usize * 8;
        if let Some(place) = bytes.get_mut(first..first + blocks.len()) {
            place.copy_from_slice(&blocks);
        }
    }
    let end = sums + fields.table[at].length as usize;
    fields.table[at].checksum = checksum(&bytes[sums..end]);
    let sealed = fields.encode();
    bytes[..sealed.len()].copy_from_slice(&sealed);
}

fn use_all(path: &Path, expected: &Expected<'_>, config: &HnswConfig) -> Result<(), VectorError> {
    let (mut index, _) = Hnsw::open(path, expected, config.clone())?;
    let mut random = Random(3);
    let odd = |key| key % 2 == 1;
    for options in [SearchOptions::new(5).with_ef(8), SearchOptions::new(5).with_ef(8).with_filter(&odd)] {
        for _ in 0..5 {
            index.search(&random.vector(), &options)?;
        }
    }
    for key in 0..60 {
        index.remove(key * 3)?;
        index.insert(key * 2, &random.vector())?;
    }
    index.compact();
    index.search(&random.vector(), &SearchOptions::new(5))?;
    index.verify()
}

#[test]
fn what_a_file_says_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    for (metric, storage) in [
        (Metric::Cosine, Storage::CodeAndFloat),
        (Metric::Dot, Storage::CodeAndHalf),
        (Metric::Dot, Storage::Code),
        (Metric::Euclidean, Storage::Float),
    ] {
        let config = HnswConfig { m: 4, ef_construction: 20, storage, ..HnswConfig::default() };
        let mut index = Hnsw::new(DIMENSION, metric, config.clone()).unwrap();
        let mut random = Random(1);
        for key in 0..1500 {
            index.insert(key, &random.vector()).unwrap();
        }
        for key in 0..200 {
            index.remove(key).unwrap();
        }
        index.save(&path, &SaveOptions { generation: 1, model: "model" }).unwrap();
        let whole = fs::read(&path).unwrap();
        let expected = Expected { dimension: DIMENSION, metric, model: "model" };
        let mut sealed = whole.clone();
        seal(&mut sealed);
        assert!(sealed == whole, "the seal is the one that is written");

        let refused = refused_of(ROUNDS, &path, &whole, &mut random, || use_all(&path, &expected, &config));
        assert!(refused > ROUNDS / 4, "{refused} of {ROUNDS} do not fit together");
    }
}

#[test]
fn what_a_file_of_bytes_says_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let mut random = Random(1);
    let mut code = |_| random.below(200) as i8 | 1;
    let options = SaveOptions { generation: 1, model: "model" };
    let mut file = ByteWriter::create(&path, DIMENSION, &options).unwrap();
    for key in 0..1500 {
        file.push(key, &std::array::from_fn::<i8, DIMENSION, _>(&mut code)).unwrap();
    }
    file.finish(b"payload").unwrap();
    let whole = fs::read(&path).unwrap();
    let mut sealed = whole.clone();
    seal(&mut sealed);
    assert!(sealed == whole, "the seal is the one that is written");
    let use_all = || {
        let expected = Expected { dimension: DIMENSION, metric: Metric::Cosine, model: "model" };
        let (mut index, ..) = ByteIndex::open(&path, &expected)?;
        let odd = |key| key % 2 == 1;
        let query = Random(3).vector();
        for options in [SearchOptions::new(5), SearchOptions::new(5).with_filter(&odd)] {
            let found = index.search(&query, &options)?;
            assert!(found.iter().all(|found| found.score.is_finite()));
        }
        for key in 0..60 {
            index.remove(key * 3)?;
            index.insert_codes(&[key * 2], &[1; DIMENSION])?;
        }
        index.search(&query, &SearchOptions::new(5))?;
        index.verify()
    };
    // Most of its numbers are keys and vectors, which can be any.
    let refused = refused_of(ROUNDS, &path, &whole, &mut Random(2), use_all);
    assert!(refused > ROUNDS / 10, "{refused} of {ROUNDS} do not fit together");
}

const ROUNDS: usize = 400;

/// How often a file is refused of which some numbers are others, and the checksums are right.
fn refused_of(
    rounds: usize,
    path: &Path,
    whole: &[u8],
    random: &mut Random,
    mut use_all: impl FnMut() -> Result<(), VectorError>,
) -> usize {
    let header = Fields::decode(path, &whole[..Fields::length(path, &whole[..PREFIX]).unwrap()]).unwrap();
    let mut refused = 0;
    for round in 0..rounds {
        let mut bytes = whole.to_vec();
        // Some bytes of the header, or some numbers of one section.
        if round % 4 == 0 {
            for _ in 0..1 + random.below(2) {
                bytes[32 + random.below(152 + 40 * header.table.len())] = random.below(256) as u8;
            }
        } else {
            let entry = header.table[random.below(header.table.len())];
            for _ in 0..1 + random.below(20) * usize::from(entry.length > 0) {
                if entry.length >= 4 {
                    let at = entry.offset as usize + random.below(entry.length as usize / 4) * 4;
                    let other = entry.offset as usize + random.below(entry.length as usize / 4) * 4;
                    let number: [u8; 4] = match random.below(4) {
                        0 => (random.below(2000) as u32).to_le_bytes(),
                        1 => u32::MAX.to_le_bytes(),
                        2 => whole[other..other + 4].try_into().unwrap(),
                        _ => (random.below(1 << 31) as u32 * 2).to_le_bytes(),
                    };
                    bytes[at..at + 4].copy_from_slice(&number);
                }
            }
        }
        seal(&mut bytes);
        fs::write(path, &bytes).unwrap();
        refused += usize::from(use_all().is_err());
    }
    refused
}
