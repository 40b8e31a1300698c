//! Pursuit: bodies that hunt agents. Read first: [`PursuitSpec`].

use crate::WorldSpec;
use crate::actuators::approach;
use crate::physics::{Roster, distance_m};
use crate::surroundings::Surroundings;
use bevy::prelude::{Resource, World};
use bevy_rapier2d::dynamics::RapierRigidBodyHandle;
use bevy_rapier2d::rapier::dynamics::RigidBodyHandle;
use bevy_rapier2d::rapier::math::Vector;
use bevy_rapier2d::rapier::prelude::RigidBodySet;
use forethought_interface::{Num, derive_seed, impl_numbers};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a body hunts: it goes straight after the nearest living agent that it sees, and where it sees none wanders from one
/// random place to the next. It never turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PursuitSpec {
    /// Its speed after an agent, in m/s.
    pub speed_m_s: Num,
    /// Its speed where it sees none, in m/s.
    pub wander_speed_m_s: Num,
    /// How fast its velocity follows its wish, in seconds, as in a `VelocityCommand`.
    pub time_constant_s: Num,
    /// It sees agents whose centre is within this distance of its own, in metres, with no static body between.
    pub sight_m: Num,
    /// Health that an agent which it touches loses a second, of 1 in all. A bite lasts one control step.
    pub harm_per_s: Num,
    /// How long it stands still after a bite, in seconds, without biting again.
    pub rests_s: Num,
    /// Whether it keeps out of shelters, and neither sees nor bites who is in one.
    pub respects_shelters: bool,
}

impl Default for PursuitSpec {
    fn default() -> Self {
        Self {
            speed_m_s: Num::Literal(2.0),
            wander_speed_m_s: Num::Literal(1.0),
            time_constant_s: Num::Literal(0.145),
            sight_m: Num::Literal(5.0),
            harm_per_s: Num::Literal(3.0),
            rests_s: Num::Literal(2.0),
            respects_shelters: true,
        }
    }
}

impl_numbers!(struct PursuitSpec { speed_m_s, wander_speed_m_s, time_constant_s, sight_m, harm_per_s, rests_s });

/// Nearer than this, a pursuer touches.
const TOUCH_M: f32 = 0.05;
/// It keeps so far from a shelter.
const MARGIN_M: f32 = 0.05;
/// A place is reached once its centre is this near.
const ARRIVED_M: f32 = 0.3;
/// Places to try before one is taken that may be anywhere.
const TRIES: usize = 40;

/// The pursuers of a world, in scenario order.
#[derive(Resource, Default)]
pub(crate) struct Pursuers {
    pursuers: Vec<Pursuer>,
    /// Health that each agent loses a second by bites in the latest control step.
    pub bites_per_s: Vec<f32>,
}

/// A pursuer during an episode.
struct Pursuer {
    /// Which of the solids it is.
    solid: usize,
    body: RigidBodyHandle,
    speed: f32,
    wander_speed: f32,
    /// The part of the way to the wanted velocity that one physics step goes.
    approach: f32,
    sight: f32,
    harm_per_s: f32,
    rests_s: f32,
    respects_shelters: bool,
    /// The radius of a disc around its centre that holds it.
    reach: f32,
    rng: ChaCha8Rng,
    /// Where it wanders to, and for how many seconds more.
    goal: Vector,
    patience_s: f32,
    /// How many seconds it still rests.
    rest_s: f32,
    /// The velocity that it wants in this control step.
    wanted: Vector,
}

impl Pursuers {
    /// The pursuers at the start of an episode with this seed; the world's bodies are built.
    pub(crate) fn new(spec: &WorldSpec, seed: u64, world: &World) -> Self {
        let (roster, surroundings) = (world.resource::<Roster>(), world.resource::<Surroundings>());
        let dt = spec.timing.physics_step_s as f32;
        let bodies = spec.bodies.iter().zip(&roster.bodies).enumerate();
        let pursuer = |(solid, (body, entity)): (usize, (&crate::BodySpec, &_))| {
            let pursuit = body.pursues.as_ref()?;
            Some(Pursuer {
                solid,
                body: world.get::<RapierRigidBodyHandle>(*entity)?.0,
                speed: pursuit.speed_m_s.value_f32(),
                wander_speed: pursuit.wander_speed_m_s.value_f32(),
                approach: approach(dt, pursuit.time_constant_s.value_f32()),
                sight: pursuit.sight_m.value_f32(),
                harm_per_s: pursuit.harm_per_s.value_f32(),
                rests_s: pursuit.rests_s.value_f32(),
                respects_shelters: pursuit.respects_shelters,
                reach: surroundings.solids[solid].reach(),
                rng: ChaCha8Rng::seed_from_u64(derive_seed(seed, "pursuer", solid as u64)),
                goal: Vector::ZERO,
                patience_s: 0.0,
                rest_s: 0.0,
                wanted: Vector::ZERO,
            })
        };
        Self { pursuers: bodies.filter_map(pursuer).collect(), bites_per_s: vec![0.0; spec.agents.len()] }
    }

    /// Decide what each wants during the control step of `dt` seconds that begins.
    pub(crate) fn decide(&mut self, surroundings: &Surroundings, dt: f32) {
        for pursuer in &mut self.pursuers {
            pursuer.wanted = pursuer.decide(surroundings, dt);
        }
    }

    /// Act on the bodies for the physics step that follows.
    pub(crate) fn drive(&self, bodies: &mut RigidBodySet) {
        for pursuer in &self.pursuers {
            if let Some(body) = bodies.get_mut(pursuer.body) {
                // An impulse, so that walls still stop it.
                body.apply_impulse((pursuer.wanted - body.linvel()) * (pursuer.approach * body.mass()), true);
            }
        }
    }

    /// Bite whom they touch as the control step ends.
    pub(crate) fn bite(&mut self, surroundings: &Surroundings) {
        self.bites_per_s.fill(0.0);
        for pursuer in self.pursuers.iter_mut().filter(|pursuer| pursuer.rest_s <= 0.0) {
            for (agent, bites_per_s) in self.bites_per_s.iter_mut().enumerate() {
                if pursuer.hunts(surroundings, agent) && pursuer.touches(surroundings, agent) {
                    *bites_per_s += pursuer.harm_per_s;
                    pursuer.rest_s = pursuer.rests_s;
                }
            }
        }
    }
}

impl Pursuer {
    /// The velocity that it wants now.
    fn decide(&mut self, surroundings: &Surroundings, dt: f32) -> Vector {
        if self.rest_s > 0.0 {
            // What is left after the last step is rounding.
            self.rest_s = if self.rest_s < 1.5 * dt { 0.0 } else { self.rest_s - dt };
            return Vector::ZERO;
        }
        let at = surroundings.solids[self.solid].frame.translation;
        let wanted = match self.prey(surroundings, at) {
            Some(prey) => {
                self.patience_s = 0.0;
                (prey - at).normalize_or_zero() * self.speed
            }
            None => self.wander(surroundings, at, dt),
        };
        if self.respects_shelters { self.outside(surroundings, at, wanted) } else { wanted }
    }

    /// Where the nearest agent is that it sees.
    fn prey(&self, surroundings: &Surroundings, at: Vector) -> Option<Vector> {
        let agents = &surroundings.solids[surroundings.first_agent..];
        let mut nearest = (self.sight, None);
        for (agent, solid) in agents.iter().enumerate() {
            let place = solid.frame.translation;
            let apart = place.distance(at);
            let nearer = apart < nearest.0 || apart <= self.sight && nearest.1.is_none();
            if nearer && self.hunts(surroundings, agent) && !surroundings.blocked(at, place) {
                nearest = (apart, Some(place));
            }
        }
        nearest.1
    }

    /// Whether this agent is one to hunt: alive, and not in a shelter.
    fn hunts(&self, surroundings: &Surroundings, agent: usize) -> bool {
        let place = surroundings.solids[surroundings.first_agent + agent].frame.translation;
        surroundings.needs.alive(agent) && !(self.respects_shelters && surroundings.sheltered(place))
    }

    fn touches(&self, surroundings: &Surroundings, agent: usize) -> bool {
        let (own, other) = (&surroundings.solids[self.solid], &surroundings.solids[surroundings.first_agent + agent]);
        let apart = own.frame.translation.distance(other.frame.translation);
        apart <= self.reach + other.reach() + TOUCH_M && distance_m(own, other).is_some_and(|apart| apart < TOUCH_M)
    }

    /// To a random place, until it is there or takes too long.
    fn wander(&mut self, surroundings: &Surroundings, at: Vector, dt: f32) -> Vector {
        self.patience_s -= dt;
        if self.patience_s <= 0.0 || self.goal.distance(at) < ARRIVED_M {
            self.goal = self.place(surroundings, at);
            self.patience_s = 1.0 + 1.5 * self.goal.distance(at) / self.wander_speed.max(0.01);
        }
        (self.goal - at).normalize_or_zero() * self.wander_speed
    }

    /// A random place: if one is found, with a straight way to it and outside of shelters.
    fn place(&mut self, surroundings: &Surroundings, at: Vector) -> Vector {
        let room = (surroundings.size - 2.0 * self.reach).max(Vector::ZERO);
        let mut place = at;
        for _ in 0..TRIES {
            place = Vector::splat(self.reach) + room * Vector::new(self.rng.r#gen::<f32>(), self.rng.r#gen::<f32>());
            let taken = self.respects_shelters && surroundings.sheltered(place);
            if !taken && !surroundings.blocked(at, place) {
                break;
            }
        }
        place
    }

    /// The wish without what would lead it into a shelter; out of one where it is in it.
    fn outside(&self, surroundings: &Surroundings, at: Vector, mut wanted: Vector) -> Vector {
        let zones = surroundings.zones.iter().zip(&surroundings.needs.effects);
        for (zone, _) in zones.filter(|(_, effect)| effect.shelter > 0.0) {
            let edge = zone.nearest(at);
            if zone.contains(at) {
                return (edge - at).normalize_or_zero() * self.wander_speed.max(self.speed);
            }
            let (inward, apart) = ((edge - at).normalize_or_zero(), edge.distance(at));
            if apart < self.reach + MARGIN_M {
                wanted -= inward * wanted.dot(inward).max(0.0);
            }
        }
        wanted
    }
}
