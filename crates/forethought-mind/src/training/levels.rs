//! What each level is trained on: the first on the experience itself, each other on what the level below makes of it.
//! Read first: [`Source`] and [`Ascent::above`].

use super::Experience;
use crate::{
    actor::exploration::normal,
    perception::Perception,
    world_model::{
        LevelSpec, WorldModelSpec,
        encoder::Encoder,
        hjepa::{Level, LevelCard, abstract_actions, pool_into},
        jepa::{Jepa, Sequences},
        map::MapReader,
        predictor::{Looking, Predictor},
        readout::Readout,
        view::distance,
    },
};
use rand::Rng;
use rayon::prelude::*;
use std::sync::Arc;

/// Latents that a level's readout and ranges are fitted to, at most.
const FIT_ROWS: usize = 40_000;

/// Where a level's training sequences come from.
pub(crate) enum Source<'a> {
    /// The experience.
    First { experience: &'a Experience, perception: &'a Perception, reader: Option<&'a MapReader>, stride: usize },
    /// What the levels below make of it.
    Above { experience: &'a Experience, reader: Option<&'a MapReader>, ascent: &'a Ascent, spec: &'a LevelSpec },
}

/// The experience as the levels so far see it.
pub(crate) struct Ascent {
    episodes: Vec<Seen>,
    /// Width of a latent.
    latent: usize,
    /// Values of an action.
    acting: usize,
    /// Control steps that one prediction spans.
    span: usize,
}

/// An episode as a level sees it.
struct Seen {
    /// `[steps + 1, latent]`.
    latents: Vec<f32>,
    /// `[steps + 1 - span, acting]`: what would be done from each control step on.
    actions: Vec<f32>,
}

impl Source<'_> {
    fn experience(&self) -> &Experience {
        match self {
            Self::First { experience, .. } | Self::Above { experience, .. } => experience,
        }
    }

    /// Control steps that one prediction spans.
    fn span(&self) -> usize {
        match self {
            Self::First { stride, .. } => *stride,
            Self::Above { ascent, spec, .. } => ascent.span * spec.stride,
        }
    }

    /// `batch` random sequences of percepts, one prediction apart, and of the actions between them, time first.
    pub(crate) fn sample(&self, batch: usize, unroll: usize, rng: &mut impl Rng) -> Sequences {
        let (experience, span) = (self.experience(), self.span());
        let picks: Vec<(usize, usize)> = (0..batch)
            .map(|_| {
                let episode = rng.gen_range(0..experience.episodes.len());
                (episode, rng.gen_range(0..=experience.steps(&experience.episodes[episode]) - unroll * span))
            })
            .collect();
        let (mut percepts, mut actions) = (Vec::new(), Vec::new());
        let (mut glimpses, mut places, mut felt) = (Vec::new(), Vec::new(), Vec::new());
        for step in 0..=unroll {
            for (episode, first) in &picks {
                let at = first + step * span;
                self.percept_into(*episode, at, &mut percepts);
                self.place_into(*episode, at, &mut places);
                self.felt_into(*episode, at, &mut felt);
                if step < unroll {
                    self.chunk_into(*episode, at, &mut actions);
                    self.glimpse_into(*episode, at, &mut glimpses, rng);
                }
            }
        }
        Sequences { percepts, actions, glimpses, places, felt, batch, unroll }
    }

    fn percept_into(&self, episode: usize, at: usize, percepts: &mut Vec<f32>) {
        match self {
            Self::First { experience, perception, .. } => {
                let senses = perception.len();
                let row = at * senses..(at + 1) * senses;
                perception.normalise_into(&experience.episodes[episode].observations[row], percepts);
            }
            Self::Above { ascent, spec, .. } => {
                let start = percepts.len();
                percepts.resize(start + ascent.latent, 0.0);
                ascent.pool_into(&ascent.episodes[episode], at, spec, &mut percepts[start..]);
            }
        }
    }

    fn chunk_into(&self, episode: usize, at: usize, actions: &mut Vec<f32>) {
        match self {
            Self::First { experience, stride, .. } => {
                let acting = experience.action_len;
                actions.extend_from_slice(&experience.episodes[episode].actions[at * acting..(at + stride) * acting]);
            }
            Self::Above { ascent, spec, .. } => ascent.chunk_into(&ascent.episodes[episode], at, spec, actions),
        }
    }

    /// Where the agent is, the arena from -1 to 1.
    fn place_into(&self, episode: usize, at: usize, places: &mut Vec<f32>) {
        let (Self::First { reader, .. } | Self::Above { reader, .. }) = self;
        if let Some(reader) = reader {
            let place_m = self.experience().episodes[episode].positions_m[at];
            places.extend(place_m.iter().zip(reader.arena_m).map(|(at_m, side_m)| 2.0 * at_m / side_m - 1.0));
        }
    }

    /// What the body feels, normalised.
    fn felt_into(&self, episode: usize, at: usize, felt: &mut Vec<f32>) {
        if let Self::First { experience, perception, .. } = self {
            let (senses, observations) = (perception.len(), &experience.episodes[episode].observations);
            perception.body_into(&observations[at * senses..(at + 1) * senses], felt);
        }
    }

    /// What the floor plan shows around the agent, or a little beside it.
    fn glimpse_into(&self, episode: usize, at: usize, glimpses: &mut Vec<f32>, rng: &mut impl Rng) {
        let (Self::First { reader, .. } | Self::Above { reader, .. }) = self;
        if let Some(reader) = reader {
            let episode = &self.experience().episodes[episode];
            let near = episode.positions_m[at].map(|at_m| at_m + reader.glimpse.jitter_m * normal(rng));
            let start = glimpses.len();
            glimpses.resize(start + reader.len(), 0.0);
            reader.read(&episode.map, near, &mut glimpses[start..]);
        }
    }
}

impl Ascent {
    /// As the first level sees it. On the threads of the current rayon pool.
    pub(crate) fn first(experience: &Experience, perception: &Perception, spec: &WorldModelSpec, jepa: &Jepa) -> Self {
        let encoder = Encoder::new(jepa.encoder.clone());
        let acting = spec.stride * experience.action_len;
        let seen = |episode: &super::Trajectory| {
            let mut percepts = Vec::new();
            for sensed in episode.observations.chunks_exact(perception.len()) {
                perception.normalise_into(sensed, &mut percepts);
            }
            let actions = episode.actions.windows(acting).step_by(experience.action_len).flatten().copied().collect();
            Seen { latents: encoder.forward(&percepts, false).0, actions }
        };
        let episodes = experience.episodes.par_iter().map(seen).collect();
        Self { episodes, latent: spec.latent, acting, span: spec.stride }
    }

    /// As the level upon this one sees it. On the threads of the current rayon pool.
    pub(crate) fn above(&self, spec: &LevelSpec, jepa: &Jepa) -> Self {
        let encoder = Encoder::new(jepa.encoder.clone());
        let action = jepa.action.clone().map(Encoder::new);
        let span = self.span * spec.stride;
        let seen = |episode: &Seen| {
            let steps = episode.latents.len() / self.latent;
            let mut pooled = vec![0.0; episode.latents.len()];
            for (at, pooled) in pooled.chunks_exact_mut(self.latent).enumerate() {
                self.pool_into(episode, at, spec, pooled);
            }
            let mut chunks = Vec::new();
            (0..(steps).saturating_sub(span)).for_each(|at| self.chunk_into(episode, at, spec, &mut chunks));
            let actions = action.as_ref().map_or_else(Vec::new, |action| abstract_actions(action, &chunks));
            Seen { latents: encoder.forward(&pooled, false).0, actions }
        };
        Self { episodes: self.episodes.par_iter().map(seen).collect(), latent: spec.latent, acting: spec.action, span }
    }

    fn pool_into(&self, episode: &Seen, at: usize, spec: &LevelSpec, pooled: &mut [f32]) {
        let latent_at = |step: usize| &episode.latents[step * self.latent..(step + 1) * self.latent];
        pool_into(latent_at, at, spec.stride, self.span, pooled);
    }

    fn chunk_into(&self, episode: &Seen, at: usize, spec: &LevelSpec, chunk: &mut Vec<f32>) {
        for part in 0..spec.stride {
            let at = at + part * self.span;
            chunk.extend_from_slice(&episode.actions[at * self.acting..(at + 1) * self.acting]);
        }
    }

    /// The trained level whose view this is, `below` that of the level below it.
    pub(crate) fn finish(
        &self,
        below: &Self,
        experience: &Experience,
        reader: Option<&MapReader>,
        spec: &LevelSpec,
        jepa: Jepa,
        effective_rank: f32,
    ) -> Level {
        let every = experience.frames().div_ceil(FIT_ROWS).max(1);
        let (mut latents, mut positions) = (Vec::new(), Vec::new());
        let (mut distances, mut moves) = (Vec::new(), Vec::new());
        let mut codes = vec![Vec::new(); self.acting];
        let mut index = 0;
        for (seen, episode) in self.episodes.iter().zip(&experience.episodes) {
            let latent_at = |at: usize| seen.latents.get(at * self.latent..(at + 1) * self.latent);
            for (at, position) in episode.positions_m.iter().enumerate() {
                index += 1;
                let Some(latent) = latent_at(at).filter(|_| index % every == 0) else { continue };
                latents.extend_from_slice(latent);
                positions.push(*position);
                if let Some(after) = latent_at(at + self.span) {
                    distances.push(distance(latent, after));
                }
                if let Some(after) = episode.positions_m.get(at + self.span) {
                    moves.push((after[0] - position[0]).hypot(after[1] - position[1]));
                }
                if let Some(action) = seen.actions.get(at * self.acting..(at + 1) * self.acting) {
                    codes.iter_mut().zip(action).for_each(|(codes, value)| codes.push(*value));
                }
            }
        }
        let readout = Readout::fit(&latents, self.latent, &positions);
        let looking = reader.map(|reader| Looking { reader: reader.clone(), readout: readout.clone() });
        let card = LevelCard {
            effective_rank,
            readout,
            stride_distance: quantile(&mut distances, 0.9).max(1e-3),
            stride_m: quantile(&mut moves, 0.9).max(1e-3),
            action_range: codes.iter_mut().map(|codes| [quantile(codes, 0.01), quantile(codes, 0.99)]).collect(),
        };
        Level {
            spec: spec.clone(),
            card,
            encoder: Encoder::new(jepa.encoder),
            action_encoder: Encoder::new(jepa.action.unwrap_or_else(|| unreachable!("a level above has one"))),
            predictor: Arc::new(Predictor::new(jepa.predictor, self.acting, looking)),
            span: self.span,
            span_below: below.span,
        }
    }
}

/// The value below which this share of the values lies; 0 without any.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index among far fewer than 2^24"
)]
fn quantile(values: &mut [f32], share: f32) -> f32 {
    values.sort_by(f32::total_cmp);
    let index = (values.len().saturating_sub(1) as f32 * share).round() as usize;
    values.get(index).copied().unwrap_or(0.0)
}
