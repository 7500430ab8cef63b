//! From an input, over many workers, to one consumer.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use crate::feed::{Admitted, Feed, exact_len};
use crate::observer::observe;
use crate::outcome::panic_message;
use crate::retry::{Delayed, Waiting};
use crate::semaphore::Permit;
use crate::{
    Attempt, BatchError, CancelToken, Completed, Outcome, Pause, Progress, ProgressObserver, Retry,
    WorkerPool,
};

/// What to do: the stages of a run.
#[derive(Clone, Debug)]
pub struct Batch<Items, Weigh, MakeWorker, Sink> {
    /// The input. Workers take turns to advance it, so it is read as it is needed, and may be lazy.
    pub items: Items,
    /// `FnMut(&Item) -> u64`: what the item and its result weigh in memory, in bytes; an estimate, charged to
    /// the pool's [`MemoryBudget`](crate::MemoryBudget) until the [`MemoryPermit`](crate::MemoryPermit) of
    /// the result is dropped.
    pub weigh: Weigh,
    /// `Fn(CancelToken) -> (impl FnMut(Item) -> T)`: makes a worker. It is called on each worker thread when
    /// that has its first item, and again after a panic, so what the worker owns (a parser, scratch space)
    /// need be neither `Send` nor fit for use after a panic. A long piece of work may look at the token and
    /// end early, with a result that says so: it is cancelled with the run, and while the item at hand is past its
    /// [time limit](Control::time_limit).
    pub worker: MakeWorker,
    /// `FnMut(Completed<T>) -> Result<(), E>`: takes the results, one at a time, on the calling thread.
    pub sink: Sink,
}

/// How to do it: what varies from run to run on the same pool.
#[derive(Default)]
pub struct Control<'a> {
    /// The order in which the sink receives results.
    pub order: Order,
    /// Cancels the run.
    pub cancel: CancelToken,
    /// Holds the run up and lets it go on.
    pub pause: Pause,
    /// How long one attempt at an item may take, by the clock. A thread cannot be stopped from outside: the worker's
    /// token counts as cancelled from then on, work that looks at it ends, and work that does not goes on. Either way
    /// the outcome is [`Outcome::TimedOut`].
    pub time_limit: Option<Duration>,
    /// Counts what was done.
    pub progress: Progress,
    /// Is told of the progress from time to time.
    pub observer: Option<&'a mut (dyn ProgressObserver + Send)>,
}

/// The order in which the sink receives results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As they are ready. One slow item holds nobody up.
    #[default]
    Completion,
    /// As the input has them. Results that are ready early wait within the same bounds, so behind a slow item
    /// the workers pause once the queue is full.
    Input,
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchSummary {
    /// Items that were worked on: the first `started` of the input.
    pub started: usize,
    /// Results that the sink took. All that were started, unless the sink failed.
    pub delivered: usize,
    /// Results among those delivered that are [`Outcome::Panicked`].
    pub panicked: usize,
    /// Results among those delivered that are [`Outcome::TimedOut`].
    pub timed_out: usize,
    /// Attempts at the items delivered beyond the first of each.
    pub retries: usize,
    /// Items left in the input because the run was cancelled or the sink failed; `None` if the input does not
    /// know its length.
    pub not_started: Option<usize>,
    /// Weight of what was delivered, in bytes.
    pub bytes: u64,
    /// Time from start to end, pauses included.
    pub elapsed: Duration,
    /// Whether the run was cancelled before all that it had to do was done.
    pub cancelled: bool,
}

/// Works on all items of `batch` with the threads of `pool`, and gives each result to its sink.
///
/// - Items are started in input order. Each has exactly one [`Outcome`]; a panic in a worker, or while one is
///   made, is the outcome of the item at hand, and the run goes on. (That needs `panic = "unwind"`. The panic
///   hook still runs, and by default prints.)
/// - At most `workers + queue_capacity` items are between their start and the return of the sink that took
///   their result, and together they weigh at most the memory budget. When the sink is slow, workers wait.
/// - On cancel no further item is started; those in flight end, and the sink receives their results.
///   Waiting workers are woken, so that the run ends as soon as work in flight and the sink return.
///   A sink that has had enough cancels the run.
/// - While the run is [paused](Pause) no further item is started, and a cancel works as ever.
/// - No thread and no permit is left behind when this returns, save for permits that the sink kept.
///
/// **A sink that keeps permits must be able to drop them without receiving another result**, or it may wait
/// for an item that waits for memory: a writer that commits many results at once should commit what it has
/// when its queue runs dry. Neither worker nor sink may [acquire](crate::MemoryBudget::acquire) from the
/// pool's budget. Rayon's parallel iterators work inside a worker but find every thread taken, so they run on
/// one.
///
/// # Errors
/// [`BatchError::Sink`] if the sink fails. It is not called again; the results of work in flight are dropped.
///
/// # Panics
/// With the panic of `items`, `weigh`, the sink, the observer, or the `Drop` of a worker, after all threads
/// came to rest.
pub fn run<Items, Weigh, MakeWorker, Worker, Sink, T, E>(
    pool: &mut WorkerPool,
    batch: Batch<Items, Weigh, MakeWorker, Sink>,
    control: Control<'_>,
) -> Result<BatchSummary, BatchError<E>>
where
    Items: IntoIterator,
    Items::IntoIter: Send,
    Items::Item: Send,
    Weigh: FnMut(&Items::Item) -> u64 + Send,
    MakeWorker: Fn(CancelToken) -> Worker + Sync,
    Worker: FnMut(Items::Item) -> T,
    T: Send,
    Sink: FnMut(Completed<T>) -> Result<(), E>,
{
    let Batch { items, weigh, worker: make_worker, sink } = batch;
    let worker = |token| {
        let mut work = make_worker(token);
        move |item| Attempt::Done(work(item))
    };
    let once = Retry { attempts: NonZeroU32::MIN, ..Retry::default() };
    run_with_retry(pool, Batch { items, weigh, worker, sink }, &once, control)
}

/// Does what [`run`] does, with a worker that may ask for another attempt at an item:
/// `FnMut(Item) -> Attempt<Item, T>`.
///
/// An item that waits for its next attempt holds no thread, and in order of completion neither a place among those in
/// flight nor memory of the budget: others are started meanwhile. Once its delay is over it comes before what is left of
/// the input. On cancel nobody waits for a delay: what waits is delivered with the result of its last attempt.
///
/// ```
/// use std::convert::Infallible;
/// use std::io::ErrorKind;
/// use ast_core_batch::{
///     Attempt, Batch, BatchConfig, Completed, Control, Outcome, Retry, WorkerPool, run_with_retry,
/// };
///
/// let mut pool = WorkerPool::new(BatchConfig::default())?;
/// let mut lengths = Vec::new();
/// let batch = Batch {
///     items: ["Cargo.toml", "no such file"],
///     weigh: |_: &&str| 1 << 10,
///     worker: |_cancel| {
///         |path: &'static str| match std::fs::metadata(path) {
///             Ok(metadata) => Attempt::Done(Ok(metadata.len())),
///             // Another program has it open: that will pass.
///             Err(error) if error.kind() == ErrorKind::ResourceBusy => {
///                 Attempt::Transient { item: path, result: Err(error.kind()) }
///             }
///             Err(error) => Attempt::Done(Err(error.kind())),
///         }
///     },
///     sink: |completed: Completed<Result<u64, ErrorKind>>| {
///         if let Outcome::Done(length) = completed.outcome {
///             lengths.push(length);
///         }
///         Ok::<(), Infallible>(())
///     },
/// };
/// let summary = run_with_retry(&mut pool, batch, &Retry::default(), Control::default())?;
/// assert_eq!((lengths.len(), summary.retries), (2, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`run`].
///
/// # Panics
/// As [`run`].
pub fn run_with_retry<Items, Weigh, MakeWorker, Worker, Sink, T, E>(
    pool: &mut WorkerPool,
    batch: Batch<Items, Weigh, MakeWorker, Sink>,
    retry: &Retry,
    control: Control<'_>,
) -> Result<BatchSummary, BatchError<E>>
where
    Items: IntoIterator,
    Items::IntoIter: Send,
    Items::Item: Send,
    Weigh: FnMut(&Items::Item) -> u64 + Send,
    MakeWorker: Fn(CancelToken) -> Worker + Sync,
    Worker: FnMut(Items::Item) -> Attempt<Items::Item, T>,
    T: Send,
    Sink: FnMut(Completed<T>) -> Result<(), E>,
{
    let begun = Instant::now();
    let Control { order, cancel, pause, time_limit, progress, observer } = control;
    let items = batch.items.into_iter();
    progress.start(exact_len(&items), &pause);

    // The pool is borrowed mutably only so that nobody else can use its threads meanwhile.
    let threads = pool.threads();
    let workers = threads.current_num_threads();
    let slots = (workers as u64).saturating_add(pool.config().queue_capacity.get() as u64);
    let waiting = Waiting::new(retry.clone(), order == Order::Input);
    let feed = Feed::new(items, batch.weigh, slots, pool.budget().clone(), pause, waiting);
    let stop = cancel.child();
    // Bounded by the slots of the feed, which its messages carry; a message without one is of an item that waited.
    let (sender, results) = crossbeam_channel::unbounded();
    let mut consumer = Consumer {
        sink: batch.sink,
        stop: stop.clone(),
        reorder: (order == Order::Input).then(Reorder::default),
        progress: progress.clone(),
        delivered: 0,
        panicked: 0,
        timed_out: 0,
        retries: 0,
        bytes: 0,
    };

    let consume = || {
        threads.in_place_scope(|scope| {
            // A broadcast gives every thread its own loop. Spawned, a loop could be stolen by a thread that waits
            // inside an item for parallel work of that item, and would keep it from finishing.
            scope.spawn_broadcast(|_, _| work(&feed, &batch.worker, &stop, time_limit, &sender));
            // However this ends, also by a panic of the sink, workers must not wait for a consumer that is gone.
            let _stop = CancelOnDrop(&stop);
            consumer.consume(results, workers)
        })
    };
    let refused = match observer {
        Some(observer) => observe(observer, &progress, &stop, consume),
        None => consume(),
    };

    let Consumer { delivered, panicked, timed_out, retries, bytes, .. } = consumer;
    let tally = feed.into_tally();
    let summary = BatchSummary {
        started: tally.started,
        delivered,
        panicked,
        timed_out,
        retries,
        not_started: tally.not_started,
        bytes,
        elapsed: begun.elapsed(),
        cancelled: cancel.is_cancelled() && !tally.exhausted,
    };
    match refused {
        Ok(()) => Ok(summary),
        Err((index, source)) => Err(BatchError::Sink { index, summary, source }),
    }
}

enum Message<T> {
    Completed(Delivery<T>),
    /// Sent once by each worker, as its last.
    WorkerLeft,
}

/// A result on its way to the sink.
struct Delivery<T> {
    completed: Completed<T>,
    bytes: u64,
    /// `None` of an item that waited to be tried again and had given its own up.
    slot: Option<Permit>,
}

/// The life of one worker thread in a run.
fn work<Items, Weigh, MakeWorker, Worker, T>(
    feed: &Feed<Items, Weigh, T>,
    make_worker: &MakeWorker,
    stop: &CancelToken,
    time_limit: Option<Duration>,
    results: &Sender<Message<T>>,
) where
    Items: Iterator,
    Weigh: FnMut(&Items::Item) -> u64,
    MakeWorker: Fn(CancelToken) -> Worker,
    Worker: FnMut(Items::Item) -> Attempt<Items::Item, T>,
{
    let _leave = Leave { stop, results };
    let token = stop.child();
    let mut worker = None;
    while let Some(Admitted { index, item, attempts, bytes, memory, slot }) = feed.admit(stop) {
        let attempts = attempts.saturating_add(1);
        let begun = Instant::now();
        token.set_deadline(time_limit.and_then(|limit| begun.checked_add(limit)));
        // What the closure touches is not looked at again after a panic: the worker is thrown away.
        let ended =
            catch_unwind(AssertUnwindSafe(|| worker.get_or_insert_with(|| make_worker(token.clone()))(item)));
        token.set_deadline(None);
        let in_time = |result| match time_limit {
            Some(limit) if begun.elapsed() >= limit => Outcome::TimedOut(result),
            _ => Outcome::Done(result),
        };
        let outcome = match ended {
            Ok(Attempt::Transient { item, result })
                if feed.has_attempt_after(attempts) && !stop.is_cancelled() =>
            {
                let claim = Some((memory, slot));
                feed.put_off(Delayed { index, item, result, attempts, bytes, claim });
                continue;
            }
            Ok(Attempt::Done(result) | Attempt::Transient { result, .. }) => in_time(result),
            Err(payload) => {
                // A worker broken by one panic may well panic again as it is dropped; that is no news.
                let _ = catch_unwind(AssertUnwindSafe(|| worker = None));
                Outcome::Panicked { message: panic_message(&*payload) }
            }
        };
        let completed = Completed { index, outcome, attempts, permit: memory };
        if results.send(Message::Completed(Delivery { completed, bytes, slot: Some(slot) })).is_err() {
            return;
        }
    }
    if !stop.is_cancelled() {
        return;
    }
    while let Some(Delayed { index, result, attempts, bytes, claim, .. }) = feed.take_given_up() {
        let (permit, slot) = match claim {
            Some((memory, slot)) => (memory, Some(slot)),
            None => (feed.no_memory(), None),
        };
        let completed = Completed { index, outcome: Outcome::Done(result), attempts, permit };
        if results.send(Message::Completed(Delivery { completed, bytes, slot })).is_err() {
            return;
        }
    }
}

/// Tells the consumer that a worker is gone, however it went.
struct Leave<'a, T> {
    stop: &'a CancelToken,
    results: &'a Sender<Message<T>>,
}

impl<T> Drop for Leave<'_, T> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.stop.cancel();
        }
        // Fails only if the consumer is gone, and then it need not be told.
        let _ = self.results.send(Message::WorkerLeft);
    }
}

struct CancelOnDrop<'a>(&'a CancelToken);

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The calling thread's part of a run.
struct Consumer<Sink, T> {
    sink: Sink,
    stop: CancelToken,
    reorder: Option<Reorder<T>>,
    progress: Progress,
    delivered: usize,
    panicked: usize,
    timed_out: usize,
    retries: usize,
    bytes: u64,
}

impl<Sink, T> Consumer<Sink, T> {
    /// Delivers results until the last worker has left. An error is the sink's, with the index of its item.
    fn consume<E>(&mut self, results: Receiver<Message<T>>, workers: usize) -> Result<(), (usize, E)>
    where
        Sink: FnMut(Completed<T>) -> Result<(), E>,
    {
        let mut present = workers;
        while present > 0 {
            match results.recv() {
                Ok(Message::Completed(delivery)) => self.accept(delivery)?,
                Ok(Message::WorkerLeft) => present -= 1,
                Err(_) => break,
            }
        }
        Ok(())
    }

    fn accept<E>(&mut self, delivery: Delivery<T>) -> Result<(), (usize, E)>
    where
        Sink: FnMut(Completed<T>) -> Result<(), E>,
    {
        let Some(reorder) = &mut self.reorder else {
            return self.deliver(delivery);
        };
        reorder.early.insert(delivery.completed.index, delivery);
        while let Some(delivery) = self.reorder.as_mut().and_then(Reorder::next) {
            self.deliver(delivery)?;
        }
        Ok(())
    }

    fn deliver<E>(&mut self, delivery: Delivery<T>) -> Result<(), (usize, E)>
    where
        Sink: FnMut(Completed<T>) -> Result<(), E>,
    {
        let Delivery { completed, bytes, slot } = delivery;
        let Completed { index, attempts, .. } = completed;
        let panicked = matches!(completed.outcome, Outcome::Panicked { .. });
        let timed_out = matches!(completed.outcome, Outcome::TimedOut(_));
        if let Err(error) = (self.sink)(completed) {
            // Before the slot is given back, lest another item start.
            self.stop.cancel();
            return Err((index, error));
        }
        drop(slot);
        self.delivered += 1;
        self.panicked += usize::from(panicked);
        self.timed_out += usize::from(timed_out);
        self.retries += attempts.saturating_sub(1) as usize;
        self.bytes = self.bytes.saturating_add(bytes);
        self.progress.advance(bytes, panicked || timed_out);
        Ok(())
    }
}

/// Results that came before their turn. The slots that they keep bound their number.
struct Reorder<T> {
    next: usize,
    early: BTreeMap<usize, Delivery<T>>,
}

impl<T> Reorder<T> {
    fn next(&mut self) -> Option<Delivery<T>> {
        let ready = self.early.remove(&self.next)?;
        self.next += 1;
        Some(ready)
    }
}

impl<T> Default for Reorder<T> {
    fn default() -> Self {
        Self { next: 0, early: BTreeMap::new() }
    }
}

impl fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("order", &self.order)
            .field("cancel", &self.cancel)
            .field("pause", &self.pause)
            .field("time_limit", &self.time_limit)
            .field("progress", &self.progress)
            .field("observed", &self.observer.is_some())
            .finish()
    }
}
