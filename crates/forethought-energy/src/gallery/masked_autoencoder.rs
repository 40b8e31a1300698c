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
    about: "Patches of a picture of the sandbox are hidden, and a network says them from those that are left: F(x, y) is the squared \
            error of what it says, x the visible patches and y the hidden ones. It must have learned how bodies and walls go on. It \
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
const HIDDEN: usize = 160;
const CODE: usize = 64;
const BATCH: usize = 32;
const UPDATES: usize = 1500;
const RATE: f32 = 1.5e-3;
/// Updates from one look at held-out pictures to the next.
const LOOK: usize = 50;
/// Pictures that are shown.
const SHOWN: usize = 6;

/// Encoder and decoder, and the pictures.
struct Masked {
    /// From visible pixels and which patches they are of to a code.
    encoder: Network,
    /// From the code to all pixels, as differences from the mean picture.
    decoder: Network,
    adam: Adam,
    share: f64,
    train: Vec<f32>,
    held_out: Vec<f32>,
    /// Which pixels of the held-out pictures are hidden, always the same.
    judged: Vec<bool>,
    /// The mean of the pictures that are learned from.
    mean: Vec<f32>,
    errors: [History; 2],
    updates: usize,
    rng: ChaCha8Rng,
}

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
        let judged = held_out.chunks_exact(PIXELS).flat_map(|_| hidden_pixels(share, &mut rng)).collect();
        Ok(Self {
            encoder: Network::random(&[PIXELS + PATCHES, HIDDEN, CODE], Activation::Silu, &mut rng),
            decoder: Network::random(&[CODE, HIDDEN, PIXELS], Activation::Silu, &mut rng),
            adam: Adam::new(RATE),
            share,
            train: train.to_vec(),
            held_out: held_out.to_vec(),
            judged,
            mean,
            errors: <[History; 2]>::default(),
            updates: 0,
            rng,
        })
    }

    /// What the encoder sees: visible pixels as differences from the mean, hidden ones zero, and a 1 for each hidden patch.
    fn seen(&self, pictures: &[f32], hidden: &[bool]) -> Matrix {
        let mut rows = Vec::with_capacity(pictures.len() / PIXELS * (PIXELS + PATCHES));
        for (picture, hidden) in pictures.chunks_exact(PIXELS).zip(hidden.chunks_exact(PIXELS)) {
            let pixels = picture.iter().zip(&self.mean).zip(hidden);
            rows.extend(pixels.map(|((value, mean), hidden)| if *hidden { 0.0 } else { value - mean }));
            let corner = |patch: usize| patch / ACROSS * PATCH * SIDE + patch % ACROSS * PATCH;
            rows.extend((0..PATCHES).map(|patch| f32::from(u8::from(hidden[corner(patch)]))));
        }
        matrix(rows, PIXELS + PATCHES)
    }

    /// `F(x, y)` of each picture, `[pictures]`: the mean squared error over its hidden pixels.
    fn energies(&self, pictures: &[f32], hidden: &[bool], tape: PassTape) -> TapedColumn {
        let code = self.encoder.forward(self.seen(pictures, hidden).put_tape(tape));
        let said = self.decoder.forward(code);
        let mut wanted = Vec::with_capacity(pictures.len());
        let mut weights = Vec::with_capacity(pictures.len());
        for (picture, hidden) in pictures.chunks_exact(PIXELS).zip(hidden.chunks_exact(PIXELS)) {
            wanted.extend(picture.iter().zip(&self.mean).map(|(value, mean)| value - mean));
            let weight = 1.0 / hidden.iter().filter(|hidden| **hidden).count().max(1) as f32;
            weights.extend(hidden.iter().map(|hidden| if *hidden { weight } else { 0.0 }));
        }
        ((said - matrix(wanted, PIXELS)).square() * matrix(weights, PIXELS)).sum::<_, Axis<1>>()
    }

    fn update(&mut self) -> Result<(), GalleryError> {
        let mut batch = Vec::with_capacity(BATCH * PIXELS);
        let mut hidden = Vec::with_capacity(BATCH * PIXELS);
        for _ in 0..BATCH {
            let at = self.rng.gen_range(0..self.train.len() / PIXELS) * PIXELS;
            batch.extend_from_slice(&self.train[at..at + PIXELS]);
            hidden.extend(hidden_pixels(self.share, &mut self.rng));
        }
        let loss = self.energies(&batch, &hidden, PassTape::default()).mean();
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

    /// The mean energy of held-out pictures.
    fn judge(&self) -> f64 {
        let energies = numbers(&self.energies(&self.held_out, &self.judged, PassTape::default()));
        energies.iter().map(|energy| f64::from(*energy)).sum::<f64>() / energies.len().max(1) as f64
    }

    /// The same for the mean of each patch over the pictures that are learned from, in its own place.
    fn baseline(&self) -> f64 {
        let pictures = self.held_out.chunks_exact(PIXELS).zip(self.judged.chunks_exact(PIXELS));
        let error = |(picture, hidden): (&[f32], &[bool])| {
            let pixels = picture.iter().zip(&self.mean).zip(hidden).filter(|(_, hidden)| **hidden);
            let squares: f64 = pixels.map(|((value, mean), _)| f64::from(value - mean).powi(2)).sum();
            squares / hidden.iter().filter(|hidden| **hidden).count().max(1) as f64
        };
        pictures.clone().map(error).sum::<f64>() / pictures.count().max(1) as f64
    }

    fn tiles(&self) -> Panel {
        let count = self.held_out.len() / PIXELS;
        let chosen: Vec<usize> = (0..SHOWN.min(count)).map(|index| index * count / SHOWN.min(count)).collect();
        let cut = |all: &[f32], at: usize| all[at * PIXELS..(at + 1) * PIXELS].to_vec();
        let mut rows = [const { Vec::new() }; 3];
        for at in chosen {
            let (picture, hidden) = (cut(&self.held_out, at), &self.judged[at * PIXELS..(at + 1) * PIXELS]);
            let code = self.encoder.apply(&self.seen(&picture, hidden));
            let said = numbers(&self.decoder.apply(&code));
            let masked = picture.iter().zip(hidden).map(|(value, hidden)| if *hidden { 0.5 } else { *value }).collect();
            let pixels = picture.iter().zip(hidden).zip(said.iter().zip(&self.mean));
            let whole = pixels
                .map(|((value, hidden), (said, mean))| if *hidden { (said + mean).clamp(0.0, 1.0) } else { *value });
            let whole = whole.collect();
            [picture, masked, whole].into_iter().zip(&mut rows).for_each(|(image, row)| row.push(image));
        }
        let names = ["held-out picture", "what is left of it", "what is said"];
        let captions = rows.iter().zip(names).flat_map(|(row, name)| vec![name.to_owned(); row.len()]).collect();
        let across = rows[0].len().max(1);
        let images = rows.into_iter().flatten().collect();
        Panel {
            title: "Pictures that it never saw".to_owned(),
            layers: vec![Layer::Tiles { images, width: SIDE, across, captions }],
            ..Panel::default()
        }
    }
}

/// Which pixels are hidden: whole patches, drawn anew, that share of them.
fn hidden_pixels(share: f64, rng: &mut ChaCha8Rng) -> Vec<bool> {
    let mut patches = [false; PATCHES];
    let count = (share * PATCHES as f64).round().clamp(1.0, PATCHES as f64 - 1.0) as usize;
    patches[..count].fill(true);
    patches.shuffle(rng);
    (0..PIXELS).map(|pixel| patches[pixel / SIDE / PATCH * ACROSS + pixel % SIDE / PATCH]).collect()
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
        let (pictures, hidden) = (model.train[..2 * PIXELS].to_vec(), model.judged[..2 * PIXELS].to_vec());
        let slopes = model.energies(&pictures, &hidden, PassTape::default()).sum::<(), _>().backward();
        let weights = model.decoder.layers[0][0].clone();
        let (values, slopes) = (numbers(&weights), numbers(&slopes.get(&weights)));
        for index in [0, 500, 7777] {
            let mut at = |offset: f32| {
                let mut moved = values.clone();
                moved[index] += offset;
                model.decoder.layers[0][0] = matrix(moved, HIDDEN);
                model.energies(&pictures, &hidden, PassTape::default()).sum::<(), _>().array()
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
