//! One stream of experience, and the model that is learnt from it. Read first: [`Learning`].

use super::{
    LearnSpec,
    chronicle::Chronicle,
    lesson::{Learnt, Lesson, Verdict},
    study::{Study, StudyError},
    watch::{JudgedBy, Standing, Watch},
};
use crate::{memory::Moment, training::foresight::unremembered, world_model::Model};
use forethought_interface::derive_seed;
use serde::Serialize;
use std::sync::Arc;

/// When what was learnt is taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// At each synchronisation, which waits for it: the same seed gives the same bits, however fast the machine is.
    InStep,
    /// As soon as it is there; nobody waits.
    Free,
}

/// How to learn from a stream of experience.
#[derive(Debug, Clone)]
pub struct LearningOptions {
    /// The settings.
    pub spec: LearnSpec,
    /// Where all of its randomness comes from.
    pub seed: u64,
    /// Threads that learn; the result is the same for any number.
    pub threads: usize,
    /// When what was learnt is taken up.
    pub pace: Pace,
    /// What tells how well the agent does.
    pub judged_by: JudgedBy,
    /// The agent's drives but `Reach`, by name.
    pub drives: Vec<String>,
    /// The critic's; see [`crate::training::CriticSpec::optimism`].
    pub optimism: f32,
}

/// What a synchronisation came to: a line of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Its number, from 1.
    pub synchronisation: u64,
    /// Control steps lived until then.
    pub steps: u64,
    /// Lives begun until then.
    pub lives: u64,
    /// Moments that were learnt from.
    pub learnt_from: usize,
    /// Moments that were held out, to measure on.
    pub held_out: usize,
    /// The predictor's open-loop errors; null where nothing could be learnt or measured.
    pub prediction: Option<Verdict>,
    /// The critic's, against what came; null without one.
    pub critic: Option<Verdict>,
    /// The policy's, against what was planned; null without one.
    pub policy: Option<Verdict>,
    /// How well the agent does since it took something up.
    pub standing: Standing,
    /// How well it did with what it did best with.
    pub best: Option<Standing>,
    /// True where it did clearly worse than that, and went back to it.
    pub went_back: bool,
    /// Why the predictor could not learn, if it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Report {
    /// Whether anything new was taken up.
    #[must_use]
    pub fn taken_up(&self) -> bool {
        let verdicts = [&self.prediction, &self.critic, &self.policy];
        !self.went_back && verdicts.iter().any(|verdict| verdict.is_some_and(|verdict| verdict.changes()))
    }
}

/// Hears of each synchronisation, with the model that the agent lives with from then on.
pub type OnReport = Box<dyn FnMut(&Report, &Model) + Send>;

/// An agent's stream of experience, from life to life, and what it lives with: the model as it was, then what is learnt from
/// what it remembers.
///
/// Every [`LearnSpec::every`] control steps it synchronises. First it takes up what was learnt from what it handed over at
/// the synchronisation before, each part only where it is clearly better than the present one on what was held out; or goes back
/// to an earlier model where it has been doing clearly worse since it gave that up. Then it hands over what it remembers.
pub struct Learning {
    options: LearningOptions,
    chronicle: Chronicle,
    study: Study,
    watch: Watch<Arc<Model>>,
    original: Arc<Model>,
    present: Arc<Model>,
    /// How often the present model has changed.
    version: u64,
    steps: u64,
    lives: u64,
    /// Control steps since memories were handed over.
    since: u32,
    synchronisations: u64,
    on_report: OnReport,
    failed: Option<StudyError>,
}

impl std::fmt::Debug for Learning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Learning").field("steps", &self.steps).field("version", &self.version).finish_non_exhaustive()
    }
}

impl Learning {
    /// Begin with the model `present`; drift is measured against `original`, unless that has other latents.
    ///
    /// # Errors
    /// `StudyError` where no thread can be started.
    pub fn begin(
        present: Arc<Model>,
        original: Arc<Model>,
        options: LearningOptions,
        on_report: OnReport,
    ) -> Result<Self, StudyError> {
        let original = if original.encoder == present.encoder { original } else { present.clone() };
        Ok(Self {
            chronicle: Chronicle::new(options.spec.memory as usize),
            study: Study::begin(options.threads)?,
            watch: Watch::new(options.judged_by),
            original,
            present,
            version: 0,
            steps: 0,
            lives: 0,
            since: 0,
            synchronisations: 0,
            on_report,
            failed: None,
            options,
        })
    }

    /// Why a model cannot go on learning from what its agent goes through, if it cannot: what its predictor does.
    #[must_use]
    pub fn obstacle(model: &Model) -> Option<&'static str> {
        unremembered(model)
    }

    /// What the agent lives with now.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.present
    }

    /// How often that has changed.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Control steps lived so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// A life has ended.
    pub fn ended(&mut self, success: bool) {
        self.watch.ended(success);
    }

    /// No more will be lived: take up what is being learnt, which in step is waited for.
    ///
    /// # Errors
    /// `StudyError` where the thread that learns has failed, now or before.
    pub fn finish(&mut self) -> Result<(), StudyError> {
        let learnt = match self.options.pace {
            Pace::InStep => self.study.wait(),
            Pace::Free => self.study.look(),
        };
        if let Some(learnt) = self.noting(learnt) {
            self.take_up(learnt);
        }
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// A new life begins.
    pub(crate) fn begin_life(&mut self) {
        self.chronicle.begin();
        self.lives += 1;
    }

    /// Before a control step: synchronise where it is time.
    pub(crate) fn synchronise(&mut self) {
        if self.failed.is_some() {
            return;
        }
        let due = self.since >= self.options.spec.every;
        let learnt = match self.options.pace {
            Pace::Free => self.study.look(),
            Pace::InStep if due => self.study.wait(),
            Pace::InStep => return,
        };
        if let Some(learnt) = self.noting(learnt) {
            self.take_up(learnt);
        }
        if due && !self.study.under_way() {
            self.hand_over();
        }
    }

    /// After it: remember it, and what it cost.
    pub(crate) fn remember(&mut self, moment: Moment, cost: f32) {
        self.watch.cost(cost);
        self.chronicle.remember(moment);
        self.steps += 1;
        self.since = self.since.saturating_add(1);
    }

    fn hand_over(&mut self) {
        self.since = 0;
        self.synchronisations += 1;
        let lesson = Lesson {
            present: self.present.clone(),
            original: self.original.clone(),
            recalled: self.chronicle.recall(),
            drives: self.options.drives.clone(),
            optimism: self.options.optimism,
            spec: self.options.spec.clone(),
            seed: derive_seed(self.options.seed, "learn", self.synchronisations),
        };
        let handed_over = self.study.hand_over(lesson);
        self.noting(handed_over);
    }

    /// Go on without learning where the thread that learns has failed.
    fn noting<T: Default>(&mut self, result: Result<T, StudyError>) -> T {
        result.unwrap_or_else(|error| {
            self.failed = Some(error);
            T::default()
        })
    }

    fn take_up(&mut self, learnt: Learnt) {
        let standing = self.watch.present();
        let best = self.watch.best();
        let back = self.watch.back();
        let went_back = back.is_some();
        let next = back.or_else(|| {
            let model = Arc::new(learnt.model?);
            self.watch.giving_way(&self.present);
            Some(model)
        });
        if let Some(model) = next {
            self.present = model;
            self.version += 1;
        }
        let [learnt_from, held_out] = learnt.moments;
        let report = Report {
            synchronisation: self.synchronisations,
            steps: self.steps,
            lives: self.lives,
            learnt_from,
            held_out,
            prediction: learnt.prediction,
            critic: learnt.critic,
            policy: learnt.policy,
            standing,
            best,
            went_back,
            problem: learnt.problem,
        };
        (self.on_report)(&report, &self.present);
    }
}
