//! Episodes in which a law of the world is broken at a known control step. Read first: [`Violation`] and [`Stage`].

use crate::{
    error::Error,
    experience::{seated, walk},
    scenario::Episode,
    setup::Setup,
};
use forethought_interface::{Pose, derive_seed};
use forethought_mind::training::Trajectory;
use forethought_world::Sandbox;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// How far bodies are teleported, in metres.
pub const TELEPORTS_M: [f32; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];
/// Control steps in which a body must be through a wall.
pub const CROSSING: usize = 16;

/// A body is put where at least this much room is left around it, in metres.
const MARGIN_M: f32 = 0.05;
/// Directions tried before a teleport is given up.
const DIRECTIONS: u32 = 64;
/// Points of a way are looked at this far apart, in metres.
const LOOK_M: f32 = 0.04;
/// A slower body does not go through a wall in time, in m/s.
const MIN_SPEED_M_S: f32 = 0.5;
/// A wall is in the way from so many control steps before the body meets it.
const SOON: f32 = 2.0;
/// Crossings tried in an episode.
const CROSSINGS: usize = 8;
/// Episodes tried for a crossing.
const EPISODES: u64 = 16;

/// A law that is broken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Violation {
    /// The body is suddenly this far away, in metres, its velocity kept.
    Teleport(f32),
    /// The body goes on through a wall, driven by the same actions, as if the wall were not there.
    Wall,
}

impl Violation {
    /// All that are measured.
    #[must_use]
    pub fn all() -> Vec<Self> {
        TELEPORTS_M.map(Self::Teleport).into_iter().chain([Self::Wall]).collect()
    }

    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Teleport(metres) => format!("teleport {metres} m"),
            Self::Wall => "through a wall".into(),
        }
    }

    /// Control steps that it may take.
    #[must_use]
    pub fn lasts(self) -> usize {
        match self {
            Self::Teleport(_) => 1,
            Self::Wall => CROSSING,
        }
    }
}

/// An episode in which a law was broken.
pub struct Violated {
    /// The control step from which on.
    pub step: usize,
    /// What was recorded.
    pub trajectory: Trajectory,
    /// The same episode without; none where it is the one that was asked for.
    pub without: Option<Trajectory>,
    /// Control steps after that at which the body's centre was inside something solid, where sensors tell what no law-abiding body ever
    /// senses.
    pub inside: Vec<usize>,
}

/// Where to break laws.
pub struct Stage<'a> {
    /// Whose episodes.
    pub setup: &'a Setup,
    /// Episodes that are taken already: those with this number and above are free.
    pub episodes: u64,
    /// Control steps of each.
    pub steps: u32,
    /// When a violation may begin.
    pub range: Range<usize>,
}

impl Stage<'_> {
    /// Episode `index` again with a violation, all before it as without; `None` where there is no place for it. Crossings are
    /// rare: where this episode has none, others that nothing else uses are tried.
    ///
    /// # Errors
    /// Where an episode cannot be drawn or its physics diverges.
    pub fn violated(
        &self,
        sandbox: &mut Option<Sandbox>,
        index: u64,
        violation: Violation,
    ) -> Result<Option<Violated>, Error> {
        match violation {
            Violation::Teleport(metres) => self.teleported(sandbox, index, metres),
            Violation::Wall => {
                for round in 0..EPISODES {
                    let crossed = self.crossed(sandbox, index + round * self.episodes)?;
                    if crossed.is_some() {
                        return Ok(crossed);
                    }
                }
                Ok(None)
            }
        }
    }

    fn teleported(&self, sandbox: &mut Option<Sandbox>, index: u64, metres: f32) -> Result<Option<Violated>, Error> {
        let drawn = self.setup.draw(index)?;
        let name = Violation::Teleport(metres).name();
        let mut rng = ChaCha8Rng::seed_from_u64(derive_seed(drawn.seed, &name, 0));
        let (at, mut placed) = (rng.gen_range(self.range.clone()), false);
        let trajectory = self.walked(sandbox, &drawn, &mut |sandbox, step| {
            if step == at {
                placed = teleport(sandbox, metres, &mut rng);
            }
        })?;
        Ok(placed.then_some(Violated { step: at, trajectory, without: None, inside: vec![] }))
    }

    fn crossed(&self, sandbox: &mut Option<Sandbox>, index: u64) -> Result<Option<Violated>, Error> {
        let drawn = self.setup.draw(index)?;
        let period_s = drawn.world.timing.control_period_s as f32;
        let mut rng = ChaCha8Rng::seed_from_u64(derive_seed(drawn.seed, "through a wall", 0));
        let mut candidates = Vec::new();
        let without = self.walked(sandbox, &drawn, &mut |sandbox, step| {
            if self.range.contains(&step) && wall_ahead(sandbox, period_s) {
                candidates.push(step);
            }
        })?;
        for _ in 0..CROSSINGS.min(candidates.len()) {
            let step = candidates.swap_remove(rng.gen_range(0..candidates.len()));
            let mut crossing = Crossing::new(step);
            let trajectory = self.walked(sandbox, &drawn, &mut |sandbox, step| crossing.step(sandbox, step))?;
            if crossing.done {
                let inside = crossing.inside;
                return Ok(Some(Violated { step, trajectory, without: Some(without), inside }));
            }
        }
        Ok(None)
    }

    /// The trajectory of the first agent.
    fn walked(
        &self,
        sandbox: &mut Option<Sandbox>,
        drawn: &Episode,
        act: &mut dyn FnMut(&mut Sandbox, usize),
    ) -> Result<Trajectory, Error> {
        let sandbox = seated(self.setup, sandbox, drawn)?;
        let mut before = |sandbox: &mut Sandbox, step: u32| act(sandbox, step as usize);
        Ok(walk(self.setup, sandbox, drawn.clone(), self.steps, &mut before)?.swap_remove(0))
    }
}

fn position(sandbox: &Sandbox) -> [f32; 2] {
    sandbox.record().agents[0].pose.position_m
}

/// From `from` to `to`, a share of the way.
fn between(from: [f32; 2], to: [f32; 2], share: f32) -> [f32; 2] {
    std::array::from_fn(|axis| from[axis] + share * (to[axis] - from[axis]))
}

/// Put the first agent so far away, in a direction where there is room.
fn teleport(sandbox: &mut Sandbox, metres: f32, rng: &mut impl Rng) -> bool {
    let (pose, reach_m) = (sandbox.record().agents[0].pose, sandbox.reach_m(0));
    for _ in 0..DIRECTIONS {
        let (sin, cos) = rng.gen_range(0.0..std::f32::consts::TAU).sin_cos();
        let there = [pose.position_m[0] + metres * cos, pose.position_m[1] + metres * sin];
        if sandbox.clearance_m(0, there) >= reach_m + MARGIN_M {
            return sandbox.place(0, Pose { position_m: there, ..pose });
        }
    }
    false
}

/// Whether the first agent will soon meet something and, going straight on, would be through it in time.
fn wall_ahead(sandbox: &Sandbox, period_s: f32) -> bool {
    let [x, y] = sandbox.record().agents[0].velocity_m_s;
    let (speed, here, reach_m) = (x.hypot(y), position(sandbox), sandbox.reach_m(0));
    if speed < MIN_SPEED_M_S || sandbox.clearance_m(0, here) < reach_m {
        return false;
    }
    let (soon_m, far_m) = (speed * period_s * SOON, speed * period_s * CROSSING as f32);
    let (mut met, mut inside) = (false, false);
    let mut way_m = 0.0;
    while way_m < far_m {
        let clear_m = sandbox.clearance_m(0, [here[0] + x / speed * way_m, here[1] + y / speed * way_m]);
        inside |= clear_m < 0.0;
        if !met && clear_m < reach_m {
            met = true;
            if way_m > soon_m {
                return false;
            }
        } else if inside && clear_m >= reach_m {
            return true;
        }
        way_m += LOOK_M;
    }
    false
}

/// A way through a wall.
struct Crossing {
    from_step: usize,
    from: [f32; 2],
    under_way: bool,
    /// True once the body is on the other side, in time.
    done: bool,
    /// Control steps after the first at which its centre was inside.
    inside: Vec<usize>,
}

impl Crossing {
    fn new(from_step: usize) -> Self {
        Self { from_step, from: [0.0; 2], under_way: false, done: false, inside: vec![] }
    }

    fn step(&mut self, sandbox: &mut Sandbox, step: usize) {
        if step == self.from_step {
            self.from = position(sandbox);
            self.under_way = sandbox.set_solid(0, false);
        } else if self.under_way {
            let here = position(sandbox);
            let clear_m = sandbox.clearance_m(0, here);
            if clear_m < 0.0 {
                self.inside.push(step - self.from_step);
            }
            let clear = clear_m >= sandbox.reach_m(0);
            let across = || (0..=32).any(|i| sandbox.clearance_m(0, between(self.from, here, i as f32 / 32.0)) < 0.0);
            let (late, across) = (step - self.from_step >= CROSSING, clear && across());
            if across || late {
                self.done = across;
                self.under_way = !sandbox.set_solid(0, true);
            }
        }
    }
}
