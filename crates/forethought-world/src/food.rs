//! Food: items that lie about, are eaten and grow again elsewhere. Read first: [`FoodSpec`].

use crate::geometry::{Surface, vector};
use crate::shape::zero;
use crate::surroundings::{Solid, linear};
use bevy_rapier2d::rapier::math::Vector;
use forethought_interface::{Num, derive_seed, impl_numbers};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A patch of food. Its items lie at random free places, other ones in every episode; bodies and rays pass through them. The
/// first living agent with a metabolism, in scenario order, whose centre comes within an item's radius eats it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FoodSpec {
    /// A name, unique among the scenario's patches of food.
    pub name: String,
    /// How many items there are, eaten ones included: a whole number up to 256.
    pub count: Num,
    /// Width and height of the rectangle that they lie in, in metres; the arena's without it.
    #[serde(default)]
    pub size_m: Option<[Num; 2]>,
    /// The rectangle's middle in metres; the arena's without it.
    #[serde(default)]
    pub position_m: Option<[Num; 2]>,
    /// Where the first items lie when an episode begins, in metres; the others lie at random places.
    #[serde(default)]
    pub places_m: Vec<[Num; 2]>,
    /// How near an agent's centre must come to eat an item, in metres.
    #[serde(default = "radius")]
    pub radius_m: Num,
    /// What an item holds, in joules.
    #[serde(default = "energy")]
    pub energy_j: Num,
    /// After how many seconds an item that was eaten grows again, at another place.
    #[serde(default = "regrowth")]
    pub regrows_s: Num,
    /// The least distance from an item's middle to static bodies and to the arena's edge, in metres.
    #[serde(default = "clear")]
    pub clear_m: Num,
    /// With the episode's own seed, decides where items lie.
    #[serde(default = "zero")]
    pub seed: Num,
    /// Its colour, sRGB in `[0, 1]`.
    #[serde(default = "green")]
    pub color: [Num; 3],
}

fn radius() -> Num {
    Num::Literal(0.3)
}

fn energy() -> Num {
    Num::Literal(30.0)
}

fn regrowth() -> Num {
    Num::Literal(15.0)
}

fn clear() -> Num {
    Num::Literal(0.4)
}

fn green() -> [Num; 3] {
    [0.35, 0.65, 0.20].map(Num::Literal)
}

impl_numbers!(struct FoodSpec { count, size_m, position_m, places_m, radius_m, energy_j, regrows_s, clear_m, seed, color });

/// Places to try for an item before it waits for the next control step.
const TRIES: usize = 200;
/// The same before a check says that there is none.
const MOST_TRIES: usize = 2000;

/// Where items may lie.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    low: Vector,
    high: Vector,
    clear: f32,
}

impl Field {
    /// `size` is the arena's.
    fn new(spec: &FoodSpec, size: Vector) -> Self {
        let clear = spec.clear_m.value_f32();
        let middle = spec.position_m.as_ref().map_or(size / 2.0, vector);
        let half = spec.size_m.as_ref().map_or(size, vector) / 2.0;
        let low = (middle - half).max(Vector::splat(clear));
        Self { low, high: (middle + half).min(size - Vector::splat(clear)), clear }
    }

    /// A random place that is free, if one is found in so many tries.
    fn place<'a, I>(&self, rng: &mut ChaCha8Rng, obstacles: impl Fn() -> I, tries: usize) -> Option<Vector>
    where
        I: Iterator<Item = &'a Surface>,
    {
        if self.low.cmpgt(self.high).any() {
            return None;
        }
        let mut random = || Vector::new(rng.r#gen::<f32>(), rng.r#gen::<f32>());
        let places = std::iter::repeat_with(|| self.low + (self.high - self.low) * random()).take(tries);
        places.into_iter().find(|place| obstacles().all(|surface| surface.signed_distance(*place) >= self.clear))
    }
}

/// Whether an item of this patch has some place to lie at.
pub(crate) fn has_room(spec: &FoodSpec, size: Vector, obstacles: &[Surface]) -> bool {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    Field::new(spec, size).place(&mut rng, || obstacles.iter(), MOST_TRIES).is_some()
}

/// A patch of food during an episode.
#[derive(Debug, Clone)]
pub(crate) struct Patch {
    /// Linear colour in `[0, 1]`.
    pub color: [f32; 3],
    pub radius: f32,
    pub items: Vec<Item>,
    energy_j: f32,
    regrows_s: f64,
    field: Field,
    rng: ChaCha8Rng,
}

/// One item.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Where it is, or was when it was eaten.
    pub place: Vector,
    pub present: bool,
    /// When it grows again, in seconds from the episode's start.
    due_s: f64,
}

/// Static bodies' surfaces.
fn fixed(solids: &[Solid]) -> impl Iterator<Item = &Surface> {
    solids.iter().filter(|solid| solid.fixed).flat_map(|solid| &solid.surfaces)
}

impl Patch {
    /// Patch `index` of an episode with this seed.
    pub(crate) fn new(spec: &FoodSpec, index: usize, seed: u64, size: Vector, solids: &[Solid]) -> Self {
        // Zero has two signs, which are one number.
        let number = (spec.seed.value() + 0.0).to_bits();
        let seed = derive_seed(derive_seed(seed, "food", index as u64), "patch", number);
        let absent = Item { place: Vector::ZERO, present: false, due_s: 0.0 };
        let mut patch = Self {
            color: spec.color.each_ref().map(|channel| linear(channel.value_f32())),
            radius: spec.radius_m.value_f32(),
            items: vec![absent; spec.count.value() as usize],
            energy_j: spec.energy_j.value_f32(),
            regrows_s: spec.regrows_s.value(),
            field: Field::new(spec, size),
            rng: ChaCha8Rng::seed_from_u64(seed),
        };
        for (item, place) in patch.items.iter_mut().zip(&spec.places_m) {
            (item.place, item.present) = (vector(place), true);
        }
        patch.grow(0.0, solids);
        patch
    }

    /// Who stands at `at` eats every item that is near enough; `eaten` gets their energies in joules.
    pub(crate) fn eat(&mut self, at: Vector, time_s: f64, eaten: &mut Vec<f32>) {
        for item in self.items.iter_mut().filter(|item| item.present) {
            if item.place.distance(at) <= self.radius {
                (item.present, item.due_s) = (false, time_s + self.regrows_s);
                eaten.push(self.energy_j);
            }
        }
    }

    /// Let the items grow again that are due. One that finds no place tries again at the next control step.
    pub(crate) fn grow(&mut self, time_s: f64, solids: &[Solid]) {
        // What is due at a step's very time is not put off by rounding.
        for item in self.items.iter_mut().filter(|item| !item.present && item.due_s <= time_s + 1e-6) {
            if let Some(place) = self.field.place(&mut self.rng, || fixed(solids), TRIES) {
                (item.place, item.present) = (place, true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ShapeSpec;

    #[test]
    fn the_first_items_lie_where_they_are_put() {
        let places_m = vec![[1.0, 2.0], [3.0, 4.5]].into_iter().map(|place| place.map(Num::Literal)).collect();
        let spec = FoodSpec { places_m, ..spec(3.0) };
        for seed in [1, 2] {
            let patch = Patch::new(&spec, 0, seed, Vector::new(10.0, 10.0), &[]);
            let places: Vec<_> = patch.items.iter().map(|item| item.place.to_array()).collect();
            assert!(
                places[..2] == [[1.0, 2.0], [3.0, 4.5]] && patch.items.iter().all(|item| item.present),
                "{places:?}"
            );
        }
    }

    fn spec(count: f64) -> FoodSpec {
        FoodSpec {
            name: "food".into(),
            count: Num::Literal(count),
            size_m: None,
            position_m: None,
            places_m: vec![],
            radius_m: radius(),
            energy_j: energy(),
            regrows_s: Num::Literal(1.0),
            clear_m: clear(),
            seed: zero(),
            color: green(),
        }
    }

    fn wall() -> Vec<Solid> {
        let size_m = [4.0, 8.0].map(Num::Literal);
        let place = [4.0, 4.0].map(Num::Literal);
        let solid = Solid::new("wall", &ShapeSpec::Cuboid { size_m }, &place, &zero(), &green());
        vec![Solid { fixed: true, ..solid }]
    }

    const SIZE: Vector = Vector::new(10.0, 8.0);

    #[test]
    fn items_lie_where_it_is_free() {
        let mut seen = [false; 2];
        for seed in 0..50 {
            for item in Patch::new(&spec(8.0), 0, seed, SIZE, &wall()).items {
                let Vector { x, y } = item.place;
                assert!(item.present && (0.4..=7.6).contains(&y), "{item:?}");
                assert!((0.4..=1.6).contains(&x) || (6.4..=9.6).contains(&x), "{item:?}");
                seen[usize::from(x > 4.0)] = true;
            }
        }
        assert_eq!(seen, [true; 2]);
        let within = FoodSpec {
            size_m: Some([1.0, 2.0].map(Num::Literal)),
            position_m: Some([8.0, 4.0].map(Num::Literal)),
            ..spec(8.0)
        };
        for item in Patch::new(&within, 0, 1, SIZE, &wall()).items {
            assert!((7.5..=8.5).contains(&item.place.x) && (3.0..=5.0).contains(&item.place.y), "{item:?}");
        }
    }

    #[test]
    fn places_follow_from_episode_number_and_patch() {
        let places = |number: f64, index: usize, seed: u64| -> Vec<Vector> {
            let spec = FoodSpec { seed: Num::Literal(number), ..spec(4.0) };
            Patch::new(&spec, index, seed, SIZE, &[]).items.iter().map(|item| item.place).collect()
        };
        assert_eq!(places(0.5, 0, 7), places(0.5, 0, 7));
        assert_eq!(places(0.0, 0, 7), places(-0.0, 0, 7));
        for other in [places(0.6, 0, 7), places(0.5, 1, 7), places(0.5, 0, 8)] {
            assert_ne!(places(0.5, 0, 7), other);
        }
    }

    #[test]
    fn what_is_eaten_grows_again_elsewhere() {
        let mut patch = Patch::new(&spec(2.0), 0, 3, SIZE, &wall());
        let (first, other, mut eaten) = (patch.items[0].place, patch.items[1].place, Vec::new());
        patch.eat(first + Vector::new(0.31, 0.0), 0.1, &mut eaten);
        assert!(eaten.is_empty());
        patch.eat(first + Vector::new(0.29, 0.0), 0.1, &mut eaten);
        assert_eq!(eaten, [30.0]);
        patch.eat(first, 0.2, &mut eaten);
        assert!(eaten.len() == 1, "an item is eaten once");
        patch.grow(1.0, &wall());
        assert!(!patch.items[0].present);
        patch.grow(0.1 + 1.0, &wall());
        assert!(patch.items[0].present && patch.items[0].place != first && patch.items[1].place == other);
    }

    #[test]
    fn without_room_it_waits() {
        let everywhere = vec![Solid { fixed: true, ..wall().remove(0) }, {
            let size_m = [20.0, 20.0].map(Num::Literal);
            let solid = Solid::new("block", &ShapeSpec::Cuboid { size_m }, &[zero(), zero()], &zero(), &green());
            Solid { fixed: true, ..solid }
        }];
        let surfaces = |solids: &[Solid]| fixed(solids).cloned().collect::<Vec<_>>();
        assert!(!has_room(&spec(1.0), SIZE, &surfaces(&everywhere)) && has_room(&spec(1.0), SIZE, &surfaces(&wall())));
        let narrow = FoodSpec { clear_m: Num::Literal(4.1), ..spec(1.0) };
        assert!(!has_room(&narrow, SIZE, &[]));
        let mut patch = Patch::new(&spec(1.0), 0, 3, SIZE, &everywhere);
        assert!(!patch.items[0].present);
        patch.grow(0.1, &wall());
        assert!(patch.items[0].present, "there is room at last");
    }
}
