//! A generative adversarial network as an energy-based model: a generator makes the contrastive points (Goodfellow et al., 2014; Zhao,
//! Mathieu & LeCun, 2017; Dawid & LeCun 2023, Sec. 4). Read first: [`Gan::update`].

use super::{
    Entry, GalleryError, Knob, Measure, Settings, Study,
    picture::{History, Window, over_updates, points},
};
use crate::{
    Matrix, PassTape,
    contrastive::{corruption::Corruption, generator::Generator},
    energy::{Energy, matrix, nothing},
    network::{Activation, Adam, Network},
    numbers,
    objectives::pairwise_hinge,
    random,
};
use dfdx::prelude::{Backward, SplitTape};
use forethought_interface::{Chart, Hue, Layer, Panel, Span};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const MARGIN: Knob = Knob {
    name: "margin",
    about: "by how much more energy a generated point is to have than a datum, for each unit that they are apart",
    range: [0.1, 10.0],
    default: 1.0,
    whole: false,
    log: true,
};
const MODES: Knob = Knob {
    name: "modes",
    about: "how many clusters the data has",
    range: [2.0, 10.0],
    default: 8.0,
    whole: true,
    log: false,
};

const ANYWHERE: Knob = Knob {
    name: "anywhere",
    about: "the share of contrastive points that lie anywhere instead: without any, energies are left to chance where nothing is generated",
    range: [0.0, 0.8],
    default: 0.15,
    whole: false,
    log: false,
};

pub(super) const ENTRY: Entry = Entry {
    name: "gan",
    title: "A generative adversarial network",
    source: "Sec. 4",
    about: "The discriminator is an energy: by the pairwise hinge (Eq. 3) it falls on data, clusters on a ring, and rises where a \
            generator puts its points; the generator goes where the energy is low. The margin grows with the distance, so that the \
            energy's slope leads from anywhere to the data. The mind's world model needs no generator: its contrastive points, where it \
            has some, are other states of the same batch.",
    knobs: &[MARGIN, MODES, ANYWHERE],
    begin: |settings| Ok(Box::new(Gan::new(settings))),
};

const UPDATES: usize = 2400;
/// How far data and what is generated are moved at first before they are judged, a standard deviation; it falls to 0 by two thirds of the
/// updates. Else the generator stays with the first cluster that it finds (Sønderby et al., 2017).
const BLUR: f32 = 0.8;
const BATCH: usize = 96;
const RADIUS: f32 = 1.5;
const DEVIATION: f32 = 0.1;
const WINDOW: Window = Window { ranges: [[-2.4, 2.4], [-2.4, 2.4]], cells: 56 };

/// An energy and a generator, one against the other.
struct Gan {
    margin: f32,
    modes: usize,
    anywhere: f32,
    /// The energy of places.
    judge: Network,
    generator: Generator,
    adams: [Adam; 2],
    /// Mean energies of data and of what is generated, less that of places anywhere.
    energies: [History; 2],
    covered: History,
    updates: usize,
    rng: ChaCha8Rng,
}

impl Gan {
    fn new(settings: &Settings) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        let mut judge = Network::random(&[2, 64, 64, 1], Activation::Silu, &mut rng);
        // Clusters are closer to each other than what a network usually begins with can tell apart.
        judge.layers[0] = judge.layers[0].clone().map(|weights| weights * 3.0);
        let generator = Generator { network: Network::random(&[4, 48, 48, 2], Activation::Silu, &mut rng) };
        // With less momentum than usual: what was downhill is soon uphill.
        let adams = [2e-3, 1e-3].map(|rate| Adam::with_betas(rate, [0.5, 0.9]));
        Self {
            margin: settings.value(&MARGIN) as f32,
            modes: settings.value(&MODES) as usize,
            anywhere: settings.value(&ANYWHERE) as f32,
            judge,
            generator,
            adams,
            energies: Default::default(),
            covered: History::default(),
            updates: 0,
            rng,
        }
    }

    /// Twice the energy, once the generator.
    fn update(&mut self) -> Result<(), GalleryError> {
        let rate = (2.0 * (1.0 - self.updates as f32 / UPDATES as f32)).min(1.0);
        let [judge, generator] = &mut self.adams;
        (judge.rate, generator.rate) = (2e-3 * rate, 1e-3 * rate);
        for _ in 0..2 {
            let blur =
                Corruption::Noise { deviation: BLUR * (1.0 - 1.5 * self.updates as f32 / UPDATES as f32).max(0.0) };
            let data = blur.apply(&data(BATCH, self.modes, &mut self.rng), &mut self.rng);
            let made = blur.apply(&self.generator.generate(BATCH, &mut self.rng), &mut self.rng);
            let (right, mut wrong) = (numbers(&data), numbers(&made));
            let stray = (self.anywhere * BATCH as f32) as usize;
            wrong[..2 * stray].fill_with(|| self.rng.gen_range(-2.4..2.4));
            let gap = |(a, b): (&[f32], &[f32])| self.margin * (a[0] - b[0]).hypot(a[1] - b[1]);
            let margins: Vec<f32> = right.chunks_exact(2).zip(wrong.chunks_exact(2)).map(gap).collect();
            let made = matrix(wrong, 2);
            let (others, tape) = self.judge.energies(&nothing(BATCH), &made, PassTape::default()).split_tape();
            let matched = self.judge.energies(&nothing(BATCH), &data, tape);
            let loss = pairwise_hinge::of_energies(matched, &others, &margins);
            if !judge.step(self.judge.parameters_mut(), &mut loss.backward()) {
                return Err(GalleryError::Diverged { what: "the energy", updates: self.updates });
            }
        }
        if self.generator.step(&self.judge, &nothing(BATCH), generator, &mut self.rng).is_nan() {
            return Err(GalleryError::Diverged { what: "the generator", updates: self.updates });
        }
        self.updates += 1;
        Ok(())
    }

    /// The mean energies of data, of what is generated and of places anywhere.
    fn levels(&self) -> [f32; 3] {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let anywhere = matrix((0..600).map(|_| rng.gen_range(-2.4..2.4_f32)).collect(), 2);
        [data(300, self.modes, &mut rng), self.generator.generate(300, &mut rng), anywhere].map(|places| {
            let energies = self.judge.values(&nothing(300), &places);
            energies.iter().sum::<f32>() / energies.len() as f32
        })
    }

    /// Of 1000 generated points the share that lies at each cluster, within four deviations of its centre.
    fn shares(&self) -> Vec<f32> {
        let made = numbers(&self.generator.generate(1000, &mut ChaCha8Rng::seed_from_u64(4)));
        let near = |mode: usize| {
            let [a, b] = centre(mode, self.modes);
            made.chunks_exact(2).filter(|y| (y[0] - a).hypot(y[1] - b) < 4.0 * DEVIATION).count() as f32 / 1000.0
        };
        (0..self.modes).map(near).collect()
    }

    /// How many clusters get at least a third of their due.
    fn covered(&self) -> usize {
        self.shares().iter().filter(|share| **share * 3.0 * self.modes as f32 >= 1.0).count()
    }
}

impl Study for Gan {
    fn advance(&mut self) -> Result<(), GalleryError> {
        for _ in 0..2 {
            if self.updates == UPDATES {
                return Ok(());
            }
            self.update()?;
            if self.updates.is_multiple_of(50) {
                let [right, made, anywhere] = self.levels();
                self.energies[0].note(self.updates, right - anywhere);
                self.energies[1].note(self.updates, made - anywhere);
                self.covered.note(self.updates, self.covered() as f32);
            }
        }
        Ok(())
    }

    fn progress(&self) -> f32 {
        self.updates as f32 / UPDATES as f32
    }

    fn chart(&self) -> Chart {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let values = WINDOW.energies(&self.judge);
        let (low, high) = values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
        let grid = Window { cells: 15, ..WINDOW }.nodes();
        let slopes = self.judge.gradient(&nothing(grid.count()), &grid.matrix()).slopes;
        let arrows = grid.points.chunks_exact(2).zip(slopes.chunks_exact(2)).map(|(place, slope)| {
            let length = slope[0].hypot(slope[1]).max(1e-6);
            let reach = 0.25 * (length / self.margin).min(1.0) / length;
            [[place[0], place[1]], [place[0] - reach * slope[0], place[1] - reach * slope[1]]]
        });
        let arrows =
            Layer::Segments { name: "downhill".into(), places: arrows.collect(), hue: Hue::Faint, arrows: true };
        let map = WINDOW.panel(
            "Energy of the discriminator",
            ["y1", "y2"],
            vec![
                WINDOW.heat("F less its least", values.iter().map(|value| value - low).collect(), [0.0, high - low]),
                arrows,
                points("data", &numbers(&data(200, self.modes, &mut rng)), Hue::Data, 2.0),
                points("generated", &numbers(&self.generator.generate(200, &mut rng)), Hue::Second, 2.0),
            ],
        );
        let shares = Panel {
            title: "Generated points at each cluster".into(),
            x: Span::new("cluster", [-0.6, self.modes as f32 - 0.4]),
            y: Span::new("share", [0.0, 2.5 / self.modes as f32]),
            equal: false,
            layers: vec![
                Layer::Bars {
                    name: "generated".into(),
                    labels: (1..=self.modes).map(|mode| mode.to_string()).collect(),
                    heights: self.shares(),
                    hue: Hue::Second,
                },
                Layer::Line {
                    name: "data".into(),
                    places: [-0.6, self.modes as f32 - 0.4].map(|x| [x, 1.0 / self.modes as f32]).into(),
                    hue: Hue::Data,
                    dashed: true,
                },
            ],
        };
        let [right, made] = &self.energies;
        let lines = vec![right.line("data", Hue::Data), made.line("generated", Hue::Second)];
        let levels = over_updates("Mean energies", "F, less that of places anywhere", UPDATES, false, lines);
        let lines = vec![self.covered.line("", Hue::Model)];
        let covered =
            over_updates("Clusters that get at least a third of their due", "clusters", UPDATES, false, lines);
        Chart { title: ENTRY.title.into(), columns: 2, panels: vec![map, shares, levels, covered] }
    }

    fn measures(&self) -> Vec<Measure> {
        let [right, made, anywhere] = self.levels().map(f64::from);
        let measure = |name, about: &str, value, expected| Measure { name, about: about.into(), value, expected };
        let on = f64::from(self.shares().iter().sum::<f32>());
        vec![
            measure(
                "covered",
                "clusters that get at least a third of their due",
                self.covered() as f64,
                Some(self.modes as f64),
            ),
            measure("on_data", "share of generated points within four deviations of a cluster's centre", on, Some(1.0)),
            measure("energy_of_data", "mean energy of data, less that of places anywhere", right - anywhere, None),
            measure(
                "energy_of_generated",
                "mean energy of generated points, less that of places anywhere",
                made - anywhere,
                None,
            ),
        ]
    }
}

/// Where a cluster is.
fn centre(mode: usize, modes: usize) -> [f32; 2] {
    let (sine, cosine) = (std::f32::consts::TAU * mode as f32 / modes as f32).sin_cos();
    [RADIUS * cosine, RADIUS * sine]
}

/// Points of clusters on a ring.
fn data(count: usize, modes: usize, rng: &mut ChaCha8Rng) -> Matrix {
    let mut all = Vec::with_capacity(2 * count);
    for _ in 0..count {
        let centre = centre(rng.gen_range(0..modes), modes);
        all.extend(centre.map(|value| value + DEVIATION * random::normal(rng)));
    }
    matrix(all, 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::tests::advance;

    #[test]
    fn the_generator_finds_the_data() {
        let measures = advance(&ENTRY, &[("modes", 4.0)], 0.8).measures();
        assert!(measures[0].value == 4.0 && measures[1].value > 0.6, "{measures:?}");
        assert!(measures[2].value < -0.3 && measures[3].value < -0.3, "{measures:?}");
    }
}
