//! Vector search: how fast the exact index scans, in bytes a second.

use std::hint::black_box;

use ast_core_vector::{FlatIndex, Metric, SearchOptions, VectorIndex};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rayon::ThreadPoolBuilder;

const DIMENSION: usize = 256;

/// Uniform values in `-1.0..1.0` from SplitMix64; a scan takes the same time whatever it reads.
fn values(count: usize, mut seed: u64) -> Vec<f32> {
    let next = || {
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn flat_search(c: &mut Criterion) {
    let queries = values(16 * DIMENSION, 1);
    let mut group = c.benchmark_group(format!("flat_search/{}", ast_core_vector::kernel_name()));
    for count in [10_000, 100_000, 200_000] {
        let mut index = FlatIndex::new(DIMENSION, Metric::Cosine).expect("a dimension in range");
        let keys: Vec<u64> = (0..count as u64).collect();
        index.insert_many(&keys, &values(count * DIMENSION, 2)).expect("finite vectors");
        group.throughput(Throughput::Bytes((count * DIMENSION * size_of::<f32>()) as u64));
        for threads in [1, 2] {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let mut queries = queries.chunks(DIMENSION).cycle();
            group.bench_function(
                BenchmarkId::new(format!("{count}x{DIMENSION}"), format!("{threads}t")),
                |b| {
                    pool.install(|| {
                        b.iter(|| {
                            index.search(black_box(queries.next().unwrap_or(&[])), &SearchOptions::new(10))
                        });
                    });
                },
            );
        }
    }
    group.finish();
}

fn flat_insert_many(c: &mut Criterion) {
    let count = 20_000;
    let (keys, vectors): (Vec<u64>, _) = ((0..count as u64).collect(), values(count * DIMENSION, 3));
    let mut group = c.benchmark_group("flat_insert_many");
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function(format!("{count}x{DIMENSION}"), |b| {
        b.iter(|| {
            let mut index = FlatIndex::new(DIMENSION, Metric::Cosine).expect("a dimension in range");
            index.insert_many(&keys, &vectors).expect("finite vectors");
            index
        });
    });
    group.finish();
}

criterion_group!(benches, flat_search, flat_insert_many);
criterion_main!(benches);
