//! Scent: from where, and from how far, something smells. Read first: [`ScentSpec`].

use super::Moment;
use bevy_rapier2d::rapier::math::Vector;
use forethought_interface::{Channel, Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f32::consts::TAU;

/// Channel `scent.food`, `scent.harm`, `scent.shelter` or `scent.mover` `[beams]`. Beam `k` smells in the direction
/// `2 pi k / beams` from the body's x axis, anticlockwise. What is at distance `r` in the direction `phi` smells as strong as
/// `max(0, cos(phi - 2 pi k / beams))^sharpness / (1 + r / range_m)`, fading to nothing over the last fifth of `reach_m`; each
/// beam tells the strongest. A zone is as far as the nearest point of its outline, and inside of one every beam is 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScentSpec {
    /// What it smells.
    pub of: Scented,
    /// How many beams smell around.
    #[serde(default = "beams")]
    pub beams: u32,
    /// The distance from which a scent is half as strong, in metres.
    #[serde(default = "range")]
    pub range_m: Num,
    /// How narrow a beam is: the exponent of the cosine.
    #[serde(default = "sharpness")]
    pub sharpness: Num,
    /// From farther away nothing is smelt, in metres.
    #[serde(default = "reach")]
    pub reach_m: Num,
    /// Whether a static body on the straight line to a thing keeps its scent off.
    #[serde(default)]
    pub occluded: bool,
}

/// What can be smelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Scented {
    /// Items of food that are there.
    Food,
    /// Zones that harm.
    Harm,
    /// Zones that shelter.
    Shelter,
    /// Other agents, and bodies that can move.
    Mover,
}

fn beams() -> u32 {
    12
}

fn range() -> Num {
    Num::Literal(2.0)
}

fn sharpness() -> Num {
    Num::Literal(3.0)
}

fn reach() -> Num {
    Num::Literal(6.0)
}

impl_numbers!(struct ScentSpec { range_m, sharpness, reach_m });

impl ScentSpec {
    /// The name of its channel.
    #[must_use]
    pub fn channel(&self) -> String {
        let of = match self.of {
            Scented::Food => "food",
            Scented::Harm => "harm",
            Scented::Shelter => "shelter",
            Scented::Mover => "mover",
        };
        format!("scent.{of}")
    }

    /// From so far on a scent fades to nothing, in metres; `reach_m` must be resolved.
    #[must_use]
    pub fn fades_from_m(&self) -> f32 {
        (1.0 - FADES) * self.reach_m.value_f32()
    }

    pub(super) fn channels(&self) -> Vec<Channel> {
        vec![Channel { name: self.channel(), shape: vec![self.beams as usize] }]
    }
}

/// The share of the reach over which a scent fades to nothing.
const FADES: f32 = 0.2;

/// The sensor: its beams' directions in the body's frame.
#[derive(Debug, Clone)]
pub(crate) struct Scent {
    of: Scented,
    directions: Vec<Vector>,
    range: f32,
    sharpness: f32,
    reach: f32,
    occluded: bool,
}

impl Scent {
    pub(super) fn new(spec: &ScentSpec) -> Self {
        let direction = |beam: u32| Vector::from_angle(TAU * beam as f32 / spec.beams as f32);
        Self {
            of: spec.of,
            directions: (0..spec.beams).map(direction).collect(),
            range: spec.range_m.value_f32(),
            sharpness: spec.sharpness.value_f32(),
            reach: spec.reach_m.value_f32(),
            occluded: spec.occluded,
        }
    }

    pub(super) fn measure(&self, moment: &Moment, values: &mut Vec<f32>) {
        let begin = values.len();
        values.resize(begin + self.directions.len(), 0.0);
        let (values, world, at) = (&mut values[begin..], moment.surroundings, moment.frame.translation);
        match self.of {
            Scented::Food => {
                let items = world.needs.patches.iter().flat_map(|patch| &patch.items);
                items.filter(|item| item.present).for_each(|item| self.add(moment, item.place, values));
            }
            Scented::Mover => {
                let others = world.solids.iter().enumerate().filter(|(index, _)| *index != moment.own);
                let movers = others.filter(|(_, solid)| !solid.fixed);
                movers.for_each(|(_, solid)| self.add(moment, solid.frame.translation, values));
            }
            Scented::Harm | Scented::Shelter => {
                for (zone, effect) in world.zones.iter().zip(&world.needs.effects) {
                    let smells = if self.of == Scented::Harm { effect.harm_per_s } else { effect.shelter };
                    if smells <= 0.0 {
                        continue;
                    }
                    if zone.contains(at) {
                        values.fill(1.0);
                        return;
                    }
                    self.add(moment, zone.nearest(at), values);
                }
            }
        }
    }

    /// What is at this place smells, unless it is too far or hidden.
    fn add(&self, moment: &Moment, place: Vector, values: &mut [f32]) {
        let at = moment.frame.translation;
        let r = place.distance(at);
        if r >= self.reach || self.occluded && moment.surroundings.blocked(at, place) {
            return;
        }
        let strength = ((self.reach - r) / (FADES * self.reach)).min(1.0) / (1.0 + r / self.range);
        // Right at the centre it lies ahead.
        let towards = moment.frame.inverse_transform_point(place).normalize_or(Vector::X);
        for (value, direction) in values.iter_mut().zip(&self.directions) {
            let aligned = direction.dot(towards);
            if aligned > 0.0 {
                *value = value.max(aligned.powf(self.sharpness) * strength);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::{Effect, Needs};
    use crate::shape::zero;
    use crate::surroundings::{Solid, Surroundings};
    use crate::{FoodSpec, ShapeSpec};
    use bevy_rapier2d::rapier::math::Pose as Frame;
    use std::f32::consts::FRAC_PI_2;

    fn solid(shape: &ShapeSpec, x: f64, y: f64, fixed: bool) -> Solid {
        let place = [x, y].map(Num::Literal);
        Solid { fixed, ..Solid::new("solid", shape, &place, &zero(), &[const { Num::Literal(0.5) }; 3]) }
    }

    fn disc(radius: f64) -> ShapeSpec {
        ShapeSpec::Disc { radius_m: Num::Literal(radius) }
    }

    fn spec(of: Scented, occluded: bool) -> ScentSpec {
        ScentSpec { of, beams: 4, range_m: range(), sharpness: sharpness(), reach_m: Num::Literal(5.0), occluded }
    }

    fn smelt(spec: &ScentSpec, world: &Surroundings, x: f32, y: f32, turn: f32) -> Vec<f32> {
        let moment = Moment {
            own: 0,
            frame: Frame::new(Vector::new(x, y), turn),
            velocity: Vector::ZERO,
            angular_velocity: 0.0,
            contacts: &[],
            surroundings: world,
        };
        let mut values = vec![7.0];
        Scent::new(spec).measure(&moment, &mut values);
        assert_eq!(values.len(), 1 + spec.channels()[0].len());
        values.split_off(1)
    }

    fn assert_near(got: &[f32], expected: [f32; 4]) {
        assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{got:?} is not {expected:?}");
    }

    /// A world with one item of food here.
    fn with_food(x: f64, y: f64) -> Surroundings {
        let text = format!(
            "(name: \"food\", count: 1, size_m: Some((0.001, 0.001)), position_m: Some(({x}, {y})), clear_m: 0)"
        );
        let spec: FoodSpec = ron::from_str(&text).unwrap();
        let size = Vector::splat(20.0);
        let patch = crate::food::Patch::new(&spec, 0, 1, size, &[]);
        Surroundings { size, needs: Needs { patches: vec![patch], ..Needs::default() }, ..Surroundings::default() }
    }

    #[test]
    fn smells_food_from_where_it_lies() {
        let near = |got: Vec<f32>, expected: [f32; 4]| {
            assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-3), "{got:?} is not {expected:?}");
        };
        let (food, spec) = (with_food(10.0, 12.0), spec(Scented::Food, false));
        assert_eq!(spec.channels()[0].name, "scent.food");
        near(smelt(&spec, &food, 10.0, 10.0, 0.0), [0.0, 0.5, 0.0, 0.0]);
        near(smelt(&spec, &food, 10.0, 10.0, FRAC_PI_2), [0.5, 0.0, 0.0, 0.0]);
        // Between two beams: the cosine's cube. 4.5 m off, halfway through the last fifth of the reach.
        let between = std::f32::consts::FRAC_1_SQRT_2.powi(3) / (1.0 + 2.0_f32.sqrt() / 2.0);
        near(smelt(&spec, &food, 9.0, 11.0, 0.0), [between, between, 0.0, 0.0]);
        near(smelt(&spec, &food, 10.0, 7.5, 0.0), [0.0, 0.5 / 3.25, 0.0, 0.0]);
        near(smelt(&spec, &food, 10.0, 6.9, 0.0), [0.0; 4]);
        let mut eaten = with_food(10.0, 12.0);
        eaten.needs.patches[0].items[0].present = false;
        near(smelt(&spec, &eaten, 10.0, 10.0, 0.0), [0.0; 4]);
    }

    #[test]
    fn of_several_the_strongest_counts() {
        let world = Surroundings {
            solids: vec![
                solid(&disc(0.3), 5.0, 5.0, false),
                solid(&disc(0.3), 7.0, 5.0, false),
                solid(&disc(0.3), 9.0, 5.0, false),
                solid(&disc(0.3), 5.0, 6.0, true),
            ],
            ..Surroundings::default()
        };
        // Not itself, and not what is fixed.
        assert_near(&smelt(&spec(Scented::Mover, false), &world, 5.0, 5.0, 0.0), [0.5, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn zones_smell_from_their_outline_and_all_around_inside() {
        let square = ShapeSpec::Cuboid { size_m: [2.0, 2.0].map(Num::Literal) };
        let world = Surroundings {
            zones: vec![solid(&square, 5.0, 5.0, false), solid(&disc(1.0), 5.0, 0.0, false)],
            needs: Needs {
                effects: vec![Effect { harm_per_s: 0.2, shelter: 0.0 }, Effect { harm_per_s: 0.0, shelter: 1.0 }],
                ..Needs::default()
            },
            ..Surroundings::default()
        };
        let (harm, shelter) = (spec(Scented::Harm, false), spec(Scented::Shelter, false));
        assert_near(&smelt(&harm, &world, 2.0, 5.5, 0.0), [0.5, 0.0, 0.0, 0.0]);
        assert_near(&smelt(&harm, &world, 4.5, 5.9, 0.0), [1.0; 4]);
        assert_near(&smelt(&shelter, &world, 5.0, 3.0, 0.0), [0.0, 0.0, 0.0, 0.5]);
        assert_near(&smelt(&shelter, &world, 5.0, 0.5, 0.0), [1.0; 4]);
        assert_near(&smelt(&spec(Scented::Food, false), &world, 5.0, 5.0, 0.0), [0.0; 4]);
    }

    #[test]
    fn a_wall_keeps_a_scent_off_where_asked_to() {
        let mut world = with_food(10.0, 12.0);
        let wall = ShapeSpec::Cuboid { size_m: [2.0, 0.2].map(Num::Literal) };
        world.solids = vec![solid(&disc(0.2), 10.0, 10.0, false), solid(&wall, 10.0, 11.0, true)];
        assert!(smelt(&spec(Scented::Food, false), &world, 10.0, 10.0, 0.0)[1] > 0.49);
        assert_near(&smelt(&spec(Scented::Food, true), &world, 10.0, 10.0, 0.0), [0.0; 4]);
        assert!(smelt(&spec(Scented::Food, true), &world, 12.0, 11.0, 0.0)[1] > 0.0, "around the wall's end");
    }
}
