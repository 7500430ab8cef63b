//! From an input, over many workers, to one consumer.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::feed::{Admitted, Feed, exact_len};
use crate::outcome::panic_message;
use crate::progress::ObserverClock;
use crate::semaphore::Permit;
use crate::{BatchError, CancelToken, Completed, Outcome, Progress, ProgressObserver, WorkerPool};

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
    /// end early, with a result that says so.
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
    /// Counts what was done.
    pub progress: Progress,
    /// Is told of the progress from time to time.
    pub observer: Option<&'a mut dyn ProgressObserver>,
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
    /// Items left in the input because the run was cancelled or the sink failed; `None` if the input does not
    /// know its length.
    pub not_started: Option<usize>,
    /// Weight of what was delivered, in bytes.
    pub bytes: u64,
    /// Time from start to end.
    pub elapsed: Duration,
    /// Whether the run was cancelled before it came to the end of the input.
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
    let begun = Instant::now();
    let Control { order, cancel, progress, observer } = control;
    let items = batch.items.into_iter();
    progress.start(exact_len(&items));

    // The pool is borrowed mutably only so that nobody else can use its threads meanwhile.
    let threads = pool.threads();
    let workers = threads.current_num_threads();
    let slots = (workers as u64).saturating_add(pool.config().queue_capacity.get() as u64);
    let feed = Feed::new(items, batch.weigh, slots, pool.budget().clone());
    let stop = cancel.child();
    // Bounded by the slots of the feed, which its messages carry.
    let (sender, results) = crossbeam_channel::unbounded();
    let mut consumer = Consumer {
        sink: batch.sink,
        stop: stop.clone(),
        reorder: (order == Order::Input).then(Reorder::default),
        progress,
        clock: observer.map(ObserverClock::new),
        delivered: 0,
        panicked: 0,
        bytes: 0,
    };

    let refused = threads.in_place_scope(|scope| {
        // A broadcast gives every thread its own loop. Spawned, a loop could be stolen by a thread that waits
        // inside an item for parallel work of that item, and would keep it from finishing.
        scope.spawn_broadcast(|_, _| work(&feed, &batch.worker, &stop, &sender));
        // However this ends, also by a panic of the sink, workers must not wait for a consumer that is gone.
        let _stop = CancelOnDrop(&stop);
        consumer.consume(results, workers)
    });

    let Consumer { delivered, panicked, bytes, .. } = consumer;
    let tally = feed.into_tally();
    let summary = BatchSummary {
        started: tally.started,
        delivered,
        panicked,
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
    Completed(Completed<T>, Permit),
    /// Sent once by each worker, as its last.
    WorkerLeft,
}

/// The life of one worker thread in a run.
fn work<Items, Weigh, MakeWorker, Worker, T>(
    feed: &Feed<Items, Weigh>,
    make_worker: &MakeWorker,
    stop: &CancelToken,
    results: &Sender<Message<T>>,
) where
    Items: Iterator,
    Weigh: FnMut(&Items::Item) -> u64,
    MakeWorker: Fn(CancelToken) -> Worker,
    Worker: FnMut(Items::Item) -> T,
{
    let _leave = Leave { stop, results };
    let mut worker = None;
    while let Some(Admitted { index, item, memory, slot }) = feed.admit(stop) {
        // What the closure touches is not looked at again after a panic: the worker is thrown away.
        let ended =
            catch_unwind(AssertUnwindSafe(|| worker.get_or_insert_with(|| make_worker(stop.clone()))(item)));
        let outcome = ended.map(Outcome::Done).unwrap_or_else(|payload| {
            // A worker broken by one panic may well panic again as it is dropped; that is no news.
            let _ = catch_unwind(AssertUnwindSafe(|| worker = None));
            Outcome::Panicked { message: panic_message(&*payload) }
        });
        let completed = Completed { index, outcome, permit: memory };
        if results.send(Message::Completed(completed, slot)).is_err() {
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
struct Consumer<'a, Sink, T> {
    sink: Sink,
    stop: CancelToken,
    reorder: Option<Reorder<T>>,
    progress: Progress,
    clock: Option<ObserverClock<'a>>,
    delivered: usize,
    panicked: usize,
    bytes: u64,
}

impl<Sink, T> Consumer<'_, Sink, T> {
    /// Delivers results until the last worker has left. An error is the sink's, with the index of its item.
    fn consume<E>(&mut self, results: Receiver<Message<T>>, workers: usize) -> Result<(), (usize, E)>
    where
        Sink: FnMut(Completed<T>) -> Result<(), E>,
    {
        let mut present = workers;
        while present > 0 {
            let message = match &self.clock {
                Some(clock) => results.recv_deadline(clock.next()),
                None => results.recv().map_err(RecvTimeoutError::from),
            };
            match message {
                Ok(Message::Completed(completed, slot)) => self.accept(completed, slot)?,
                Ok(Message::WorkerLeft) => present -= 1,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if let Some(clock) = &mut self.clock {
                clock.tick(&self.progress);
            }
        }
        Ok(())
    }

    fn accept<E>(&mut self, completed: Completed<T>, slot: Permit) -> Result<(), (usize, E)>
    where
        Sink: FnMut(Completed<T>) -> Result<(), E>,
    {
        let Some(reorder) = &mut self.reorder else {
            return self.deliver(completed, slot);
        };
        reorder.early.insert(completed.index, (completed, slot));
        while let Some((completed, slot)) = self.reorder.as_mut().and_then(Reorder::next) {
            self.deliver(completed, slot)?;
        }
        Ok(())
    }

    fn deliver<E>(&mut self, completed: Completed<T>, slot: Permit) -> Result<(), (usize, E)>
    where
        Sink: FnMut(Completed<T>) -> Result<(), E>,
    {
        let index = completed.index;
        let bytes = completed.permit.bytes();
        let panicked = matches!(completed.outcome, Outcome::Panicked { .. });
        if let Err(error) = (self.sink)(completed) {
            // Before the slot is given back, lest another item start.
            self.stop.cancel();
            return Err((index, error));
        }
        drop(slot);
        self.delivered += 1;
        self.panicked += usize::from(panicked);
        self.bytes = self.bytes.saturating_add(bytes);
        self.progress.advance(bytes, panicked);
        Ok(())
    }
}

/// Results that came before their turn. The slots that they keep bound their number.
struct Reorder<T> {
    next: usize,
    early: BTreeMap<usize, (Completed<T>, Permit)>,
}

impl<T> Reorder<T> {
    fn next(&mut self) -> Option<(Completed<T>, Permit)> {
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
            .field("progress", &self.progress)
            .field("observed", &self.observer.is_some())
            .finish()
    }
}
