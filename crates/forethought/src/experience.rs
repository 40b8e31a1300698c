//! Random exploration, recorded: what a world model is trained on. Read first: [`collect`].

use crate::{error::Error, progress::Progress, setup::Setup, stop::Stop, workers::spread};
use forethought_mind::training::{Experience, Trajectory};
use forethought_world::{Sandbox, action_len, observation_layout};
use std::{collections::BTreeMap, sync::Arc};

/// How much experience to collect, and how.
#[derive(Debug, Clone, Copy)]
pub struct ExperienceOptions {
    /// Training episodes.
    pub episodes: u64,
    /// Control steps of each; reaching the goal does not end it.
    pub steps: u32,
    /// Worker threads; the experience is the same for any number.
    pub jobs: usize,
}

/// Let the agents of a setup with the random actor walk about; `None` where a stop was requested first.
///
/// The agents whose senses and actions are those of the first all contribute, in scenario order.
///
/// # Errors
/// Where an episode cannot be drawn or its physics diverges.
pub fn collect(
    setup: &Arc<Setup>,
    options: &ExperienceOptions,
    stop: &Stop,
    mut progress: Progress,
) -> Result<Option<Experience>, Error> {
    let body = &setup.draw_training(0)?.world.agents[0];
    let (layout, action_len) = (observation_layout(body), action_len(&body.actuator));
    let indices: Vec<u64> = (0..options.episodes).collect();
    let mut walks: BTreeMap<u64, Vec<Trajectory>> = BTreeMap::new();

    let work = |sandbox: &mut Option<Sandbox>, index| walk(setup, sandbox, index, options.steps);
    let take = |index, walked: Result<_, Error>| {
        walks.insert(index, walked?);
        progress.set(walks.len() as u64, "");
        Ok(())
    };
    spread(&indices, options.jobs, stop, || None, work, take)?;
    progress.end();
    let complete = walks.len() == indices.len();
    Ok(complete.then(|| Experience { layout, action_len, episodes: walks.into_values().flatten().collect() }))
}

/// One training episode.
fn walk(setup: &Setup, sandbox: &mut Option<Sandbox>, index: u64, steps: u32) -> Result<Vec<Trajectory>, Error> {
    let failed = |source| Error::Exploration { episode: index, source };
    let mut drawn = setup.draw_training(index)?;
    for agent in &mut drawn.world.agents {
        agent.target = None;
    }
    let sandbox = match sandbox {
        Some(sandbox) => sandbox,
        empty => {
            let mut fresh = Sandbox::new();
            fresh.set_minds(setup.minds(&drawn)?);
            empty.insert(fresh)
        }
    };
    sandbox.reset(&drawn.world, drawn.seed).map_err(failed)?;
    let mut recorders = Recorder::for_agents(&drawn.world.agents);
    for _ in 0..steps {
        for recorder in &mut recorders {
            recorder.position(sandbox);
        }
        sandbox.control_step().map_err(failed)?;
        for recorder in &mut recorders {
            recorder.transition(sandbox);
        }
    }
    Ok(recorders.into_iter().map(|recorder| recorder.end(sandbox)).collect())
}

/// Writes down one agent's trajectory.
struct Recorder {
    agent: usize,
    trajectory: Trajectory,
}

impl Recorder {
    /// One for each agent that is like the first.
    fn for_agents(bodies: &[forethought_world::AgentBodySpec]) -> Vec<Self> {
        let kind = |body: &forethought_world::AgentBodySpec| (observation_layout(body), action_len(&body.actuator));
        let alike = (0..bodies.len()).filter(|agent| kind(&bodies[*agent]) == kind(&bodies[0]));
        let empty = || Trajectory { observations: Vec::new(), actions: Vec::new(), positions_m: Vec::new() };
        alike.map(|agent| Self { agent, trajectory: empty() }).collect()
    }

    /// Where the agent is now.
    fn position(&mut self, sandbox: &Sandbox) {
        self.trajectory.positions_m.push(sandbox.record().agents[self.agent].pose.position_m);
    }

    /// What the agent sensed at the start of the latest step, and what it did.
    fn transition(&mut self, sandbox: &Sandbox) {
        let record = &sandbox.record().agents[self.agent];
        self.trajectory.observations.extend(&record.observation.values);
        if let Some(thought) = &record.thought {
            self.trajectory.actions.extend(&thought.action.values);
        }
    }

    /// The last observation has no action.
    fn end(mut self, sandbox: &mut Sandbox) -> Trajectory {
        self.position(sandbox);
        self.trajectory.observations.extend(sandbox.observe(self.agent).values);
        self.trajectory
    }
}
