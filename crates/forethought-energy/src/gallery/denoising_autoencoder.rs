//! A denoising autoencoder on a spiral: it leads back to the data, but not from between two branches, where it can only name their mean;
//! with a latent variable it can (Dawid & LeCun 2023, Sec. 5, Fig. 8). Read first: [`Restorer`].

use super::{
    Entry, GalleryError, Knob, Measure, Settings, Study,
    picture::{History, Window, line, over_updates, points},
};
use crate::{
    Matrix, PassTape, TapedColumn,
    contrastive::corruption::Corruption,
    energy::{Energy, matrix},
    latent::{FreeEnergy, LatentEnergy, Minimum},
    network::{Activation, Adam, Network},
    nodes::Nodes,
    numbers,
    ops::beside,
};
use dfdx::prelude::{Axis, Backward, MeanTo, PutTape, SplitTape, SumTo};
use forethought_interface::{Chart, Hue, Layer, Panel, Span};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const NOISE: Knob = Knob {
    name: "noise",
    about: "how far data is moved before it is to be restored, a standard deviation; branches are 0.7 apart, and what never comes \
            halfway teaches nothing there",
    range: [0.05, 0.5],
    default: 0.3,
    whole: false,
    log: false,
};
const CODES: Knob = Knob {
    name: "codes",
    about: "how many values the latent variable has",
    range: [2.0, 8.0],
    default: 4.0,
    whole: true,
    log: false,
};

pub(super) const ENTRY: Entry = Entry {
    name: "denoising_autoencoder",
    title: "A denoising autoencoder on a spiral",
    source: "Sec. 5, Fig. 8",
    about: "Trained to restore points of a spiral that were moved at random. The energy of a place is the squared distance to where it \
            is led. Halfway between two branches either could be right; the mean of both is nowhere near the data, and the energy there \
            is as low as on it. A latent variable chooses the branch and mends that. The mind's world model has one for futures that may \
            go one way or another.",
    knobs: &[NOISE, CODES],
    begin: |settings| Ok(Box::new(Denoising::new(settings))),
};

const UPDATES: usize = 4000;
const BATCH: usize = 128;
/// How far two branches are apart.
const GAP: f32 = 0.7;
const TURNS: f32 = 2.0;
const INNER: f32 = 0.35;
const WINDOW: Window = Window { ranges: [[-2.1, 2.1], [-2.1, 2.1]], cells: 56 };
/// How much better a code counts more, at the start of training and at its end.
const BETAS: [f32; 2] = [40.0, 300.0];

/// Where a moved point `x` came from: `|y - r(x, z)|²` for a point `y` of the data and a code `z`. Without codes `z` has no columns.
#[derive(Debug, Clone)]
struct Restorer(Network);

impl LatentEnergy for Restorer {
    fn energies(&self, x: &Matrix, y: &Matrix, z: &Matrix, tape: PassTape) -> TapedColumn {
        let (offset, tape) = self.0.forward(beside(x, z, tape)).split_tape();
        let (moved, tape) = (x.clone().put_tape(tape) + offset).split_tape();
        (moved.put_tape(tape) - y.clone()).square().sum::<_, Axis<1>>()
    }
}

impl Restorer {
    /// `r(x, z)`: the network says how far to move.
    fn restore(&self, x: &Matrix, z: &Matrix) -> Vec<f32> {
        let offsets = self.0.apply(&beside(x, z, PassTape::default()).split_tape().0);
        numbers(x).iter().zip(numbers(&offsets)).map(|(from, offset)| from + offset).collect()
    }
}

/// A restorer in training.
struct Model {
    restorer: Restorer,
    codes: Nodes,
    adam: Adam,
    losses: History,
    /// From between branches: how far from the spiral it leads.
    misses: History,
}

impl Model {
    fn new(codes: usize, rng: &mut ChaCha8Rng) -> Self {
        // Without a choice there is one code without numbers.
        let columns = if codes < 2 { 0 } else { codes };
        let one_hot = (0..columns * columns).map(|i| if i % (columns + 1) == 0 { 1.0 } else { 0.0 }).collect();
        let codes = Nodes { points: one_hot, dimensions: columns, log_weights: vec![0.0; codes.max(1)] };
        let mut network = Network::random(&[2 + columns, 80, 80, 2], Activation::Silu, rng);
        // Branches are closer to each other than what a network usually begins with can tell apart.
        network.layers[0] = network.layers[0].clone().map(|weights| weights * 6.0);
        let restorer = Restorer(network);
        Self { restorer, codes, adam: Adam::new(4e-3), losses: History::default(), misses: History::default() }
    }

    fn update(&mut self, clean: &Matrix, noisy: &Matrix, update: usize) -> bool {
        let share = update as f32 / UPDATES as f32;
        let beta = BETAS[0] * (BETAS[1] / BETAS[0]).powf(share);
        let free = FreeEnergy { energy: self.restorer.clone(), nodes: self.codes.clone(), beta };
        let loss = free.energies(noisy, clean, PassTape::default()).mean::<(), _>();
        // At first it is far off, and would hide the rest.
        if update >= 50 && update.is_multiple_of(10) {
            self.losses.note(update, loss.as_vec()[0]);
        }
        self.adam.rate = 4e-3 * (1.0 - share).max(0.02);
        self.adam.step(self.restorer.0.parameters_mut(), &mut loss.backward())
    }

    /// Where places are led, by the code that leads least far: `[rows, 2]`.
    fn lead(&self, places: &Matrix) -> Vec<f32> {
        let nodes = self.codes.clone();
        let best = Minimum { energy: self.restorer.clone(), nodes, steps: 0, rate: 0.0 }.argmin(places, places);
        self.restorer.restore(places, &best)
    }

    /// The energy of places: how far they are led, squared.
    fn energies(&self, places: &Matrix) -> Vec<f32> {
        let pairs = numbers(places);
        let pairs = pairs.chunks_exact(2);
        let led = self.lead(places);
        pairs.zip(led.chunks_exact(2)).map(|(from, to)| (from[0] - to[0]).powi(2) + (from[1] - to[1]).powi(2)).collect()
    }

    /// From halfway between branches: how far from the spiral it leads, in units of half of the branches' distance, and the energy there
    /// in units of what it should be.
    fn between(&self) -> [f32; 2] {
        let middles = matrix(middles(40), 2);
        let half = 0.5 * GAP;
        let mean = |values: Vec<f32>| values.iter().sum::<f32>() / values.len() as f32;
        let misses = self.lead(&middles).chunks_exact(2).map(|to| distance(to) / half).collect();
        [mean(misses), mean(self.energies(&middles).iter().map(|energy| energy / (half * half)).collect())]
    }
}

/// Two restorers, without and with a latent variable.
struct Denoising {
    noise: f32,
    models: [Model; 2],
    updates: usize,
    rng: ChaCha8Rng,
}

impl Denoising {
    fn new(settings: &Settings) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        let models = [1, settings.value(&CODES) as usize].map(|codes| Model::new(codes, &mut rng));
        Self { noise: settings.value(&NOISE) as f32, models, updates: 0, rng }
    }

    fn map(&self, index: usize, title: &str) -> Panel {
        let model = &self.models[index];
        let grid = matrix(Window { cells: 17, ..WINDOW }.nodes().points, 2);
        let (from, to) = (numbers(&grid), model.lead(&grid));
        let arrows =
            from.chunks_exact(2).zip(to.chunks_exact(2)).map(|(from, to)| [[from[0], from[1]], [to[0], to[1]]]);
        let arrows = Layer::Segments {
            name: "to where it leads".into(),
            places: arrows.collect(),
            hue: Hue::Second,
            arrows: true,
        };
        let energies = model.energies(&WINDOW.nodes().matrix());
        let layers = vec![WINDOW.heat("F", energies, [0.0, 0.2]), points("data", &spiral(200), Hue::Data, 1.5), arrows];
        WINDOW.panel(title, ["y1", "y2"], layers)
    }
}

impl Study for Denoising {
    fn advance(&mut self) -> Result<(), GalleryError> {
        for _ in 0..2 {
            if self.updates == UPDATES {
                return Ok(());
            }
            let clean = (0..BATCH).flat_map(|_| place(self.rng.gen_range(0.0..1.0_f32).sqrt())).collect();
            let clean = matrix(clean, 2);
            let noisy = Corruption::Noise { deviation: self.noise }.apply(&clean, &mut self.rng);
            for model in &mut self.models {
                if !model.update(&clean, &noisy, self.updates) {
                    return Err(GalleryError::Diverged { what: "an autoencoder", updates: self.updates });
                }
            }
            self.updates += 1;
            if self.updates.is_multiple_of(50) {
                for model in &mut self.models {
                    model.misses.note(self.updates, model.between()[0]);
                }
            }
        }
        Ok(())
    }

    fn progress(&self) -> f32 {
        self.updates as f32 / UPDATES as f32
    }

    fn chart(&self) -> Chart {
        let exact = WINDOW.nodes().points.chunks_exact(2).map(|place| distance(place).powi(2)).collect();
        let exact =
            vec![WINDOW.heat("squared distance", exact, [0.0, 0.2]), points("data", &spiral(200), Hue::Data, 1.5)];
        let along: Vec<f32> = (0..=120).map(|index| 2.1 * index as f32 / 120.0).collect();
        let places = matrix(along.iter().flat_map(|place| [0.0, *place]).collect(), 2);
        let with = |values: Vec<f32>| along.iter().zip(values).map(|(place, value)| [*place, value]).collect();
        let truth = along.iter().map(|place| [*place, distance(&[0.0, *place]).powi(2)]).collect();
        let [plain, latent] = &self.models;
        let profile = Panel {
            title: "Across the branches: along y2, where y1 = 0".into(),
            x: Span::new("y2", [0.0, 2.1]),
            y: Span::new("F", [0.0, 0.25]),
            equal: false,
            layers: vec![
                line("without a latent variable", with(plain.energies(&places)), Hue::Wrong, false),
                line("with one", with(latent.energies(&places)), Hue::Model, false),
                line("squared distance to the spiral", truth, Hue::Theory, true),
            ],
        };
        let lines = |of: fn(&Model) -> &History| {
            vec![of(plain).line("without a latent variable", Hue::Wrong), of(latent).line("with one", Hue::Model)]
        };
        let panels = vec![
            self.map(0, "A denoising autoencoder"),
            self.map(1, "With a latent variable"),
            WINDOW.panel("What the energy should be", ["y1", "y2"], exact),
            profile,
            over_updates(
                "From between branches",
                "distance from the spiral, of 1",
                UPDATES,
                false,
                lines(|m| &m.misses),
            ),
            over_updates("Loss", "free energy", UPDATES, false, lines(|model| &model.losses)),
        ];
        Chart { title: ENTRY.title.into(), columns: 3, panels }
    }

    fn measures(&self) -> Vec<Measure> {
        let [plain, latent] = self.models.each_ref().map(Model::between);
        let on = self.models.each_ref().map(|model| {
            let energies = model.energies(&matrix(spiral(100), 2));
            (energies.iter().sum::<f32>() / energies.len() as f32).sqrt()
        });
        let measure = |name, about: &str, value: f32, expected| Measure {
            name,
            about: about.into(),
            value: f64::from(value),
            expected,
        };
        let latent_about = |about: &str| format!("with a latent variable, {about}");
        let misses = "from halfway between branches: how far from the spiral it leads, in half distances of branches";
        let energy = "the energy there, over the squared distance to the spiral";
        let data = "how far it leads points of the spiral away, root mean square";
        vec![
            measure("miss", misses, plain[0], None),
            measure("miss_with_latent", &latent_about(misses), latent[0], Some(0.0)),
            measure("energy_between", energy, plain[1], Some(1.0)),
            measure("energy_between_with_latent", &latent_about(energy), latent[1], Some(1.0)),
            measure("moved_on_data", data, on[0], Some(0.0)),
            measure("moved_on_data_with_latent", &latent_about(data), on[1], Some(0.0)),
        ]
    }
}

/// A point of the spiral, from its inner end (0) to its outer end (1).
fn place(along: f32) -> [f32; 2] {
    let (sine, cosine) = (TURNS * std::f32::consts::TAU * along).sin_cos();
    let radius = INNER + TURNS * GAP * along;
    [radius * cosine, radius * sine]
}

/// Points all along it, evenly: `[count, 2]`.
fn spiral(count: usize) -> Vec<f32> {
    (0..count).flat_map(|index| place((index as f32 / count as f32).sqrt())).collect()
}

/// Places halfway between the inner branch and the outer one.
fn middles(count: usize) -> Vec<f32> {
    let middle = |index: usize| {
        let along = 0.15 + 0.35 * index as f32 / count as f32;
        let radius = INNER + TURNS * GAP * along;
        place(along).map(|value| value * (radius + 0.5 * GAP) / radius)
    };
    (0..count).flat_map(middle).collect()
}

/// How far a place is from the spiral: by all of its turns, each refined.
fn distance(from: &[f32]) -> f32 {
    let gap = |along: f32| {
        let [a, b] = place(along);
        (a - from[0]).hypot(b - from[1])
    };
    let mut best =
        (0..=400).map(|index| index as f32 / 400.0).min_by(|a, b| gap(*a).total_cmp(&gap(*b))).unwrap_or(0.0);
    let mut step = 1.0 / 400.0;
    for _ in 0..12 {
        step *= 0.5;
        for along in [best - step, best + step] {
            if (0.0..=1.0).contains(&along) && gap(along) < gap(best) {
                best = along;
            }
        }
    }
    gap(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::tests::advance;

    #[test]
    fn distances_from_the_spiral() {
        assert!(spiral(50).chunks_exact(2).all(|place| distance(place) < 1e-3));
        // Nearly half of the branches' distance: they are not quite concentric.
        assert!(middles(30).chunks_exact(2).all(|place| (distance(place) - 0.5 * GAP).abs() < 0.02));
    }

    #[test]
    fn a_latent_variable_mends_what_fails_between_branches() {
        let measures = advance(&ENTRY, &[], 0.6).measures();
        let values: Vec<f64> = measures.iter().map(|measure| measure.value).collect();
        assert!(values[0] > 0.6 && values[1] < 0.3, "{measures:?}");
        assert!(values[2] < 0.1 && values[3] > 0.8, "{measures:?}");
        assert!(values[4] < 0.15 && values[5] < 0.15, "{measures:?}");
    }
}
