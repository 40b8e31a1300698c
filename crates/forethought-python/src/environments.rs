//! Many environments of one scenario, stepped together without Python's lock into arrays that NumPy owns. Read first:
//! [`Environments`].

use crate::errors::{Trouble, unlocked};
use forethought::{
    Error,
    environment::{Environment, Split},
    episode::{Ending, hex},
    locate,
    recording::Portrait,
    setup::{Setup, SetupOptions},
};
use forethought_interface::derive_seed;
use forethought_mind::actor::planners::PlannerName;
use numpy::{PyReadonlyArray2, PyReadwriteArray1, PyReadwriteArray2};
use pyo3::{prelude::*, types::PyDict};
use rayon::prelude::*;
use std::sync::Arc;

/// What an agent is made of, for Python: name, channels with their shapes, values of its action, whether it has a goal.
type Seated = (String, Vec<(String, Vec<usize>)>, usize, bool);

/// A thread takes so many environments at once: one step is too little to be handed over.
const JOBS_AT_ONCE: usize = 8;

/// `n` environments of one scenario. Arrays are C-contiguous: `observations` and `goals` `[n, observation_size]` float32, `actions`
/// `[n, action_size]` float32, `rewards` `[n, agents]` float64, `terminated`, `truncated` and `begun` `[n]` bool.
#[pyclass(module = "forethought._native")]
pub struct Environments {
    slots: Vec<Slot>,
    /// None where one thread does all.
    pool: Option<rayon::ThreadPool>,
}

/// One environment, and which episodes it plays.
struct Slot {
    environment: Environment,
    seed: u64,
    split: Split,
    /// The number of the episode that is under way, or was latest.
    index: u64,
    portrait: Option<Portrait>,
}

/// Where one environment's step is written to.
struct Row<'a> {
    observation: &'a mut [f32],
    rewards: &'a mut [f64],
    terminated: &'a mut bool,
    truncated: &'a mut bool,
    begun: &'a mut bool,
}

impl Slot {
    fn begin(&mut self, seed: u64, split: Split, index: u64) -> Result<(), Trouble> {
        (self.seed, self.split, self.index) = (seed, split, index);
        self.portrait = None;
        Ok(self.environment.begin(seed, split, index)?)
    }

    /// One control step, or where the episode has ended and `autoreset` says so, the beginning of the next.
    fn step(&mut self, actions: &[f32], row: Row<'_>, autoreset: bool) -> Result<(), Trouble> {
        let begins = autoreset && !self.environment.under_way();
        (*row.begun, *row.terminated, *row.truncated) = (begins, false, false);
        if begins {
            self.begin(self.seed, self.split, self.index + 1)?;
            row.rewards.fill(0.0);
        } else {
            let step = self.environment.step(actions)?;
            (*row.terminated, *row.truncated) = (step.terminated, step.truncated);
            row.rewards.copy_from_slice(self.environment.rewards());
        }
        self.environment.observe_into(row.observation);
        Ok(())
    }

    /// The world as pixels.
    fn draw(&mut self, width_px: u16, pixels: &mut [u8]) -> Result<(), Trouble> {
        let Some(drawn) = self.environment.drawn() else { return Err(Error::NoEpisode.into()) };
        let mut portrait = match self.portrait.take() {
            Some(portrait) if portrait.size_px()[0] == width_px => portrait,
            _ => Portrait::new(self.environment.setup(), drawn, width_px)?,
        };
        portrait.draw(self.environment.record(), pixels);
        self.portrait = Some(portrait);
        Ok(())
    }
}

#[pymethods]
impl Environments {
    #[new]
    #[pyo3(signature = (scenario, count = 1, threads = 1, goal_in_observation = true))]
    fn new(
        py: Python<'_>,
        scenario: String,
        count: usize,
        threads: usize,
        goal_in_observation: bool,
    ) -> PyResult<Self> {
        unlocked(py, || {
            if count == 0 || threads == 0 {
                return Err(Trouble::Input(format!(
                    "{count} environments on {threads} threads: give 1 or more of each"
                )));
            }
            let file = locate::scenario_file(&scenario)?;
            let options = SetupOptions { actor: Some(PlannerName::Random), ..SetupOptions::default() };
            let setup = Arc::new(Setup::load(&file, &options)?);
            let slot = || {
                let environment = Environment::new(setup.clone(), goal_in_observation)?;
                Ok(Slot { environment, seed: 0, split: Split::default(), index: 0, portrait: None })
            };
            if slot()?.environment.observation_len() == 0 {
                return Err(Trouble::Input(format!("the agents of {scenario} sense nothing: give one a sensor")));
            }
            let slots = (0..count).map(|_| slot()).collect::<Result<Vec<Slot>, Trouble>>()?;
            let threads = threads.min(count);
            let pool = (threads > 1).then(|| rayon::ThreadPoolBuilder::new().num_threads(threads).build());
            let pool = pool.transpose().map_err(|error| Trouble::Other(error.to_string()))?;
            Ok(Self { slots, pool })
        })
    }

    /// The scenario's name.
    #[getter]
    fn name(&self) -> String {
        self.slots[0].environment.setup().name().to_owned()
    }

    /// What its description says.
    #[getter]
    fn description(&self) -> String {
        self.slots[0].environment.setup().loaded.scenario.description.clone()
    }

    /// Simulated seconds of a control step.
    #[getter]
    fn control_period_s(&self) -> f64 {
        self.slots[0].environment.setup().loaded.scenario.timing.control_period_s
    }

    /// For each agent its name, its channels with their shapes, the values of its action, and whether it has a goal.
    #[getter]
    fn agents(&self) -> Vec<Seated> {
        let seats = self.slots[0].environment.seats().iter();
        seats
            .map(|seat| {
                let channels = seat.layout.channels.iter().map(|channel| (channel.name.clone(), channel.shape.clone()));
                (seat.name.clone(), channels.collect(), seat.acts.len(), seat.has_goal)
            })
            .collect()
    }

    /// Values of the observations of all agents together.
    #[getter]
    fn observation_size(&self) -> usize {
        self.slots[0].environment.observation_len()
    }

    /// Values of the actions of all agents together.
    #[getter]
    fn action_size(&self) -> usize {
        self.slots[0].environment.action_len()
    }

    /// Begin an episode in environment `at` and write what its agents sense.
    #[pyo3(signature = (at, seed, split, index, observations))]
    fn begin(
        &mut self,
        py: Python<'_>,
        at: usize,
        seed: u64,
        split: &str,
        index: u64,
        mut observations: PyReadwriteArray2<'_, f32>,
    ) -> PyResult<()> {
        let split = Split::from_name(split).ok_or_else(|| {
            let known = Split::ALL.map(Split::as_str).join(", ");
            Trouble::Input(format!("there is no split `{split}`: give one of {known}"))
        })?;
        let width = self.observation_size();
        self.slot(at)?;
        let observations = rows(observations.as_slice_mut(), self.slots.len() * width, "observations")?;
        let slot = &mut self.slots[at];
        unlocked(py, || {
            slot.begin(seed, split, index)?;
            slot.environment.observe_into(&mut observations[at * width..(at + 1) * width]);
            Ok(())
        })
    }

    /// One control step of all environments. With `autoreset` an environment whose episode had ended begins the next one of its
    /// seed in place of a step, worth nothing, and says so in `begun`.
    #[expect(clippy::too_many_arguments, reason = "the arrays that it writes to")]
    fn step(
        &mut self,
        py: Python<'_>,
        actions: PyReadonlyArray2<'_, f32>,
        mut observations: PyReadwriteArray2<'_, f32>,
        mut rewards: PyReadwriteArray2<'_, f64>,
        mut terminated: PyReadwriteArray1<'_, bool>,
        mut truncated: PyReadwriteArray1<'_, bool>,
        mut begun: PyReadwriteArray1<'_, bool>,
        autoreset: bool,
    ) -> PyResult<()> {
        let count = self.slots.len();
        let (seen, done) = (self.observation_size(), self.action_size());
        let agents = self.slots[0].environment.seats().len();
        let actions = actions.as_slice().ok().filter(|actions| actions.len() == count * done);
        let actions = actions.ok_or_else(|| wrong("actions", count * done))?;
        let observations = rows(observations.as_slice_mut(), count * seen, "observations")?;
        let rewards = rows(rewards.as_slice_mut(), count * agents, "rewards")?;
        let terminated = rows(terminated.as_slice_mut(), count, "terminated")?;
        let truncated = rows(truncated.as_slice_mut(), count, "truncated")?;
        let begun = rows(begun.as_slice_mut(), count, "begun")?;
        let flags = terminated.iter_mut().zip(truncated).zip(begun);
        let written = observations.chunks_exact_mut(seen).zip(rewards.chunks_exact_mut(agents)).zip(flags);
        let jobs = self.slots.iter_mut().zip(actions.chunks_exact(done)).zip(written);
        let jobs = jobs.map(|((slot, actions), ((observation, rewards), ((terminated, truncated), begun)))| {
            (slot, actions, Row { observation, rewards, terminated, truncated, begun })
        });
        let (jobs, pool) = (jobs.collect(), self.pool.as_ref());
        unlocked(py, || spread(pool, jobs, |(slot, actions, row)| slot.step(actions, row, autoreset)))
    }

    /// Write what the agents of each environment would sense at their targets; not a number without one.
    fn goals(&self, mut goals: PyReadwriteArray2<'_, f32>) -> PyResult<()> {
        let width = self.observation_size();
        let goals = rows(goals.as_slice_mut(), self.slots.len() * width, "goals")?;
        let slots = self.slots.iter().zip(goals.chunks_exact_mut(width));
        slots.for_each(|(slot, goal)| slot.environment.goal_into(goal));
        Ok(())
    }

    /// What there is to know of the episode in environment `at`.
    fn facts<'py>(&self, py: Python<'py>, at: usize) -> PyResult<Bound<'py, PyDict>> {
        let slot = self.slot(at)?;
        let facts = PyDict::new(py);
        facts.set_item("seed", slot.seed)?;
        facts.set_item("split", slot.split.as_str())?;
        facts.set_item("episode", slot.index)?;
        facts.set_item("episode_seed", derive_seed(slot.seed, slot.split.as_str(), slot.index))?;
        let factors = PyDict::new(py);
        for (name, value) in slot.environment.drawn().map(|drawn| drawn.factors.as_slice()).unwrap_or_default() {
            factors.set_item(name, value)?;
        }
        facts.set_item("factors", factors)?;
        Ok(facts)
    }

    /// How many control steps the episode in environment `at` has gone.
    fn steps(&self, at: usize) -> PyResult<u32> {
        Ok(self.slot(at)?.environment.record().step)
    }

    /// How the episode in environment `at` ended: `success`, `failure` or `time_limit`; None while it goes on.
    fn outcome(&self, at: usize) -> PyResult<Option<&'static str>> {
        Ok(self.slot(at)?.environment.outcome().map(|outcome| Ending::from(outcome).as_str()))
    }

    /// A hash over the trajectory so far, as `forethought batch` has it.
    fn digest(&self, at: usize) -> PyResult<String> {
        Ok(hex(self.slot(at)?.environment.digest()))
    }

    /// Where the targets of the agents of environment `at` are, in metres; None for those without one.
    fn goal_positions(&self, at: usize) -> PyResult<Vec<Option<(f32, f32)>>> {
        let environment = &self.slot(at)?.environment;
        let agents = 0..environment.seats().len();
        Ok(agents.map(|agent| environment.goal_m(agent).map(|[x, y]| (x, y))).collect())
    }

    /// Height and width of a picture of this width.
    fn picture_size(&self, width_px: u16) -> PyResult<(u16, u16)> {
        check_width(width_px)?;
        let setup = self.slots[0].environment.setup();
        let portrait = setup.draw(0).and_then(|drawn| Portrait::new(setup, &drawn, width_px)).map_err(Trouble::from)?;
        let [width, height] = portrait.size_px();
        Ok((height, width))
    }

    /// Draw the environments from `first` on into `pixels`, `[count * height, width * 3]`.
    fn draw(
        &mut self,
        py: Python<'_>,
        first: usize,
        width_px: u16,
        mut pixels: PyReadwriteArray1<'_, u8>,
        count: usize,
    ) -> PyResult<()> {
        check_width(width_px)?;
        if count == 0 || first + count > self.slots.len() {
            return Err(Trouble::Input(format!("there are {} environments", self.slots.len())).into());
        }
        let pixels = pixels.as_slice_mut().map_err(|_| wrong("pixels", 0))?;
        let each = (pixels.len() / count).max(1);
        let jobs = self.slots[first..first + count].iter_mut().zip(pixels.chunks_mut(each)).collect();
        let pool = self.pool.as_ref();
        unlocked(py, || spread(pool, jobs, |(slot, pixels): (&mut Slot, &mut [u8])| slot.draw(width_px, pixels)))
    }
}

impl Environments {
    fn slot(&self, at: usize) -> Result<&Slot, Trouble> {
        let count = self.slots.len();
        self.slots.get(at).ok_or_else(|| Trouble::Input(format!("there is no environment {at} of {count}")))
    }
}

/// Do each of these jobs, on the threads of the pool where there is one.
fn spread<T: Send>(
    pool: Option<&rayon::ThreadPool>,
    jobs: Vec<T>,
    work: impl Fn(T) -> Result<(), Trouble> + Send + Sync,
) -> Result<(), Trouble> {
    match pool {
        None => jobs.into_iter().try_for_each(work),
        Some(pool) => pool.install(|| jobs.into_par_iter().with_min_len(JOBS_AT_ONCE).try_for_each(work)),
    }
}

/// What NumPy holds, row after row, if it has that many values.
fn rows<'a, T, E>(slice: Result<&'a mut [T], E>, length: usize, what: &str) -> Result<&'a mut [T], Trouble> {
    slice.ok().filter(|slice| slice.len() == length).ok_or_else(|| wrong(what, length))
}

fn wrong(what: &str, length: usize) -> Trouble {
    Trouble::Input(format!("`{what}` must be a C-contiguous array of {length} values"))
}

fn check_width(width_px: u16) -> Result<(), Trouble> {
    let known = Portrait::WIDTHS_PX;
    let refuse =
        || Trouble::Input(format!("a picture cannot be {width_px} pixels wide: {} to {}", known.start(), known.end()));
    if known.contains(&width_px) { Ok(()) } else { Err(refuse()) }
}
