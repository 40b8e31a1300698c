//! What the runner has told so far. Read first: [`Story::hear`].

use crate::motion::{Glide, between_all, between_rays};
use bevy::prelude::Resource;
use crossbeam::channel::{Receiver, TryRecvError};
use forethought_interface::{ActedBy, Pose, Ray, Remembered, Rollout, Scene, Snapshot, Thought, ViewMessage};

/// The episode as far as it is known, and the picture between its last two snapshots.
#[derive(Resource, Debug, Default)]
pub struct Story {
    /// What stays the same during the episode; none before the first message.
    pub scene: Option<Scene>,
    /// The latest snapshot.
    pub now: Option<Snapshot>,
    /// What each agent has thought and where it has been.
    pub agents: Vec<AgentStory>,
    /// Why the episode failed, if it did.
    pub failed: Option<String>,
    /// True once the runner is gone.
    pub ended: bool,
    before: Picture,
    glide: Glide,
}

/// One agent's part of the episode.
#[derive(Debug, Clone, Default)]
pub struct AgentStory {
    /// Each snapshot's position in metres.
    pub trail_m: Vec<[f32; 2]>,
    /// Each step's plan's energy.
    pub energies: Vec<(u32, f32)>,
    /// The latest imagined futures, best first.
    pub rollouts: Vec<Rollout>,
    /// Where each level above the first means to be; see [`forethought_interface::Thought::subgoals`].
    pub subgoals: Vec<Vec<[f32; 2]>>,
    /// The control step at which they were imagined, from where the agent was before it.
    pub imagined_at: u32,
    /// The latest plan's lowest energy after each planning iteration.
    pub energy_by_iteration: Vec<f32>,
    /// The latest thought's predictor calls, of a step that planned.
    pub model_evaluations: u64,
    /// How long the latest planning took, in milliseconds.
    pub plan_ms: f32,
    /// How the latest action came about, in words.
    pub mode: &'static str,
    /// What the agent is at and why, in words; empty without a configurator.
    pub task: String,
    /// What each drive costs now, before its weight, by name.
    pub drives: Vec<(String, f32)>,
    /// What it keeps in mind of where things are.
    pub remembered: Vec<Remembered>,
}

/// Where everything is at one moment of the wall clock.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Picture {
    /// As in [`Scene::bodies`].
    pub bodies: Vec<Pose>,
    /// As in [`Scene::agents`].
    pub agents: Vec<Pose>,
    /// Each agent's rays.
    pub rays: Vec<Vec<Ray>>,
}

impl Story {
    /// Take in one message. `expected_s` is as in [`Glide::begin`].
    pub fn hear(&mut self, message: ViewMessage, now_s: f64, expected_s: Option<f64>) {
        match message {
            ViewMessage::Scene(scene) => {
                let agents = vec![AgentStory::default(); scene.agents.len()];
                *self = Self { scene: Some(*scene), agents, glide: self.glide, ..Self::default() };
            }
            ViewMessage::Snapshot(snapshot) => self.go_on(*snapshot, now_s, expected_s),
            ViewMessage::Failed(text) => self.failed = Some(text),
        }
    }

    /// Take in all that waits now, up to the snapshot that `hold` wants to keep in sight.
    pub fn hear_all(
        &mut self,
        messages: &Receiver<ViewMessage>,
        now_s: f64,
        expected_s: Option<f64>,
        hold: impl Fn(&Self) -> bool,
    ) {
        // What comes meanwhile can wait for the next frame: at full speed there is always more.
        for _ in 0..=messages.len() {
            if hold(self) {
                break;
            }
            match messages.try_recv() {
                Ok(message) => self.hear(message, now_s, expected_s),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.ended = true;
                    break;
                }
            }
        }
    }

    fn go_on(&mut self, snapshot: Snapshot, now_s: f64, expected_s: Option<f64>) {
        self.failed = None;
        // Reset starts again without a new scene's message being the only sign of it.
        let started_again = self.now.as_ref().is_some_and(|now| snapshot.step < now.step);
        if started_again {
            self.agents.fill(AgentStory::default());
        }
        if self.now.is_none() || started_again {
            self.glide.jump(now_s);
            self.before = Picture::at_end(&snapshot);
        } else {
            self.before = self.picture(now_s);
            self.glide.begin(now_s, expected_s);
        }
        self.agents.resize(snapshot.agents.len(), AgentStory::default());
        for (index, agent) in self.agents.iter_mut().enumerate() {
            agent.trail_m.push(snapshot.agents[index].position_m);
            let think_ms = snapshot.think_ms.get(index).copied().unwrap_or_default();
            if let Some(Some(thought)) = snapshot.thoughts.get(index) {
                agent.remember(thought, snapshot.step, think_ms);
            }
        }
        self.now = Some(snapshot);
    }

    /// Where everything is now.
    pub fn picture(&self, now_s: f64) -> Picture {
        let Some(now) = &self.now else { return Picture::default() };
        let progress = self.glide.progress(now_s);
        let no_rays = vec![];
        let rays = now.rays.iter().enumerate();
        Picture {
            bodies: between_all(&self.before.bodies, &now.bodies, progress),
            agents: between_all(&self.before.agents, &now.agents, progress),
            rays: rays
                .map(|(index, rays)| between_rays(self.before.rays.get(index).unwrap_or(&no_rays), rays, progress))
                .collect(),
        }
    }

    /// True when the latest snapshot is what the picture shows.
    pub fn settled(&self, now_s: f64) -> bool {
        self.glide.progress(now_s) >= 1.0
    }

    /// The latest snapshot's control step.
    pub fn step(&self) -> u32 {
        self.now.as_ref().map_or(0, |now| now.step)
    }

    /// True when `step` is in sight, or nothing more will come.
    pub fn reached(&self, step: u32) -> bool {
        let shown = self.now.as_ref().is_some_and(|now| now.step >= step || now.outcome.is_some());
        shown || self.failed.is_some() || self.ended
    }
}

impl AgentStory {
    fn remember(&mut self, thought: &Thought, step: u32, think_ms: f32) {
        if thought.acted_by == ActedBy::Mode2 {
            self.energies.push((step, thought.energy));
        }
        self.mode = match (thought.acted_by, thought.deliberation) {
            (ActedBy::Exploring, _) => "exploring",
            (ActedBy::Mode1, _) => "Mode-1: policy",
            (ActedBy::Mode2, None) => "Mode-2: plans",
            (ActedBy::Mode2, Some(why)) => why,
        };
        self.task = thought.task.as_ref().map_or_else(String::new, |task| format!("{} ({})", task.name, task.reason));
        self.drives.clone_from(&thought.drives);
        self.remembered.clone_from(&thought.remembered);
        if !thought.rollouts.is_empty() {
            // A thought that goes on with an earlier plan shows that plan's futures again.
            if thought.planned || self.rollouts.is_empty() {
                self.imagined_at = step;
            }
            self.rollouts.clone_from(&thought.rollouts);
        }
        self.subgoals.clone_from(&thought.subgoals);
        if !thought.energy_by_iteration.is_empty() {
            self.energy_by_iteration.clone_from(&thought.energy_by_iteration);
        }
        if thought.planned {
            self.model_evaluations = thought.model_evaluations;
            self.plan_ms = think_ms;
        }
    }
}

impl Picture {
    fn at_end(snapshot: &Snapshot) -> Self {
        Self { bodies: snapshot.bodies.clone(), agents: snapshot.agents.clone(), rays: snapshot.rays.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam::channel::unbounded;
    use forethought_interface::{Outcome, SceneBody};

    fn scene() -> ViewMessage {
        let agent = SceneBody { name: "agent".into(), outlines: vec![], color: [0.0; 3] };
        ViewMessage::Scene(Box::new(Scene { agents: vec![agent], ..Scene::default() }))
    }

    fn snapshot(step: u32, x: f32, energy: f32) -> ViewMessage {
        let planned = step % 2 == 1;
        let rollouts = if planned { vec![Rollout { positions_m: vec![[x, 0.0]], stride: 1, energy }] } else { vec![] };
        let thought = Thought {
            acted_by: ActedBy::Mode2,
            planned,
            energy,
            rollouts,
            model_evaluations: u64::from(step),
            ..Thought::default()
        };
        ViewMessage::Snapshot(Box::new(Snapshot {
            step,
            agents: vec![Pose { position_m: [x, 0.0], angle_rad: 0.0 }],
            thoughts: vec![(step > 0).then_some(thought)],
            ..Snapshot::default()
        }))
    }

    #[test]
    fn collects_all_and_shows_the_newest() {
        let (sender, messages) = unbounded();
        sender.send(scene()).unwrap();
        for step in 0..5_u8 {
            sender.send(snapshot(step.into(), step.into(), 10.0 - f32::from(step))).unwrap();
        }
        let mut story = Story::default();
        story.hear_all(&messages, 1.0, Some(0.1), |_| false);
        assert_eq!((story.step(), story.ended), (4, false));
        assert_eq!(story.agents[0].trail_m.len(), 5);
        assert_eq!(story.agents[0].energies, [(1, 9.0), (2, 8.0), (3, 7.0), (4, 6.0)]);
        assert_eq!(story.agents[0].rollouts[0].positions_m, [[3.0, 0.0]], "of the step that planned");
        assert_eq!(story.agents[0].model_evaluations, 3);
        // From where the picture was, not from the last snapshot that was never shown.
        assert_eq!(story.picture(1.0).agents[0].position_m, [0.0, 0.0]);
        assert_eq!(story.picture(9.0).agents[0].position_m, [4.0, 0.0]);
        drop(sender);
        story.hear_all(&messages, 2.0, Some(0.1), |_| false);
        assert!(story.ended && story.now.is_some(), "the last picture stays");
    }

    #[test]
    fn starts_again_at_a_new_scene_or_an_earlier_step() {
        let mut story = Story::default();
        for message in [snapshot(7, 1.0, 1.0), snapshot(8, 2.0, 1.0), snapshot(0, 5.0, 1.0)] {
            story.hear(message, 0.0, Some(1.0));
        }
        assert_eq!(story.agents[0].trail_m, [[5.0, 0.0]]);
        assert_eq!(story.picture(0.0).agents[0].position_m, [5.0, 0.0], "a leap is not glided over");
        story.hear(ViewMessage::Failed("no".into()), 0.0, None);
        assert!(story.failed.is_some());
        story.hear(scene(), 0.0, None);
        assert!(story.failed.is_none() && story.now.is_none());
    }

    #[test]
    fn holds_the_step_that_is_waited_for() {
        let (sender, messages) = unbounded();
        for step in 0..9_u8 {
            sender.send(snapshot(step.into(), 0.0, 0.0)).unwrap();
        }
        let mut story = Story::default();
        for _ in 0..2 {
            story.hear_all(&messages, 0.0, None, |story| story.reached(3));
            assert_eq!(story.step(), 3);
        }
        let ended = Snapshot { step: 1, outcome: Some(Outcome::Success), ..Snapshot::default() };
        story.hear(ViewMessage::Snapshot(Box::new(ended)), 0.0, None);
        assert!(story.reached(100), "an episode may end before");
    }
}
