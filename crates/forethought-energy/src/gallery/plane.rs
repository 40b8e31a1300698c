//! Data in the plane that several models learn, so that their energies can be compared: a spiral. Read first: [`PlaneModel`] and
//! [`PlaneStudy`].

use super::{
    GalleryError, Measure, Study,
    picture::{History, Window, line, over_updates, points},
};
use crate::{
    Matrix,
    energy::{Energy, matrix, nothing},
    models::Samples,
    random,
};
use forethought_interface::{Chart, Hue, Layer, Panel, Span};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::PI;

/// What all of them are shown on.
pub(super) const WINDOW: Window = Window { ranges: [[-1.3, 1.3]; 2], cells: 65 };
/// Points to learn from, and as many to judge by.
const POINTS: usize = 400;
/// How far they lie off the spiral, a standard deviation.
const NOISE: f64 = 0.02;
/// How far from the spiral is elsewhere.
const FAR: f64 = 0.15;

/// The spiral at a radius from 0.2 to 1: 1.5 turns.
fn spiral(radius: f64) -> [f64; 2] {
    let angle = 3.0 * PI * (radius - 0.2) / 0.8;
    [radius * angle.cos(), radius * angle.sin()]
}

/// Points on a spiral, `[2, points]`.
#[derive(Debug, Clone)]
pub(super) struct Plane {
    /// To learn from.
    pub(super) train: Samples,
    /// To judge by.
    pub(super) held_out: Samples,
    /// Anywhere in the picture but near the spiral.
    pub(super) elsewhere: Samples,
}

impl Plane {
    /// The points of a seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let train = near(&mut rng);
        let held_out = near(&mut rng);
        let curve: Vec<[f64; 2]> = (0..=200).map(|step| spiral(0.2 + 0.004 * f64::from(step))).collect();
        let mut elsewhere = Vec::with_capacity(2 * POINTS);
        while elsewhere.len() < 2 * POINTS {
            let place = [rng.gen_range(-1.3..1.3), rng.gen_range(-1.3..1.3)];
            if curve.iter().all(|near| (near[0] - place[0]).hypot(near[1] - place[1]) > FAR) {
                elsewhere.extend(place);
            }
        }
        Self { train, held_out, elsewhere: Samples::from_vec(2, POINTS, elsewhere) }
    }
}

/// Evenly along the spiral, nearly.
fn near(rng: &mut ChaCha8Rng) -> Samples {
    let mut point = |_| {
        let radius = rng.gen_range(0.04..1.0_f64).sqrt();
        spiral(radius).map(|value| value + NOISE * f64::from(random::normal(rng)))
    };
    Samples::from_vec(2, POINTS, (0..POINTS).flat_map(&mut point).collect())
}

/// Samples as rows.
pub(super) fn rows(samples: &Samples) -> Matrix {
    matrix(samples.iter().map(|value| *value as f32).collect(), samples.nrows())
}

/// Samples in the plane as numbers one after the other, those nearest to the middle first.
pub(super) fn inside_out(samples: &Samples) -> Vec<f32> {
    let mut order: Vec<usize> = (0..samples.ncols()).collect();
    order.sort_by(|a, b| samples.column(*a).norm_squared().total_cmp(&samples.column(*b).norm_squared()));
    rows_flat(&samples.select_columns(&order))
}

/// How many of them are shown when so much of the training is done: more and more over its first half, so that a code of one number
/// grows along the spiral. Shown all at once, it learns pieces and jumps from one to the other.
pub(super) fn shown(points: usize, done: f32) -> usize {
    let share = (0.1 + 1.8 * done).min(1.0);
    ((share * points as f32) as usize).clamp(1.min(points), points)
}

/// A model that learns such points, and is an energy of the plane.
pub(super) trait PlaneModel: Send {
    /// Its energy as it stands.
    fn energy(&self) -> Box<dyn Energy + '_>;

    /// An update, and the numbers that are watched, as [`Plan::watched`] names them: the first is what it lowers.
    fn update(&mut self, data: &Plane) -> Result<Vec<f64>, GalleryError>;

    /// What is drawn over the energy and the data.
    fn layers(&self, data: &Plane) -> Vec<Layer>;

    /// Panels after the usual ones.
    fn panels(&self) -> Vec<Panel> {
        Vec::new()
    }

    /// Numbers after the usual ones.
    fn measures(&self, _data: &Plane) -> Vec<Measure> {
        Vec::new()
    }

    /// Turn a knob, see [`Study::turn`].
    fn turn(&mut self, _knob: &str, _value: f64) -> bool {
        false
    }
}

/// How a model is trained and what its chart says.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The chart's title.
    pub(super) title: &'static str,
    /// How many updates there are, and how many of them a slice has.
    pub(super) updates: [usize; 2],
    /// The unit of what is watched.
    pub(super) label: &'static str,
    /// What is watched.
    pub(super) watched: &'static [&'static str],
    /// Whether it is shown on a logarithmic axis.
    pub(super) log: bool,
    /// What theory or an exact computation says of it: its name and the number.
    pub(super) theory: Option<(&'static str, f64)>,
}

/// A model of the plane, being trained.
pub(super) struct PlaneStudy<M> {
    model: M,
    data: Plane,
    plan: Plan,
    histories: Vec<History>,
    updates: usize,
}

impl<M: PlaneModel> PlaneStudy<M> {
    /// Begin.
    pub(super) fn new(model: M, data: Plane, plan: Plan) -> Self {
        let histories = vec![History::default(); plan.watched.len()];
        Self { model, data, plan, histories, updates: 0 }
    }

    fn energies_of(&self, samples: &Samples) -> Vec<f32> {
        self.model.energy().values(&nothing(samples.ncols()), &rows(samples))
    }

    fn map(&self) -> Panel {
        let energies = WINDOW.energies(self.model.energy().as_ref());
        let (low, high) = (quantile(&energies, 0.0), quantile(&energies, 0.7));
        let heat = WINDOW.heat("F(y)", energies, [low, high.max(low + 1e-6)]);
        let data: Vec<f32> = rows_flat(&self.data.train);
        let mut layers = vec![heat, points("data", &data, Hue::Data, 1.5)];
        layers.extend(self.model.layers(&self.data));
        WINDOW.panel("The energy F(y): dark is low", ["y1", "y2"], layers)
    }

    fn course(&self) -> Panel {
        let hues = [Hue::Model, Hue::Second, Hue::Third, Hue::Fourth];
        let named = self.histories.iter().zip(self.plan.watched).zip(hues);
        let mut layers: Vec<Layer> = named.map(|((history, name), hue)| history.line(name, hue)).collect();
        let updates = self.plan.updates[0];
        if let Some((name, value)) = self.plan.theory {
            layers.push(line(name, vec![[0.0, value as f32], [updates as f32, value as f32]], Hue::Theory, true));
        }
        over_updates("What is lowered", self.plan.label, updates, self.plan.log, layers)
    }

    /// The share of points below each energy, of held-out data and of points elsewhere.
    fn shares(&self, energies: &[Vec<f32>; 2]) -> Panel {
        let [low, high] = [quantile(&energies[0], 0.0), quantile(&energies[1], 0.9).max(quantile(&energies[0], 1.0))];
        let share = |energies: &[f32]| {
            let mut sorted = energies.to_vec();
            sorted.sort_by(f32::total_cmp);
            sorted.iter().enumerate().map(|(below, energy)| [*energy, below as f32 / sorted.len() as f32]).collect()
        };
        let layers = vec![
            line("held-out data", share(&energies[0]), Hue::Data, false),
            line("elsewhere", share(&energies[1]), Hue::Wrong, false),
        ];
        let x = Span::new("energy F(y)", [low, high.max(low + 1e-6)]);
        Panel {
            title: "Data low, elsewhere high".to_owned(),
            x,
            y: Span::new("share below", [0.0, 1.0]),
            equal: false,
            layers,
        }
    }
}

impl<M: PlaneModel> Study for PlaneStudy<M> {
    fn advance(&mut self) -> Result<(), GalleryError> {
        let [all, slice] = self.plan.updates;
        for _ in 0..slice.min(all - self.updates) {
            let watched = self.model.update(&self.data)?;
            if watched.iter().any(|value| !value.is_finite()) {
                return Err(GalleryError::Diverged { what: "the energy", updates: self.updates });
            }
            let histories = self.histories.iter_mut().zip(watched);
            histories.for_each(|(history, value)| history.note(self.updates, value as f32));
            self.updates += 1;
        }
        Ok(())
    }

    fn progress(&self) -> f32 {
        self.updates as f32 / self.plan.updates[0] as f32
    }

    fn chart(&self) -> Chart {
        let energies = [&self.data.held_out, &self.data.elsewhere].map(|samples| self.energies_of(samples));
        let mut panels = vec![self.map(), self.course(), self.shares(&energies)];
        panels.extend(self.model.panels());
        Chart { title: self.plan.title.to_owned(), columns: 2, panels }
    }

    fn measures(&self) -> Vec<Measure> {
        let energies = [&self.data.held_out, &self.data.elsewhere].map(|samples| self.energies_of(samples));
        let mean = |energies: &[f32]| energies.iter().map(|energy| f64::from(*energy)).sum::<f64>() / POINTS as f64;
        let objective = self.histories.first().and_then(History::last).map_or(f64::NAN, f64::from);
        let about = format!("{}, on the data it learns from", self.plan.label);
        let expected = self.plan.theory.map(|(_, value)| value);
        let mut measures = vec![
            Measure { name: "objective", about, value: objective, expected },
            Measure::plain("energy_of_data", "mean energy of held-out data", mean(&energies[0])),
            Measure::plain("energy_elsewhere", "mean energy of points off the data", mean(&energies[1])),
            Measure::plain(
                "told_apart",
                "how often held-out data has less energy than a point elsewhere; 0.5 is chance",
                told_apart(&energies[0], &energies[1]),
            ),
        ];
        measures.extend(self.model.measures(&self.data));
        measures
    }

    fn turn(&mut self, knob: &str, value: f64) -> bool {
        self.model.turn(knob, value)
    }
}

impl Measure {
    /// A number of which nothing is expected.
    pub(super) fn plain(name: &'static str, about: &str, value: f64) -> Self {
        Self { name, about: about.to_owned(), value, expected: None }
    }
}

fn rows_flat(samples: &Samples) -> Vec<f32> {
    samples.iter().map(|value| *value as f32).collect()
}

/// The value below which that share lies.
fn quantile(values: &[f32], share: f32) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let index = share * sorted.len().saturating_sub(1) as f32;
    sorted.get(index as usize).copied().unwrap_or(0.0)
}

/// How often one of the first is below one of the second; equal ones count half.
fn told_apart(low: &[f32], high: &[f32]) -> f64 {
    let mut sorted = high.to_vec();
    sorted.sort_by(f32::total_cmp);
    let above = |value: &f32| {
        let below = sorted.partition_point(|other| other < value);
        let equal = sorted.partition_point(|other| other <= value) - below;
        (sorted.len() - below) as f64 - 0.5 * equal as f64
    };
    low.iter().map(above).sum::<f64>() / (low.len() * high.len()).max(1) as f64
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::gallery::{Entry, Settings};

    /// The study of an entry, run to its end.
    pub(in crate::gallery) fn run(entry: &Entry, values: &[(&str, f64)]) -> Box<dyn Study> {
        run_until(1.0, entry, values)
    }

    /// The same, run until so much is done.
    pub(in crate::gallery) fn run_until(share: f32, entry: &Entry, values: &[(&str, f64)]) -> Box<dyn Study> {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        let mut study = entry.study(&Settings { seed: 1, values, frames: None }).unwrap();
        while study.progress() < share {
            study.advance().unwrap();
        }
        // What is done stays so.
        if study.progress() >= 1.0 {
            study.advance().unwrap();
        }
        study
    }

    /// A number that a study is judged by.
    pub(in crate::gallery) fn measure(study: &dyn Study, name: &str) -> f64 {
        study.measures().into_iter().find(|measure| measure.name == name).unwrap().value
    }

    #[test]
    fn chance_tells_half_apart() {
        assert_eq!(told_apart(&[1.0, 1.0], &[1.0, 1.0]), 0.5);
        assert_eq!(told_apart(&[0.0, 1.0], &[2.0, 3.0]), 1.0);
        assert_eq!(told_apart(&[0.0, 2.5], &[2.0, 3.0]), 0.75);
    }

    #[test]
    fn the_same_seed_gives_the_same_points() {
        assert_eq!(Plane::new(3).train, Plane::new(3).train);
        assert_ne!(Plane::new(3).train, Plane::new(4).train);
        let near = |samples: &Samples| samples.column_iter().filter(|y| y.norm() < 1.1).count();
        assert_eq!(near(&Plane::new(3).held_out), POINTS);
    }
}
