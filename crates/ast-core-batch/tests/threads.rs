//! The threads of a pool. Alone in its process, for it counts them.

use std::convert::Infallible;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::thread;

use ast_core_batch::{Batch, BatchConfig, Completed, Control, Outcome, WorkerPool, run};

/// Uses more than `depth` KiB of stack.
fn descend(depth: usize) -> u8 {
    let frame = black_box([depth as u8; 1024]);
    if depth == 0 { frame[0] } else { descend(depth - 1).wrapping_add(black_box(frame)[7]) }
}

fn names(pool: &mut WorkerPool) -> Vec<String> {
    let mut names = Vec::new();
    let batch = Batch {
        items: 0..64,
        weigh: |_: &i32| 1,
        worker: |_| {
            |_: i32| {
                descend(4 << 10);
                thread::current().name().unwrap_or_default().to_owned()
            }
        },
        sink: |completed: Completed<String>| {
            if let Outcome::Done(name) = completed.outcome {
                names.push(name);
            }
            Ok::<(), Infallible>(())
        },
    };
    run(pool, batch, Control::default()).unwrap();
    names
}

#[test]
fn threads_are_named_have_the_stack_asked_for_and_end_with_the_pool() {
    let before = threads();
    let config = BatchConfig { workers: NonZeroUsize::new(5).unwrap(), ..BatchConfig::default() };
    let mut pool = WorkerPool::new(config).unwrap();
    for _ in 0..2 {
        let names = names(&mut pool);
        assert_eq!(names.len(), 64);
        let expected: Vec<_> = (0..5).map(|worker| format!("ast-core-worker-{worker}")).collect();
        assert!(names.iter().all(|name| expected.contains(name)), "{names:?}");
        assert_eq!(pool.install(rayon::current_num_threads), 5);
        assert_eq!(threads(), before.map(|before| before + 5));
    }
    drop(pool);
    // The kernel may list a joined thread for a moment longer.
    while threads() != before {
        thread::yield_now();
    }

    let absurd = BatchConfig { stack_size: usize::MAX / 2, ..BatchConfig::default() };
    let error = WorkerPool::new(absurd).unwrap_err();
    assert!(error.to_string().contains("worker threads"), "{error}");
    assert_eq!(threads(), before);
}

/// Threads of this process, where the system tells.
fn threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}
