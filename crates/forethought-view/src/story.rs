//! What the runner has told so far. Read first: [`Story::hear`].

use crate::{
    history::{Entry, History},
    motion::{Glide, between_all, between_rays},
};
use bevy::prelude::Resource;
use crossbeam::channel::{Receiver, TryRecvError};
use forethought_interface::{
    ActedBy, Introspection, Landscape, Pose, Ray, Remembered, Rollout, ScenarioCard, Scene, Snapshot, Thought,
    ViewMessage,
};
use std::{collections::VecDeque, path::PathBuf, sync::Arc};

/// Thoughts before the one in sight that may still be carried out.
const THOUGHTS_BACK: usize = 64;
/// Control steps over which it is told how long thinking takes.
const THINKING_STEPS: usize = 20;
/// Over how many seconds of the wall clock the pace is measured.
const PACE_S: f64 = 1.5;

/// The episode as far as it is known, and the picture between its last two snapshots.
#[derive(Resource, Debug, Default)]
pub struct Story {
    /// What stays the same during the episode; none before the first message.
    pub scene: Option<Arc<Scene>>,
    /// The snapshot in sight: the latest, unless one looks back.
    pub now: Option<Arc<Snapshot>>,
    /// What each agent has thought and where it has been, up to the snapshot in sight.
    pub agents: Vec<AgentStory>,
    /// The energy landscape, if one was asked for.
    pub landscape: Option<Landscape>,
    /// Why the episode failed, if it did.
    pub failed: Option<String>,
    /// What is wrong with the scenario's file; empty where nothing is.
    pub problems: String,
    /// The scenario that was saved last, until it was told.
    pub saved: Option<PathBuf>,
    /// What there is to say, until it was said.
    pub notes: Vec<String>,
    /// The scenarios to choose from; none while one is played.
    pub shelf: Option<Vec<ScenarioCard>>,
    /// True once the runner is gone.
    pub ended: bool,
    /// All that was shown of this episode, as far as it is kept.
    pub history: History,
    /// The number in `history` of the snapshot in sight, where one looks back.
    back: Option<usize>,
    /// What the runner is at.
    live_scene: Option<Arc<Scene>>,
    /// When snapshots came, and the simulated time that they showed.
    pace: VecDeque<(f64, f64)>,
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
    /// How far each step was from what was foretold of it, as a distance of latents.
    pub errors: Vec<(u32, f32)>,
    /// What each step cost, all drives weighed.
    pub costs: Vec<(u32, f32)>,
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
    /// The latest action.
    pub action: Vec<f32>,
    /// What the agent is at; empty without a configurator.
    pub task: String,
    /// Why.
    pub reason: String,
    /// What each drive costs now, before its weight, by name.
    pub drives: Vec<(String, f32)>,
    /// What it keeps in mind of where things are.
    pub remembered: Vec<Remembered>,
    /// What goes on inside.
    pub inside: Introspection,
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
            ViewMessage::Scene(scene) => self.begin(Arc::new(*scene)),
            ViewMessage::Changed(scene) => {
                self.live_scene = Some(Arc::new(*scene));
                if self.back.is_none() {
                    self.scene.clone_from(&self.live_scene);
                }
            }
            ViewMessage::Snapshot(snapshot) => self.go_on(Arc::new(*snapshot), now_s, expected_s),
            ViewMessage::Landscape(landscape) => self.landscape = Some(*landscape),
            ViewMessage::Note(text) => self.notes.push(text),
            ViewMessage::Problems(text) => self.problems = text,
            ViewMessage::Saved(file) => self.saved = Some(file),
            ViewMessage::Shelf(cards) => *self = Self { shelf: Some(cards), ..Self::default() },
            ViewMessage::Failed(text) => self.failed = Some(text),
        }
    }

    /// A new episode.
    fn begin(&mut self, scene: Arc<Scene>) {
        *self = Self {
            agents: vec![AgentStory::default(); scene.agents.len()],
            live_scene: Some(scene.clone()),
            scene: Some(scene),
            glide: self.glide,
            // What was said of the file and to the user stays.
            problems: std::mem::take(&mut self.problems),
            notes: std::mem::take(&mut self.notes),
            saved: self.saved.take(),
            ..Self::default()
        };
    }

    /// Take in all that waits now, up to the snapshot that `hold` wants to keep in sight; landscapes of that come later.
    pub fn hear_all(
        &mut self,
        messages: &Receiver<ViewMessage>,
        now_s: f64,
        expected_s: Option<f64>,
        hold: impl Fn(&Self) -> bool,
    ) {
        // What comes meanwhile can wait for the next frame: at full speed there is always more.
        for _ in 0..=messages.len() {
            match messages.try_recv() {
                Ok(message) if !hold(self) || matches!(message, ViewMessage::Landscape(_)) => {
                    self.hear(message, now_s, expected_s);
                }
                Ok(_) => {}
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.ended = true;
                    break;
                }
            }
        }
    }

    fn go_on(&mut self, snapshot: Arc<Snapshot>, now_s: f64, expected_s: Option<f64>) {
        self.failed = None;
        // Reset starts again without a new scene's message being the only sign of it.
        let last = self.history.range().map(|(_, last)| last);
        let started_again = last.is_some_and(|last| snapshot.step < last);
        if started_again {
            self.agents.fill(AgentStory::default());
            (self.history, self.back) = (History::default(), None);
            self.pace.clear();
        }
        self.keep_pace(now_s, snapshot.time_s);
        let scene = self.live_scene.clone().unwrap_or_default();
        self.history.push(Entry { scene, snapshot: snapshot.clone() });
        if self.back.is_some() {
            return;
        }
        if self.now.is_none() || started_again {
            self.glide.jump(now_s);
            self.before = Picture::at_end(&snapshot);
        } else {
            self.before = self.picture(now_s);
            self.glide.begin(now_s, expected_s);
        }
        // A hand moves things while time stands.
        let same = self.now.as_ref().is_some_and(|now| now.step == snapshot.step);
        if same {
            self.glide.jump(now_s);
        }
        self.agents.resize(snapshot.agents.len(), AgentStory::default());
        for (index, agent) in self.agents.iter_mut().enumerate() {
            if same {
                agent.trail_m.pop();
            }
            agent.see(&snapshot, index);
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

    /// The control step in sight.
    pub fn step(&self) -> u32 {
        self.now.as_ref().map_or(0, |now| now.step)
    }

    /// True when `step` is in sight, or nothing more will come.
    pub fn reached(&self, step: u32) -> bool {
        let shown = self.now.as_ref().is_some_and(|now| now.step >= step || now.outcome.is_some());
        shown || self.failed.is_some() || self.ended || self.shelf.is_some()
    }

    /// Whether one looks back at what is past.
    pub fn looks_back(&self) -> bool {
        self.back.is_some()
    }

    /// Look at this control step; at the latest one, or where it is the latest, go on with what comes.
    pub fn look_at(&mut self, step: Option<u32>, now_s: f64) {
        let Some(last) = self.history.len().checked_sub(1) else { return };
        let index = step.and_then(|step| self.history.index_of(step)).unwrap_or(last);
        let Some(entry) = self.history.get(index).cloned() else { return };
        self.back = (index < last).then_some(index);
        let mut agents = vec![AgentStory::default(); entry.snapshot.agents.len()];
        // Plans are carried out for a while: what is in sight may have been thought some steps before.
        let thoughtful = index.saturating_sub(THOUGHTS_BACK);
        for (at, entry) in self.history.until(index).enumerate() {
            for (agent, story) in agents.iter_mut().enumerate() {
                if at >= thoughtful { story.see(&entry.snapshot, agent) } else { story.note(&entry.snapshot, agent) }
            }
        }
        self.agents = agents;
        self.before = Picture::at_end(&entry.snapshot);
        self.glide.jump(now_s);
        (self.scene, self.now) = (Some(entry.scene), Some(entry.snapshot));
    }

    /// Look at so many control steps earlier or later.
    pub fn look_by(&mut self, steps: i64, now_s: f64) {
        let wanted = i64::from(self.step()) + steps;
        self.look_at(Some(u32::try_from(wanted.max(0)).unwrap_or(u32::MAX)), now_s);
    }

    /// The energy landscape, where it is that of what is in sight: there is none of the past.
    pub fn landscape_in_sight(&self) -> Option<&Landscape> {
        self.landscape.as_ref().filter(|_| !self.looks_back())
    }

    /// How long all agents together thought in a control step of late, in milliseconds: a plan is carried out for some steps.
    pub fn thinking_ms(&self) -> f32 {
        let latest = self.history.latest(THINKING_STEPS);
        let (steps, total) = latest.fold((0.0, 0.0), |(steps, total), entry| {
            (steps + 1.0, total + entry.snapshot.think_ms.iter().sum::<f32>())
        });
        if steps > 0.0 { total / steps } else { 0.0 }
    }

    fn keep_pace(&mut self, now_s: f64, time_s: f64) {
        if self.pace.back().is_some_and(|(_, last)| time_s <= *last) {
            self.pace.clear();
        }
        self.pace.push_back((now_s, time_s));
        while self.pace.front().is_some_and(|(when, _)| now_s - when > PACE_S) {
            self.pace.pop_front();
        }
    }

    /// The clock was stopped or goes another way: the pace is measured anew.
    pub fn forget_pace(&mut self) {
        self.pace.clear();
    }

    /// Simulated seconds a second of late; none while it is too early to say.
    pub fn pace(&self) -> Option<f32> {
        let ((first, began), (last, now)) = (self.pace.front()?, self.pace.back()?);
        (last - first > 0.5 * PACE_S).then(|| ((now - began) / (last - first)) as f32)
    }
}

impl AgentStory {
    /// Take in one more snapshot.
    fn see(&mut self, snapshot: &Snapshot, index: usize) {
        self.note(snapshot, index);
        let think_ms = snapshot.think_ms.get(index).copied().unwrap_or_default();
        if let Some(Some(thought)) = snapshot.thoughts.get(index) {
            self.remember(thought, snapshot.step, think_ms);
            if snapshot.led == Some(index) {
                self.mode = "led by hand";
            }
        }
    }

    /// Take in what is told of all control steps.
    fn note(&mut self, snapshot: &Snapshot, index: usize) {
        let step = snapshot.step;
        self.trail_m.extend(snapshot.agents.get(index).map(|pose| pose.position_m));
        let Some(Some(thought)) = snapshot.thoughts.get(index) else { return };
        if thought.acted_by == ActedBy::Mode2 {
            put(&mut self.energies, step, thought.energy);
        }
        if let Some(inside) = &thought.introspection {
            put(&mut self.costs, step, inside.drives.iter().map(|drive| drive.cost * drive.weight).sum());
            if let Some(foretold) = inside.foretold {
                put(&mut self.errors, step, foretold.error);
            }
        }
    }

    fn remember(&mut self, thought: &Thought, step: u32, think_ms: f32) {
        self.mode = match (thought.acted_by, thought.deliberation) {
            (ActedBy::Exploring, _) => "exploring",
            (ActedBy::Mode1, _) => "Mode-1: policy",
            (ActedBy::Mode2, None) => "Mode-2: plans",
            (ActedBy::Mode2, Some(why)) => why,
        };
        self.action.clone_from(&thought.action.values);
        let task = thought.task.as_ref();
        self.task = task.map_or_else(String::new, |task| task.name.clone());
        self.reason = task.map_or_else(String::new, |task| task.reason.clone());
        self.drives.clone_from(&thought.drives);
        self.remembered.clone_from(&thought.remembered);
        // A mind that does not look into itself, such as one that acts at random, shows nothing.
        self.inside = thought.introspection.as_deref().cloned().unwrap_or_default();
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

/// One more number of a series, or the latest one anew.
fn put(series: &mut Vec<(u32, f32)>, step: u32, value: f32) {
    if series.last().is_some_and(|(last, _)| *last == step) {
        series.pop();
    }
    series.push((step, value));
}

impl Picture {
    /// Everything where this snapshot has it.
    pub fn at_end(snapshot: &Snapshot) -> Self {
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
        let rollouts =
            if planned { vec![Rollout { positions_m: vec![[x, 0.0]], stride: 1, energy, z: 0 }] } else { vec![] };
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
    fn one_looks_back_while_it_goes_on_and_returns() {
        let mut story = Story::default();
        story.hear(scene(), 0.0, None);
        let tell = |story: &mut Story, step: u8| story.hear(snapshot(step.into(), step.into(), 1.0), 0.0, Some(0.1));
        (0..20).for_each(|step| tell(&mut story, step));
        story.look_at(Some(6), 1.0);
        assert!(story.looks_back() && story.step() == 6);
        story.hear(ViewMessage::Landscape(Box::default()), 0.0, None);
        assert!(story.landscape.is_some() && story.landscape_in_sight().is_none(), "there is none of the past");
        assert_eq!(story.agents[0].trail_m.len(), 7);
        assert_eq!(story.agents[0].rollouts[0].positions_m, [[5.0, 0.0]], "what was imagined then");
        assert_eq!(story.agents[0].energies.last(), Some(&(6, 1.0)));
        assert_eq!(story.picture(1.0).agents[0].position_m, [6.0, 0.0]);
        tell(&mut story, 20);
        assert_eq!((story.step(), story.history.range()), (6, Some((0, 20))), "what comes waits");
        story.look_by(-100, 1.0);
        assert_eq!(story.step(), 0);
        story.look_by(3, 1.0);
        assert_eq!(story.step(), 3);
        story.look_at(None, 1.0);
        assert!(!story.looks_back() && story.step() == 20 && story.agents[0].trail_m.len() == 21);
    }

    #[test]
    fn a_step_changed_by_hand_is_the_same_step() {
        let mut story = Story::default();
        for message in [scene(), snapshot(0, 0.0, 1.0), snapshot(1, 1.0, 1.0), snapshot(1, 7.0, 1.0)] {
            story.hear(message, 0.0, None);
        }
        assert_eq!(story.agents[0].trail_m, [[0.0, 0.0], [7.0, 0.0]]);
        assert_eq!((story.history.len(), story.agents[0].energies.len()), (2, 1));
        assert_eq!(story.picture(0.0).agents[0].position_m, [7.0, 0.0], "at once");
    }

    #[test]
    fn the_pace_is_what_it_was_of_late() {
        let mut story = Story::default();
        assert_eq!(story.pace(), None);
        for step in 0..40_u8 {
            let snapshot = Snapshot { step: step.into(), time_s: 0.1 * f64::from(step), ..Snapshot::default() };
            story.hear(ViewMessage::Snapshot(Box::new(snapshot)), 0.2 * f64::from(step), Some(0.1));
        }
        assert!(story.pace().is_some_and(|pace| (pace - 0.5).abs() < 1e-3), "{:?}", story.pace());
        story.forget_pace();
        assert_eq!(story.pace(), None);
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
