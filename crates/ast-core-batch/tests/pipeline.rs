//! What a run promises, over random inputs and bounds. A promise not to block is tested by not blocking.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use ast_core_batch::{
    Batch, BatchConfig, BatchError, CancelToken, Completed, Control, Order, Outcome, Progress, WorkerPool,
    run,
};
use proptest::prelude::*;

/// One item: what it weighs, how long it takes, and whether it panics.
#[derive(Clone, Copy, Debug)]
struct Task {
    weight: u64,
    spins: u8,
    panics: bool,
}

impl Task {
    /// Returns or panics with the weight, so that a result tells which task it is of.
    fn perform(self) -> u64 {
        for _ in 0..self.spins {
            thread::yield_now();
        }
        if self.panics {
            // As `panic!`, but the panic hook prints nothing.
            resume_unwind(Box::new(format!("weight {}", self.weight)));
        }
        self.weight
    }

    fn expected(self) -> Outcome<u64> {
        if self.panics {
            Outcome::Panicked { message: format!("weight {}", self.weight) }
        } else {
            Outcome::Done(self.weight)
        }
    }
}

fn tasks() -> impl Strategy<Value = Vec<Task>> {
    let task = (0_u64..40, 0_u8..20, prop::bool::weighted(0.1));
    prop::collection::vec(task.prop_map(|(weight, spins, panics)| Task { weight, spins, panics }), 0..120)
}

fn bounds() -> impl Strategy<Value = BatchConfig> {
    (1_usize..6, 1_usize..5, 0_u64..100).prop_map(|(workers, queue_capacity, memory_budget)| BatchConfig {
        workers: NonZeroUsize::new(workers).unwrap(),
        queue_capacity: NonZeroUsize::new(queue_capacity).unwrap(),
        memory_budget,
        stack_size: 1 << 20,
    })
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![Just(Order::Completion), Just(Order::Input)]
}

/// Items that may be between their start and the return of the sink.
fn outstanding_bound(bounds: &BatchConfig) -> usize {
    bounds.workers.get() + bounds.queue_capacity.get()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every item has exactly one outcome, the right one, in input order if asked: whatever the number of
    /// workers, with items above the whole budget, and with permits that are dropped somewhere else, later.
    #[test]
    fn every_item_has_its_outcome_once(tasks in tasks(), bounds in bounds(), order in order()) {
        let mut pool = WorkerPool::new(bounds).unwrap();
        let progress = Progress::new();
        let mut outcomes = Vec::new();
        let summary = thread::scope(|scope| {
            let (writer, permits) = mpsc::channel();
            scope.spawn(move || permits.into_iter().for_each(drop));
            let outcomes = &mut outcomes;
            run(
                &mut pool,
                Batch {
                    items: tasks.iter().copied(),
                    weigh: |task: &Task| task.weight,
                    worker: |_| Task::perform,
                    sink: move |Completed { index, outcome, permit, .. }| {
                        outcomes.push((index, outcome));
                        writer.send(permit)
                    },
                },
                Control { order, progress: progress.clone(), ..Control::default() },
            )
        }).unwrap();

        if order == Order::Completion {
            outcomes.sort_by_key(|(index, _)| *index);
        }
        let expected: Vec<_> = tasks.iter().map(|task| task.expected()).enumerate().collect();
        prop_assert_eq!(outcomes, expected);

        let panicked = tasks.iter().filter(|task| task.panics).count();
        let bytes: u64 = tasks.iter().map(|task| task.weight).sum();
        prop_assert_eq!((summary.started, summary.delivered), (tasks.len(), tasks.len()));
        prop_assert_eq!((summary.panicked, summary.not_started), (panicked, Some(0)));
        prop_assert_eq!((summary.bytes, summary.cancelled), (bytes, false));
        let progress = progress.snapshot();
        prop_assert_eq!((progress.items_done, progress.items_total), (tasks.len() as u64, Some(tasks.len() as u64)));
        prop_assert_eq!((progress.items_failed, progress.bytes_done), (panicked as u64, bytes));
        prop_assert_eq!(pool.budget().used(), 0);
    }

    /// With a sink slower than the workers, neither the number nor the weight of what is in flight exceeds
    /// its bound, as counted from outside.
    #[test]
    fn a_slow_sink_holds_the_workers_back(tasks in tasks(), bounds in bounds(), order in order()) {
        let budget = bounds.memory_budget;
        let mut pool = WorkerPool::new(bounds.clone()).unwrap();
        let (outstanding, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (held, too_heavy) = (AtomicU64::new(0), AtomicUsize::new(0));
        run(
            &mut pool,
            Batch {
                items: tasks.iter().copied(),
                weigh: |task: &Task| task.weight,
                worker: |_| |task: Task| {
                    most.fetch_max(outstanding.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let now = held.fetch_add(task.weight, Ordering::SeqCst) + task.weight;
                    // An oversized item may have those beside it that weigh nothing.
                    let alone = now == task.weight || task.weight == 0;
                    too_heavy.fetch_add(usize::from(now > budget && !alone), Ordering::SeqCst);
                    task.weight
                },
                sink: |completed: Completed<u64>| {
                    for _ in 0..50 {
                        thread::yield_now();
                    }
                    held.fetch_sub(completed.permit.bytes(), Ordering::SeqCst);
                    drop(completed);
                    outstanding.fetch_sub(1, Ordering::SeqCst);
                    Ok::<(), Infallible>(())
                },
            },
            Control { order, ..Control::default() },
        ).unwrap();
        prop_assert!(most.into_inner() <= outstanding_bound(&bounds));
        prop_assert_eq!(too_heavy.into_inner(), 0);
        let heaviest = tasks.iter().map(|task| task.weight).max().unwrap_or(0);
        prop_assert!(pool.budget().peak() <= budget.max(heaviest));
    }

    /// Cancelled by a worker, the sink or a bystander, at any item: what was started is a prefix of the input
    /// and is delivered, the rest is counted, and the pool is as good as new.
    #[test]
    fn a_cancelled_run_delivers_what_it_started(
        tasks in tasks(),
        bounds in bounds(),
        order in order(),
        at in 0_usize..100,
        by in 0..3,
    ) {
        let mut pool = WorkerPool::new(bounds.clone()).unwrap();
        let cancel = CancelToken::new();
        let (worked, mut indexes) = (AtomicUsize::new(0), Vec::new());
        let summary = thread::scope(|scope| {
            if by == 2 {
                scope.spawn(|| {
                    for _ in 0..at {
                        thread::yield_now();
                    }
                    cancel.cancel();
                });
            }
            run(
                &mut pool,
                Batch {
                    items: tasks.iter().copied(),
                    weigh: |task: &Task| task.weight,
                    worker: |_| |task: Task| {
                        if by == 0 && worked.fetch_add(1, Ordering::SeqCst) == at {
                            cancel.cancel();
                        }
                        task.perform()
                    },
                    sink: |completed: Completed<u64>| {
                        if by == 1 && indexes.len() == at {
                            cancel.cancel();
                        }
                        indexes.push(completed.index);
                        Ok::<(), Infallible>(())
                    },
                },
                Control { order, cancel: cancel.clone(), ..Control::default() },
            )
        }).unwrap();

        if order == Order::Completion {
            indexes.sort_unstable();
        }
        prop_assert_eq!(indexes, (0..summary.started).collect::<Vec<_>>());
        prop_assert_eq!(summary.delivered, summary.started);
        prop_assert_eq!(summary.not_started, Some(tasks.len() - summary.started));
        prop_assert_eq!(summary.cancelled, summary.started < tasks.len());
        if by == 1 {
            prop_assert!(summary.started <= at + outstanding_bound(&bounds));
        }
        prop_assert_eq!((pool.budget().used(), pool.budget().waiting()), (0, 0));
        prop_assert_eq!(sum(&mut pool, 1..=100), 5050);
    }

    /// A sink that fails at any item is not called again, and its error comes back.
    #[test]
    fn a_failing_sink_ends_the_run(
        tasks in tasks(),
        bounds in bounds(),
        order in order(),
        at in 0_usize..100,
    ) {
        let mut pool = WorkerPool::new(bounds.clone()).unwrap();
        let mut calls = 0;
        let mut refused = None;
        let result = run(
            &mut pool,
            Batch {
                items: tasks.iter().copied(),
                weigh: |task: &Task| task.weight,
                worker: |_| Task::perform,
                sink: |completed: Completed<u64>| {
                    calls += 1;
                    if calls > at {
                        refused = Some(completed.index);
                        return Err("disk full");
                    }
                    Ok(())
                },
            },
            Control { order, ..Control::default() },
        );
        match result {
            Ok(summary) => {
                prop_assert!(tasks.len() <= at);
                prop_assert_eq!(summary.delivered, tasks.len());
            }
            Err(BatchError::Sink { index, summary, source }) => {
                prop_assert_eq!((calls, summary.delivered), (at + 1, at));
                prop_assert_eq!((Some(index), source), (refused, "disk full"));
                prop_assert!(summary.started <= at + outstanding_bound(&bounds));
                prop_assert_eq!(summary.not_started, Some(tasks.len() - summary.started));
                prop_assert!(!summary.cancelled);
            }
            Err(other) => panic!("{other:?}"),
        }
        prop_assert_eq!((pool.budget().used(), pool.budget().waiting()), (0, 0));
        prop_assert_eq!(sum(&mut pool, 1..=100), 5050);
    }
}

/// A run in which everything goes well.
fn sum(pool: &mut WorkerPool, numbers: impl Iterator<Item = u64> + Send) -> u64 {
    let mut sum = 0;
    let batch = Batch {
        items: numbers,
        weigh: |_: &u64| 1,
        worker: |_| |number: u64| number,
        sink: |completed: Completed<u64>| {
            if let Outcome::Done(number) = completed.outcome {
                sum += number;
            }
            Ok::<(), Infallible>(())
        },
    };
    run(pool, batch, Control::default()).unwrap();
    sum
}
