//! The Boltzmann machine, small enough that its partition function is a sum (Dawid & LeCun 2023, Sec. 5.1, Eq. 8-10). Read first:
//! [`Machines`].

use super::{
    Entry, GalleryError, Knob, Measure, Settings, Study,
    bars::{self, SIDE},
    picture::{History, line, over_updates},
};
use crate::models::{BoltzmannMachine, ModelError, Samples, correlation};
use forethought_interface::{Chart, Hue, Layer, Panel, Span};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const HIDDEN: Knob = Knob {
    name: "hidden",
    about: "how many hidden units there are; without any, only pairs of pixels can be learned",
    range: [0.0, 4.0],
    default: 3.0,
    whole: true,
    log: false,
};
const CHAINS: Knob = Knob {
    name: "chains",
    about: "how many machines run free for the sampled gradient",
    range: [4.0, 400.0],
    default: 100.0,
    whole: true,
    log: true,
};

pub(super) const ENTRY: Entry = Entry {
    name: "boltzmann_machine",
    title: "Boltzmann machine: learning by waking and sleeping",
    source: "Sec. 5.1, Eq. 8-10",
    about: "A Hopfield network with a temperature and hidden units learns the 14 bars and stripes of 3x3 pixels. The slope of the \
            likelihood is what pairs of units do together while data is shown, less what they do while the machine runs free. It has \
            few enough states to sum over all of them; beside it, one whose negative phase is a few Gibbs chains that go on. Sampling \
            from an energy, whose normaliser nobody can sum, is what the mind's losses avoid.",
    knobs: &[HIDDEN, CHAINS],
    begin: |settings| Ok(Box::new(Machines::new(settings)?)),
};

const UPDATES: usize = 1500;
const RATE: f64 = 0.5;
/// Updates from one look at the sampled slope to the next.
const LOOK: usize = 5;

/// Two machines that begin alike: one learns from exact slopes, the other from sampled ones.
struct Machines {
    exact: BoltzmannMachine,
    sampled: BoltzmannMachine,
    /// How probable each visible state is in the data.
    data: Vec<f64>,
    chains: Samples,
    courses: [History; 2],
    likeness: History,
    /// The latest slope of the sampled machine, exact and sampled.
    slopes: [Vec<f64>; 2],
    updates: usize,
    rng: ChaCha8Rng,
}

impl Machines {
    fn new(settings: &Settings) -> Result<Self, ModelError> {
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        let hidden = settings.value(&HIDDEN) as usize;
        let machine = BoltzmannMachine::random(SIDE * SIDE, hidden, &mut rng)?;
        let chains = settings.value(&CHAINS) as usize;
        let chains = Samples::from_fn(SIDE * SIDE + hidden, chains, |_, _| f64::from(u8::from(rng.gen_bool(0.5))));
        Ok(Self {
            data: machine.frequencies(&bars::all())?,
            exact: machine.clone(),
            sampled: machine,
            chains,
            courses: <[History; 2]>::default(),
            likeness: History::default(),
            slopes: <[Vec<f64>; 2]>::default(),
            updates: 0,
            rng,
        })
    }

    fn update(&mut self) {
        // Slower and slower, so that what is sampled averages out.
        let rate = RATE * (1.0 - self.updates as f64 / UPDATES as f64).max(0.02);
        let [exact, sampled] = [&self.exact, &self.sampled].map(|machine| -machine.log_likelihood(&self.data) as f32);
        self.courses[0].note(self.updates, exact);
        self.courses[1].note(self.updates, sampled);
        let slope = self.exact.gradient(&self.data);
        self.exact.ascend(&slope, rate);
        let slope = self.sampled.sampled_gradient(&self.data, &mut self.chains, 1, &mut self.rng);
        if self.updates.is_multiple_of(LOOK) {
            self.slopes = [self.sampled.gradient(&self.data).flat(), slope.flat()];
            self.likeness.note(self.updates, correlation(&self.slopes[0], &self.slopes[1]) as f32);
        }
        self.sampled.ascend(&slope, rate);
        self.updates += 1;
    }

    /// Exact against sampled, number by number.
    fn scatter(&self) -> Panel {
        let places: Vec<[f32; 2]> =
            self.slopes[0].iter().zip(&self.slopes[1]).map(|(x, y)| [*x as f32, *y as f32]).collect();
        let far = places.iter().flatten().fold(1e-3_f32, |far, value| far.max(1.1 * value.abs()));
        Panel {
            title: "The latest slope".to_owned(),
            x: Span::new("exact", [-far, far]),
            y: Span::new("sampled", [-far, far]),
            equal: true,
            layers: vec![
                line("equal", vec![[-far, -far], [far, far]], Hue::Theory, true),
                Layer::Points { name: "biases and weights".to_owned(), places, hue: Hue::Second, radius: 2.0 },
            ],
        }
    }

    /// How probable the machine says the data's states are.
    fn probabilities(&self) -> Panel {
        let model = self.exact.visible_probabilities();
        let heights: Vec<f32> =
            self.data.iter().zip(model).filter(|(seen, _)| **seen > 0.0).map(|(_, p)| p as f32).collect();
        let count = heights.len() as f32;
        Panel {
            title: format!("What it makes of the {count} pictures: together {:.2}", heights.iter().sum::<f32>()),
            x: Span::new("picture", [-0.6, count - 0.4]),
            y: Span::new("probability", [0.0, 0.15]),
            equal: false,
            layers: vec![
                Layer::Bars {
                    name: "exact slopes".to_owned(),
                    labels: (1..=heights.len()).map(|number| number.to_string()).collect(),
                    heights,
                    hue: Hue::Model,
                },
                line(
                    "data",
                    self.data
                        .iter()
                        .filter(|seen| **seen > 0.0)
                        .zip(0_u8..)
                        .map(|(seen, at)| [f32::from(at), *seen as f32])
                        .collect(),
                    Hue::Theory,
                    true,
                ),
            ],
        }
    }

    fn weights(&self) -> Panel {
        let weights = self.exact.weights();
        let units = weights.nrows();
        let far = weights.amax().max(0.1) as f32;
        let edge = units as f32 - 0.5;
        // The lowest row first: the last unit's.
        let values = (0..units).rev().flat_map(|row| (0..units).map(move |column| (row, column)));
        let values = values.map(|at| weights[at] as f32).collect();
        let (x, y) = ([-0.5, edge], [-0.5, edge]);
        let heat = Layer::Heat { name: "w".to_owned(), values, columns: units, x, y, range: [-far, far], signed: true };
        Panel {
            title: "Weights: 9 pixels, then hidden units (from the top)".to_owned(),
            x: Span::new("unit", x),
            y: Span::new("unit, from below", y),
            equal: true,
            layers: vec![heat],
        }
    }
}

impl Study for Machines {
    fn advance(&mut self) -> Result<(), GalleryError> {
        (self.updates..UPDATES.min(self.updates + 2)).for_each(|_| self.update());
        Ok(())
    }

    fn progress(&self) -> f32 {
        self.updates as f32 / UPDATES as f32
    }

    fn chart(&self) -> Chart {
        let best = (bars::all().ncols() as f32).ln();
        let courses = vec![
            self.courses[0].line("exact slope", Hue::Model),
            self.courses[1].line("sampled slope", Hue::Second),
            line("the best there is", vec![[0.0, best], [UPDATES as f32, best]], Hue::Theory, true),
        ];
        let likeness = vec![self.likeness.line("sampled with exact", Hue::Second)];
        let panels = vec![
            over_updates("How surprising the data is", "mean -log P(v), nats", UPDATES, false, courses),
            over_updates("How far the sampled slope is the exact one", "correlation", UPDATES, false, likeness),
            self.scatter(),
            self.probabilities(),
            self.weights(),
            bars::tiles("What a machine that runs free does", &self.chains.rows(0, SIDE * SIDE).into_owned(), 28),
        ];
        Chart { title: "A Boltzmann machine on bars and stripes".to_owned(), columns: 3, panels }
    }

    fn measures(&self) -> Vec<Measure> {
        let best = -(bars::all().ncols() as f64).ln();
        let [exact, sampled] = [&self.exact, &self.sampled].map(|machine| machine.log_likelihood(&self.data));
        let expected = Some(best);
        let about =
            |how: &str| format!("mean log-likelihood of the data, nats, learned by {how} slopes; at best -log 14");
        vec![
            Measure { name: "log_likelihood", about: about("exact"), value: exact, expected },
            Measure { name: "log_likelihood_sampled", about: about("sampled"), value: sampled, expected },
            Measure::plain(
                "likeness",
                "correlation of sampled with exact slopes while most is learned, the mean over the first tenth of training",
                self.likeness.mean_before(UPDATES / 10).map_or(f64::NAN, f64::from),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::plane::tests::{measure, run},
        *,
    };

    #[test]
    fn learns_bars_and_stripes_by_either_slope() {
        let study = run(&ENTRY, &[("hidden", 1.0)]);
        let before = -(512.0_f64).ln();
        let [exact, sampled] = ["log_likelihood", "log_likelihood_sampled"].map(|name| measure(study.as_ref(), name));
        assert!(exact > before + 1.5 && sampled > before + 1.2, "{:?}", study.measures());
        assert!(measure(study.as_ref(), "likeness") > 0.3, "{:?}", study.measures());
    }
}
