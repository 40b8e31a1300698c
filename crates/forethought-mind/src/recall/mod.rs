//! Recall: what short-term memory keeps of where things are, and how perception is completed by it, so that the world model is told
//! of what is out of sight too (Dawid & LeCun 2023, Sec. 2.3; LeCun 2022, Sec. 3). Read first: [`MemorySpec`] and [`Recall`].

mod nose;

pub use nose::{FEWEST_BEAMS, Nose};

use forethought_interface::{Observation, ObservationLayout, Remembered};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, f32::consts::TAU, ops::Range};

/// What an agent remembers of where things are.
///
/// What it smells it places, by the pattern and the strength of the scent, and keeps in mind. It perceives what it keeps as if it
/// still smelt it, from wherever it is, while it explores to be trained and while it lives. It forgets a thing that it does not
/// smell where it should be, and the one that it has not smelt for the longest time where there is no room for another. Where lidar
/// shows no free way to a thing whose scent walls keep off, the thing may still be there, unless the agent is within half a metre.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemorySpec {
    /// The scents whose sources it remembers, such as `scent.food`: those of `Scent` sensors with 8 beams or more.
    pub recall: Vec<String>,
    /// How many things it keeps in mind.
    #[serde(default = "keeps")]
    pub keeps: u32,
    /// After how many seconds it forgets a thing that it has not smelt again.
    #[serde(default = "forgets")]
    pub forgets_s: f32,
}

fn keeps() -> u32 {
    16
}

fn forgets() -> f32 {
    60.0
}

/// Two places nearer than this are of one thing, in metres.
const SAME_M: f32 = 0.3;
/// So near, nothing comes between, in metres.
const BESIDE_M: f32 = 0.5;
/// So much of the reach is sure to be smelt.
const SURE: f32 = 0.95;

/// The distances that tell what is in plain view.
#[derive(Debug, Clone, PartialEq)]
pub struct Eyes {
    /// Where they stand in an observation.
    pub rays: Range<usize>,
    /// The angle that they cover, centred on the body's x axis; all around from a full turn on.
    pub field_of_view_rad: f32,
}

impl Eyes {
    /// Whether the rays on both sides of a place, in the body's frame, go on beyond it.
    fn see(&self, values: &[f32], place: [f32; 2]) -> bool {
        let rays = &values[self.rays.clone()];
        #[expect(clippy::cast_precision_loss, reason = "a lidar has far fewer than 2^24 rays")]
        let count = rays.len() as f32;
        let angle = place[1].atan2(place[0]);
        let around = self.field_of_view_rad >= TAU - 1e-6;
        let at = if around {
            angle.rem_euclid(TAU) / TAU * count
        } else {
            (angle + self.field_of_view_rad / 2.0) / self.field_of_view_rad * (count - 1.0)
        };
        let beyond = |index: f32| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole, not negative and small"
            )]
            let index = if around { index.rem_euclid(count) } else { index } as usize;
            rays.get(index).is_some_and(|range_m| *range_m > place[0].hypot(place[1]))
        };
        at >= 0.0 && beyond(at.floor()) && beyond(at.ceil())
    }
}

/// How the body senses what recall needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Senses {
    /// The scents that it can place things by.
    pub noses: Vec<Nose>,
    /// Its lidar, if it has one.
    pub eyes: Option<Eyes>,
    /// Its angle where it does not sense it, in radians: a body that does not turn.
    pub angle_rad: f32,
}

/// A thing as it is remembered.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sighting {
    /// The nose that smelt it.
    nose: usize,
    place_m: [f32; 2],
    /// The control step at which it was last smelt.
    step: u64,
}

impl Sighting {
    /// Seconds from it to this control step.
    fn age_s(&self, step: u64, period_s: f32) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "an age is far shorter than 2^24 control steps")]
        let steps = step.saturating_sub(self.step) as f32;
        steps * period_s
    }
}

/// Keeps in mind where things are, and completes each observation by what it keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Recall {
    senses: Senses,
    position: Range<usize>,
    /// Where cosine and sine of the angle stand, if it is sensed.
    heading: Option<Range<usize>>,
    observation_len: usize,
    keeps: usize,
    period_s: f32,
    forgets_s: f32,
    sightings: Vec<Sighting>,
    step: u64,
}

impl Recall {
    /// An empty memory for an agent with these senses, of whose noses it uses those that are asked for; it observes once in
    /// `period_s` seconds.
    ///
    /// # Errors
    /// A sentence where the agent does not sense what is to be remembered, or where it is.
    pub fn new(
        spec: &MemorySpec,
        layout: &ObservationLayout,
        mut senses: Senses,
        period_s: f32,
    ) -> Result<Self, String> {
        let position = layout.range("proprioception.position_m").ok_or("the agent does not sense where it is")?;
        if let Some(missing) = spec.recall.iter().find(|name| !senses.noses.iter().any(|nose| nose.channel == **name)) {
            return Err(format!("the agent has no scent `{missing}` that tells where things are"));
        }
        senses.noses.retain(|nose| spec.recall.contains(&nose.channel));
        Ok(Self {
            senses,
            position,
            heading: layout.range("proprioception.heading"),
            observation_len: layout.len(),
            keeps: spec.keeps as usize,
            period_s,
            forgets_s: spec.forgets_s,
            sightings: vec![],
            step: 0,
        })
    }

    /// The scents that are recalled, in the order of the observation.
    #[must_use]
    pub fn channels(&self) -> Vec<String> {
        self.senses.noses.iter().map(|nose| nose.channel.clone()).collect()
    }

    /// Forget everything: a new life begins.
    pub fn clear(&mut self) {
        self.sightings.clear();
        self.step = 0;
    }

    /// What is remembered, oldest first.
    #[must_use]
    pub fn remembered(&self) -> Vec<Remembered> {
        let remembered = |sighting: &Sighting| Remembered {
            name: self.senses.noses[sighting.nose].channel.clone(),
            position_m: sighting.place_m,
            age_s: sighting.age_s(self.step, self.period_s),
        };
        self.sightings.iter().map(remembered).collect()
    }

    /// Take in the observation of the next control step, and complete it: the same as it is where nothing out of sight is
    /// remembered, or where it is no observation of this agent.
    pub fn complete<'a>(&mut self, observation: &'a Observation) -> Cow<'a, Observation> {
        self.step += 1;
        let values = &observation.values;
        if values.len() != self.observation_len || values.iter().any(|value| !value.is_finite()) {
            return Cow::Borrowed(observation);
        }
        let frame = self.frame(values);
        for nose in 0..self.senses.noses.len() {
            self.note(nose, values, &frame);
        }
        let (step, period_s, forgets_s) = (self.step, self.period_s, self.forgets_s);
        self.sightings.retain(|sighting| sighting.age_s(step, period_s) <= forgets_s);
        // The latest last: what has not been smelt for the longest time goes first.
        self.sightings.sort_by_key(|sighting| sighting.step);
        self.sightings.drain(..self.sightings.len().saturating_sub(self.keeps));
        let mut completed = Cow::Borrowed(observation);
        for sighting in &self.sightings {
            let nose = &self.senses.noses[sighting.nose];
            let mut beams = completed.values[nose.beams.clone()].to_vec();
            nose.tell(&mut beams, frame.inward(sighting.place_m));
            if beams != completed.values[nose.beams.clone()] {
                completed.to_mut().values[nose.beams.clone()].copy_from_slice(&beams);
            }
        }
        completed
    }

    /// Remember what this nose smells, and forget what it does not smell any more where it should.
    fn note(&mut self, index: usize, values: &[f32], frame: &Frame) {
        let nose = &self.senses.noses[index];
        let beams = &values[nose.beams.clone()];
        for place in nose.places(beams) {
            let place_m = frame.outward(place);
            let others = self.sightings.iter_mut().filter(|other| other.nose == index && other.step < self.step);
            let nearest = others
                .map(|other| (distance_m(other.place_m, place_m), other))
                .min_by(|a, b| a.0.total_cmp(&b.0))
                .filter(|(distance_m, _)| *distance_m < SAME_M);
            let sighting = Sighting { nose: index, place_m, step: self.step };
            match nearest {
                Some((_, known)) => *known = sighting,
                None => self.sightings.push(sighting),
            }
        }
        let (step, eyes) = (self.step, self.senses.eyes.as_ref());
        self.sightings.retain(|sighting| {
            let place = frame.inward(sighting.place_m);
            let r = place[0].hypot(place[1]);
            let in_view = || !nose.occluded || r < BESIDE_M || eyes.is_some_and(|eyes| eyes.see(values, place));
            let other = sighting.nose != index || sighting.step == step;
            other || r > SURE * nose.reach_m || !in_view() || !nose.misses(beams, place)
        });
    }

    /// Where the body is, and its angle.
    fn frame(&self, values: &[f32]) -> Frame {
        let at = &values[self.position.clone()];
        let (cos, sin) = match &self.heading {
            Some(heading) => (values[heading.start], values[heading.start + 1]),
            None => (self.senses.angle_rad.cos(), self.senses.angle_rad.sin()),
        };
        Frame { at: [at[0], at[1]], cos, sin }
    }
}

fn distance_m(a: [f32; 2], b: [f32; 2]) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// A body's place and angle.
#[derive(Debug, Clone, Copy)]
struct Frame {
    at: [f32; 2],
    cos: f32,
    sin: f32,
}

impl Frame {
    /// From the body's frame to the world's.
    fn outward(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [self.at[0] + self.cos * x - self.sin * y, self.at[1] + self.sin * x + self.cos * y]
    }

    /// From the world's frame to the body's.
    fn inward(&self, place_m: [f32; 2]) -> [f32; 2] {
        let [x, y] = [place_m[0] - self.at[0], place_m[1] - self.at[1]];
        [self.cos * x + self.sin * y, self.cos * y - self.sin * x]
    }
}

#[cfg(test)]
mod tests;
