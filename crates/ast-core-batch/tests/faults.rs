//! What happens when a part fails, blocks or is missing.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use ast_core_batch::{
    Batch, BatchConfig, BatchSummary, CancelToken, Completed, Control, Order, Outcome, Progress,
    ProgressObserver, ProgressSnapshot, WorkerPool, run,
};

fn pool(workers: usize, queue_capacity: usize, memory_budget: u64) -> WorkerPool {
    WorkerPool::new(BatchConfig {
        workers: NonZeroUsize::new(workers).unwrap(),
        queue_capacity: NonZeroUsize::new(queue_capacity).unwrap(),
        memory_budget,
        stack_size: 1 << 20,
    })
    .unwrap()
}

/// Panics as `panic!` does, but the panic hook prints nothing.
fn fail(message: &'static str) -> ! {
    resume_unwind(Box::new(message))
}

/// Runs `worker` over `items` and returns the outcomes in input order.
fn outcomes<I: Send, T: Send, W: FnMut(I) -> T>(
    pool: &mut WorkerPool,
    items: impl IntoIterator<Item = I, IntoIter: Send>,
    worker: impl Fn(CancelToken) -> W + Sync,
) -> (Vec<Outcome<T>>, BatchSummary) {
    let mut outcomes = Vec::new();
    let sink = |completed: Completed<T>| {
        outcomes.push(completed.outcome);
        Ok::<(), Infallible>(())
    };
    let control = Control { order: Order::Input, ..Control::default() };
    let summary = run(pool, Batch { items, weigh: |_: &I| 1, worker, sink }, control).unwrap();
    (outcomes, summary)
}

#[test]
fn no_items_need_no_worker() {
    let made = AtomicUsize::new(0);
    let (outcomes, summary) = outcomes(&mut pool(3, 1, 10), Vec::<u8>::new(), |_| {
        made.fetch_add(1, Ordering::SeqCst);
        |item| item
    });
    assert!(outcomes.is_empty() && made.into_inner() == 0);
    assert_eq!((summary.started, summary.not_started, summary.cancelled), (0, Some(0), false));
}

#[test]
fn a_worker_is_made_anew_after_a_panic() {
    let made = AtomicUsize::new(0);
    let (outcomes, summary) = outcomes(&mut pool(1, 1, 10), [1, 2, 0, 3, 0, 0, 4], |_| {
        made.fetch_add(1, Ordering::SeqCst);
        let mut seen = Vec::new();
        move |item| {
            seen.push(item);
            if item == 0 { fail("zero") } else { seen.clone() }
        }
    });
    let zero = || Outcome::Panicked { message: "zero".to_owned() };
    let done = Outcome::Done;
    let expected = [done(vec![1]), done(vec![1, 2]), zero(), done(vec![3]), zero(), zero(), done(vec![4])];
    assert_eq!(outcomes, expected);
    assert_eq!((summary.panicked, made.into_inner()), (3, 4));
}

#[test]
fn a_worker_that_cannot_be_made_is_the_outcome_of_its_item() {
    let made = AtomicUsize::new(0);
    let (outcomes, _) = outcomes(&mut pool(1, 1, 10), [10, 20, 30], |_| {
        if made.fetch_add(1, Ordering::SeqCst) == 0 {
            fail("no grammar");
        }
        |item| item
    });
    let expected =
        [Outcome::Panicked { message: "no grammar".to_owned() }, Outcome::Done(20), Outcome::Done(30)];
    assert_eq!(outcomes, expected);
}

#[test]
fn a_worker_may_panic_even_as_it_is_thrown_away() {
    struct Broken;
    impl Drop for Broken {
        fn drop(&mut self) {
            fail("still broken");
        }
    }
    let (outcomes, _) = outcomes(&mut pool(2, 1, 10), 0..20, |_| {
        let broken = Broken;
        move |_: u8| -> () {
            let _state = &broken;
            fail("broken")
        }
    });
    assert_eq!(outcomes, vec![Outcome::Panicked { message: "broken".to_owned() }; 20]);
}

#[test]
fn the_callers_own_panics_are_passed_on_after_the_threads_rest() {
    let mut pool = pool(3, 2, 10);
    for culprit in ["items", "weigh", "sink", "observer"] {
        let alive = AtomicUsize::new(0);
        let blame = |part: &'static str, when: bool| {
            if part == culprit && when {
                fail(part);
            }
        };
        let mut observer = Every(Duration::ZERO, |_: &ProgressSnapshot| blame("observer", true));
        let observed = AssertUnwindSafe(|| {
            run(
                &mut pool,
                Batch {
                    items: (0_u32..).inspect(|&item| blame("items", item == 30)),
                    weigh: |&item: &u32| {
                        blame("weigh", item == 30);
                        4
                    },
                    worker: |_| {
                        let alive = Alive::new(&alive);
                        move |item: u32| {
                            let _state = &alive;
                            item
                        }
                    },
                    sink: |completed: Completed<u32>| {
                        blame("sink", completed.index == 30);
                        Ok::<(), Infallible>(())
                    },
                },
                Control { observer: Some(&mut observer), ..Control::default() },
            )
        });
        let payload = catch_unwind(observed).unwrap_err();
        assert_eq!(payload.downcast_ref::<&str>(), Some(&culprit));
        assert_eq!(alive.into_inner(), 0, "workers outlived the run that {culprit} ended");
        assert_eq!((pool.budget().used(), pool.budget().waiting()), (0, 0));
    }
    assert_eq!(outcomes(&mut pool, [7], |_| |item| item).0, [Outcome::Done(7)]);
}

/// Counts itself while it lives.
struct Alive<'a>(&'a AtomicUsize);

impl<'a> Alive<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn cancelled_beforehand_nothing_starts() {
    let cancel = CancelToken::new();
    cancel.cancel();
    let batch = Batch {
        items: [1, 2, 3],
        weigh: |_: &i32| 1,
        worker: |_| |item: i32| item,
        sink: |completed: Completed<i32>| Err(completed.index),
    };
    let summary = run(&mut pool(2, 1, 10), batch, Control { cancel, ..Control::default() }).unwrap();
    assert_eq!((summary.started, summary.not_started, summary.cancelled), (0, Some(3), true));
}

#[test]
fn an_endless_input_ends_on_cancel_and_its_rest_is_unknown() {
    let cancel = CancelToken::new();
    let batch = Batch {
        items: 0_u64..,
        weigh: |_: &u64| 1,
        worker: |_| |item: u64| item,
        sink: |completed: Completed<u64>| {
            if completed.index == 1000 {
                cancel.cancel();
            }
            Ok::<(), Infallible>(())
        },
    };
    let control = Control { cancel: cancel.clone(), ..Control::default() };
    let summary = run(&mut pool(2, 1, 10), batch, control).unwrap();
    assert!(summary.started > 1000 && summary.cancelled);
    assert_eq!(summary.not_started, None);
}

#[test]
fn a_run_blocked_on_memory_that_nobody_frees_can_be_cancelled() {
    let mut pool = pool(3, 4, 10);
    let budget = pool.budget().clone();
    let cancel = CancelToken::new();
    let mut kept = Vec::new();
    let summary = thread::scope(|scope| {
        scope.spawn(|| {
            // Two items fit, and the sink keeps their permits.
            while budget.used() < 8 || budget.waiting() == 0 {
                thread::yield_now();
            }
            cancel.cancel();
        });
        let batch = Batch {
            items: 0..100,
            weigh: |_: &i32| 4,
            worker: |_| |item: i32| item,
            sink: |completed: Completed<i32>| {
                kept.push(completed.permit);
                Ok::<(), Infallible>(())
            },
        };
        run(&mut pool, batch, Control { cancel: cancel.clone(), ..Control::default() }).unwrap()
    });
    assert_eq!((summary.started, summary.delivered, summary.not_started), (2, 2, Some(98)));
    assert_eq!(budget.used(), 8);
    drop(kept);
    assert_eq!(budget.used(), 0);
}

#[test]
fn a_run_blocked_behind_one_slow_item_can_be_cancelled() {
    let (mut pool, cancel, worked) = (pool(3, 4, 1000), CancelToken::new(), AtomicUsize::new(0));
    let mut indexes = Vec::new();
    let summary = thread::scope(|scope| {
        scope.spawn(|| {
            // The first item and the six that have room behind it.
            while worked.load(Ordering::SeqCst) < 7 {
                thread::yield_now();
            }
            cancel.cancel();
        });
        let batch = Batch {
            items: 0..100,
            weigh: |_: &i32| 1,
            worker: |token: CancelToken| {
                let worked = &worked;
                move |item: i32| {
                    worked.fetch_add(1, Ordering::SeqCst);
                    while item == 0 && !token.is_cancelled() {
                        thread::yield_now();
                    }
                }
            },
            sink: |completed: Completed<()>| {
                indexes.push(completed.index);
                Ok::<(), Infallible>(())
            },
        };
        let control = Control { order: Order::Input, cancel: cancel.clone(), ..Control::default() };
        run(&mut pool, batch, control).unwrap()
    });
    assert_eq!((summary.started, summary.not_started), (7, Some(93)));
    assert_eq!(indexes, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn long_work_learns_that_the_sink_failed() {
    let batch = Batch {
        items: 0..2,
        weigh: |_: &i32| 1,
        worker: |token: CancelToken| {
            move |item: i32| {
                while item == 1 && !token.is_cancelled() {
                    thread::yield_now();
                }
            }
        },
        sink: |_: Completed<()>| Err("disk full"),
    };
    assert!(run(&mut pool(2, 1, 10), batch, Control::default()).is_err());
}

#[test]
fn long_work_learns_that_the_caller_panicked() {
    for culprit in ["items", "sink"] {
        let panicked = catch_unwind(|| {
            let begun = AtomicBool::new(false);
            let blame = |part: &'static str| {
                if part == culprit {
                    fail(part);
                }
            };
            let batch = Batch {
                items: (0..3).inspect(|&item: &i32| {
                    while item == 2 && !begun.load(Ordering::SeqCst) {
                        thread::yield_now();
                    }
                    if item == 2 {
                        blame("items");
                    }
                }),
                weigh: |_: &i32| 1,
                worker: |token: CancelToken| {
                    let begun = &begun;
                    move |item: i32| {
                        begun.fetch_or(item == 0, Ordering::SeqCst);
                        while item == 0 && !token.is_cancelled() {
                            thread::yield_now();
                        }
                    }
                },
                sink: |_: Completed<()>| {
                    while !begun.load(Ordering::SeqCst) {
                        thread::yield_now();
                    }
                    blame("sink");
                    Ok::<(), Infallible>(())
                },
            };
            run(&mut pool(2, 1, 10), batch, Control::default())
        });
        assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&culprit));
    }
}

#[test]
fn parallel_work_inside_an_item_does_not_swallow_the_run() {
    let mut pool = pool(2, 1, 1000);
    let (release, released) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();
    // One thread is busy as the run begins, and comes to it when the first item already waits for it.
    pool.install(|| {
        rayon::spawn(move || {
            begin.send(()).unwrap();
            let _ = released.recv();
        });
    });
    begun.recv().unwrap();
    let (release, second) = (Mutex::new(Some(release)), AtomicBool::new(false));
    let (outcomes, _) = outcomes(&mut pool, 0_u64..50, |_| {
        |item| {
            if item == 0 {
                drop(release.lock().unwrap().take());
                let wait_for_second = || {
                    while !second.load(Ordering::SeqCst) {
                        thread::yield_now();
                    }
                };
                rayon::join(wait_for_second, wait_for_second);
            }
            second.fetch_or(item == 1, Ordering::SeqCst);
            item
        }
    });
    assert_eq!(outcomes, (0..50).map(Outcome::Done).collect::<Vec<_>>());
}

#[test]
fn a_pool_may_be_dropped_by_its_own_last_task() {
    let pool = Arc::new(pool(2, 1, 10));
    let (release, released) = mpsc::channel::<()>();
    let (done, end) = mpsc::channel();
    let task = {
        let pool = Arc::clone(&pool);
        move || {
            let _ = released.recv();
            drop(pool);
            done.send(()).unwrap();
        }
    };
    pool.install(|| rayon::spawn(task));
    drop(pool);
    drop(release);
    assert_eq!(end.recv(), Ok(()));
}

/// An observer with an interval of its own.
struct Every<F>(Duration, F);

impl<F: FnMut(&ProgressSnapshot)> ProgressObserver for Every<F> {
    fn interval(&self) -> Duration {
        self.0
    }

    fn observe(&mut self, snapshot: &ProgressSnapshot) {
        (self.1)(snapshot);
    }
}

#[test]
fn an_observer_is_called_also_while_no_result_comes() {
    let observed = AtomicBool::new(false);
    let mut totals = Vec::new();
    let mut observer = Every(Duration::from_millis(1), |snapshot: &ProgressSnapshot| {
        totals.push((snapshot.items_done, snapshot.items_total));
        observed.store(true, Ordering::SeqCst);
    });
    let batch = Batch {
        items: 0..1,
        weigh: |_: &i32| 1,
        worker: |_| {
            |_: i32| {
                while !observed.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
            }
        },
        sink: |_: Completed<()>| Ok::<(), Infallible>(()),
    };
    let progress = Progress::new();
    let control = Control { observer: Some(&mut observer), progress: progress.clone(), ..Control::default() };
    run(&mut pool(1, 1, 10), batch, control).unwrap();
    assert_eq!(totals[0], (0, Some(1)));
    assert_eq!(progress.snapshot().items_done, 1);
}
