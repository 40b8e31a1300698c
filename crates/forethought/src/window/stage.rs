//! A scenario being played, and the episode under way with what a hand has done to it. Read first: [`Stage`].

use super::{
    hands::{self, Changed},
    landscape::Moment,
    save,
};
use crate::{
    episode::{Current, Runner},
    error::Error,
    picture,
    setup::Setup,
};
use forethought_interface::{Detail, Edit, MindSettings, Outcome, Scene, Snapshot, Touched};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// A scenario, the sandbox that plays it and the episode that is played.
pub struct Stage {
    setup: Arc<Setup>,
    runner: Runner,
    current: Option<Current>,
    index: u64,
    touched: Touched,
    /// How often a hand was in the episode.
    touches: u64,
    /// What was changed of how agents act; it lasts until it is taken back.
    adjusted: Vec<Option<MindSettings>>,
    /// How they act by themselves.
    own: Vec<Option<MindSettings>>,
    /// The agent that a hand leads; it lasts from episode to episode.
    led: Option<usize>,
}

impl Stage {
    /// Before the first episode.
    pub fn new(setup: Arc<Setup>) -> Self {
        let agents = setup.loaded.scenario.agents.len();
        Self {
            runner: Runner::new(setup.clone(), Detail::Full),
            setup,
            current: None,
            index: 0,
            touched: Touched::default(),
            touches: 0,
            adjusted: vec![None; agents],
            own: vec![None; agents],
            led: None,
        }
    }

    /// What is played.
    pub fn setup(&self) -> &Arc<Setup> {
        &self.setup
    }

    /// What a hand has done to the episode.
    pub fn touched(&self) -> Touched {
        self.touched
    }

    /// Set the stage for episode `index`; what was changed of the minds stays so.
    ///
    /// # Errors
    /// As [`Runner::begin`].
    pub fn begin(&mut self, index: u64) -> Result<(), Error> {
        self.current = None;
        self.current = Some(self.runner.begin(index)?);
        self.index = index;
        let adjusted = self.adjusted.iter().any(Option::is_some);
        self.touched = Touched { world: false, mind: adjusted, led: self.led.is_some() };
        for agent in 0..self.adjusted.len() {
            if let Some(settings) = self.adjusted[agent].clone() {
                // It was possible before; where another episode's factors forbid it, the agent acts by itself.
                let _ = self.set(agent, &settings);
            } else {
                self.own[agent] = self.settings(agent);
            }
        }
        Ok(())
    }

    /// One control step.
    ///
    /// # Errors
    /// As [`Runner::step`].
    pub fn step(&mut self) -> Result<Option<Outcome>, Error> {
        match &mut self.current {
            Some(current) => self.runner.step(current),
            None => Ok(None),
        }
    }

    /// What stays the same, as far as it does.
    pub fn scene(&mut self) -> Option<Scene> {
        let settings = (0..self.adjusted.len()).map(|agent| self.settings(agent)).collect();
        let drawn = &self.current.as_ref()?.drawn;
        Some(Scene { settings, ..picture::scene(&self.setup, drawn, self.index) })
    }

    /// The world as it is.
    pub fn snapshot(&self, outcome: Option<Outcome>, tally: (u32, u32)) -> Snapshot {
        let snapshot = picture::snapshot(self.runner.sandbox().record(), outcome, tally);
        Snapshot { touched: self.touched, led: self.led, ..snapshot }
    }

    /// What a landscape is worked out on.
    pub fn ground(&mut self) -> Option<(&mut Runner, [f32; 2], Moment)> {
        let size_m = save::size_m(&self.current.as_ref()?.drawn.world);
        let moment = (self.runner.sandbox().record().step, self.touches);
        Some((&mut self.runner, size_m, moment))
    }

    /// Change the world.
    ///
    /// # Errors
    /// A sentence that says why it cannot be done.
    pub fn edit(&mut self, edit: Edit) -> Result<Option<Changed>, String> {
        let Some(current) = &mut self.current else { return Ok(None) };
        let changed = hands::edit(&mut self.runner, &mut current.drawn, edit)?;
        self.touched.world = true;
        self.touches += 1;
        Ok(Some(changed))
    }

    /// Show what the minds think of what a hand has done, though time stands.
    pub fn preview(&mut self) {
        if self.current.is_some() {
            self.runner.sandbox_mut().preview();
        }
    }

    /// Lead an agent by hand, or no longer.
    pub fn lead(&mut self, agent: usize, action: Option<[f32; 2]>) {
        if let Some(other) = self.led.filter(|other| *other != agent) {
            self.runner.sandbox_mut().lead(other, None);
        }
        let actuator = self.current.as_ref().and_then(|current| current.drawn.world.agents.get(agent));
        let action = action.map(|wish| actuator.map_or(wish, |agent| hands::steered(&agent.actuator, wish)));
        self.runner.sandbox_mut().lead(agent, action);
        self.led = action.map(|_| agent);
        self.touched.led |= action.is_some();
    }

    /// Change how an agent acts, or let it act by itself again.
    ///
    /// # Errors
    /// A sentence that says why it cannot act so.
    pub fn adjust(&mut self, agent: usize, settings: Option<&MindSettings>) -> Result<Option<Changed>, String> {
        let by_itself = self.own.get(agent).cloned().flatten();
        let Some(wanted) = settings.cloned().or(by_itself.clone()) else {
            return Err("this agent acts at random: there is nothing to change".into());
        };
        self.set(agent, &wanted)?;
        let back = settings.is_none() || by_itself.as_ref() == settings;
        self.adjusted[agent] = (!back).then_some(wanted);
        if back {
            // The next episode's minds are those of a batch to the last bit.
            self.runner.forget_minds();
        }
        self.touched.mind = true;
        self.touches += 1;
        Ok(Some(Changed::Things))
    }

    /// Save the world as it is.
    ///
    /// # Errors
    /// What is wrong with it as a scenario.
    pub fn save(&self, folder: &Path) -> Result<PathBuf, String> {
        let current = self.current.as_ref().ok_or("there is no episode under way")?;
        save::save(&self.setup, &current.drawn, self.runner.sandbox(), folder)
    }

    fn settings(&mut self, agent: usize) -> Option<MindSettings> {
        self.runner.sandbox_mut().mind(agent)?.inspect()?.settings()
    }

    fn set(&mut self, agent: usize, settings: &MindSettings) -> Result<(), String> {
        let mind = self.runner.sandbox_mut().mind(agent).and_then(|mind| mind.inspect());
        mind.ok_or("this agent cannot be changed")?.adjust(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::SetupOptions;

    fn stage() -> (Arc<Setup>, Stage) {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron"));
        let setup = Arc::new(Setup::load(file, &SetupOptions::default()).unwrap());
        (setup.clone(), Stage::new(setup))
    }

    /// The digest of the episode under way, played to its end.
    fn play(stage: &mut Stage) -> String {
        let outcome = loop {
            if let Some(outcome) = stage.step().unwrap() {
                break outcome;
            }
        };
        stage.runner.end(stage.current.take().unwrap(), outcome).digest
    }

    #[test]
    fn a_mind_is_changed_while_it_lives_and_changed_back() {
        let (setup, mut stage) = stage();
        let batch = Runner::new(setup, Detail::Brief).run(3).unwrap().digest;
        stage.begin(3).unwrap();
        let own = stage.scene().unwrap().settings[0].clone().unwrap();
        assert_eq!(
            (own.planner.as_str(), own.mode.as_str(), own.stride, own.has_critic),
            ("gradient", "mode-2", 4, true)
        );
        let odd = MindSettings { horizon: own.horizon + 1, ..own.clone() };
        let heavy = MindSettings { drives: vec![("reach".into(), -1.0)], ..own.clone() };
        let unknown = MindSettings { planner: "dice".into(), ..own.clone() };
        for (refused, why) in [(odd, "multiple of 4"), (heavy, "cannot weigh"), (unknown, "no planner `dice`")] {
            let error = stage.adjust(0, Some(&refused)).unwrap_err();
            assert!(error.contains(why) && !stage.touched().any(), "{error}");
        }
        let drives = vec![("reach".into(), 2.0), ("effort".into(), 0.5)];
        let other = MindSettings { planner: "cem".into(), horizon: 16, critic: true, drives, ..own.clone() };
        stage.adjust(0, Some(&other)).unwrap();
        assert_eq!(stage.scene().unwrap().settings[0], Some(other.clone()));
        assert_ne!(play(&mut stage), batch);
        stage.begin(3).unwrap();
        assert!(stage.touched().mind && stage.scene().unwrap().settings[0] == Some(other), "it lasts");
        stage.adjust(0, None).unwrap();
        assert!(stage.touched().mind, "of this episode");
        stage.begin(3).unwrap();
        assert!(!stage.touched().any() && stage.scene().unwrap().settings[0] == Some(own));
        assert_eq!(play(&mut stage), batch, "a batch's episode again, bit for bit");
    }

    #[test]
    fn what_is_thought_while_time_stands_is_shown_and_changes_nothing() {
        let (setup, mut stage) = stage();
        let batch = Runner::new(setup, Detail::Brief).run(1).unwrap().digest;
        stage.begin(1).unwrap();
        stage.step().unwrap();
        stage.preview();
        let shown = |stage: &Stage| stage.snapshot(None, (0, 0)).thoughts[0].clone().unwrap();
        let before = shown(&stage);
        let goal =
            stage.current.as_ref().unwrap().drawn.world.targets[0].position_m.each_ref().map(|at| at.value_f32());
        // To the other end of the same room.
        let to_m = [goal[0], 10.0 - goal[1]];
        let target = forethought_interface::Thing::Target(0);
        stage.edit(Edit::Move { what: target, to_m }).unwrap();
        stage.preview();
        let after = shown(&stage);
        let nearest = |thought: &forethought_interface::Thought| {
            let off = thought.rollouts[0].positions_m.iter().map(|[x, y]| (x - to_m[0]).hypot(y - to_m[1]));
            off.fold(f32::INFINITY, f32::min)
        };
        assert!(after.planned && nearest(&after) < 0.5 * nearest(&before), "{} {}", nearest(&before), nearest(&after));
        assert_eq!(stage.runner.sandbox().record().step, 1, "time stands");
        // Looked at alone, nothing is decided by it.
        stage.begin(1).unwrap();
        for _ in 0..3 {
            assert_eq!(stage.step().unwrap(), None);
        }
        stage.preview();
        assert_eq!(play(&mut stage), batch);
    }

    #[test]
    fn who_is_led_is_led_from_episode_to_episode() {
        let (_, mut stage) = stage();
        stage.begin(0).unwrap();
        stage.lead(0, Some([1.0, 0.0]));
        stage.step().unwrap();
        let snapshot = stage.snapshot(None, (0, 0));
        assert!(snapshot.led == Some(0) && snapshot.touched.led && !snapshot.touched.world);
        assert_eq!(snapshot.thoughts[0].as_ref().unwrap().action.values, [1.0, 0.0]);
        stage.begin(1).unwrap();
        assert!(stage.touched().led);
        stage.lead(0, None);
        stage.begin(1).unwrap();
        assert!(!stage.touched().any());
    }
}
