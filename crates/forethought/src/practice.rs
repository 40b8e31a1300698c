//! Practice: lives in worlds of training, from which a critic and a policy are learnt. Read first: [`practise`].

use crate::{error::Error, progress::Progress, scenario::Episode, setup::Setup, stop::Stop, workers::spread};
use forethought_interface::{Think, derive_seed};
use forethought_mind::{
    Model, Practice,
    training::{self, ForesightSpec, Life, PracticeSpec},
};
use forethought_world::Sandbox;
use std::{collections::BTreeMap, sync::Arc};

/// Let the agents of a setup live and learn with this model, round after round, one practice after the other; `None` where a stop
/// was requested first.
///
/// # Errors
/// Where a life cannot be drawn, its physics diverges or a mind cannot think.
pub fn practise(
    setup: &Arc<Setup>,
    model: Model,
    spec: &PracticeSpec,
    jobs: usize,
    stop: &Stop,
) -> Result<Option<Model>, Error> {
    let (mut model, mut before) = (model.with_configurator(None), Before::default());
    for stage in spec.stages() {
        let Some(practised) = practise_once(setup, model, stage, &before, jobs, stop)? else { return Ok(None) };
        model = practised;
        before.lives += u64::from(stage.rounds) * u64::from(stage.lives);
        before.rounds += u64::from(stage.rounds);
    }
    Ok(Some(model))
}

/// What practices before this one have used up.
#[derive(Debug, Default)]
struct Before {
    lives: u64,
    rounds: u64,
}

fn practise_once(
    setup: &Arc<Setup>,
    model: Model,
    spec: &PracticeSpec,
    before: &Before,
    jobs: usize,
    stop: &Stop,
) -> Result<Option<Model>, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.max(1)).build();
    let pool = pool.map_err(|error| Error::Worker(error.to_string()))?;
    let (critic, policy) = spec.kept(&model);
    let (mut model, mut lives) = (model.with_behaviour(critic, policy), Vec::new());
    let mut recent = 0;
    for round in 0..spec.rounds {
        let shared = Arc::new(model);
        let lived = Round {
            first: before.lives + u64::from(round) * u64::from(spec.lives),
            lives: spec.lives,
            steps: spec.steps,
            explored: spec.explored,
            label: format!("living in {}, round {} of {}", setup.name(), round + 1, spec.rounds),
        };
        let seat = |drawn: &Episode| setup.practising(&shared, drawn, spec, round > 0);
        let Some(memories) = live(setup, &lived, jobs, stop, &seat)? else { return Ok(None) };
        let more: Vec<_> = memories.iter().map(|memory| Practice::life(memory)).collect();
        // The critic is to tell what the present behaviour costs, lives of two rounds ago taught it what they could; how the
        // world answers they still tell.
        let first = lives.len() - recent;
        recent = more.len();
        lives.extend(more);
        let seed = derive_seed(setup.seed, "practice.round", before.rounds + u64::from(round));
        let shared = match &spec.foresight {
            Some(foresight) => Arc::new(foresee(setup, &shared, &lives, foresight, seed, &pool)?),
            None => shared,
        };
        let label = format!("practising {}, round {} of {}", setup.name(), round + 1, spec.rounds);
        let mut progress = Progress::begin(&label, u64::from(spec.updates(&shared)));
        let drives = setup.practised_drives(spec)?;
        let mut on_update = |done: u32| {
            if done.is_multiple_of(50) {
                progress.set(u64::from(done), "");
            }
        };
        model = pool.install(|| training::practise(&shared, &lives[first..], &drives, spec, seed, &mut on_update));
        progress.end();
        if stop.requested() {
            return Ok(None);
        }
    }
    Ok(Some(model))
}

/// Let the predictor go on learning from these lives.
fn foresee(
    setup: &Setup,
    model: &Model,
    lives: &[Life],
    spec: &ForesightSpec,
    seed: u64,
    pool: &rayon::ThreadPool,
) -> Result<Model, Error> {
    let mut progress = Progress::begin(&format!("foreseeing {}", setup.name()), u64::from(spec.updates));
    let mut on_update = |done: u32| {
        if done.is_multiple_of(50) {
            progress.set(u64::from(done), "");
        }
    };
    let error =
        |model: &Model| pool.install(|| training::foresight_error(model, lives, spec.unroll)).unwrap_or_default();
    let before = error(model);
    let learnt = pool.install(|| training::fit_predictor(lives, model, spec, seed, &mut on_update));
    let learnt = learnt.map_err(|source| Error::Foresight { scenario: setup.name().to_owned(), source })?;
    progress.note(&format!("mean squared error of what is foreseen: {before:.4} before, {:.4} now", error(&learnt)));
    progress.end();
    Ok(learnt)
}

/// Lives to lead.
pub(crate) struct Round {
    /// The first one's number.
    pub(crate) first: u64,
    pub(crate) lives: u32,
    /// Control steps of each.
    pub(crate) steps: u32,
    /// The share of them that is drawn as for exploration.
    pub(crate) explored: f64,
    /// What is being done, for people.
    pub(crate) label: String,
}

/// The minds of an episode's agents, each with what is wanted of it afterwards.
pub(crate) type Seat<'a, T> = dyn Fn(&Episode) -> Result<Vec<(Box<dyn Think>, T)>, Error> + Sync + 'a;

/// Lead the lives of a round with the minds that `seat` gives to each: what it gives beside them, in order; `None` where a stop
/// was requested first.
pub(crate) fn live<T: Send>(
    setup: &Arc<Setup>,
    round: &Round,
    jobs: usize,
    stop: &Stop,
    seat: &Seat<T>,
) -> Result<Option<Vec<T>>, Error> {
    let indices: Vec<u64> = (round.first..round.first + u64::from(round.lives)).collect();
    let mut progress = Progress::begin(&round.label, indices.len() as u64);
    let mut lives: BTreeMap<u64, Vec<T>> = BTreeMap::new();
    let work = |sandbox: &mut Sandbox, index| {
        let mut drawn = setup.draw_practice(index, round.explored)?;
        // A life that ends early teaches nothing any more.
        drawn.world.agents.iter_mut().for_each(|agent| agent.immortal = true);
        let (minds, beside): (Vec<Box<dyn Think>>, Vec<T>) = seat(&drawn)?.into_iter().unzip();
        sandbox.set_minds(minds);
        sandbox.reset(&drawn.world, drawn.seed)?;
        for _ in 0..round.steps {
            sandbox.control_step()?;
        }
        Ok(beside)
    };
    let take = |index, lived: Result<_, Error>| {
        lives.insert(index, lived?);
        progress.set(lives.len() as u64, "");
        Ok(())
    };
    spread(&indices, jobs, stop, Sandbox::new, work, take)?;
    progress.end();
    let complete = lives.len() == indices.len();
    Ok(complete.then(|| lives.into_values().flatten().collect()))
}
