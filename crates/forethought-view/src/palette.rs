//! The colours: Okabe and Ito's, which people with any colour vision can tell apart. Read first: [`CHOSEN`].

use bevy::color::{ColorToPacked, Srgba};
use bevy_egui::egui::Color32;

/// The future that the agent acts on.
pub const CHOSEN: Srgba = srgb(0xd5, 0x5e, 0x00);
/// The futures that it weighed.
pub const CANDIDATE: Srgba = srgb(0x00, 0x72, 0xb2);
/// Where the levels above the first mean to be: the second level's first, then by turns.
pub const SUBGOALS: [Srgba; 3] = [srgb(0xcc, 0x79, 0xa7), srgb(0x56, 0xb4, 0xe9), srgb(0x8f, 0x84, 0x00)];
/// Futures under each value of the latent variable, by turns.
pub const FUTURES: [Srgba; 5] = [
    srgb(0xd5, 0x5e, 0x00),
    srgb(0x00, 0x72, 0xb2),
    srgb(0x00, 0x9e, 0x73),
    srgb(0xcc, 0x79, 0xa7),
    srgb(0x8f, 0x84, 0x00),
];
/// The lowest energy of a landscape.
pub const LOW_ENERGY: Srgba = srgb(0xff, 0xff, 0xff);
/// The highest energy of a landscape.
pub const HIGH_ENERGY: Srgba = srgb(0x5b, 0x3a, 0x7e);
/// Where a body is touched.
pub const CONTACT: Srgba = srgb(0xb8, 0x3a, 0x00);
/// Where the agent keeps in mind that something is.
pub const REMEMBERED: Srgba = srgb(0x00, 0x72, 0xb2);
/// Sensor rays.
pub const RAY: Srgba = srgb(0xe6, 0x9f, 0x00);
/// Where the agent has really been.
pub const TRAIL: Srgba = srgb(0x33, 0x3a, 0x42);
/// Targets.
pub const TARGET: Srgba = srgb(0x00, 0x9e, 0x73);

/// Around the arena.
pub const SURROUND: Srgba = srgb(0xe7, 0xea, 0xee);
/// The arena's floor.
pub const FLOOR: Srgba = srgb(0xff, 0xff, 0xff);
/// The dark over the arena at night.
pub const NIGHT: Srgba = srgb(0x14, 0x1c, 0x3c);
/// A line each metre, or each ten.
pub const GRID: Srgba = srgb(0xee, 0xf0, 0xf3);
/// The arena's boundary, and words.
pub const INK: Srgba = srgb(0x1d, 0x23, 0x2a);
/// Words that matter less.
pub const FAINT_INK: Srgba = srgb(0x55, 0x5f, 0x6b);
/// Behind the panel's words.
pub const PAPER: Srgba = srgb(0xfa, 0xfb, 0xfc);
/// Lines between things.
pub const RULE: Srgba = srgb(0xcf, 0xd5, 0xdc);
/// The share of an agent's energy that is in store.
pub const STORE: Srgba = srgb(0xe6, 0x9f, 0x00);
/// It went well.
pub const GOOD: Srgba = srgb(0x00, 0x7a, 0x5a);
/// It did not.
pub const BAD: Srgba = srgb(0xb8, 0x3a, 0x00);

const fn srgb(red: u8, green: u8, blue: u8) -> Srgba {
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
