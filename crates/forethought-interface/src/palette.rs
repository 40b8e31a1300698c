//! The colours of the window and of recordings: Okabe and Ito's, which people with any colour vision can tell apart. Read first:
//! [`CHOSEN`].

/// sRGB, a byte for each channel.
pub type Color = crate::Rgb;

/// The future that the agent acts on.
pub const CHOSEN: Color = [0xd5, 0x5e, 0x00];
/// The futures that it weighed.
pub const CANDIDATE: Color = [0x00, 0x72, 0xb2];
/// Where the levels above the first mean to be: the second level's first, then by turns.
pub const SUBGOALS: [Color; 3] = [[0xcc, 0x79, 0xa7], [0x56, 0xb4, 0xe9], [0x8f, 0x84, 0x00]];
/// Futures under each value of the latent variable, by turns.
pub const FUTURES: [Color; 5] =
    [[0xd5, 0x5e, 0x00], [0x00, 0x72, 0xb2], [0x00, 0x9e, 0x73], [0xcc, 0x79, 0xa7], [0x8f, 0x84, 0x00]];
/// The lowest energy of a landscape.
pub const LOW_ENERGY: Color = [0xff, 0xff, 0xff];
/// The highest energy of a landscape.
pub const HIGH_ENERGY: Color = [0x5b, 0x3a, 0x7e];
/// Where a body is touched.
pub const CONTACT: Color = [0xb8, 0x3a, 0x00];
/// Where the agent keeps in mind that something is.
pub const REMEMBERED: Color = [0x00, 0x72, 0xb2];
/// Sensor rays.
pub const RAY: Color = [0xe6, 0x9f, 0x00];
/// Where the agent has really been.
pub const TRAIL: Color = [0x33, 0x3a, 0x42];
/// Targets.
pub const TARGET: Color = [0x00, 0x9e, 0x73];

/// Around the arena.
pub const SURROUND: Color = [0xe7, 0xea, 0xee];
/// The arena's floor.
pub const FLOOR: Color = [0xff, 0xff, 0xff];
/// The dark over the arena at night.
pub const NIGHT: Color = [0x14, 0x1c, 0x3c];
/// A line each metre, or each ten.
pub const GRID: Color = [0xee, 0xf0, 0xf3];
/// The arena's boundary, and words.
pub const INK: Color = [0x1d, 0x23, 0x2a];
/// Words that matter less.
pub const FAINT_INK: Color = [0x55, 0x5f, 0x6b];
/// Behind the panel's words.
pub const PAPER: Color = [0xfa, 0xfb, 0xfc];
/// Lines between things.
pub const RULE: Color = [0xcf, 0xd5, 0xdc];
/// The share of an agent's energy that is in store.
pub const STORE: Color = [0xe6, 0x9f, 0x00];
/// It went well.
pub const GOOD: Color = [0x00, 0x7a, 0x5a];
/// It did not.
pub const BAD: Color = [0xb8, 0x3a, 0x00];

/// How strong a zone's colour is, and its edge's.
pub const ZONE: [f32; 2] = [0.35, 0.7];
/// How dark the darkest night is.
pub const DARKEST: f32 = 0.55;
