//! Learning which task to be at: lives in worlds of training in which tasks are tried. Read first: [`learn_tasks`].

use crate::{
    error::Error,
    practice::{Round, live},
    progress::Progress,
    scenario::Episode,
    setup::Setup,
    stop::Stop,
};
use forethought_interface::derive_seed;
use forethought_mind::{
    Model,
    training::{self, LearnedConfiguratorSpec, PracticeSpec, TaskMoment},
};
use std::sync::{Arc, Mutex, PoisonError};

/// See that there are tasks to learn about, before anything takes long.
///
/// # Errors
/// [`Error::NoTasks`] where there are none, or nothing to judge them by.
pub fn check(setup: &Setup) -> Result<(), Error> {
    let refuse = |problem| Err(Error::NoTasks { scenario: setup.name().to_owned(), problem });
    let first = &setup.loaded.scenario.agents[0];
    if first.configurator.as_ref().is_none_or(|configurator| configurator.tasks.is_empty()) {
        return refuse(
            "its first agent has no tasks: give it `configurator: (tasks: [(name: \"eat\"), (name: \"rest\")])`",
        );
    }
    if setup.needs_of(0)?.is_empty() {
        return refuse(
            "its first agent has no drive but `Reach`, and what tasks cost is told by the others: give it one",
        );
    }
    Ok(())
}

/// Let the agents of a setup try their tasks with this model, round after round, and learn a configurator from it; `None` where a
/// stop was requested first.
///
/// # Errors
/// Where there are no tasks, a life cannot be drawn, its physics diverges or a mind cannot think.
pub fn learn_tasks(
    setup: &Arc<Setup>,
    model: Model,
    (practice, spec): (&PracticeSpec, &LearnedConfiguratorSpec),
    jobs: usize,
    stop: &Stop,
) -> Result<Option<Model>, Error> {
    check(setup)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.max(1)).build();
    let pool = pool.map_err(|error| Error::Worker(error.to_string()))?;
    let tasks = setup.tasks_of_first();
    let (mut model, mut lives) = (model.with_configurator(None), Vec::new());
    // The worlds that come after those in which critic and policy were learnt.
    let known = practice.lives_in_all();
    for number in 0..spec.rounds {
        let shared = Arc::new(model);
        let round = Round {
            first: known + u64::from(number) * u64::from(spec.lives),
            lives: spec.lives,
            steps: practice.steps,
            explored: practice.explored,
            label: format!("trying tasks in {}, round {} of {}", setup.name(), number + 1, spec.rounds),
        };
        let seat = |drawn: &Episode| setup.trying_tasks(&shared, drawn, spec);
        let Some(memories) = live(setup, &round, jobs, stop, &seat)? else { return Ok(None) };
        let latest = lives.len();
        lives.extend(memories.into_iter().flatten().map(|memory| taken(&memory)));
        let label = format!("learning tasks of {}, round {} of {}", setup.name(), number + 1, spec.rounds);
        let mut progress = Progress::begin(&label, u64::from(spec.updates));
        let seed = derive_seed(setup.seed, "configurator.round", u64::from(number));
        let mut on_update = |done: u32| {
            if done.is_multiple_of(50) {
                progress.set(u64::from(done), "");
            }
        };
        let learnt =
            pool.install(|| training::learn_tasks(&shared, &lives, latest, &tasks, spec, seed, &mut on_update));
        progress.end();
        let problem = "the lives of practice are too short to learn from: raise `training.practice.steps` or `lives`";
        model = learnt.ok_or_else(|| Error::NoTasks { scenario: setup.name().to_owned(), problem })?;
        if stop.requested() {
            return Ok(None);
        }
    }
    Ok(Some(model))
}

/// What was remembered of a life.
fn taken(memory: &Mutex<Vec<TaskMoment>>) -> Vec<TaskMoment> {
    std::mem::take(&mut memory.lock().unwrap_or_else(PoisonError::into_inner))
}
