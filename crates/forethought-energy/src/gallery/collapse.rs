//! Collapse, and what keeps a joint embedding from it: the same model trained without a remedy and with each (Dawid & LeCun 2023, Secs. 4
//! and 6, Fig. 5). Read first: [`Remedy`] and [`Embedding`].

use super::{
    Entry, GalleryError, Knob, Measure, Settings, Study,
    picture::{History, Window, over_updates, points},
};
use crate::{
    Matrix, PassTape, TapedScalar,
    collapse::{deviation, effective_rank},
    contrastive::mismatched,
    energy::matrix,
    network::{Activation, Adam, Network},
    numbers,
    objectives::{barlow_twins, byol, info_nce, pairwise_hinge, sigreg, vicreg},
    random,
};
use dfdx::prelude::{Backward, MeanTo, PutTape, SplitTape, Trace};
use forethought_interface::{Chart, Hue, Layer, Panel, Span};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const MARGIN: Knob = Knob {
    name: "margin",
    about: "pairwise hinge: by how much more energy mismatched pairs are to have",
    range: [0.05, 5.0],
    default: 1.0,
    whole: false,
    log: true,
};
const TEMPERATURE: Knob = Knob {
    name: "temperature",
    about: "InfoNCE: the difference of energies that counts",
    range: [0.01, 5.0],
    default: 0.2,
    whole: false,
    log: true,
};
const WEIGHT: Knob = Knob {
    name: "weight",
    about: "VICReg: how much variance and covariance count beside prediction",
    range: [0.0, 5.0],
    default: 1.0,
    whole: false,
    log: false,
};

pub(super) const ENTRY: Entry = Entry {
    name: "collapse",
    title: "Collapse of a joint embedding, and its remedies",
    source: "Sec. 4, Fig. 5; Sec. 6",
    about: "y is x turned by 60 degrees, and noise. A regressor that predicts y itself cannot collapse. A joint embedding that predicts \
            y's representation from x's can: without a remedy everything gets the same one and the energy of any y is zero. Each picture \
            is the energy of all y for one x, in units of its mean (of a fifth of that before training where that is more): a bowl around the right y, or flat. The mind's world \
            model is such an embedding, with VICReg unless the scenario says otherwise.",
    knobs: &[MARGIN, TEMPERATURE, WEIGHT],
    begin: |settings| Ok(Box::new(Collapse::new(settings))),
};

const UPDATES: usize = 800;
const BATCH: usize = 96;
const LATENT: usize = 6;
const WINDOW: Window = Window { ranges: [[-2.0, 2.0], [-2.0, 2.0]], cells: 36 };
const PROBE: [f32; 2] = [1.0, 0.2];

/// What keeps a model from collapsing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    /// It predicts y itself.
    Regressor,
    Nothing,
    Hinge,
    InfoNce,
    VicReg,
    BarlowTwins,
    Byol,
    SigReg,
}

impl Remedy {
    /// All of them, each with its name, its measure's name and what the measure says.
    const ALL: [(Self, &'static str, [&'static str; 2]); 8] = [
        (Self::Regressor, "Regressor, no embedding", ["regressor_spread", "regressor_rank"]),
        (Self::Nothing, "No remedy", ["no_remedy_spread", "no_remedy_rank"]),
        (Self::Hinge, "Pairwise hinge", ["pairwise_hinge_spread", "pairwise_hinge_rank"]),
        (Self::InfoNce, "InfoNCE", ["info_nce_spread", "info_nce_rank"]),
        (Self::VicReg, "VICReg", ["vicreg_spread", "vicreg_rank"]),
        (Self::BarlowTwins, "Barlow Twins", ["barlow_twins_spread", "barlow_twins_rank"]),
        (Self::Byol, "BYOL", ["byol_spread", "byol_rank"]),
        (Self::SigReg, "SIGReg", ["sigreg_spread", "sigreg_rank"]),
    ];

    const fn hue(self) -> Hue {
        match self {
            Self::Regressor | Self::Byol => Hue::Data,
            Self::Nothing => Hue::Wrong,
            Self::Hinge => Hue::Second,
            Self::InfoNce => Hue::Third,
            Self::VicReg => Hue::Model,
            Self::BarlowTwins => Hue::Fourth,
            Self::SigReg => Hue::Theory,
        }
    }
}

/// An encoder of both sides, and a predictor from the one's representation to the other's.
struct Embedding {
    remedy: Remedy,
    encoder: Network,
    predictor: Network,
    /// BYOL's second encoder, which follows the first.
    follower: Network,
    adam: Adam,
    /// Of the representation and of mismatched pairs' energies, before training.
    before: [f32; 2],
    spreads: History,
}

impl Embedding {
    fn new(remedy: Remedy, seed: u64) -> Self {
        // All begin with the same weights.
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let encoder = Network::random(&[2, 32, 32, LATENT], Activation::Silu, &mut rng);
        let predictor = Network::random(&[LATENT, 32, LATENT], Activation::Silu, &mut rng);
        let predictor = if remedy == Remedy::Regressor {
            Network::random(&[2, 32, 2], Activation::Silu, &mut rng)
        } else {
            predictor
        };
        let follower = encoder.clone();
        let adam = Adam::new(2e-3);
        Self { remedy, encoder, predictor, follower, adam, before: [1.0; 2], spreads: History::default() }
    }

    fn loss(
        &self,
        x: &Matrix,
        y: &Matrix,
        [margin, temperature, weight]: [f32; 3],
        rng: &mut ChaCha8Rng,
    ) -> TapedScalar {
        if self.remedy == Remedy::Regressor {
            return (self.predictor.forward(x.leaky_trace()) - y.clone()).square().mean();
        }
        let (from, tape) = self.encoder.forward(x.leaky_trace()).split_tape();
        let (predicted, tape) = self.predictor.forward(from.clone().put_tape(tape)).split_tape();
        if self.remedy == Remedy::Byol {
            return byol::loss(predicted.put_tape(tape), &self.follower.apply(y));
        }
        let (target, tape) = self.encoder.forward(y.clone().put_tape(tape)).split_tape();
        let prediction = |tape: PassTape| (predicted.clone().put_tape(tape) - target.clone()).square().mean();
        match self.remedy {
            Remedy::Hinge => pairwise_hinge::loss(predicted.put_tape(tape), &target, BATCH, margin),
            Remedy::InfoNce => info_nce::loss(predicted.put_tape(tape), &target, BATCH, temperature),
            Remedy::BarlowTwins => barlow_twins::loss(predicted.put_tape(tape), &target, 0.1),
            Remedy::VicReg => {
                let (variance, tape) = (vicreg::variance(target.clone().put_tape(tape), 1.0) * weight).split_tape();
                let (covariance, tape) =
                    (vicreg::covariance(target.clone().put_tape(tape)) * (0.1 * weight)).split_tape();
                prediction(tape) + variance + covariance
            }
            Remedy::SigReg => {
                let directions = sigreg::directions(16, LATENT, rng);
                let (shape, tape) = (sigreg::loss(target.clone().put_tape(tape), &directions) * 0.02).split_tape();
                prediction(tape) + shape
            }
            _ => prediction(tape),
        }
    }

    fn update(&mut self, x: &Matrix, y: &Matrix, knobs: [f32; 3], rng: &mut ChaCha8Rng) -> bool {
        let mut gradients = self.loss(x, y, knobs, rng).backward();
        let parameters = self.encoder.parameters_mut().chain(self.predictor.parameters_mut());
        let moved = self.adam.step(parameters, &mut gradients);
        for (follower, leader) in self.follower.parameters_mut().zip(self.encoder.parameters_mut()) {
            *follower = follower.clone() * 0.98 + leader.clone() * 0.02;
        }
        moved
    }

    /// What both sides are compared in, `[rows, columns]` each.
    fn sides(&self, x: &Matrix, y: &Matrix) -> ([Vec<f32>; 2], usize) {
        if self.remedy == Remedy::Regressor {
            return ([numbers(&self.predictor.apply(x)), numbers(y)], 2);
        }
        let predicted = numbers(&self.predictor.apply(&self.encoder.apply(x)));
        let follows = self.remedy == Remedy::Byol;
        let mut sides = [predicted, numbers(&if follows { self.follower.apply(y) } else { self.encoder.apply(y) })];
        if self.remedy == Remedy::BarlowTwins {
            // Components are compared once they have mean 0 and variance 1; of the data, which is what it was trained on.
            let (x, y) = pairs(200, &mut ChaCha8Rng::seed_from_u64(6));
            let references = [self.predictor.apply(&self.encoder.apply(&x)), self.encoder.apply(&y)];
            for (side, reference) in sides.iter_mut().zip(references) {
                standardise(side, &numbers(&reference));
            }
        }
        if follows {
            // Only directions count.
            for row in sides.iter_mut().flat_map(|side| side.chunks_exact_mut(LATENT)) {
                let length = row.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-6);
                row.iter_mut().for_each(|value| *value /= length);
            }
        }
        (sides, LATENT)
    }

    /// The mean squared difference of what both sides are compared in: `[rows]`.
    fn energies(&self, x: &Matrix, y: &Matrix) -> Vec<f32> {
        let ([left, right], columns) = self.sides(x, y);
        let pairs = left.chunks_exact(columns).zip(right.chunks_exact(columns));
        pairs.map(|(l, r)| l.iter().zip(r).map(|(l, r)| (l - r) * (l - r)).sum::<f32>() / columns as f32).collect()
    }

    /// The deviation of y's representation, its effective rank, and the mean energy of mismatched pairs.
    fn state(&self) -> [f32; 3] {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let (x, y) = pairs(200, &mut rng);
        let target = numbers(&if self.remedy == Remedy::Regressor { y.clone() } else { self.encoder.apply(&y) });
        let columns = if self.remedy == Remedy::Regressor { 2 } else { LATENT };
        let wrong = mismatched::rows(&y, &mismatched::partners(200, &mut rng));
        let energies = self.energies(&x, &wrong);
        let mean = energies.iter().sum::<f32>() / energies.len() as f32;
        [deviation(&target, columns), effective_rank(&target, columns), mean]
    }
}

/// The same model with each remedy.
struct Collapse {
    knobs: [f32; 3],
    embeddings: Vec<Embedding>,
    updates: usize,
    rng: ChaCha8Rng,
}

impl Collapse {
    fn new(settings: &Settings) -> Self {
        let begin = |(remedy, ..): (Remedy, _, _)| {
            let mut embedding = Embedding::new(remedy, settings.seed);
            let [spread, _, energy] = embedding.state();
            embedding.before = [spread, energy];
            embedding.spreads.note(0, 1.0);
            embedding
        };
        Self {
            knobs: [&MARGIN, &TEMPERATURE, &WEIGHT].map(|knob| settings.value(knob) as f32),
            embeddings: Remedy::ALL.map(begin).into(),
            updates: 0,
            rng: ChaCha8Rng::seed_from_u64(settings.seed),
        }
    }
}

impl Study for Collapse {
    fn advance(&mut self) -> Result<(), GalleryError> {
        if self.updates == UPDATES {
            return Ok(());
        }
        let (x, y) = pairs(BATCH, &mut self.rng);
        self.updates += 1;
        for embedding in &mut self.embeddings {
            if !embedding.update(&x, &y, self.knobs, &mut self.rng) {
                return Err(GalleryError::Diverged { what: "a joint embedding", updates: self.updates });
            }
            if self.updates.is_multiple_of(20) {
                let [spread, ..] = embedding.state();
                // A logarithmic axis has no zero.
                embedding.spreads.note(self.updates, (spread / embedding.before[0]).max(1e-4));
            }
        }
        Ok(())
    }

    fn progress(&self) -> f32 {
        self.updates as f32 / UPDATES as f32
    }

    fn chart(&self) -> Chart {
        let nodes = WINDOW.nodes();
        let (x, y) = (matrix(PROBE.repeat(nodes.count()), 2), nodes.matrix());
        let right = points("the right y", &turned(PROBE), Hue::Second, 5.0);
        let map = |(embedding, (_, name, _)): (&Embedding, &(Remedy, &str, _))| {
            let energies = embedding.energies(&x, &y);
            let mean = energies.iter().sum::<f32>() / energies.len() as f32;
            let unit = mean.max(0.2 * embedding.before[1]);
            let values = energies.iter().map(|energy| energy / unit).collect();
            WINDOW.panel(*name, ["y1", "y2"], vec![WINDOW.heat("F for one x", values, [0.0, 1.6]), right.clone()])
        };
        let mut panels: Vec<Panel> = self.embeddings.iter().zip(&Remedy::ALL).map(map).collect();
        let joint = || self.embeddings.iter().zip(&Remedy::ALL).skip(1);
        let lines = joint().map(|(embedding, (remedy, name, _))| embedding.spreads.line(name, remedy.hue())).collect();
        panels.push(over_updates("Spread of representations", "against before training", UPDATES, true, lines));
        panels.push(Panel {
            title: "Effective rank of representations".into(),
            x: Span::new("", [-0.6, 6.6]),
            y: Span::new("dimensions", [0.0, LATENT as f32]),
            equal: false,
            layers: vec![Layer::Bars {
                name: String::new(),
                labels: joint().map(|(_, (_, name, _))| (*name).to_owned()).collect(),
                heights: joint().map(|(embedding, _)| embedding.state()[1]).collect(),
                hue: Hue::Model,
            }],
        });
        Chart { title: ENTRY.title.into(), columns: 5, panels }
    }

    fn measures(&self) -> Vec<Measure> {
        let of = |(embedding, (_, name, keys)): (&Embedding, &(Remedy, &str, [&'static str; 2]))| {
            let [spread, rank, _] = embedding.state();
            let spread = f64::from(spread / embedding.before[0]);
            let about = [
                format!("{name}: the deviation of representations against before training; about 0 is collapse"),
                format!("{name}: the effective rank of representations, of {LATENT}; it does not see scale"),
            ];
            let [first, second] = about;
            [
                Measure { name: keys[0], about: first, value: spread, expected: None },
                Measure { name: keys[1], about: second, value: f64::from(rank), expected: None },
            ]
        };
        self.embeddings.iter().zip(&Remedy::ALL).skip(1).flat_map(of).collect()
    }
}

/// Take the mean of a reference away from each component, and divide by its deviation; both are `[rows, LATENT]`.
fn standardise(values: &mut [f32], reference: &[f32]) {
    let rows = (reference.len() / LATENT) as f32;
    for component in 0..LATENT {
        let all = || reference.iter().skip(component).step_by(LATENT);
        let mean = all().sum::<f32>() / rows;
        let deviation = (all().map(|value| (value - mean).powi(2)).sum::<f32>() / rows).sqrt().max(1e-6);
        values.iter_mut().skip(component).step_by(LATENT).for_each(|value| *value = (*value - mean) / deviation);
    }
}

/// A place turned by 60 degrees.
fn turned([a, b]: [f32; 2]) -> [f32; 2] {
    let (sine, cosine) = std::f32::consts::FRAC_PI_3.sin_cos();
    [cosine * a - sine * b, sine * a + cosine * b]
}

/// Places in a disc, and where they are once turned, with noise.
fn pairs(count: usize, rng: &mut ChaCha8Rng) -> (Matrix, Matrix) {
    let (mut x, mut y) = (Vec::with_capacity(2 * count), Vec::with_capacity(2 * count));
    for _ in 0..count {
        let (radius, angle) = (1.6 * rng.gen_range(0.0..1.0_f32).sqrt(), rng.gen_range(0.0..std::f32::consts::TAU));
        let place = [radius * angle.cos(), radius * angle.sin()];
        x.extend(place);
        y.extend(turned(place).map(|value| value + 0.05 * random::normal(rng)));
    }
    (matrix(x, 2), matrix(y, 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::tests::advance;

    #[test]
    fn only_without_a_remedy_it_collapses() {
        let measures = advance(&ENTRY, &[], 0.4).measures();
        let of = |name: &str| measures.iter().find(|measure| measure.name == name).unwrap().value;
        assert!(of("no_remedy_spread") < 0.05, "{measures:?}");
        for name in ["pairwise_hinge", "info_nce", "vicreg", "barlow_twins", "byol", "sigreg"] {
            assert!(of(&format!("{name}_spread")) > 0.5, "{name}: {measures:?}");
            assert!(of(&format!("{name}_rank")) > 1.5, "{name}: {measures:?}");
        }
    }
}
