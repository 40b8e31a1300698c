//! The colours, in the words of those who draw. Read first: [`forethought_interface::palette`].

use bevy::color::{ColorToPacked, Srgba};
use bevy_egui::egui::Color32;
use forethought_interface::palette as shared;
pub use shared::{DARKEST, ZONE};

/// The future that the agent acts on.
pub const CHOSEN: Srgba = srgb(shared::CHOSEN);
/// The futures that it weighed.
pub const CANDIDATE: Srgba = srgb(shared::CANDIDATE);
/// Where the levels above the first mean to be: the second level's first, then by turns.
pub const SUBGOALS: [Srgba; 3] = [srgb(shared::SUBGOALS[0]), srgb(shared::SUBGOALS[1]), srgb(shared::SUBGOALS[2])];
/// Futures under each value of the latent variable, by turns.
pub const FUTURES: [Srgba; 5] = [
    srgb(shared::FUTURES[0]),
    srgb(shared::FUTURES[1]),
    srgb(shared::FUTURES[2]),
    srgb(shared::FUTURES[3]),
    srgb(shared::FUTURES[4]),
];
/// The lowest energy of a landscape.
pub const LOW_ENERGY: Srgba = srgb(shared::LOW_ENERGY);
/// The highest energy of a landscape.
pub const HIGH_ENERGY: Srgba = srgb(shared::HIGH_ENERGY);
/// Where a body is touched.
pub const CONTACT: Srgba = srgb(shared::CONTACT);
/// Where the agent keeps in mind that something is.
pub const REMEMBERED: Srgba = srgb(shared::REMEMBERED);
/// Sensor rays.
pub const RAY: Srgba = srgb(shared::RAY);
/// Where the agent has really been.
pub const TRAIL: Srgba = srgb(shared::TRAIL);
/// Targets.
pub const TARGET: Srgba = srgb(shared::TARGET);

/// Around the arena.
pub const SURROUND: Srgba = srgb(shared::SURROUND);
/// The arena's floor.
pub const FLOOR: Srgba = srgb(shared::FLOOR);
/// The dark over the arena at night.
pub const NIGHT: Srgba = srgb(shared::NIGHT);
/// A line each metre, or each ten.
pub const GRID: Srgba = srgb(shared::GRID);
/// The arena's boundary, and words.
pub const INK: Srgba = srgb(shared::INK);
/// Words that matter less.
pub const FAINT_INK: Srgba = srgb(shared::FAINT_INK);
/// Behind the panel's words.
pub const PAPER: Srgba = srgb(shared::PAPER);
/// Lines between things.
pub const RULE: Srgba = srgb(shared::RULE);
/// The share of an agent's energy that is in store.
pub const STORE: Srgba = srgb(shared::STORE);
/// It went well.
pub const GOOD: Srgba = srgb(shared::GOOD);
/// It did not.
pub const BAD: Srgba = srgb(shared::BAD);

const fn srgb([red, green, blue]: shared::Color) -> Srgba {
    Srgba::rgb(red as f32 / 255.0, green as f32 / 255.0, blue as f32 / 255.0)
}

/// The same colour in the words' library.
pub fn egui(color: Srgba) -> Color32 {
    let [red, green, blue, alpha] = color.to_u8_array();
    Color32::from_rgba_unmultiplied(red, green, blue, alpha)
}

/// A scenario's colour; what is no colour is grey.
pub fn scenario(rgb: [f32; 3]) -> Srgba {
    let [red, green, blue] = rgb.map(|value| if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.5 });
    Srgba::rgb(red, green, blue)
}

/// Darker, for outlines.
pub fn darker(color: Srgba) -> Srgba {
    Srgba::new(color.red * 0.6, color.green * 0.6, color.blue * 0.6, color.alpha)
}
