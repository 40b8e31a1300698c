//! The thread that learns. Read first: [`Study`].

use super::lesson::{Learnt, Lesson};
use std::{
    sync::mpsc::{Receiver, Sender, TryRecvError, channel},
    thread,
};

/// A thread that learns, one lesson after another, with a rayon pool of its own.
pub(crate) struct Study {
    lessons: Sender<Lesson>,
    results: Receiver<Learnt>,
    under_way: bool,
}

/// Why nothing is learnt any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the thread that learns has ended: {0}")]
pub struct StudyError(String);

impl Study {
    /// Start it, with so many threads to spread its work over.
    pub(crate) fn begin(threads: usize) -> Result<Self, StudyError> {
        let refuse = |error: &dyn ToString| StudyError(error.to_string());
        let pool =
            rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build().map_err(|error| refuse(&error))?;
        let (lessons, work) = channel::<Lesson>();
        let (done, results) = channel();
        let learn = move || {
            while let Ok(lesson) = work.recv() {
                if done.send(pool.install(|| lesson.learn())).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new().name("learner".into()).spawn(learn).map_err(|error| refuse(&error))?;
        Ok(Self { lessons, results, under_way: false })
    }

    /// Whether a lesson is under way, or its result has not been taken yet.
    pub(crate) fn under_way(&self) -> bool {
        self.under_way
    }

    /// Hand over a lesson.
    pub(crate) fn hand_over(&mut self, lesson: Lesson) -> Result<(), StudyError> {
        self.lessons.send(lesson).map_err(|_| Self::ended())?;
        self.under_way = true;
        Ok(())
    }

    /// The result of the lesson under way, once it is there; none without one.
    pub(crate) fn wait(&mut self) -> Result<Option<Learnt>, StudyError> {
        if !std::mem::take(&mut self.under_way) {
            return Ok(None);
        }
        self.results.recv().map(Some).map_err(|_| Self::ended())
    }

    /// The same, if it is there already.
    pub(crate) fn look(&mut self) -> Result<Option<Learnt>, StudyError> {
        match self.results.try_recv() {
            Ok(learnt) => {
                self.under_way = false;
                Ok(Some(learnt))
            }
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Self::ended()),
        }
    }

    fn ended() -> StudyError {
        StudyError("it panicked; what was learnt before is kept".into())
    }
}
