//! Many small pieces of work over all cores. Read first: [`spread`].

use crate::{error::Error, stop::Stop};
use crossbeam::channel::Sender;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many workers to use where nobody said: one for each core.
#[must_use]
pub fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Do `work` for each index on `jobs` threads, each with a state of its own from `begin`; hand every result to `take`
/// on this thread, as soon as it is there.
///
/// Ends early, after the work in flight, when `stop` is requested or `take` fails.
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
    let next = AtomicUsize::new(0);
    let give_up = Stop::default();
    let (sender, results) = crossbeam::channel::bounded(jobs.max(1) * 2);
    let worker = |sender: Sender<(u64, T)>| -> Result<(), Error> {
        // The matrix library spreads over the current pool: each worker has one thread, and keeps to it.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        pool.map_err(|error| Error::Worker(error.to_string()))?.install(|| {
            let mut state = begin();
            while !stop.requested() && !give_up.requested() {
                let Some(&index) = indices.get(next.fetch_add(1, Ordering::SeqCst)) else { break };
                if sender.send((index, work(&mut state, index))).is_err() {
                    break;
                }
            }
        });
        Ok(())
    };
    std::thread::scope(|scope| {
        let (worker, mut workers) = (&worker, Vec::new());
        for _ in 0..jobs.clamp(1, indices.len().max(1)) {
            let sender = sender.clone();
            workers.push(scope.spawn(move || worker(sender)));
        }
        // The results end when the last worker has dropped its sender.
        drop(sender);
        let mut taken = Ok(());
        for (index, result) in results {
            if taken.is_ok() {
                taken = take(index, result);
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
