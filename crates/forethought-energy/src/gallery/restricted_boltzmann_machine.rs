//! The restricted Boltzmann machine and contrastive divergence (Dawid & LeCun 2023, Sec. 5.2, Eq. 11-12). Read first: [`Machines`].

use super::{
    Entry, GalleryError, Knob, Measure, Settings, Study, bars,
    picture::{History, line, over_updates},
};
use crate::models::{Chains, ModelError, Rbm, Samples, correlation};
use forethought_interface::{Chart, Hue, Layer, Panel};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const HIDDEN: Knob = Knob {
    name: "hidden",
    about: "how many hidden units there are",
    range: [1.0, 14.0],
    default: 10.0,
    whole: true,
    log: false,
};
const STEPS: Knob = Knob {
    name: "steps",
    about: "Gibbs steps of the longer contrastive divergence",
    range: [2.0, 50.0],
    default: 10.0,
    whole: true,
    log: true,
};

pub(super) const ENTRY: Entry = Entry {
    name: "restricted_boltzmann_machine",
    title: "Restricted Boltzmann machine: contrastive divergence",
    source: "Sec. 5.2, Eq. 11-12",
    about: "Visible and hidden units meet only each other, so that all of one kind can be drawn at once. Three machines learn the 30 bars \
            and stripes of 4x4 pixels: from samples that are one Gibbs step off the data (CD-1), several (CD-k), or from chains that go \
            on for ever (PCD). All states are few enough that the likelihood and its slope are known: how far each estimate is the \
            slope, and where its bias leads. Contrastive points near the data are the notes' first remedy against collapse.",
    knobs: &[HIDDEN, STEPS],
    begin: |settings| Ok(Box::new(Machines::new(settings)?)),
};

const UPDATES: usize = 4000;
const BATCH: usize = 60;
const RATE: f64 = 0.15;
/// Updates from one look at exact numbers to the next.
const LOOK: usize = 20;
const HUES: [Hue; 3] = [Hue::Model, Hue::Second, Hue::Third];

/// A machine and how it has come along.
struct Learner {
    name: String,
    /// How many Gibbs steps, from data or from its chains.
    steps: usize,
    chains: Option<Chains>,
    machine: Rbm,
    likelihood: History,
    likeness: History,
}

/// Machines that begin alike and learn by different estimates of the slope.
struct Machines {
    learners: Vec<Learner>,
    data: Samples,
    updates: usize,
    rng: ChaCha8Rng,
}

impl Machines {
    fn new(settings: &Settings) -> Result<Self, ModelError> {
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        let data = bars::pictures(4);
        let machine = Rbm::random(&data, settings.value(&HIDDEN) as usize, &mut rng)?;
        let steps = settings.value(&STEPS) as usize;
        let chains = data.select_columns(&(0..BATCH).map(|index| index % data.ncols()).collect::<Vec<_>>());
        let learner = |name: String, steps, chains| {
            let (likelihood, likeness) = (History::default(), History::default());
            Learner { name, steps, chains, machine: machine.clone(), likelihood, likeness }
        };
        let learners = vec![
            learner("CD-1".to_owned(), 1, None),
            learner(format!("CD-{steps}"), steps, None),
            learner("PCD-1".to_owned(), 1, Some(Chains(chains))),
        ];
        Ok(Self { learners, data, updates: 0, rng })
    }

    fn update(&mut self) -> Result<(), ModelError> {
        let rate = RATE * (1.0 - self.updates as f64 / UPDATES as f64).max(0.02);
        let picks: Vec<usize> = (0..BATCH).map(|_| self.rng.gen_range(0..self.data.ncols())).collect();
        let batch = self.data.select_columns(&picks);
        let look = self.updates.is_multiple_of(LOOK) || self.updates + 1 == UPDATES;
        for learner in &mut self.learners {
            let slope = match &mut learner.chains {
                Some(chains) => learner.machine.persistent_divergence(&batch, chains, learner.steps, &mut self.rng),
                None => learner.machine.contrastive_divergence(&batch, learner.steps, &mut self.rng),
            };
            if look {
                let exact = learner.machine.exact_gradient(&batch)?;
                learner.likeness.note(self.updates, correlation(slope.iter(), exact.iter()) as f32);
                learner.likelihood.note(self.updates, learner.machine.log_likelihood(&self.data)? as f32);
            }
            learner.machine.ascend(&slope, rate);
        }
        self.updates += 1;
        Ok(())
    }

    /// The weights of each hidden unit of the machine that knows its own samples: light pushes on, dark off.
    fn filters(&self) -> Panel {
        let images = self.learners.last().map_or_else(Vec::new, |learner| {
            let weights = learner.machine.weights();
            let far = weights.amax().max(1e-3);
            let image = |unit: nalgebra::DVectorView<f64>| unit.iter().map(|w| (0.5 + 0.5 * w / far) as f32).collect();
            weights.column_iter().map(image).collect()
        });
        Panel {
            title: "What each hidden unit looks for (PCD)".to_owned(),
            layers: vec![Layer::Tiles { images, width: 4, across: 5, captions: Vec::new() }],
            ..Panel::default()
        }
    }

    fn dreams(&self) -> Panel {
        let chains = self.learners.iter().find_map(|learner| learner.chains.as_ref());
        bars::tiles(
            "What it does when it runs free (PCD)",
            &chains.map_or(self.data.clone(), |chains| chains.0.clone()),
            30,
        )
    }
}

impl Study for Machines {
    fn advance(&mut self) -> Result<(), GalleryError> {
        for _ in self.updates..UPDATES.min(self.updates + 5) {
            self.update()?;
        }
        let broken =
            self.learners.iter().any(|learner| learner.likelihood.last().is_some_and(|value| !value.is_finite()));
        if broken { Err(GalleryError::Diverged { what: "the machine", updates: self.updates }) } else { Ok(()) }
    }

    fn progress(&self) -> f32 {
        self.updates as f32 / UPDATES as f32
    }

    fn chart(&self) -> Chart {
        let best = -(self.data.ncols() as f32).ln();
        let lines = |of: fn(&Learner) -> &History| {
            self.learners
                .iter()
                .zip(HUES)
                .map(|(learner, hue)| of(learner).line(&learner.name, hue))
                .collect::<Vec<_>>()
        };
        let mut likelihood = lines(|learner| &learner.likelihood);
        likelihood.push(line("the best there is", vec![[0.0, best], [UPDATES as f32, best]], Hue::Theory, true));
        let likeness = lines(|learner| &learner.likeness);
        let panels = vec![
            over_updates("Exact log-likelihood", "mean log P(v), nats", UPDATES, false, likelihood),
            over_updates("How far the estimate is the exact slope", "correlation", UPDATES, false, likeness),
            bars::tiles("Data: bars and stripes", &self.data, 30),
            self.filters(),
            self.dreams(),
        ];
        Chart { title: "A restricted Boltzmann machine on bars and stripes".to_owned(), columns: 3, panels }
    }

    fn measures(&self) -> Vec<Measure> {
        let names = [
            ["log_likelihood_cd_1", "likeness_cd_1"],
            ["log_likelihood_cd_k", "likeness_cd_k"],
            ["log_likelihood_pcd", "likeness_pcd"],
        ];
        let best = Some(-(self.data.ncols() as f64).ln());
        let of = |(learner, names): (&Learner, [&'static str; 2])| {
            let about =
                format!("exact mean log-likelihood of the data learned by {}, nats; at best -log 30", learner.name);
            let likeness = format!(
                "correlation of {}'s slope with the exact one while most is learned, the first quarter of training",
                learner.name
            );
            let value = learner.machine.log_likelihood(&self.data).unwrap_or(f64::NAN);
            [
                Measure { name: names[0], about, value, expected: best },
                Measure::plain(
                    names[1],
                    &likeness,
                    learner.likeness.mean_before(UPDATES / 4).map_or(f64::NAN, f64::from),
                ),
            ]
        };
        self.learners.iter().zip(names).flat_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::plane::tests::{measure, run},
        *,
    };

    #[test]
    fn likelihoods_rise_and_estimates_go_with_the_exact_slope() {
        let study = run(&ENTRY, &[("hidden", 8.0)]);
        let begun = -(16.0 * 2.0_f64.ln());
        for name in ["log_likelihood_cd_1", "log_likelihood_cd_k", "log_likelihood_pcd"] {
            assert!(measure(study.as_ref(), name) > begun + 3.0, "{:?}", study.measures());
        }
        for name in ["likeness_cd_1", "likeness_cd_k", "likeness_pcd"] {
            assert!(measure(study.as_ref(), name) > 0.5, "{:?}", study.measures());
        }
    }
}
