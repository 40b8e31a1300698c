//! Score matching: an energy learned without its partition function (Hyvärinen, 2005; Vincent, 2011; Dawid & LeCun 2023, Sec. 4.2). A
//! Gaussian's parameters are recovered, and the density of a mixture. Read first: [`ScoreMatching`].

use super::{
    Entry, GalleryError, Knob, Measure, Settings, Study,
    picture::{History, Window, line, over_updates, points},
};
use crate::{
    Matrix, PassTape, TapedColumn, TapedScalar,
    contrastive::corruption::Corruption,
    energy::{Energy, matrix, nothing},
    gibbs::Density,
    inference::{Sampler, langevin::Langevin},
    network::{Activation, Adam, Network},
    numbers,
    objectives::score_matching::{Slices, denoising, implicit},
    random,
};
use dfdx::prelude::{Axis, Backward, BroadcastTo, HasShape, PutTape, ReshapeTo, SplitTape, SumTo, TryMatMul};
use forethought_interface::{Chart, Hue, Layer};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const NOISE: Knob = Knob {
    name: "noise",
    about: "how far data is moved for denoising score matching, a standard deviation: the density learned is that of moved data",
    range: [0.1, 0.6],
    default: 0.25,
    whole: false,
    log: false,
};

pub(super) const ENTRY: Entry = Entry {
    name: "score_matching",
    title: "Score matching",
    source: "Sec. 4",
    about: "The slope of an energy does not depend on its partition function: made that of -log of the data's density, it teaches the \
            energy without one sample of the model. Left, a Gaussian by implicit score matching: mean and covariance are recovered. \
            Middle, a network's energy by denoising score matching: its density, normalised on a grid, beside the exact one, and samples \
            by Langevin dynamics. The mind's surprise is such an energy too: no future is ever counted up to normalise it.",
    knobs: &[NOISE],
    begin: |settings| Ok(Box::new(ScoreMatching::new(settings))),
};

const UPDATES: usize = 2000;
const BATCH: usize = 128;
const WINDOW: Window = Window { ranges: [[-3.0, 3.0], [-3.0, 3.0]], cells: 60 };
const MEAN: [f32; 2] = [0.5, -0.3];
/// The lower triangle of the covariance's root: rows (1.2, 0) and (0.6, 0.5).
const ROOT: [f32; 3] = [1.2, 0.6, 0.5];
/// Of each part of the mixture: its share, its centre and its deviation.
const PARTS: [(f32, [f32; 2], f32); 3] = [(0.5, [-1.1, -0.6], 0.35), (0.3, [1.2, -0.8], 0.25), (0.2, [0.3, 1.3], 0.45)];

/// `|(y - m) A|² / 2`, of which `A A'` is the precision.
pub(crate) struct Gaussian {
    /// `[1, 2]`.
    pub(crate) mean: Matrix,
    /// `[2, 2]`.
    pub(crate) factor: Matrix,
}

impl Energy for Gaussian {
    fn energies(&self, _: &Matrix, y: &Matrix, tape: PassTape) -> TapedColumn {
        let shape = *y.shape();
        let mean = self.mean.clone().put_tape(tape).reshape_like(&(shape.1,));
        let (mean, tape) = mean.broadcast_like::<_, Axis<0>>(&shape).split_tape();
        (y.clone().put_tape(tape) - mean).matmul(self.factor.clone()).square().sum::<_, Axis<1>>() * 0.5
    }
}

impl Gaussian {
    /// The inverse of the covariance: (first, both, second).
    pub(crate) fn precision(&self) -> [f32; 3] {
        let f = numbers(&self.factor);
        [f[0] * f[0] + f[1] * f[1], f[0] * f[2] + f[1] * f[3], f[2] * f[2] + f[3] * f[3]]
    }

    /// Variances and covariance: (first, both, second).
    fn covariance(&self) -> [f32; 3] {
        let precision = self.precision();
        let determinant = precision[0] * precision[2] - precision[1] * precision[1];
        [precision[2], -precision[1], precision[0]].map(|entry| entry / determinant)
    }
}

/// Two energies, each trained in its own way.
struct ScoreMatching {
    noise: f32,
    gaussian: Gaussian,
    mixture: Network,
    adams: [Adam; 2],
    losses: [History; 2],
    /// How far the mean and the covariance are off.
    gaps: [History; 2],
    divergence: History,
    updates: usize,
    rng: ChaCha8Rng,
}

impl ScoreMatching {
    fn new(settings: &Settings) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        Self {
            noise: settings.value(&NOISE) as f32,
            gaussian: Gaussian { mean: matrix(vec![-1.5, 1.5], 2), factor: matrix(vec![1.0, 0.0, 0.0, 1.0], 2) },
            mixture: Network::random(&[2, 64, 64, 1], Activation::Silu, &mut rng),
            adams: [Adam::new(0.02), Adam::new(4e-3)],
            losses: Default::default(),
            gaps: Default::default(),
            divergence: History::default(),
            updates: 0,
            rng,
        }
    }

    fn update(&mut self) -> Result<(), GalleryError> {
        let rest = (1.0 - self.updates as f32 / UPDATES as f32).max(0.01);
        let [first, second] = &mut self.adams;
        (first.rate, second.rate) = (0.02 * rest, 4e-3 * rest);
        let loss = implicit(&self.gaussian, &gaussian(BATCH, &mut self.rng), &Slices::axes(2, 0.5));
        let parameters = [&mut self.gaussian.mean, &mut self.gaussian.factor];
        let moved = learn(loss, parameters, first, &mut self.losses[0], self.updates);
        let clean = mixture(BATCH, &mut self.rng);
        let noisy = Corruption::Noise { deviation: self.noise }.apply(&clean, &mut self.rng);
        let slices = Slices::axes(2, 0.2 * self.noise);
        let loss = denoising(&self.mixture, &clean, &noisy, self.noise, &slices);
        let also = learn(loss, self.mixture.parameters_mut(), second, &mut self.losses[1], self.updates);
        if !(moved && also) {
            return Err(GalleryError::Diverged { what: "an energy", updates: self.updates });
        }
        self.updates += 1;
        Ok(())
    }

    /// How far mean and covariance are off: the largest difference of their entries.
    fn gaps(&self) -> [f32; 2] {
        let gap = |got: &[f32], exact: &[f32]| got.iter().zip(exact).map(|(g, e)| (g - e).abs()).fold(0.0, f32::max);
        [gap(&numbers(&self.gaussian.mean), &MEAN), gap(&self.gaussian.covariance(), &covariance())]
    }

    /// The model's density and the exact one at the window's cells, and the divergence `Σ P log (P / Q)` of the exact `P`.
    fn densities(&self) -> ([Vec<f64>; 2], f64) {
        let nodes = WINDOW.nodes();
        let model = Density::of(&self.mixture, &[], &nodes, 1.0);
        let exact = nodes.points.chunks_exact(2).map(|place| f64::from(density(place, self.noise)));
        let energies: Vec<f64> = exact.map(|density| -density.max(1e-30).ln()).collect();
        let log_weights = nodes.log_weights.iter().map(|log| f64::from(*log)).collect();
        let exact = Density::of_energies(&energies, log_weights, 1.0);
        let terms = exact.masses().into_iter().zip(exact.log.iter().zip(&model.log));
        let divergence = terms.map(|(mass, (p, q))| mass * (p - q)).sum();
        let values = |density: &Density| density.log.iter().map(|log| log.exp()).collect();
        ([values(&model), values(&exact)], divergence)
    }
}

impl Study for ScoreMatching {
    fn advance(&mut self) -> Result<(), GalleryError> {
        for _ in 0..2 {
            if self.updates == UPDATES {
                return Ok(());
            }
            self.update()?;
            if self.updates.is_multiple_of(50) {
                let gaps = self.gaps();
                self.gaps.iter_mut().zip(gaps).for_each(|(history, gap)| history.note(self.updates, gap.max(1e-4)));
                let (_, divergence) = self.densities();
                self.divergence.note(self.updates, (divergence as f32).max(1e-4));
            }
        }
        Ok(())
    }

    fn progress(&self) -> f32 {
        self.updates as f32 / UPDATES as f32
    }

    fn chart(&self) -> Chart {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mean = numbers(&self.gaussian.mean);
        let labels = ["y1", "y2"];
        let mut left = vec![points("data", &numbers(&gaussian(250, &mut rng)), Hue::Data, 2.0)];
        for deviations in [1.0, 2.0] {
            let name = |name: &str| if deviations == 1.0 { name.to_owned() } else { String::new() };
            let model = contour([mean[0], mean[1]], self.gaussian.covariance(), deviations);
            left.push(line(&name("model, 1 and 2 deviations"), model, Hue::Model, false));
            left.push(line(&name("exact"), contour(MEAN, covariance(), deviations), Hue::Theory, true));
        }
        let ([model, exact], _) = self.densities();
        let top = exact.iter().fold(0.0_f64, |top, density| top.max(*density)) as f32;
        let heat = |values: Vec<f64>| WINDOW.heat("density", values.iter().map(|v| *v as f32).collect(), [0.0, top]);
        let mut samples = matrix((0..240).map(|_| rng.gen_range(-2.0..2.0_f32)).collect(), 2);
        let sampler = Langevin { step: 5e-3, beta: 1.0 };
        sampler.steps(&self.mixture, &nothing(120), &mut samples, 150, &mut rng);
        let samples = points("samples by Langevin dynamics", &numbers(&samples), Hue::Second, 2.0);
        let moved = Corruption::Noise { deviation: self.noise }.apply(&mixture(120, &mut rng), &mut rng);
        let moved = points("moved data", &numbers(&moved), Hue::Second, 2.0);
        let [means, covariances] = &self.gaps;
        let gaps: Vec<Layer> = vec![means.line("mean", Hue::Model), covariances.line("covariance", Hue::Second)];
        let lines = vec![self.divergence.line("", Hue::Model)];
        let losses = vec![self.losses[0].line("implicit", Hue::Model), self.losses[1].line("denoising", Hue::Second)];
        let panels = vec![
            WINDOW.panel("A Gaussian, implicit", labels, left),
            WINDOW.panel("A mixture, denoising: the energy's density", labels, vec![heat(model), samples]),
            WINDOW.panel("The exact density", labels, vec![heat(exact), moved]),
            over_updates("Gaussian: how far off", "largest entry", UPDATES, true, gaps),
            over_updates("Mixture: divergence from the exact density", "nats", UPDATES, true, lines),
            over_updates("Loss", "loss", UPDATES, false, losses),
        ];
        Chart { title: ENTRY.title.into(), columns: 3, panels }
    }

    fn measures(&self) -> Vec<Measure> {
        let (mean, got, exact) = (numbers(&self.gaussian.mean), self.gaussian.covariance(), covariance());
        let measure = |name, about: &str, value: f32, expected: f32| Measure {
            name,
            about: about.into(),
            value: f64::from(value),
            expected: Some(f64::from(expected)),
        };
        let divergence = "Kullback-Leibler divergence of the mixture's density from the exact one, in nats";
        vec![
            measure("mean_1", "the Gaussian's mean along y1", mean[0], MEAN[0]),
            measure("mean_2", "the Gaussian's mean along y2", mean[1], MEAN[1]),
            measure("variance_1", "the Gaussian's variance along y1", got[0], exact[0]),
            measure("covariance", "the Gaussian's covariance", got[1], exact[1]),
            measure("variance_2", "the Gaussian's variance along y2", got[2], exact[2]),
            measure("divergence", divergence, self.densities().1 as f32, 0.0),
        ]
    }
}

/// One update of some parameters; false where a slope is not finite.
fn learn<'a>(
    loss: TapedScalar,
    parameters: impl IntoIterator<Item = &'a mut Matrix>,
    adam: &mut Adam,
    losses: &mut History,
    update: usize,
) -> bool {
    losses.note(update, loss.as_vec()[0]);
    adam.step(parameters, &mut loss.backward())
}

/// Points of the Gaussian.
fn gaussian(count: usize, rng: &mut ChaCha8Rng) -> Matrix {
    let mut all = Vec::with_capacity(2 * count);
    for _ in 0..count {
        let [a, b] = [0, 1].map(|_| random::normal(rng));
        all.extend([MEAN[0] + ROOT[0] * a, MEAN[1] + ROOT[1] * a + ROOT[2] * b]);
    }
    matrix(all, 2)
}

/// The Gaussian's variances and covariance.
fn covariance() -> [f32; 3] {
    [ROOT[0] * ROOT[0], ROOT[0] * ROOT[1], ROOT[1] * ROOT[1] + ROOT[2] * ROOT[2]]
}

/// So many deviations from the mean of a Gaussian.
fn contour(mean: [f32; 2], [first, both, second]: [f32; 3], deviations: f32) -> Vec<[f32; 2]> {
    let a = first.max(0.0).sqrt();
    let b = both / a.max(1e-6);
    let c = (second - b * b).max(0.0).sqrt();
    let place = |index: usize| {
        let (sine, cosine) = (std::f32::consts::TAU * index as f32 / 80.0).sin_cos();
        [mean[0] + deviations * a * cosine, mean[1] + deviations * (b * cosine + c * sine)]
    };
    (0..=80).map(place).collect()
}

/// Points of the mixture.
fn mixture(count: usize, rng: &mut ChaCha8Rng) -> Matrix {
    let shares = PARTS.map(|(share, ..)| f64::from(share));
    let mut all = Vec::with_capacity(2 * count);
    for _ in 0..count {
        let (_, centre, deviation) = PARTS[random::pick(&shares, rng)];
        all.extend(centre.map(|value| value + deviation * random::normal(rng)));
    }
    matrix(all, 2)
}

/// The density of the mixture once its points have moved.
fn density(place: &[f32], noise: f32) -> f32 {
    let part = |(share, centre, deviation): (f32, [f32; 2], f32)| {
        let variance = deviation * deviation + noise * noise;
        let squared = (place[0] - centre[0]).powi(2) + (place[1] - centre[1]).powi(2);
        share * (-0.5 * squared / variance).exp() / (std::f32::consts::TAU * variance)
    };
    PARTS.map(part).iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::tests::advance;

    #[test]
    fn recovers_a_gaussian_and_the_density_of_a_mixture() {
        let measures = advance(&ENTRY, &[], 0.6).measures();
        for measure in &measures[..5] {
            assert!((measure.value - measure.expected.unwrap()).abs() < 0.1, "{measures:?}");
        }
        assert!(measures[5].value < 0.05, "{measures:?}");
    }
}
