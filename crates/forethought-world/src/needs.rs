//! What agents need and what hurts them, one control step at a time. Read first: [`Surroundings::live`].

use crate::climate::Sky;
use crate::food::Patch;
use crate::metabolism::Metabolism;
use crate::surroundings::{Solid, Surroundings};
use crate::{ClimateSpec, WorldSpec};
use bevy_rapier2d::rapier::math::Vector;
use forethought_interface::{FoodItem, Num, Vitals};

/// The needs of a world's agents; empty in a world without any.
#[derive(Default)]
pub(crate) struct Needs {
    /// How each agent is, in scenario order; none of one without a metabolism.
    pub vitals: Vec<Option<Vitals>>,
    /// The patches of food, in scenario order.
    pub patches: Vec<Patch>,
    /// What each zone does, in scenario order.
    pub effects: Vec<Effect>,
    /// The sky now.
    pub sky: Sky,
    /// What each agent lives on, in scenario order.
    pub metabolisms: Vec<Option<Metabolism>>,
    /// What makes the sky.
    pub climate: Option<ClimateSpec>,
    /// The energies that one agent eats in a step: kept for its memory.
    pub eaten: Vec<f32>,
}

/// What a zone does to agents in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effect {
    /// Health lost a second.
    pub harm_per_s: f32,
    /// The share of the night's harm that it keeps off.
    pub shelter: f32,
}

impl Needs {
    /// The needs at the start of an episode with this seed, in an arena of this size.
    pub(crate) fn new(spec: &WorldSpec, seed: u64, size: Vector, solids: &[Solid]) -> Self {
        let metabolism = |spec: &crate::AgentBodySpec| {
            let own = spec.metabolism.as_ref()?;
            Some(Metabolism::new(own, spec.immortal))
        };
        let metabolisms: Vec<_> = spec.agents.iter().map(metabolism).collect();
        let patches = spec.foods.iter().enumerate();
        Self {
            vitals: metabolisms.iter().map(|own| own.as_ref().map(Metabolism::start)).collect(),
            patches: patches.map(|(index, food)| Patch::new(food, index, seed, size, solids)).collect(),
            effects: spec.zones.iter().map(|zone| Effect::new(&zone.harm_per_s, &zone.shelter)).collect(),
            sky: spec.climate.as_ref().map_or_else(Sky::default, |climate| climate.sky(0.0)),
            metabolisms,
            climate: spec.climate.clone(),
            eaten: Vec::new(),
        }
    }

    /// Whether anything here changes from step to step.
    pub(crate) fn any(&self) -> bool {
        self.climate.is_some() || !self.patches.is_empty() || self.vitals.iter().any(Option::is_some)
    }

    /// Every item of food, patch after patch.
    pub(crate) fn foods(&self) -> Vec<FoodItem> {
        let items = self.patches.iter().flat_map(|patch| &patch.items);
        items.map(|item| FoodItem { position_m: item.place.to_array(), present: item.present }).collect()
    }

    /// Whether there is a sky that changes.
    pub(crate) fn has_climate(&self) -> bool {
        self.climate.is_some()
    }

    /// Whether the agent can act: it has not died.
    pub(crate) fn alive(&self, agent: usize) -> bool {
        self.vitals.get(agent).copied().flatten().is_none_or(|vitals| vitals.alive())
    }
}

impl Effect {
    fn new(harm_per_s: &Num, shelter: &Num) -> Self {
        Self { harm_per_s: harm_per_s.value_f32(), shelter: shelter.value_f32() }
    }
}

impl Surroundings {
    /// Let agents live through the control step of `dt` seconds that ends at `time_s`, in scenario order: they spend, eat and
    /// are harmed by zones, the cold and `bites_per_s`; then food grows again. `effort` tells what an agent's action cost.
    pub(crate) fn live(&mut self, time_s: f64, dt: f32, effort: impl Fn(usize) -> f32, bites_per_s: &[f32]) {
        let Self { solids, zones, needs, first_agent, .. } = self;
        let Needs { vitals, patches, effects, sky, metabolisms, climate, eaten } = needs;
        if let Some(climate) = climate {
            *sky = climate.sky(time_s);
        }
        for (agent, (own, vitals)) in metabolisms.iter().zip(vitals.iter_mut()).enumerate() {
            let (Some(metabolism), Some(vitals)) = (own, vitals) else { continue };
            let at = solids[*first_agent + agent].frame.translation;
            eaten.clear();
            if vitals.alive() {
                patches.iter_mut().for_each(|patch| patch.eat(at, time_s, eaten));
            }
            let (mut harm_per_s, mut shelter) = (bites_per_s.get(agent).copied().unwrap_or(0.0), 0.0_f32);
            for (zone, effect) in zones.iter().zip(effects.iter()) {
                if (effect.harm_per_s > 0.0 || effect.shelter > 0.0) && zone.contains(at) {
                    harm_per_s += effect.harm_per_s;
                    shelter = shelter.max(effect.shelter);
                }
            }
            harm_per_s += sky.cold_harm_per_s * (1.0 - shelter);
            metabolism.live(vitals, dt, effort(agent), eaten, harm_per_s);
        }
        patches.iter_mut().for_each(|patch| patch.grow(time_s, solids));
    }

    /// How much of the cold is kept off at a place, of 1.
    pub(crate) fn shelter_at(&self, point: Vector) -> f32 {
        let zones = self.zones.iter().zip(&self.needs.effects);
        let shelters = zones.filter(|(zone, effect)| effect.shelter > 0.0 && zone.contains(point));
        shelters.map(|(_, effect)| effect.shelter).fold(0.0, f32::max)
    }

    /// Whether a place is in a shelter.
    pub(crate) fn sheltered(&self, point: Vector) -> bool {
        self.shelter_at(point) > 0.0
    }

    /// Whether a static body is on the straight line between two points.
    pub(crate) fn blocked(&self, from: Vector, to: Vector) -> bool {
        let fixed = self.solids.iter().filter(|solid| solid.fixed);
        fixed.flat_map(|solid| &solid.surfaces).any(|surface| surface.crosses(from, to))
    }
}
