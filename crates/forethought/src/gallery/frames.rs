//! Small grey pictures of the sandbox, to learn from. Read first: [`frames`].

use crate::{
    episode::Runner,
    error::Error,
    locate, picture,
    recording::Portrait,
    setup::{Setup, SetupOptions},
};
use forethought_energy::gallery::Frames;
use forethought_interface::Detail;
use forethought_mind::actor::planners::PlannerName;
use std::sync::Arc;

/// What is looked at.
const SCENARIO: &str = "two_rooms";
/// How many pixels an edge has.
const SIDE: usize = 32;
/// Each pixel is the mean of so many in both directions.
const FINER: usize = 4;
/// Worlds, pictures of each, and control steps from picture to picture.
const EPISODES: u64 = 64;
const EACH: u32 = 10;
const APART: u32 = 10;

/// Pictures of two_rooms, in which the agent walks at random; the same seed gives the same pictures.
///
/// # Errors
/// Where the scenario is not there or the world fails.
pub fn frames(seed: u64) -> Result<Frames, Error> {
    let chosen = SetupOptions { actor: Some(PlannerName::Random), seed, ..SetupOptions::default() };
    let setup = Arc::new(Setup::load(&locate::scenario_file(SCENARIO)?, &chosen)?);
    let mut runner = Runner::new(setup.clone(), Detail::Brief);
    let fine = u16::try_from(SIDE * FINER).unwrap_or(u16::MAX);
    let mut pixels = vec![];
    for index in 0..EPISODES {
        let mut current = runner.begin(index)?;
        let mut portrait = Portrait::within(picture::scene(&setup, &current.drawn, index), [fine; 2])?;
        let mut taken = 0;
        loop {
            let record = runner.sandbox().record();
            if record.step == taken * APART {
                portrait.draw(record);
                pixels.extend(smaller(&portrait));
                taken += 1;
            }
            if taken == EACH || runner.step(&mut current)?.is_some() {
                break;
            }
        }
    }
    Ok(Frames { side: SIDE, pixels })
}

/// The world in grey, each pixel the mean of a square.
fn smaller(portrait: &Portrait) -> Vec<f32> {
    let grey: Vec<f32> = portrait
        .pixels()
        .map(|[red, green, blue]| (0.299 * f32::from(red) + 0.587 * f32::from(green) + 0.114 * f32::from(blue)) / 255.0)
        .collect();
    let width = SIDE * FINER;
    let square = |row: usize, column: usize| {
        let rows = (0..FINER).map(move |down| (row * FINER + down) * width + column * FINER);
        rows.map(|from| grey[from..from + FINER].iter().sum::<f32>()).sum::<f32>() / (FINER * FINER) as f32
    };
    (0..SIDE)
        .flat_map(|row| (0..SIDE).map(move |column| (row, column)))
        .map(|(row, column)| square(row, column))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_pictures() {
        let first = frames(1).unwrap();
        assert_eq!(first, frames(1).unwrap());
        assert_ne!(first, frames(2).unwrap());
        let pictures = first.pixels.chunks_exact(SIDE * SIDE);
        assert!(pictures.remainder().is_empty() && pictures.len() > 300);
        assert!(first.pixels.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
        for picture in pictures {
            assert!(picture.iter().any(|pixel| *pixel > 0.9), "there is no floor");
            assert!(picture.iter().any(|pixel| *pixel < 0.6), "there is no wall");
        }
    }
}
