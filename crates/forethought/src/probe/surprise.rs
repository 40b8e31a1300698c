//! Violation of expectation: whether prediction energies tell episodes in which a law was broken from normal ones.
//! Read first: [`Surprise`] and `Anticipation`.

use super::{
    BEFORE, Normal, Strange,
    auc::{auc, interval95},
    control::as_far,
    violations::Violation,
};
use forethought_interface::derive_seed;
use forethought_mind::world_model::{readout::Linear, surprise::Expectation, view::View};
use serde::Serialize;
use std::ops::Range;

/// What is taken for a level's energy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Energy {
    /// The distance between the predicted and the encoded next latent, one prediction ahead.
    Distance,
    /// The same with each direction of the latent in units of its usual error (Mahalanobis).
    Weighed,
    /// The distance as a multiple of what this state and action usually give, by a regression of its logarithm.
    Relative,
    /// The weighed distance as such a multiple.
    WeighedRelative,
    /// The distance, two predictions ahead.
    TwoAhead,
}

impl Energy {
    /// All that are measured, the JEPA's own first.
    pub const ALL: [Self; 5] = [Self::Distance, Self::Weighed, Self::Relative, Self::WeighedRelative, Self::TwoAhead];

    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Distance => "distance",
            Self::Weighed => "weighed",
            Self::Relative => "relative",
            Self::WeighedRelative => "weighed, relative",
            Self::TwoAhead => "two ahead",
        }
    }

    fn ahead(self) -> usize {
        if self == Self::TwoAhead { 2 } else { 1 }
    }
}

/// How violations stand out.
#[derive(Debug, Clone, Serialize)]
pub struct Surprise {
    /// How well each energy of each level tells each violation that some episode had a place for.
    pub detections: Vec<Detection>,
    /// Mean energies around each violation.
    pub curves: Vec<Curve>,
}

/// How well one energy tells one violation.
#[derive(Debug, Clone, Serialize)]
pub struct Detection {
    /// What was broken. `as fast`: compared with other bodies that come as far in the same time, not with the same episode
    /// without the violation; `outside`: without errors that stand on something sensed inside a solid.
    pub violation: String,
    /// The level, from 1; none for the sum over all, each in units of its normal mean.
    pub level: Option<usize>,
    /// Which energy.
    pub energy: Energy,
    /// Control steps of a window; its score is the largest energy in it.
    pub window: usize,
    /// Episodes with such a violation; there are as many normal windows.
    pub episodes: usize,
    /// The area under the ROC curve.
    pub auc: f64,
    /// Its bootstrap interval.
    pub ci95: [f64; 2],
}

/// Mean energies around a violation, in units of the level's normal mean.
#[derive(Debug, Clone, Serialize)]
pub struct Curve {
    /// What was broken.
    pub violation: String,
    /// As [`Detection::level`].
    pub level: Option<usize>,
    /// As [`Detection::energy`].
    pub energy: Energy,
    /// The first control step, counted from the violation.
    pub from: i64,
    /// With the violation.
    pub violated: Vec<f64>,
    /// The same episodes without.
    pub normal: Vec<f64>,
}

/// What is normal, for each level.
pub(crate) struct Anticipation {
    levels: Vec<LevelAnticipation>,
}

struct LevelAnticipation {
    /// Of errors one prediction ahead.
    expectation: Expectation,
    /// From state and action to the logarithm of the distance, and of the weighed one.
    usual: [Linear; 2],
    /// Of each energy.
    means: Vec<f64>,
}

/// One energy over an episode: for each level, and after them for their sum, its value at each control step.
type Track = Vec<Vec<f32>>;

impl Anticipation {
    /// From normal episodes.
    pub(crate) fn fit(episodes: &[Normal]) -> Self {
        let levels = (0..episodes.first().map_or(0, |episode| episode.views.len())).map(|level| {
            let views = || episodes.iter().map(|episode| &episode.views[level]);
            let width = episodes[0].views[level].width();
            let residuals: Vec<f32> = views().flat_map(|view| view.residuals(1)).collect();
            let features: Vec<f32> = views().flat_map(features).collect();
            let expectation = Expectation::fit(&residuals, width);
            let usual = [lengths(&residuals, width), expectation.weigh(&residuals)].map(|energies| {
                let logarithms: Vec<f32> = energies.into_iter().map(logarithm).collect();
                Linear::fit(&features, features.len() / logarithms.len().max(1), &logarithms, 1)
            });
            let mut level = LevelAnticipation { expectation, usual, means: vec![] };
            level.means = Energy::ALL
                .map(|energy| {
                    let all = views().flat_map(|view| level.energies(view, energy)).map(f64::from).collect::<Vec<_>>();
                    (all.iter().sum::<f64>() / all.len().max(1) as f64).max(1e-12)
                })
                .to_vec();
            level
        });
        Self { levels: levels.collect() }
    }

    fn tracks(&self, views: &[View], energy: Energy) -> Track {
        let place = Energy::ALL.iter().position(|other| *other == energy).unwrap_or(0);
        let of_level = |(level, view): (&LevelAnticipation, &View)| {
            let mut track = vec![0.0; (energy.ahead() * view.span()).min(view.steps() + 1)];
            let scaled = level.energies(view, energy).into_iter().map(|value| value / level.means[place] as f32);
            track.extend(scaled);
            track
        };
        let mut tracks: Track = self.levels.iter().zip(views).map(of_level).collect();
        let steps = tracks.first().map_or(0, Vec::len);
        tracks.push((0..steps).map(|step| tracks.iter().map(|track| track[step]).sum()).collect());
        tracks
    }
}

impl LevelAnticipation {
    /// At each control step from the first that is foretold.
    fn energies(&self, view: &View, energy: Energy) -> Vec<f32> {
        let residuals = view.residuals(energy.ahead());
        let relative = |energies: Vec<f32>, usual: &Linear| {
            let usual = usual.read(&features(view));
            energies.into_iter().zip(usual).map(|(energy, usual)| (logarithm(energy) - usual).exp()).collect()
        };
        match energy {
            Energy::Distance | Energy::TwoAhead => lengths(&residuals, view.width()),
            Energy::Weighed => self.expectation.weigh(&residuals),
            Energy::Relative => relative(lengths(&residuals, view.width()), &self.usual[0]),
            Energy::WeighedRelative => relative(self.expectation.weigh(&residuals), &self.usual[1]),
        }
    }
}

fn lengths(residuals: &[f32], width: usize) -> Vec<f32> {
    let length = |residual: &[f32]| residual.iter().map(|value| value * value).sum::<f32>().sqrt();
    residuals.chunks_exact(width).map(length).collect()
}

fn logarithm(energy: f32) -> f32 {
    energy.max(1e-6).ln()
}

/// State, action and their squares where each prediction begins.
fn features(view: &View) -> Vec<f32> {
    let starts = 0..(view.steps() + 1).saturating_sub(view.span());
    let of_start = |start: usize| {
        let values = view.latent(start).iter().chain(view.action(start)).copied();
        values.clone().chain(values.map(|value| value * value)).collect::<Vec<f32>>()
    };
    starts.flat_map(of_start).collect()
}

/// With what a violation is compared, and on which errors.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Comparison {
    /// With other bodies that move as far, in place of the same episode without the violation.
    as_far: bool,
    /// Without the errors that stand on something sensed inside a solid, where sensors tell what was never sensed before.
    outside: bool,
}

impl Comparison {
    fn all(violation: Violation) -> Vec<Self> {
        let same = Self { as_far: false, outside: false };
        match violation {
            Violation::Teleport(_) => vec![same],
            Violation::Wall => vec![same, Self { as_far: true, ..same }, Self { as_far: true, outside: true }],
        }
    }

    fn name(self, violation: Violation) -> String {
        let how =
            [(self.as_far, ", as fast"), (self.outside, ", outside")].map(|(holds, how)| if holds { how } else { "" });
        violation.name() + &how.concat()
    }
}

/// Compare episodes with violations with normal ones. Curves end `tail` control steps after a violation.
pub(crate) fn measure(
    anticipation: &Anticipation,
    scored: &[Normal],
    strange: &[Strange],
    range: &Range<usize>,
    tail: usize,
    seed: u64,
) -> Surprise {
    let (mut detections, mut curves) = (Vec::new(), Vec::new());
    for energy in Energy::ALL {
        let normal: Vec<Track> = scored.iter().map(|episode| anticipation.tracks(&episode.views, energy)).collect();
        for violation in Violation::all() {
            let events: Vec<&Strange> = strange.iter().filter(|event| event.violation == violation).collect();
            if events.is_empty() {
                continue;
            }
            let of = |views: fn(&Strange) -> &[View]| -> Vec<Track> {
                events.iter().map(|event| anticipation.tracks(views(event), energy)).collect()
            };
            let (with, without) = (of(|event| &event.with), of(|event| &event.without));
            let wanted: Vec<f32> = events.iter().map(|event| event.far_m).collect();
            let others = as_far(scored, &wanted, range);
            for comparison in Comparison::all(violation) {
                for level in 0..=anticipation.levels.len() {
                    let score = |event: &Strange, track: &[f32], from: usize| {
                        let counts = |after: &usize| !comparison.outside || !touched(event, level, energy, *after);
                        let after = (0..window(&event.with, level, energy, violation)).filter(counts);
                        let energies = after.filter_map(|after| track.get(from + after));
                        energies.fold(0.0_f32, |largest, value| largest.max(*value))
                    };
                    let (mut violated, mut compared) = (Vec::new(), Vec::new());
                    for (index, event) in events.iter().enumerate() {
                        violated.push(score(event, &with[index][level], event.step));
                        let (track, from) = match others.get(index) {
                            Some((episode, step)) if comparison.as_far => (&normal[*episode][level], *step),
                            _ => (&without[index][level], event.step),
                        };
                        compared.push(score(event, track, from));
                    }
                    let number = (level < anticipation.levels.len()).then_some(level + 1);
                    let seed = derive_seed(seed, "bootstrap", detections.len() as u64);
                    detections.push(Detection {
                        violation: comparison.name(violation),
                        level: number,
                        energy,
                        window: window(&events[0].with, level, energy, violation),
                        episodes: violated.len(),
                        auc: auc(&compared, &violated),
                        ci95: interval95(&compared, &violated, seed),
                    });
                }
            }
            for level in 0..=anticipation.levels.len() {
                let mean = |tracks: &[Track]| {
                    let mut sums = vec![0.0; BEFORE + tail];
                    for (event, track) in events.iter().zip(tracks) {
                        let around = track[level].iter().skip(event.step - BEFORE);
                        sums.iter_mut().zip(around).for_each(|(sum, value)| *sum += f64::from(*value));
                    }
                    sums.into_iter().map(|sum| sum / events.len() as f64).collect()
                };
                curves.push(Curve {
                    violation: violation.name(),
                    level: (level < anticipation.levels.len()).then_some(level + 1),
                    energy,
                    from: -(BEFORE as i64),
                    violated: mean(&with),
                    normal: mean(&without),
                });
            }
        }
    }
    Surprise { detections, curves }
}

/// All control steps at which a level can feel the violation; of the sum, at which any can.
fn window(views: &[View], level: usize, energy: Energy, violation: Violation) -> usize {
    let felt = |view: &View| view.reach() + (energy.ahead() - 1) * view.span() + violation.lasts() - 1;
    views.get(level).map_or_else(|| views.iter().map(felt).max().unwrap_or(1), felt)
}

/// Whether the energy so many control steps after the violation stands on something sensed inside a solid. Latents are pooled
/// and predicted over multiples of the first level's span.
fn touched(event: &Strange, level: usize, energy: Energy, after: usize) -> bool {
    let first = event.with[0].span();
    let of_view = |view: &View| {
        let back = view.reach() + (energy.ahead() - 1) * view.span();
        (0..=back / first).any(|index| after.checked_sub(index * first).is_some_and(|at| event.inside.contains(&at)))
    };
    event.with.get(level).map_or_else(|| event.with.iter().any(of_view), of_view)
}
