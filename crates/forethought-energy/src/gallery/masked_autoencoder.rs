//! A masked autoencoder on pictures of the sandbox (Dawid & LeCun 2023, Sec. 5.3; He et al., 2022). Read first: [`Masked`].

use super::{
    Entry, Frames, GalleryError, Knob, Measure, Settings, Study,
    picture::{History, line, over_updates},
};
use crate::{
    Matrix, PassTape, TapedColumn,
    energy::matrix,
    network::{Activation, Adam, Network},
    numbers,
};
use dfdx::prelude::{AsArray, Axis, Backward, MeanTo, PutTape, SumTo};
use forethought_interface::{Chart, Hue, Layer, Panel};
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

const MASKED: Knob = Knob {
    name: "masked",
    about: "the share of patches that are hidden",
    range: [0.1, 0.9],
    default: 0.5,
    whole: false,
    log: false,
};

pub(super) const ENTRY: Entry = Entry {
    name: "masked_autoencoder",
    title: "Masked autoencoder: the rest of the picture",
    source: "Sec. 5.3",
    about: "Patches of a picture of the sandbox are hidden, and networks say each from what is left around it: F(x, y) is the squared \
            error of what they say, x the visible patches and y the hidden one. They must have learned how bodies and walls go on. It \
            beats the mean of each patch on pictures that it never saw; what it cannot know comes out blurred, the mean of all that \
            could be. A JEPA predicts the latent of the hidden part instead, and need not paint what cannot be known.",
    knobs: &[MASKED],
    begin: |settings| Ok(Box::new(Masked::new(settings)?)),
};

/// Pixels along the edge of a picture as it is learned, and of a patch.
const SIDE: usize = 32;
const PATCH: usize = 4;
const PIXELS: usize = SIDE * SIDE;
const ACROSS: usize = SIDE / PATCH;
const PATCHES: usize = ACROSS * ACROSS;
/// The fewest pictures that can be learned from, and the share of them that is held out: one in so many.
const FEWEST: usize = 40;
const HELD_OUT: usize = 5;
const HIDDEN: usize = 128;
const CODE: usize = 32;
/// How many patches away the encoder sees.
const REACH: isize = 2;
const AROUND: usize = (2 * REACH as usize + 1) * (2 * REACH as usize + 1);
/// Pixels of a patch; and what the encoder sees: pixels around, which patches are hidden, and the mean patch in this place.
const IN_PATCH: usize = PATCH * PATCH;
const SEEN: usize = AROUND * (IN_PATCH + 1) + IN_PATCH;
/// Pictures in a batch, and hidden patches asked for in each.
const BATCH: usize = 24;
const ASKED: usize = 6;
const UPDATES: usize = 2000;
const RATE: f32 = 2e-3;
/// Updates from one look at held-out pictures to the next.
const LOOK: usize = 50;
/// Held-out pictures that it is judged by, at most, and those that are shown.
const JUDGED: usize = 40;
const SHOWN: usize = 6;

/// Encoder and decoder, the same for all patches, and the pictures.
struct Masked {
    /// From what is visible around a hidden patch to a code.
    encoder: Network,
    /// From the code to the hidden patch, as a difference from the mean one in its place.
    decoder: Network,
    adam: Adam,
    share: f64,
    train: Vec<f32>,
    held_out: Vec<f32>,
    /// Which patches of the held-out pictures are hidden, always the same.
    judged: Vec<[bool; PATCHES]>,
    /// The mean of the pictures that are learned from.
    mean: Vec<f32>,
    errors: [History; 2],
    updates: usize,
    rng: ChaCha8Rng,
}

/// A hidden patch: its picture, what else is hidden there, and its number.
type Asked<'a> = (&'a [f32], &'a [bool; PATCHES], usize);

impl Masked {
    fn new(settings: &Settings) -> Result<Self, GalleryError> {
        let pictures = prepared(settings.frames.as_ref())?;
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        // Neighbours in time look alike: what is held out is the end.
        let count = pictures.len() / PIXELS;
        let (train, held_out) = pictures.split_at((count - count / HELD_OUT) * PIXELS);
        let mut mean = vec![0.0; PIXELS];
        for picture in train.chunks_exact(PIXELS) {
            mean.iter_mut().zip(picture).for_each(|(mean, value)| *mean += value);
        }
        mean.iter_mut().for_each(|mean| *mean /= (train.len() / PIXELS) as f32);
        let share = settings.value(&MASKED);
        // As many as it is judged by, from all of them.
        let every = (count / HELD_OUT).div_ceil(JUDGED);
        let held_out: Vec<f32> = held_out.chunks_exact(PIXELS).step_by(every).flatten().copied().collect();
        let judged = held_out.chunks_exact(PIXELS).map(|_| hidden_patches(share, &mut rng)).collect();
        Ok(Self {
            encoder: Network::random(&[SEEN, HIDDEN, CODE], Activation::Silu, &mut rng),
            decoder: Network::random(&[CODE, HIDDEN, IN_PATCH], Activation::Silu, &mut rng),
            adam: Adam::new(RATE),
            share,
            train: train.to_vec(),
            held_out,
            judged,
            mean,
            errors: <[History; 2]>::default(),
            updates: 0,
            rng,
        })
    }

    /// What the encoder sees around hidden patches, `[asked, SEEN]`: nothing of what is hidden or beyond the edge.
    fn seen(&self, asked: &[Asked]) -> Matrix {
        let mut rows = Vec::with_capacity(asked.len() * SEEN);
        for (picture, hidden, patch) in asked {
            for down in -REACH..=REACH {
                for right in -REACH..=REACH {
                    match neighbour(*patch, down, right).filter(|patch| !hidden[*patch]) {
                        Some(patch) => rows.extend(pixels(patch).map(|pixel| picture[pixel] - 0.5).chain([0.0])),
                        None => rows.extend([0.0; IN_PATCH].into_iter().chain([1.0])),
                    }
                }
            }
            rows.extend(pixels(*patch).map(|pixel| self.mean[pixel] - 0.5));
        }
        matrix(rows, SEEN)
    }

    /// `F(x, y)` of each hidden patch, `[asked]`: the mean squared error of what is said.
    fn energies(&self, asked: &[Asked], tape: PassTape) -> TapedColumn {
        let code = self.encoder.forward(self.seen(asked).put_tape(tape));
        let wanted =
            asked.iter().flat_map(|(picture, _, patch)| pixels(*patch).map(|pixel| picture[pixel] - self.mean[pixel]));
        let wanted = matrix(wanted.collect(), IN_PATCH);
        (self.decoder.forward(code) - wanted).square().sum::<_, Axis<1>>() * (1.0 / IN_PATCH as f32)
    }

    fn update(&mut self) -> Result<(), GalleryError> {
        let mut batch = Vec::with_capacity(BATCH * ASKED);
        for _ in 0..BATCH {
            let at = self.rng.gen_range(0..self.train.len() / PIXELS);
            let hidden = hidden_patches(self.share, &mut self.rng);
            let mut patches = numbers_of(&hidden);
            patches.shuffle(&mut self.rng);
            batch.extend(patches.into_iter().take(ASKED).map(|patch| (at, hidden, patch)));
        }
        let picture = |at: usize| &self.train[at * PIXELS..(at + 1) * PIXELS];
        let asked: Vec<Asked> = batch.iter().map(|(at, hidden, patch)| (picture(*at), hidden, *patch)).collect();
        let loss = self.energies(&asked, PassTape::default()).mean();
        let value = loss.array();
        self.adam.rate = RATE * (1.0 - self.updates as f32 / UPDATES as f32).max(0.02);
        let parameters = self.encoder.parameters_mut().chain(self.decoder.parameters_mut());
        if !self.adam.step(parameters, &mut loss.backward()) || !value.is_finite() {
            return Err(GalleryError::Diverged { what: "the masked autoencoder", updates: self.updates });
        }
        self.errors[0].note(self.updates, value);
        if self.updates.is_multiple_of(LOOK) || self.updates + 1 == UPDATES {
            let judged = self.judge();
            self.errors[1].note(self.updates, judged as f32);
        }
        self.updates += 1;
        Ok(())
    }

    /// All hidden patches of the held-out pictures.
    fn exam(&self) -> Vec<Asked<'_>> {
        let pictures = self.held_out.chunks_exact(PIXELS).zip(&self.judged);
        pictures
            .flat_map(|(picture, hidden)| numbers_of(hidden).into_iter().map(move |patch| (picture, hidden, patch)))
            .collect()
    }

    /// The mean energy of held-out patches.
    fn judge(&self) -> f64 {
        let energies = numbers(&self.energies(&self.exam(), PassTape::default()));
        energies.iter().map(|energy| f64::from(*energy)).sum::<f64>() / energies.len().max(1) as f64
    }

    /// The same for the mean patch in each place, over the pictures that are learned from.
    fn baseline(&self) -> f64 {
        let exam = self.exam();
        let error = |(picture, _, patch): &Asked| {
            let squares = pixels(*patch).map(|pixel| f64::from(picture[pixel] - self.mean[pixel]).powi(2));
            squares.sum::<f64>() / IN_PATCH as f64
        };
        exam.iter().map(error).sum::<f64>() / exam.len().max(1) as f64
    }

    /// A held-out picture, what is left of it, and with what is said of the rest.
    fn story(&self, at: usize) -> [Vec<f32>; 3] {
        let (picture, hidden) = (&self.held_out[at * PIXELS..(at + 1) * PIXELS], &self.judged[at]);
        let patches = numbers_of(hidden);
        let asked: Vec<Asked> = patches.iter().map(|patch| (picture, hidden, *patch)).collect();
        let said = numbers(&self.decoder.apply(&self.encoder.apply(&self.seen(&asked))));
        let (mut left, mut whole) = (picture.to_vec(), picture.to_vec());
        for (patch, said) in patches.iter().zip(said.chunks_exact(IN_PATCH)) {
            for (pixel, said) in pixels(*patch).zip(said) {
                left[pixel] = 0.5;
                whole[pixel] = (self.mean[pixel] + said).clamp(0.0, 1.0);
            }
        }
        [picture.to_vec(), left, whole]
    }

    fn tiles(&self) -> Panel {
        let count = self.judged.len();
        let across = SHOWN.min(count);
        let mut rows = [const { Vec::new() }; 3];
        for at in (0..across).map(|index| index * count / across) {
            self.story(at).into_iter().zip(&mut rows).for_each(|(image, row)| row.push(image));
        }
        let names = ["held-out picture", "what is left of it", "what is said"];
        let captions = names.iter().flat_map(|name| vec![(*name).to_owned(); across]).collect();
        let images = rows.into_iter().flatten().collect();
        Panel {
            title: "Pictures that it never saw".to_owned(),
            layers: vec![Layer::Tiles { images, width: SIDE, across, captions }],
            ..Panel::default()
        }
    }
}

/// The pixels of a patch, row by row.
fn pixels(patch: usize) -> impl Iterator<Item = usize> {
    let corner = patch / ACROSS * PATCH * SIDE + patch % ACROSS * PATCH;
    (0..IN_PATCH).map(move |index| corner + index / PATCH * SIDE + index % PATCH)
}

/// The patch so many below and to the right, if there is one.
fn neighbour(patch: usize, down: isize, right: isize) -> Option<usize> {
    let row = (patch / ACROSS).checked_add_signed(down).filter(|row| *row < ACROSS)?;
    let column = (patch % ACROSS).checked_add_signed(right).filter(|column| *column < ACROSS)?;
    Some(row * ACROSS + column)
}

/// Which patches are hidden, by number.
fn numbers_of(hidden: &[bool; PATCHES]) -> Vec<usize> {
    (0..PATCHES).filter(|patch| hidden[*patch]).collect()
}

/// Which patches are hidden: that share of them, drawn anew.
fn hidden_patches(share: f64, rng: &mut ChaCha8Rng) -> [bool; PATCHES] {
    let mut hidden = [false; PATCHES];
    let count = (share * PATCHES as f64).round().clamp(1.0, PATCHES as f64 - 1.0) as usize;
    hidden[..count].fill(true);
    hidden.shuffle(rng);
    hidden
}

/// Pictures of [`SIDE`], each pixel the mean over what it covers.
fn prepared(frames: Option<&Frames>) -> Result<Vec<f32>, GalleryError> {
    let needed = format!("{FEWEST} square pictures or more, of {SIDE} pixels along the edge or more");
    let error = |got: String| GalleryError::Frames { entry: ENTRY.name, got, needed: needed.clone() };
    let frames = frames.ok_or_else(|| error("none".to_owned()))?;
    let pixels = frames.side * frames.side;
    let count = frames.pixels.len() / pixels.max(1);
    if frames.side < SIDE || count < FEWEST || frames.pixels.len() != count * pixels {
        return Err(error(format!(
            "{} numbers, pictures of {} pixels along the edge",
            frames.pixels.len(),
            frames.side
        )));
    }
    if !frames.pixels.iter().all(|value| (0.0..=1.0).contains(value)) {
        return Err(error("values beyond 0 to 1".to_owned()));
    }
    let span = |index: usize| index * frames.side / SIDE..(index + 1) * frames.side / SIDE;
    let shrink = |picture: &[f32]| {
        let pixel = |at: usize| {
            let (rows, columns) = (span(at / SIDE), span(at % SIDE));
            let area = (rows.len() * columns.len()) as f32;
            rows.map(|row| picture[row * frames.side..][columns.clone()].iter().sum::<f32>()).sum::<f32>() / area
        };
        (0..PIXELS).map(pixel).collect::<Vec<f32>>()
    };
    Ok(frames.pixels.chunks_exact(pixels).flat_map(shrink).collect())
}

impl Study for Masked {
    fn advance(&mut self) -> Result<(), GalleryError> {
        if self.updates < UPDATES { self.update() } else { Ok(()) }
    }

    fn progress(&self) -> f32 {
        self.updates as f32 / UPDATES as f32
    }

    fn chart(&self) -> Chart {
        let baseline = self.baseline() as f32;
        let errors = vec![
            self.errors[0].line("a batch", Hue::Faint),
            self.errors[1].line("held-out pictures", Hue::Model),
            line("the mean of each patch", vec![[0.0, baseline], [UPDATES as f32, baseline]], Hue::Theory, true),
        ];
        let panels =
            vec![self.tiles(), over_updates("The error on hidden pixels", "mean squared error", UPDATES, true, errors)];
        Chart { title: "A masked autoencoder on pictures of the sandbox".to_owned(), columns: 2, panels }
    }

    fn measures(&self) -> Vec<Measure> {
        let (error, baseline) = (self.judge(), self.baseline());
        vec![
            Measure::plain("error", "mean squared error on hidden pixels of held-out pictures", error),
            Measure::plain("baseline", "the same where each hidden patch is the mean of those in its place", baseline),
            Measure::plain("share_left", "error over baseline: below 1 it knows more than the mean", error / baseline),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::{super::plane::tests::measure, *};

    /// A light box that moves about in a room of grey walls, with a wall across.
    fn frames(count: usize, side: usize) -> Frames {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut pixels = Vec::new();
        for _ in 0..count {
            let [x, y] = [0, 1].map(|_| rng.gen_range(2..side - 10));
            let gap = rng.gen_range(2..side - 10);
            pixels.extend((0..side * side).map(|pixel| {
                let (column, row) = (pixel % side, pixel / side);
                let boxed = (x..x + 8).contains(&column) && (y..y + 8).contains(&row);
                let wall = (side / 2..side / 2 + 3).contains(&column) && !(gap..gap + 8).contains(&row);
                if boxed {
                    1.0
                } else if wall {
                    0.4
                } else {
                    0.0
                }
            }));
        }
        Frames { side, pixels }
    }

    #[test]
    fn beats_the_mean_patch_on_pictures_that_it_never_saw() {
        let settings = Settings { seed: 1, frames: Some(frames(300, 40)), ..Settings::default() };
        let mut study = ENTRY.study(&settings).unwrap();
        // The whole takes longer than a test should.
        while study.progress() < 0.3 {
            study.advance().unwrap();
        }
        assert!(measure(study.as_ref(), "share_left") < 0.9, "{:?}", study.measures());
    }

    #[test]
    fn slopes_by_parameters_agree_with_finite_differences() {
        let settings = Settings { seed: 2, frames: Some(frames(40, 32)), ..Settings::default() };
        let mut model = Masked::new(&settings).unwrap();
        let (picture, hidden) = (model.train[..PIXELS].to_vec(), model.judged[0]);
        let asked: Vec<Asked> = numbers_of(&hidden).into_iter().map(|patch| (&picture[..], &hidden, patch)).collect();
        let slopes = model.energies(&asked, PassTape::default()).sum::<(), _>().backward();
        let weights = model.decoder.layers[0][0].clone();
        let (values, slopes) = (numbers(&weights), numbers(&slopes.get(&weights)));
        for index in [0, 500, 3777] {
            let mut at = |offset: f32| {
                let mut moved = values.clone();
                moved[index] += offset;
                model.decoder.layers[0][0] = matrix(moved, HIDDEN);
                model.energies(&asked, PassTape::default()).sum::<(), _>().array()
            };
            let slope = (at(5e-2) - at(-5e-2)) / 1e-1;
            assert!((slope - slopes[index]).abs() < 1e-4 + 0.05 * slope.abs(), "{slope} against {}", slopes[index]);
        }
    }

    #[test]
    fn says_what_pictures_it_needs() {
        for frames in [None, Some(frames(5, 32)), Some(Frames { side: 40, pixels: vec![2.0; 1600 * 50] })] {
            let settings = Settings { frames, ..Settings::default() };
            let error = ENTRY.study(&settings).err().unwrap().to_string();
            assert!(error.contains("40 square pictures"), "{error}");
        }
    }
}
