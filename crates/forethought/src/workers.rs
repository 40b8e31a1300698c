//! Many small pieces of work over all cores. Read first: [`share`].

use crate::{error::Error, stop::Stop};
use crossbeam::{
    channel::Sender,
    deque::{Steal, Stealer, Worker},
};
use std::sync::{Mutex, PoisonError};

/// Items that a worker takes at once.
const STRETCH: usize = 8;

/// How many workers to use where nobody said: one for each core.
#[must_use]
pub fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Do `work` for each index on `jobs` threads, as [`share`] does for items of any kind.
///
/// # Errors
/// What `take` said, or that a thread could not be started.
pub fn spread<S, T: Send>(
    indices: &[u64],
    jobs: usize,
    stop: &Stop,
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, u64) -> T + Sync,
    mut take: impl FnMut(u64, T) -> Result<(), Error>,
) -> Result<(), Error> {
    let jobs = jobs.clamp(1, indices.len().max(1));
    let work = |state: &mut S, index| (index, work(state, index));
    share(indices.iter().copied(), jobs, stop, begin, work, |(index, result)| take(index, result))
}

/// Do `work` for each item on `jobs` threads, each with a state of its own from `begin`; hand every result to `take`
/// on this thread, as soon as it is there.
///
/// Items are made as they are needed. Each worker takes a short stretch of them, and where there are no more it takes over what
/// others have not begun. Ends early, after the work in flight, when `stop` is requested or `take` fails.
///
/// # Errors
/// What `take` said, or that a thread could not be started.
pub fn share<S, I: Send, T: Send>(
    items: impl Iterator<Item = I> + Send,
    jobs: usize,
    stop: &Stop,
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, I) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), Error>,
) -> Result<(), Error> {
    let own: Vec<Worker<I>> = (0..jobs.max(1)).map(|_| Worker::new_fifo()).collect();
    let queue = Queue { source: Mutex::new(items.fuse()), stealers: own.iter().map(Worker::stealer).collect() };
    let give_up = Stop::default();
    let (sender, results) = crossbeam::channel::bounded(jobs.max(1) * 2);
    let (queue, begin, work, give_up) = (&queue, &begin, &work, &give_up);
    let worker = |own: Worker<I>, sender: Sender<T>| -> Result<(), Error> {
        // The matrix library spreads over the current pool: each worker has one thread, and keeps to it.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        pool.map_err(|error| Error::Worker(error.to_string()))?.install(move || {
            let mut state = begin();
            while !stop.requested() && !give_up.requested() {
                let Some(item) = queue.next(&own) else { break };
                if sender.send(work(&mut state, item)).is_err() {
                    break;
                }
            }
        });
        Ok(())
    };
    std::thread::scope(|scope| {
        let (worker, mut workers) = (&worker, Vec::new());
        for own in own {
            let sender = sender.clone();
            workers.push(scope.spawn(move || worker(own, sender)));
        }
        // The results end when the last worker has dropped its sender.
        drop(sender);
        let mut taken = Ok(());
        for result in results {
            if taken.is_ok() {
                taken = take(result);
                if taken.is_err() {
                    give_up.request();
                }
            }
        }
        for worker in workers {
            let ended = worker.join().unwrap_or_else(|_| Err(Error::Worker("it panicked".into())));
            taken = taken.and(ended);
        }
        taken
    })
}

/// Where workers find their next item.
struct Queue<I, Items> {
    source: Mutex<Items>,
    stealers: Vec<Stealer<I>>,
}

impl<I, Items: Iterator<Item = I>> Queue<I, Items> {
    /// The next item of this worker: its own, then a new stretch, then what another has not begun.
    fn next(&self, own: &Worker<I>) -> Option<I> {
        own.pop().or_else(|| self.refill(own)).or_else(|| self.steal())
    }

    fn refill(&self, own: &Worker<I>) -> Option<I> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let first = source.next()?;
        // While the source is locked: whoever finds it empty afterwards finds these with their worker.
        source.by_ref().take(STRETCH - 1).for_each(|item| own.push(item));
        Some(first)
    }

    fn steal(&self) -> Option<I> {
        loop {
            match self.stealers.iter().map(Stealer::steal).collect() {
                Steal::Success(item) => return Some(item),
                Steal::Empty => return None,
                Steal::Retry => std::hint::spin_loop(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_once_with_any_number_of_jobs() {
        for jobs in [1, 3, 16] {
            let indices: Vec<u64> = (0..40).collect();
            let mut seen = Vec::new();
            let add = |count: &mut u64, index: u64| {
                *count += 1;
                index * 2
            };
            let take = |index, doubled| {
                assert_eq!(doubled, index * 2);
                seen.push(index);
                Ok(())
            };
            spread(&indices, jobs, &Stop::default(), || 0, add, take).unwrap();
            seen.sort_unstable();
            assert_eq!(seen, indices);
        }
    }

    #[test]
    fn what_one_has_not_begun_another_takes_over() {
        // The first item takes as long as all others together, and those behind it in the same stretch do not wait for it.
        let others = std::sync::atomic::AtomicUsize::new(0);
        let work = |(): &mut (), index: u64| {
            if index == 0 {
                while others.load(std::sync::atomic::Ordering::SeqCst) < 20 {
                    std::thread::yield_now();
                }
            } else {
                others.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        };
        share(0..21, 2, &Stop::default(), || (), work, |()| Ok(())).unwrap();
    }

    #[test]
    fn stops_early_and_passes_errors_on() {
        let indices: Vec<u64> = (0..1000).collect();
        let stop = Stop::default();
        let mut taken = 0;
        let take = |_, ()| {
            taken += 1;
            stop.request();
            Ok(())
        };
        spread(&indices, 2, &stop, || (), |(), _| (), take).unwrap();
        assert!(taken < 1000);
        let refuse = |_, ()| Err(Error::Worker("full".into()));
        let error = spread(&indices, 2, &Stop::default(), || (), |(), _| (), refuse).unwrap_err();
        assert_eq!(error.to_string(), "a worker failed: full");
    }
}
