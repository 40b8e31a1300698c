//! Data on y = x², and an energy that learns where it lies: asked for x, it has two answers where a function has one (Dawid & LeCun
//! 2023, Sec. 3, Fig. 3b). Read first: [`Parabola`].

use super::{
    Entry, GalleryError, Knob, Measure, Settings, Study,
    picture::{History, Window, line, over_updates, points},
};
use crate::{
    Matrix, PassTape,
    contrastive::{chains::Persistent, corruption::Corruption},
    energy::{Energy, matrix, nothing},
    inference::{descent::Descent, langevin::Langevin},
    network::{Activation, Adam, Network},
    numbers,
    objectives::{info_nce, maximum_likelihood, pairwise_hinge},
    random,
};
use dfdx::prelude::{Backward, HasShape, MeanTo, SplitTape, Trace};
use forethought_interface::{Chart, Hue, Layer, Panel, Span};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const LOSS: Knob = Knob {
    name: "loss",
    about: "0: InfoNCE; 1: pairwise hinge; 2: maximum likelihood with Langevin chains",
    range: [0.0, 2.0],
    default: 0.0,
    whole: true,
    log: false,
};
const NOISE: Knob = Knob {
    name: "noise",
    about: "how far data lies off the parabola, a standard deviation",
    range: [0.02, 0.2],
    default: 0.05,
    whole: false,
    log: true,
};
const MARGIN: Knob = Knob {
    name: "margin",
    about: "pairwise hinge: by how much more energy a contrastive point is to have, for each unit it is off",
    range: [0.5, 20.0],
    default: 5.0,
    whole: false,
    log: true,
};

pub(super) const ENTRY: Entry = Entry {
    name: "parabola",
    title: "A parabola: one question, two answers",
    source: "Sec. 3, Fig. 3b",
    about: "A network learns an energy of pairs (x, y) that is low where data lies, on y = x². Gradient descent answers both ways: y \
            for a given x, and x for a given y, for which there are two answers; a network that was trained to tell x from y can only \
            say their mean. The mind plans in the same way, by descent on an energy that has many minima.",
    knobs: &[LOSS, NOISE, MARGIN],
    begin: |settings| Ok(Box::new(Parabola::new(settings))),
};

const UPDATES: usize = 1500;
const BATCH: usize = 96;
/// Contrastive points for each datum.
const CONTRASTIVE: usize = 6;
const WINDOW: Window = Window { ranges: [[-1.5, 1.5], [-0.5, 2.0]], cells: 64 };

/// An energy of pairs by a network, beside a network that tells x from y.
struct Parabola {
    settings: [f32; 3],
    /// `F(x, y)`, both `[rows, 1]`; of pairs `[rows, 2]` the same.
    energy: Network,
    regressor: Network,
    adams: [Adam; 2],
    chains: Persistent,
    losses: History,
    errors: [History; 2],
    updates: usize,
    rng: ChaCha8Rng,
}

impl Parabola {
    fn new(settings: &Settings) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        let energy = Network::random(&[2, 48, 48, 1], Activation::Silu, &mut rng);
        let regressor = Network::random(&[1, 32, 1], Activation::Silu, &mut rng);
        let chains = Persistent { y: uniform(BATCH, &mut rng), renewal: 0.05 };
        let (losses, errors) = (History::default(), Default::default());
        let adams = [Adam::new(3e-3), Adam::new(3e-3)];
        let settings = [&LOSS, &NOISE, &MARGIN].map(|knob| settings.value(knob) as f32);
        Self { settings, energy, regressor, adams, chains, losses, errors, updates: 0, rng }
    }

    /// Contrastive points, and by how much more energy each is to have.
    fn contrastive(&mut self, data: &Matrix) -> (Matrix, Vec<f32>) {
        match self.settings[0] {
            0.0 => (uniform(BATCH * CONTRASTIVE, &mut self.rng), Vec::new()),
            1.0 => {
                let data = repeated(data);
                let spoiled = Corruption::Noise { deviation: 0.4 }.apply(&data, &mut self.rng);
                let (own, other) = (numbers(&data), numbers(&spoiled));
                let gap = |(a, b): (&[f32], &[f32])| (a[0] - b[0]).hypot(a[1] - b[1]);
                let gaps = own.chunks_exact(2).zip(other.chunks_exact(2)).map(gap);
                (spoiled, gaps.map(|gap| self.settings[2] * gap).collect())
            }
            _ => {
                let (fresh, sampler) = (uniform(BATCH, &mut self.rng), Langevin { step: 2e-3, beta: 1.0 });
                let x = nothing(BATCH);
                (self.chains.advance(&self.energy, &x, &fresh, (&sampler, 8), &mut self.rng).clone(), Vec::new())
            }
        }
    }

    fn update(&mut self) -> Result<(), GalleryError> {
        let data = data(BATCH, self.settings[1], &mut self.rng);
        let (contrastive, margins) = self.contrastive(&data);
        let of_pairs = |pairs: &Matrix, tape| self.energy.energies(&nothing(pairs.shape().0), pairs, tape);
        let (others, tape) = of_pairs(&contrastive, PassTape::default()).split_tape();
        let loss = match self.settings[0] {
            0.0 => info_nce::of_energies(of_pairs(&data, tape), &others, 1.0),
            1.0 => pairwise_hinge::of_energies(of_pairs(&repeated(&data), tape), &others, &margins),
            _ => maximum_likelihood::loss(of_pairs(&data, tape), &others, 1.0),
        };
        let [energy, regressor] = &mut self.adams;
        energy.rate = 3e-3 * (1.0 - self.updates as f32 / UPDATES as f32).max(0.02);
        self.losses.note(self.updates, loss.as_vec()[0]);
        if !energy.step(self.energy.parameters_mut(), &mut loss.backward()) {
            return Err(GalleryError::Diverged { what: "the energy", updates: self.updates });
        }
        // The regressor is asked for x, given y.
        let [x, y] = columns(&data);
        let loss = (self.regressor.forward(y.leaky_trace()) - x).square().mean();
        regressor.step(self.regressor.parameters_mut(), &mut loss.backward());
        self.updates += 1;
        Ok(())
    }

    /// The answers x to each y, by descent from both sides: two for each, the lower one first.
    fn answers(&self, ys: &[f32]) -> Vec<f32> {
        let asked = |y: &Matrix, x: &Matrix, tape: PassTape| self.energy.energies(x, y, tape);
        let y = matrix(ys.iter().flat_map(|y| [*y, *y]).collect(), 1);
        let start = matrix([-1.4, 1.4].repeat(ys.len()), 1);
        // Steps that are short enough for the steepest place.
        let way = Descent::new(3e-4, 0.5).descend(&asked, &y, &start, 250);
        way.into_iter().last().unwrap_or_default()
    }

    /// How far off the answers are, root mean square: of descent, and of the regressor.
    fn errors(&self) -> [f32; 2] {
        let ys: Vec<f32> = (0..6).map(|index| 0.2 + 0.2 * index as f32).collect();
        let answers = self.answers(&ys);
        let told = numbers(&self.regressor.apply(&matrix(ys.clone(), 1)));
        let mean = |squares: f32, count: usize| (squares / count as f32).sqrt();
        let roots = || ys.iter().map(|y| y.sqrt());
        let descent = roots()
            .zip(answers.chunks_exact(2))
            .map(|(root, pair)| (pair[0] + root) * (pair[0] + root) + (pair[1] - root) * (pair[1] - root));
        // Of two right answers the nearer one counts.
        let regressor = roots().zip(told).map(|(root, x)| (x.abs() - root).powi(2));
        [mean(descent.sum(), 2 * ys.len()), mean(regressor.sum(), ys.len())]
    }
}

impl Study for Parabola {
    fn advance(&mut self) -> Result<(), GalleryError> {
        for _ in 0..4 {
            if self.updates < UPDATES {
                self.update()?;
            }
        }
        if self.updates.is_multiple_of(100) && self.updates > 0 {
            let [descent, regressor] = self.errors();
            self.errors[0].note(self.updates, descent);
            self.errors[1].note(self.updates, regressor);
        }
        Ok(())
    }

    fn progress(&self) -> f32 {
        self.updates as f32 / UPDATES as f32
    }

    fn chart(&self) -> Chart {
        let values = WINDOW.energies(&self.energy);
        let lowest = values.iter().copied().fold(f32::INFINITY, f32::min);
        let values: Vec<f32> = values.iter().map(|value| value - lowest).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let data = data(150, self.settings[1], &mut rng);
        let ys = [0.25, 0.75, 1.25];
        let answers = self.answers(&ys);
        let found = ys.iter().zip(answers.chunks_exact(2)).flat_map(|(y, pair)| [[pair[0], *y], [pair[1], *y]]);
        let told = numbers(&self.regressor.apply(&matrix(ys.to_vec(), 1)));
        let map = WINDOW.panel(
            "Energy F(x, y)",
            ["x", "y"],
            vec![
                WINDOW.heat("F", values, [0.0, 12.0]),
                line(
                    "y = x²",
                    (-130..=130).map(|i| [0.01 * i as f32, 1e-4 * (i * i) as f32]).collect(),
                    Hue::Theory,
                    true,
                ),
                points("data", &numbers(&data), Hue::Data, 2.0),
                Layer::Points {
                    name: "x found, given y".into(),
                    places: found.collect(),
                    hue: Hue::Second,
                    radius: 5.0,
                },
                Layer::Points {
                    name: "x told by a regressor".into(),
                    places: told.iter().zip(ys).map(|(x, y)| [*x, y]).collect(),
                    hue: Hue::Wrong,
                    radius: 5.0,
                },
            ],
        );
        let hues = [Hue::Model, Hue::Second, Hue::Third];
        let slices: Vec<Layer> = ys.iter().zip(hues).map(|(y, hue)| self.slice(*y, hue)).collect();
        let x = Span::new("x", WINDOW.ranges[0]);
        let along = Panel {
            title: "Energy along x, for given y".into(),
            x,
            y: Span::new("F", [0.0, 15.0]),
            equal: false,
            layers: slices,
        };
        let [descent, regressor] = &self.errors;
        let errors = over_updates(
            "How far off x is, given y",
            "root mean square",
            UPDATES,
            true,
            vec![descent.line("descent on the energy", Hue::Second), regressor.line("regressor", Hue::Wrong)],
        );
        let loss = over_updates("Loss", "loss", UPDATES, false, vec![self.losses.line("", Hue::Model)]);
        Chart { title: ENTRY.title.into(), columns: 2, panels: vec![map, along, loss, errors] }
    }

    fn measures(&self) -> Vec<Measure> {
        let [descent, regressor] = self.errors().map(f64::from);
        let ahead = {
            let xs: Vec<f32> = (-10..=10).map(|index| 0.1 * index as f32).collect();
            let way =
                Descent::new(3e-4, 0.5).descend(&self.energy, &matrix(xs.clone(), 1), &matrix(vec![1.0; 21], 1), 250);
            let squares =
                way.last().map_or(0.0, |ys| ys.iter().zip(&xs).map(|(y, x)| (y - x * x).powi(2)).sum::<f32>());
            f64::from((squares / 21.0).sqrt())
        };
        let measure = |name, about: &str, value, expected| Measure { name, about: about.into(), value, expected };
        vec![
            measure("error_of_y", "how far y* is from x², by descent from y = 1, root mean square", ahead, Some(0.0)),
            measure(
                "error_of_x",
                "how far the two x* are from the roots of y, by descent from both sides",
                descent,
                Some(0.0),
            ),
            measure(
                "error_of_x_by_regression",
                "how far a regressor's x is from the nearer root of y",
                regressor,
                None,
            ),
        ]
    }
}

impl Parabola {
    /// The energy along x for a given y, less its least.
    fn slice(&self, y: f32, hue: Hue) -> Layer {
        let xs: Vec<f32> = (-75..=75).map(|index| 0.02 * index as f32).collect();
        let values = self.energy.values(&matrix(xs.clone(), 1), &matrix(vec![y; xs.len()], 1));
        let lowest = values.iter().copied().fold(f32::INFINITY, f32::min);
        line(&format!("y = {y}"), xs.iter().zip(values).map(|(x, value)| [*x, value - lowest]).collect(), hue, false)
    }
}

/// Pairs near the parabola.
fn data(count: usize, noise: f32, rng: &mut ChaCha8Rng) -> Matrix {
    let mut all = Vec::with_capacity(2 * count);
    for _ in 0..count {
        let x = rng.gen_range(-1.3..1.3_f32);
        all.extend([x, x * x].map(|value| value + noise * random::normal(rng)));
    }
    matrix(all, 2)
}

/// Pairs anywhere in the window.
fn uniform(count: usize, rng: &mut ChaCha8Rng) -> Matrix {
    let mut one = |axis: usize| rng.gen_range(WINDOW.ranges[axis][0]..WINDOW.ranges[axis][1]);
    matrix((0..count).flat_map(|_| [one(0), one(1)]).collect(), 2)
}

/// Each pair as often as it has contrastive points.
fn repeated(pairs: &Matrix) -> Matrix {
    matrix(numbers(pairs).chunks_exact(2).flat_map(|pair| pair.repeat(CONTRASTIVE)).collect(), 2)
}

/// The columns of pairs.
fn columns(pairs: &Matrix) -> [Matrix; 2] {
    let values = numbers(pairs);
    [0, 1].map(|column| matrix(values.iter().skip(column).step_by(2).copied().collect(), 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::tests::advance;

    #[test]
    fn finds_both_answers_where_a_regressor_finds_none() {
        let study = advance(&ENTRY, &[], 0.5);
        let measures = study.measures();
        assert!(measures[0].value < 0.1 && measures[1].value < 0.1, "{measures:?}");
        assert!(measures[2].value > 0.4, "{measures:?}");
    }
}
