//! A mind on NumPy arrays. Read first: [`Mind`].

use crate::errors::{Trouble, unlocked};
use forethought::{
    locate,
    setup::{Setup, SetupOptions},
};
use forethought_interface::{Detail, Observation, Think, derive_seed};
use forethought_mind::Model;
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArray3,
};
use pyo3::prelude::*;
use std::path::{Path, PathBuf};

/// The mind of one agent of a scenario, with the model that the scenario names or another. Arrays are C-contiguous float32.
#[pyclass(module = "forethought._native")]
pub struct Mind {
    mind: forethought_mind::Mind,
    scenario: String,
    agent: usize,
    /// Channels of an observation, with their shapes.
    channels: Vec<(String, Vec<usize>)>,
    observation_size: usize,
    action_size: usize,
    has_goal: bool,
}

/// A prediction's or a plan's array, `[n, steps, values]`.
type Futures<'py> = Bound<'py, PyArray3<f32>>;

#[pymethods]
impl Mind {
    /// The mind of agent number `agent` of a scenario, which is a path or a name; or of a model file, whose scenario its card names.
    #[staticmethod]
    #[pyo3(signature = (path, model = None, agent = 0))]
    fn load(py: Python<'_>, path: String, model: Option<PathBuf>, agent: usize) -> PyResult<Self> {
        unlocked(py, || Self::loaded(&path, model, agent))
    }

    /// The scenario's name.
    #[getter]
    fn scenario(&self) -> &str {
        &self.scenario
    }

    /// The channels of an observation, with their shapes.
    #[getter]
    fn channels(&self) -> Vec<(String, Vec<usize>)> {
        self.channels.clone()
    }

    /// Values of an observation.
    #[getter]
    fn observation_size(&self) -> usize {
        self.observation_size
    }

    /// Values of an action.
    #[getter]
    fn action_size(&self) -> usize {
        self.action_size
    }

    /// Values of a latent.
    #[getter]
    fn latent_size(&self) -> PyResult<usize> {
        Ok(self.mind.model().map_err(Trouble::from)?.predictor().latent())
    }

    /// Control steps that one prediction spans.
    #[getter]
    fn stride(&self) -> PyResult<usize> {
        Ok(self.mind.model().map_err(Trouble::from)?.stride())
    }

    /// Control steps of a plan.
    #[getter]
    fn horizon(&self) -> usize {
        self.mind.horizon()
    }

    /// Whether it plans towards a goal.
    #[getter]
    fn has_goal(&self) -> bool {
        self.has_goal
    }

    /// Values of its latent variable; 1 without one.
    #[getter]
    fn codes(&self) -> PyResult<usize> {
        Ok(self.mind.model().map_err(Trouble::from)?.predictors().len())
    }

    /// Observations `[n, observation]` to latents `[n, latent]`. Rows may go on after what is sensed, as an environment's do.
    fn encode<'py>(
        &self,
        py: Python<'py>,
        observations: PyReadonlyArray2<'py, f32>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let (count, width) = (observations.as_array().nrows(), observations.as_array().ncols());
        let values = contiguous(observations.as_slice(), "observations")?;
        let (mind, size) = (&self.mind, self.observation_size);
        let latents = unlocked(py, || {
            if width < size {
                return Err(self.too_short(width));
            }
            Ok(mind.encode(values.chunks_exact(width.max(1)).map(|row| &row[..size]))?)
        })?;
        let latent = latents.len() / count.max(1);
        latents.into_pyarray(py).reshape([count, latent])
    }

    /// Latents `[n, latent]` under actions `[n, horizon, action]` to those foretold, `[n, horizon / stride, latent]`.
    #[pyo3(signature = (latents, actions, floor_plan = None, z = 0))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        latents: PyReadonlyArray2<'py, f32>,
        actions: PyReadonlyArray3<'py, f32>,
        floor_plan: Option<PyReadonlyArray1<'py, f32>>,
        z: usize,
    ) -> PyResult<Futures<'py>> {
        let (count, latent) = (latents.as_array().nrows(), latents.as_array().ncols());
        self.check_actions(&actions, count)?;
        let floor_plan = floor_plan.as_ref().map(|plan| contiguous(plan.as_slice(), "floor_plan")).transpose()?;
        let (from, under) = (contiguous(latents.as_slice(), "latents")?, contiguous(actions.as_slice(), "actions")?);
        let mind = &self.mind;
        let foretold = unlocked(py, || Ok(mind.predict(from, under, floor_plan.unwrap_or_default(), z)?))?;
        let steps = foretold.len() / (count * latent).max(1);
        foretold.into_pyarray(py).reshape([count, steps, latent])
    }

    /// The energies `[n]` of the futures from latents `[n, latent]` under actions `[n, horizon, action]`: lower is better.
    #[pyo3(signature = (latents, actions, goal = None, floor_plan = None))]
    fn energy<'py>(
        &self,
        py: Python<'py>,
        latents: PyReadonlyArray2<'py, f32>,
        actions: PyReadonlyArray3<'py, f32>,
        goal: Option<PyReadonlyArray1<'py, f32>>,
        floor_plan: Option<PyReadonlyArray1<'py, f32>>,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        self.check_actions(&actions, latents.as_array().nrows())?;
        let floor_plan = floor_plan.as_ref().map(|plan| contiguous(plan.as_slice(), "floor_plan")).transpose()?;
        let goal = goal.as_ref().map(|goal| contiguous(goal.as_slice(), "goal")).transpose()?;
        let (from, under) = (contiguous(latents.as_slice(), "latents")?, contiguous(actions.as_slice(), "actions")?);
        let energies = unlocked(py, || {
            let goal = self.sensed(goal.filter(|_| self.has_goal))?;
            let goal = goal.map_or(Ok(vec![]), |goal| self.mind.encode(std::iter::once(&*goal.values)))?;
            Ok(self.mind.judge(from, under, &goal, floor_plan.unwrap_or_default())?)
        })?;
        Ok(energies.into_pyarray(py))
    }

    /// Plan from an observation towards a goal, both as the environment has them: candidates `[k, horizon, action]`, best first, and
    /// their energies `[k]`. The same seed plans the same.
    #[pyo3(signature = (observation, goal = None, seed = 0))]
    fn plan<'py>(
        &self,
        py: Python<'py>,
        observation: PyReadonlyArray1<'py, f32>,
        goal: Option<PyReadonlyArray1<'py, f32>>,
        seed: u64,
    ) -> PyResult<(Futures<'py>, Bound<'py, PyArray1<f32>>)> {
        let goal = goal.as_ref().map(|goal| contiguous(goal.as_slice(), "goal")).transpose()?;
        let observation = contiguous(observation.as_slice(), "observation")?;
        let proposed = unlocked(py, || {
            let goal = self.sensed(goal.filter(|_| self.has_goal))?;
            let observation = self.sensed(Some(observation))?.unwrap_or_default();
            Ok(self.mind.propose(&observation, goal.as_ref(), seed)?)
        })?;
        let shape = [proposed.energies.len(), proposed.horizon, self.action_size];
        Ok((proposed.actions.into_pyarray(py).reshape(shape)?, proposed.energies.into_pyarray(py)))
    }

    /// Begin a life: forget everything; `episode_seed` is the episode's, as the environment's info has it.
    fn begin(&mut self, episode_seed: u64) {
        self.mind.begin(derive_seed(episode_seed, "mind", self.agent as u64));
    }

    /// One control step of its life: what it does when it senses this. As in `forethought batch` it goes on with earlier plans,
    /// remembers, and changes its task.
    #[pyo3(signature = (observation, goal = None))]
    fn act<'py>(
        &mut self,
        py: Python<'py>,
        observation: PyReadonlyArray1<'py, f32>,
        goal: Option<PyReadonlyArray1<'py, f32>>,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let goal = goal.as_ref().map(|goal| contiguous(goal.as_slice(), "goal")).transpose()?;
        let observation = contiguous(observation.as_slice(), "observation")?;
        let thought = unlocked(py, || {
            let goal = self.sensed(goal.filter(|_| self.has_goal))?;
            let observation = self.sensed(Some(observation))?.unwrap_or_default();
            let thought = self.mind.think(&observation, goal.as_ref(), Detail::Brief);
            thought.map_err(|error| Trouble::Input(error.to_string()))
        })?;
        Ok(thought.action.values.into_pyarray(py))
    }
}

impl Mind {
    fn loaded(path: &str, model: Option<PathBuf>, agent: usize) -> Result<Self, Trouble> {
        let is_model = Path::new(path).extension().is_some_and(|extension| extension == "safetensors");
        let (scenario, model) = match (is_model, model) {
            (false, model) => (path.to_owned(), model),
            (true, None) => (scenario_of(Path::new(path))?, Some(PathBuf::from(path))),
            (true, Some(_)) => {
                return Err(Trouble::Input(format!("{path} is a model: give a scenario first, and then the model")));
            }
        };
        let file = locate::scenario_file(&scenario)?;
        let setup = Setup::load(&file, &SetupOptions { model, ..SetupOptions::default() })?;
        let drawn = setup.draw(0)?;
        let none = || {
            let count = drawn.world.agents.len();
            Trouble::Input(format!(
                "{scenario} has no agent number {agent}: it has {count}, the first of which is number 0"
            ))
        };
        let mind = setup.mind_of(agent, &drawn)?.ok_or_else(none)?;
        let body = &drawn.world.agents[agent];
        let layout = forethought_world::observation_layout(body);
        Ok(Self {
            mind,
            scenario: setup.name().to_owned(),
            agent,
            observation_size: layout.len(),
            channels: layout.channels.into_iter().map(|channel| (channel.name, channel.shape)).collect(),
            action_size: forethought_world::action_len(&body.actuator),
            has_goal: body.target.is_some(),
        })
    }

    /// What of this row of an environment is sensed.
    fn sensed(&self, row: Option<&[f32]>) -> Result<Option<Observation>, Trouble> {
        let sensed = |row: &[f32]| {
            let values = row.get(..self.observation_size).ok_or_else(|| self.too_short(row.len()))?.to_vec();
            Ok(Observation { values })
        };
        row.map(sensed).transpose()
    }

    fn too_short(&self, found: usize) -> Trouble {
        Trouble::Input(format!(
            "an observation of {found} values, where {} senses {}",
            self.scenario, self.observation_size
        ))
    }

    fn check_actions(&self, actions: &PyReadonlyArray3<'_, f32>, count: usize) -> Result<(), Trouble> {
        let (rows, horizon, values) = actions.as_array().dim();
        if (rows, values) == (count, self.action_size) {
            return Ok(());
        }
        let wanted = format!("[{count}, horizon, {}]", self.action_size);
        Err(Trouble::Input(format!("`actions` is [{rows}, {horizon}, {values}], and must be {wanted}")))
    }
}

/// The scenario that a model says it was trained on.
fn scenario_of(model: &Path) -> Result<String, Trouble> {
    let card = Model::load(model).map_err(|error| Trouble::Input(error.to_string()))?;
    Ok(card.card().scenario.clone())
}

fn contiguous<'a, T, E>(slice: Result<&'a [T], E>, what: &str) -> Result<&'a [T], Trouble> {
    slice.map_err(|_| Trouble::Input(format!("`{what}` must be C-contiguous: pass numpy.ascontiguousarray({what})")))
}
