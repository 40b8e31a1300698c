//! A nose: what a scent's beams tell of where things are, and what they would tell of a thing at a place. Read first: [`Nose`].

use std::{f32::consts::TAU, ops::Range};

/// How a scent is sensed: beam `k` of `beams` smells what is at distance `r` in the direction `phi` as strong as
/// `max(0, cos(phi - 2 pi k / beams))^sharpness / (1 + r / range_m)`, fading over the last of the reach, and tells the strongest.
#[derive(Debug, Clone, PartialEq)]
pub struct Nose {
    /// The channel's name, such as `scent.food`.
    pub channel: String,
    /// Where its beams stand in an observation.
    pub beams: Range<usize>,
    /// The distance from which a scent is half as strong, in metres.
    pub range_m: f32,
    /// How narrow a beam is: the exponent of the cosine.
    pub sharpness: f32,
    /// From farther away nothing is smelt, in metres.
    pub reach_m: f32,
    /// From so far on a scent fades to nothing at the end of the reach, in metres.
    pub fades_from_m: f32,
    /// Whether static bodies keep scents off.
    pub occluded: bool,
}

/// A thing takes so many beams to be told from a pattern that several things make together.
const WITNESSES: usize = 3;
/// Fewer beams leave no witnesses; see `WITNESSES`.
pub const FEWEST_BEAMS: usize = 8;
/// Beams agree with a thing up to this share of what it gives straight ahead.
const AGREES: f32 = 2e-3;
/// What is there gives a beam no less than what it should give but for this share.
const MISSES: f32 = 0.1;
/// A beam that should tell less than this share tells too little to count: a power of it may be no number any more.
const TRIFLE: f32 = 1e-2;

/// A thing in a pattern: the length of `vector` is what it gives a beam that points straight at it, before the exponent.
#[derive(Debug, Clone, Copy)]
struct Source {
    vector: [f32; 2],
    length: f32,
}

impl Source {
    /// What it gives the beam in this direction, before the exponent.
    fn gives(&self, direction: [f32; 2]) -> f32 {
        (self.vector[0] * direction[0] + self.vector[1] * direction[1]).max(0.0)
    }

    /// Whether this is what the beam in this direction tells.
    fn explains(&self, direction: [f32; 2], told: f32) -> bool {
        let gives = self.gives(direction);
        gives > MISSES * self.length && (gives - told).abs() <= AGREES * self.length
    }
}

impl Nose {
    /// The direction of beam `index` in the body's frame.
    fn direction(&self, index: usize) -> [f32; 2] {
        #[expect(clippy::cast_precision_loss, reason = "a nose has far fewer than 2^24 beams")]
        let (sin, cos) = (TAU * index as f32 / self.beams.len() as f32).sin_cos();
        [cos, sin]
    }

    /// What the beams tell before the exponent, where a thing's share falls off as a plain cosine.
    fn cosines(&self, beams: &[f32]) -> Vec<f32> {
        let root = 1.0 / self.sharpness;
        beams.iter().map(|beam| beam.max(0.0).powf(root)).collect()
    }

    /// How strong a thing at this distance smells in a beam that points straight at it.
    fn strength(&self, distance_m: f32) -> f32 {
        let fades = self.reach_m - self.fades_from_m;
        ((self.reach_m - distance_m) / fades).clamp(0.0, 1.0) / (1.0 + distance_m / self.range_m)
    }

    /// From how far something smells this strong, in metres.
    fn distance_m(&self, strength: f32) -> f32 {
        let near_m = self.range_m * (1.0 / strength.min(1.0) - 1.0);
        if near_m <= self.fades_from_m {
            return near_m;
        }
        let fades = self.reach_m - self.fades_from_m;
        (self.reach_m - strength * fades) / (1.0 + strength * fades / self.range_m)
    }

    /// Where the things are that make this pattern, in the body's frame, in metres. Two things in nearly the same direction are
    /// one, the one that smells stronger; a pattern without a centre, such as within a zone, is of nothing.
    #[must_use]
    pub fn places(&self, beams: &[f32]) -> Vec<[f32; 2]> {
        let (told, count) = (self.cosines(beams), beams.len());
        if count < FEWEST_BEAMS {
            return vec![];
        }
        let directions: Vec<[f32; 2]> = (0..count).map(|beam| self.direction(beam)).collect();
        let mut sources: Vec<Source> = (0..count).filter_map(|beam| self.between(beam, &told, &directions)).collect();
        // What one thing explains needs no other: the things are those that explain the pattern together.
        let mut open: Vec<bool> = told.iter().map(|told| *told > 0.0).collect();
        let mut places = Vec::new();
        loop {
            let news = |source: &Source| {
                (0..count).filter(|beam| open[*beam] && source.explains(directions[*beam], told[*beam])).count()
            };
            let best = sources.iter().enumerate().map(|(index, source)| (news(source), index));
            let Some((_, index)) =
                best.filter(|(news, _)| *news > 0).max_by_key(|(news, index)| (*news, count - index))
            else {
                return places;
            };
            let source = sources.remove(index);
            for beam in 0..count {
                open[beam] &= !source.explains(directions[beam], told[beam]);
            }
            let distance_m = self.distance_m(source.length.powf(self.sharpness));
            places.push(source.vector.map(|part| part / source.length * distance_m));
        }
    }

    /// The thing between this beam and the next, if what they tell is of one and the others bear it out.
    fn between(&self, beam: usize, told: &[f32], directions: &[[f32; 2]]) -> Option<Source> {
        let next = (beam + 1) % told.len();
        let ([cos, sin], [ahead, onward]) = (self.direction(1), [told[beam], told[next]]);
        if ahead <= 0.0 && onward <= 0.0 {
            return None;
        }
        let [along, aside] = [ahead, (onward - ahead * cos) / sin];
        let [x, y] = directions[beam];
        let source = Source { vector: [along * x - aside * y, along * y + aside * x], length: along.hypot(aside) };
        // It lies between the two, or another pair finds it.
        let within = aside >= -AGREES * source.length && along * sin - aside * cos >= -AGREES * source.length;
        let each = || directions.iter().zip(told);
        let quieter = each().all(|(direction, told)| source.gives(*direction) <= told + TRIFLE * source.length);
        let witnesses = each().filter(|(direction, told)| source.explains(**direction, **told)).count();
        (within && quieter && witnesses >= WITNESSES).then_some(source)
    }

    /// Whether a thing at this place, in the body's frame, would be smelt more than anything is there.
    #[must_use]
    pub fn misses(&self, beams: &[f32], place: [f32; 2]) -> bool {
        let distance_m = place[0].hypot(place[1]);
        let length = self.strength(distance_m).powf(1.0 / self.sharpness);
        let source = Source { vector: towards(place).map(|part| part * length), length };
        let told = self.cosines(beams);
        length > 0.0 && (0..told.len()).any(|beam| source.gives(self.direction(beam)) > told[beam] + MISSES * length)
    }

    /// Let the beams tell of a thing at this place, in the body's frame, however far away and behind whatever it is.
    pub fn tell(&self, beams: &mut [f32], place: [f32; 2]) {
        let strength = 1.0 / (1.0 + place[0].hypot(place[1]) / self.range_m);
        let source = Source { vector: towards(place), length: 1.0 };
        for (index, beam) in beams.iter_mut().enumerate() {
            let tells = source.gives(self.direction(index)).powf(self.sharpness) * strength;
            // What is smelt stays the very same number.
            if tells > *beam + AGREES * strength {
                *beam = tells;
            }
        }
    }
}

/// The direction of a place; right at the centre it lies ahead.
fn towards(place: [f32; 2]) -> [f32; 2] {
    let distance_m = place[0].hypot(place[1]);
    if distance_m > 0.0 { place.map(|part| part / distance_m) } else { [1.0, 0.0] }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// As a `Scent` of so many beams that reaches 5 m, first in the observation.
    pub(crate) fn nose(beams: usize) -> Nose {
        Nose {
            channel: "scent.food".into(),
            beams: 0..beams,
            range_m: 2.0,
            sharpness: 3.0,
            reach_m: 5.0,
            fades_from_m: 4.0,
            occluded: true,
        }
    }

    /// What the sensor tells of things in the body's frame.
    pub(crate) fn smelt(nose: &Nose, places: &[[f32; 2]]) -> Vec<f32> {
        let mut beams = vec![0.0_f32; nose.beams.len()];
        for place in places {
            let strength = nose.strength(place[0].hypot(place[1]));
            for (index, beam) in beams.iter_mut().enumerate() {
                let ([x, y], [cos, sin]) = (towards(*place), nose.direction(index));
                *beam = beam.max((x * cos + y * sin).max(0.0).powf(nose.sharpness) * strength);
            }
        }
        beams
    }

    fn at(angle: f32, distance_m: f32) -> [f32; 2] {
        [distance_m * angle.cos(), distance_m * angle.sin()]
    }

    fn error_m(a: [f32; 2], b: [f32; 2]) -> f32 {
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    #[test]
    fn one_thing_is_placed_within_millimetres() {
        for beams in [8, 12, 13] {
            let nose = nose(beams);
            for step in 0..500_u16 {
                let place = at(0.0126 * f32::from(step), 0.05 + 0.0097 * f32::from(step));
                let found = nose.places(&smelt(&nose, &[place]));
                assert!(found.len() == 1 && error_m(found[0], place) < 5e-3, "{place:?} is not {found:?}");
            }
        }
        // The fade is inverted as well as the rest.
        assert!((nose(12).distance_m(nose(12).strength(4.7)) - 4.7).abs() < 1e-4);
    }

    #[test]
    fn several_things_are_told_apart_and_nothing_is_made_up() {
        let nose = nose(12);
        let (mut found, mut real) = (0, 0);
        for step in 0..400_u16 {
            let number = |scale: f32| (f32::from(step) * scale).fract();
            let places = [
                at(TAU * number(0.618), 0.5 + 3.9 * number(0.271)),
                at(TAU * number(0.414), 0.5 + 3.9 * number(0.732)),
                at(TAU * number(0.236), 0.5 + 3.9 * number(0.146)),
            ];
            for place in nose.places(&smelt(&nose, &places)) {
                assert!(places.iter().any(|real| error_m(*real, place) < 0.02), "{place:?} is none of {places:?}");
                found += 1;
            }
            real += 3;
        }
        assert!(found > real / 2 && found <= real, "{found} of {real}: the others are smelt by too few beams");
    }

    #[test]
    fn within_a_zone_and_where_nothing_smells_there_is_no_place() {
        assert!(nose(12).places(&[1.0; 12]).is_empty() && nose(12).places(&[0.0; 12]).is_empty());
        assert!(nose(4).places(&smelt(&nose(4), &[[1.0, 0.0]])).is_empty());
        assert!(nose(12).places(&[f32::NAN; 12]).is_empty());
    }

    #[test]
    fn what_is_gone_is_missed_and_what_is_hidden_by_a_stronger_scent_is_not() {
        let nose = nose(12);
        let (near, behind, aside) = ([1.0, 0.0], [3.0, 0.1], [0.0, 2.0]);
        let beams = smelt(&nose, &[near]);
        assert!(!nose.misses(&beams, near) && !nose.misses(&beams, behind) && nose.misses(&beams, aside));
        assert!(!nose.misses(&beams, [0.0, 6.0]), "beyond the reach nothing is missed");
        assert!(!nose.misses(&[1.0; 12], aside));
    }

    #[test]
    fn what_is_in_sight_is_not_told_again() {
        let nose = nose(12);
        let places = [[1.0, 0.3], [-2.0, 1.0]];
        let (told, mut again) = (smelt(&nose, &places), smelt(&nose, &places));
        places.iter().for_each(|place| nose.tell(&mut again, *place));
        assert_eq!(told, again);
        // Beyond the reach it is told as if there were no end to it: 6 m off, straight ahead.
        let mut beams = vec![0.0; 12];
        nose.tell(&mut beams, [0.0, 6.0]);
        assert!((beams[3] - 0.25).abs() < 1e-6 && beams[9] == 0.0, "{beams:?}");
    }
}
