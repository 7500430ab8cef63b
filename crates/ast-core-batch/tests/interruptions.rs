//! Runs that are held up, items that are tried again, and items that take too long.

use std::convert::Infallible;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ast_core_batch::{
    Attempt, Batch, BatchConfig, BatchSummary, CancelToken, Completed, Control, Order, Outcome, Pause,
    Progress, ProgressSnapshot, Retry, WorkerPool, run, run_with_retry,
};
use proptest::prelude::*;

const LONG: Duration = Duration::from_secs(3600);

fn bounds(workers: usize, queue_capacity: usize, memory_budget: u64) -> BatchConfig {
    BatchConfig {
        workers: NonZeroUsize::new(workers).unwrap(),
        queue_capacity: NonZeroUsize::new(queue_capacity).unwrap(),
        memory_budget,
        stack_size: 1 << 20,
    }
}

fn pool(workers: usize, queue_capacity: usize, memory_budget: u64) -> WorkerPool {
    WorkerPool::new(bounds(workers, queue_capacity, memory_budget)).unwrap()
}

fn at_most(attempts: u32, delay: Duration) -> Retry {
    let attempts = NonZeroU32::new(attempts).unwrap();
    Retry { attempts, delay, max_delay: delay, ..Retry::default() }
}

fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

/// An item that fails so often before it goes well, and what it weighs.
#[derive(Clone, Copy, Debug)]
struct Flaky {
    failures: u32,
    weight: u64,
}

fn flaky() -> impl Strategy<Value = Vec<Flaky>> {
    let item = (prop_oneof![2 => Just(0_u32), 1 => 1_u32..7], 0_u64..40);
    prop::collection::vec(item.prop_map(|(failures, weight)| Flaky { failures, weight }), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Each item is tried until it goes well or no attempt is left, in either order, whatever the bounds, while somebody
    /// holds the run up and lets it go on. Nothing blocks for good, and nothing stays charged.
    #[test]
    fn every_item_is_tried_as_often_as_it_takes(
        items in flaky(),
        (workers, queue, budget) in (1_usize..5, 1_usize..4, 0_u64..80),
        in_order: bool,
        attempts in 1_u32..5,
        waiting in 1_usize..4,
        delay_us in 0_u64..300,
        pauses in 0_usize..5,
    ) {
        let mut pool = pool(workers, queue, budget);
        let order = if in_order { Order::Input } else { Order::Completion };
        let retry = Retry {
            waiting: NonZeroUsize::new(waiting).unwrap(),
            ..at_most(attempts, Duration::from_micros(delay_us))
        };
        let pause = Pause::new();
        let mut found = Vec::new();
        let progress = Progress::new();
        let summary = thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..pauses {
                    pause.pause();
                    thread::yield_now();
                    pause.resume();
                    thread::yield_now();
                }
            });
            let batch = Batch {
                items: items.iter().map(|item| (*item, 0)),
                weigh: |item: &(Flaky, u32)| item.0.weight,
                worker: |_| |(item, tried): (Flaky, u32)| {
                    if tried < item.failures {
                        Attempt::Transient { item: (item, tried + 1), result: Err(tried) }
                    } else {
                        Attempt::Done(Ok(tried))
                    }
                },
                sink: |Completed { index, outcome, attempts, .. }| {
                    found.push((index, outcome, attempts));
                    Ok::<(), Infallible>(())
                },
            };
            let control = Control { order, pause: pause.clone(), progress: progress.clone(), ..Control::default() };
            run_with_retry(&mut pool, batch, &retry, control).unwrap()
        });
        if order == Order::Completion {
            found.sort_by_key(|(index, ..)| *index);
        }
        let expected: Vec<_> = items.iter().enumerate().map(|(index, item)| {
            let made = attempts.min(item.failures + 1);
            let result = if item.failures < attempts { Ok(item.failures) } else { Err(attempts - 1) };
            (index, Outcome::Done(result), made)
        }).collect();
        prop_assert_eq!(&found, &expected);
        let retries: u32 = expected.iter().map(|(.., made)| made - 1).sum();
        let bytes: u64 = items.iter().map(|item| item.weight).sum();
        prop_assert_eq!((summary.delivered, summary.retries), (items.len(), retries as usize));
        prop_assert_eq!((summary.started, summary.not_started), (items.len(), Some(0)));
        prop_assert_eq!((summary.bytes, progress.snapshot().bytes_done, summary.cancelled), (bytes, bytes, false));
        prop_assert_eq!((pool.budget().used(), pool.budget().waiting()), (0, 0));
    }

    /// At whatever moment it is cancelled, what was started is delivered once, and nobody waits for a delay.
    #[test]
    fn a_cancel_waits_for_no_delay(
        items in flaky(),
        (workers, queue, budget) in (1_usize..5, 1_usize..4, 0_u64..80),
        in_order: bool,
        waiting in 1_usize..4,
        cancel_at in 0_usize..60,
        paused: bool,
    ) {
        let mut pool = pool(workers, queue, budget);
        let order = if in_order { Order::Input } else { Order::Completion };
        let retry = Retry { waiting: NonZeroUsize::new(waiting).unwrap(), ..at_most(2, LONG) };
        let (cancel, pause, started) = (CancelToken::new(), Pause::new(), AtomicUsize::new(0));
        let mut indexes = Vec::new();
        let summary = thread::scope(|scope| {
            scope.spawn(|| {
                // It may never come so far, as it waits by then.
                let mut patience = 10_000;
                while started.load(Ordering::SeqCst) < cancel_at && patience > 0 {
                    thread::yield_now();
                    patience -= 1;
                }
                if paused {
                    pause.pause();
                }
                cancel.cancel();
            });
            let batch = Batch {
                items: items.iter().copied(),
                weigh: |item: &Flaky| item.weight,
                worker: |_| |item: Flaky| {
                    started.fetch_add(1, Ordering::SeqCst);
                    if item.failures > 0 {
                        Attempt::Transient { item, result: false }
                    } else {
                        Attempt::Done(true)
                    }
                },
                sink: |completed: Completed<bool>| {
                    indexes.push(completed.index);
                    Ok::<(), Infallible>(())
                },
            };
            let control = Control { order, cancel: cancel.clone(), pause: pause.clone(), ..Control::default() };
            run_with_retry(&mut pool, batch, &retry, control).unwrap()
        });
        if order == Order::Completion {
            indexes.sort_unstable();
        }
        prop_assert_eq!(indexes, (0..summary.started).collect::<Vec<_>>());
        prop_assert_eq!(summary.not_started, Some(items.len() - summary.started));
        let waited = items[..summary.started].iter().any(|item| item.failures > 0);
        prop_assert!(summary.cancelled || (summary.started == items.len() && !waited));
        prop_assert_eq!((pool.budget().used(), pool.budget().waiting()), (0, 0));
    }
}

#[test]
fn others_are_done_while_many_wait() {
    const WAITING: usize = 40;
    let (mut pool, cancel) = (pool(2, 1, 8), CancelToken::new());
    let (mut delivered, mut given_up) = (0, 0);
    let batch = Batch {
        items: 0..100,
        weigh: |_: &usize| 4,
        worker: |_| {
            |item| match item {
                0..WAITING => Attempt::Transient { item, result: false },
                _ => Attempt::Done(true),
            }
        },
        sink: |completed: Completed<bool>| {
            match completed.outcome {
                Outcome::Done(true) => delivered += 1,
                _ => given_up += 1,
            }
            if delivered == 100 - WAITING {
                cancel.cancel();
            }
            Ok::<(), Infallible>(())
        },
    };
    let control = Control { cancel: cancel.clone(), ..Control::default() };
    let summary = run_with_retry(&mut pool, batch, &at_most(9, LONG), control).unwrap();
    assert_eq!((delivered, given_up), (100 - WAITING, WAITING));
    assert_eq!((summary.started, summary.retries, summary.cancelled), (100, 0, true));
}

#[test]
fn an_attempt_that_panics_is_the_last() {
    let mut outcome = None;
    let batch = Batch {
        items: [0],
        weigh: |_: &u32| 1,
        worker: |_| {
            |tried| match tried {
                0 => Attempt::Transient { item: 1, result: () },
                _ => std::panic::resume_unwind(Box::new("no")),
            }
        },
        sink: |completed: Completed<()>| {
            outcome = Some((completed.outcome, completed.attempts));
            Ok::<(), Infallible>(())
        },
    };
    run_with_retry(&mut pool(1, 1, 1), batch, &at_most(5, Duration::ZERO), Control::default()).unwrap();
    assert_eq!(outcome, Some((Outcome::Panicked { message: "no".to_owned() }, 2)));
}

/// Runs 40 items, is paused by the worker on the one at `pause_at`, and calls `meanwhile` once nothing is in flight.
fn paused_run(
    pause_at: usize,
    meanwhile: impl Fn(&Pause, &CancelToken, usize) + Sync,
) -> (BatchSummary, usize) {
    let (mut pool, pause, cancel) = (pool(3, 2, 1000), Pause::new(), CancelToken::new());
    let (started, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut delivered = 0;
    let summary = thread::scope(|scope| {
        scope.spawn(|| {
            wait_until(|| pause.is_paused());
            // An item may be between its admission and its start.
            let mut seen = usize::MAX;
            while seen != started.load(Ordering::SeqCst) {
                seen = started.load(Ordering::SeqCst);
                thread::sleep(Duration::from_millis(20));
            }
            wait_until(|| ended.load(Ordering::SeqCst) == seen);
            meanwhile(&pause, &cancel, seen);
        });
        let batch = Batch {
            items: 0..40,
            weigh: |_: &usize| 1,
            worker: |_| {
                |item| {
                    started.fetch_add(1, Ordering::SeqCst);
                    if item == pause_at {
                        pause.pause();
                    }
                    ended.fetch_add(1, Ordering::SeqCst);
                }
            },
            sink: |_: Completed<()>| {
                delivered += 1;
                Ok::<(), Infallible>(())
            },
        };
        let control = Control { pause: pause.clone(), cancel: cancel.clone(), ..Control::default() };
        run(&mut pool, batch, control).unwrap()
    });
    (summary, delivered)
}

#[test]
fn a_paused_run_starts_nothing_until_it_goes_on() {
    let (summary, delivered) = paused_run(10, |pause, _, started| {
        assert!((11..=10 + 3).contains(&started), "{started} were started");
        pause.resume();
    });
    assert_eq!((summary.started, delivered, summary.cancelled), (40, 40, false));
}

#[test]
fn a_paused_run_can_be_cancelled() {
    let (summary, delivered) = paused_run(10, |pause, cancel, _| {
        cancel.cancel();
        assert!(pause.is_paused());
    });
    assert!(summary.started < 40 && summary.cancelled);
    assert_eq!((delivered, summary.not_started), (summary.started, Some(40 - summary.started)));
}

#[test]
fn an_item_past_its_limit_is_told_and_its_outcome_says_so() {
    for order in [Order::Completion, Order::Input] {
        let (mut pool, cancel, progress) = (pool(2, 2, 100), CancelToken::new(), Progress::new());
        let mut outcomes = Vec::new();
        let batch = Batch {
            items: 0..10_usize,
            weigh: |_: &usize| 1,
            worker: |token: CancelToken| {
                move |item| {
                    let was_told = token.is_cancelled();
                    match item % 5 {
                        // Ends because it is told.
                        1 => wait_until(|| token.is_cancelled()),
                        // Does not look.
                        3 => thread::sleep(Duration::from_millis(120)),
                        _ => {}
                    }
                    (item, was_told)
                }
            },
            sink: |completed: Completed<(usize, bool)>| {
                outcomes.push((completed.index, completed.outcome));
                Ok::<(), Infallible>(())
            },
        };
        let control = Control {
            order,
            cancel: cancel.clone(),
            time_limit: Some(Duration::from_millis(100)),
            progress: progress.clone(),
            ..Control::default()
        };
        let summary = run(&mut pool, batch, control).unwrap();
        outcomes.sort_by_key(|(index, _)| *index);
        for (index, outcome) in outcomes {
            match outcome {
                // The limit of the item before it is over for this one.
                Outcome::Done(result) => {
                    assert_eq!(result, (index, false));
                    assert!(!matches!(index % 5, 1 | 3), "{index} was slow");
                }
                // On a busy machine it may be any of them.
                Outcome::TimedOut((item, _)) => assert_eq!(item, index),
                outcome => panic!("{index}: {outcome:?}"),
            }
        }
        assert!(!cancel.is_cancelled() && !summary.cancelled && summary.timed_out >= 4);
        assert_eq!(progress.snapshot().items_failed, summary.timed_out as u64);
    }
}

#[test]
fn nobody_waits_for_an_observer() {
    let (mut pool, is_done) = (pool(2, 1, 10), AtomicBool::new(false));
    let is_watching = AtomicBool::new(false);
    let mut delivered = 0;
    let mut observer = |_: &ProgressSnapshot| {
        is_watching.store(true, Ordering::SeqCst);
        // As slow as can be: until there is nothing left to wait for.
        wait_until(|| is_done.load(Ordering::SeqCst));
    };
    let batch = Batch {
        items: 0..500,
        weigh: |_: &i32| 1,
        worker: |_| |item| wait_until(|| item < 10 || is_watching.load(Ordering::SeqCst)),
        sink: |_: Completed<()>| {
            delivered += 1;
            is_done.store(delivered == 500, Ordering::SeqCst);
            Ok::<(), Infallible>(())
        },
    };
    run(&mut pool, batch, Control { observer: Some(&mut observer), ..Control::default() }).unwrap();
    assert_eq!(delivered, 500);
}
