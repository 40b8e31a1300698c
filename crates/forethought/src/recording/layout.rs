//! Where everything goes in a picture, and metres to pixels. Read first: [`Layout`].

use super::canvas::Px;
use forethought_interface::{Pose, Scene};

/// Pictures narrower than this have no words.
const WORDS_FROM_PX: u16 = 300;
/// The arena is at most so many times as high as the picture is wide.
const HIGHEST: f32 = 1.5;
/// The width at which words are as large as they are written down in `caption.rs`.
const WORDS_WIDTH_PX: f32 = 480.0;

/// How a picture is divided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    /// The whole picture, in pixels.
    pub size: [u16; 2],
    /// Pixels for a metre.
    pub px_per_m: f32,
    /// How thick lines are: 1 is as in a window of usual size.
    pub pen: f32,
    /// How large words are, where there are any.
    pub words: Option<f32>,
    /// The arena's width and height in metres.
    pub size_m: [f32; 2],
    /// The arena's lower left corner.
    origin: Px,
}

impl Layout {
    /// For a picture of this width; `lines` of words go below the arena.
    pub fn new(scene: &Scene, width: u16, lines: u8) -> Self {
        let words = (width >= WORDS_FROM_PX).then_some(f32::from(width) / WORDS_WIDTH_PX);
        Self::around(scene, width, words, lines)
    }

    /// For a picture of this width without any words.
    pub fn wordless(scene: &Scene, width: u16) -> Self {
        Self::around(scene, width, None, 0)
    }

    fn around(scene: &Scene, width: u16, words: Option<f32>, lines: u8) -> Self {
        let size_m = sound(scene);
        let across = f32::from(width);
        let margin = words.map_or(2.0, |scale| (12.0 * scale).round());
        let [above, below] = match words {
            Some(scale) => [52.0 * scale, (8.0 + 20.0 * f32::from(lines)) * scale].map(f32::round),
            None => [margin, margin],
        };
        let px_per_m = ((across - 2.0 * margin) / size_m[0]).min(HIGHEST * across / size_m[1]).max(0.01);
        let arena = [size_m[0] * px_per_m, (size_m[1] * px_per_m).round()];
        let origin = [((across - arena[0]) / 2.0).round(), above + arena[1]];
        let size = [width, (origin[1] + below) as u16];
        Self { size, px_per_m, pen: pen(arena), words, size_m, origin }
    }

    /// For a picture of this size without words, the arena as large as it can be in its middle.
    pub fn within(scene: &Scene, size: [u16; 2]) -> Self {
        let size_m = sound(scene);
        let [across, down] = size.map(f32::from);
        let px_per_m = (across / size_m[0]).min(down / size_m[1]);
        let arena = size_m.map(|side| side * px_per_m);
        let origin = [(across - arena[0]) / 2.0, (down + arena[1]) / 2.0];
        Self { size, px_per_m, pen: pen(arena), words: None, size_m, origin }
    }

    /// From metres to pixels.
    pub fn px(&self, [x, y]: [f32; 2]) -> Px {
        [self.origin[0] + x * self.px_per_m, self.origin[1] - y * self.px_per_m]
    }

    /// From a body's own frame to pixels.
    pub fn place(&self, pose: Pose, [x, y]: [f32; 2]) -> Px {
        let (sin, cos) = pose.angle_rad.sin_cos();
        self.px([pose.position_m[0] + cos * x - sin * y, pose.position_m[1] + sin * x + cos * y])
    }

    /// The arena's corners.
    pub fn arena(&self) -> [Px; 4] {
        let [width, height] = self.size_m;
        [[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]].map(|corner| self.px(corner))
    }
}

/// The arena's width and height in metres, where these can be.
fn sound(scene: &Scene) -> [f32; 2] {
    scene.size_m.map(|side| if side.is_finite() && side > 0.0 { side } else { 1.0 })
}

/// How thick lines are in an arena of this size in pixels.
fn pen(arena: [f32; 2]) -> f32 {
    (arena[0].max(arena[1]) / 690.0).clamp(0.4, 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arena_is_inside_and_keeps_its_shape() {
        for size_m in [[10.0, 10.0], [20.0, 5.0], [1.0, 3.0], [0.1, 90.0], [f32::NAN, 0.0]] {
            let scene = Scene { size_m, ..Scene::default() };
            for width in [64, 160, 299, 300, 480, 1920] {
                let layout = Layout::new(&scene, width, 4);
                let [left, top] = layout.px([0.0, layout.size_m[1]]);
                let [right, bottom] = layout.px([layout.size_m[0], 0.0]);
                assert!(left >= 0.0 && top >= 0.0, "{size_m:?} {layout:?}");
                assert!(right <= width.into() && bottom <= layout.size[1].into(), "{size_m:?} {layout:?}");
                assert!(right - left > 0.0 && layout.size[1] <= 2 * width, "{size_m:?} {layout:?}");
                assert_eq!(layout.words.is_some(), width >= 300);
            }
        }
    }

    #[test]
    fn the_arena_fills_a_picture_of_a_given_size() {
        for (size_m, size) in [([10.0, 10.0], [64, 64]), ([20.0, 5.0], [64, 64]), ([10.0, 10.0], [96, 64])] {
            let layout = Layout::within(&Scene { size_m, ..Scene::default() }, size);
            let [left, top] = layout.px([0.0, size_m[1]]);
            let [right, bottom] = layout.px([size_m[0], 0.0]);
            let [width, height] = size.map(f32::from);
            let near = |a: f32, b: f32| (a - b).abs() < 1e-3;
            assert!(near(left, width - right) && near(top, height - bottom), "{size_m:?} {layout:?}");
            assert!(near(right - left, width) || near(bottom - top, height), "{size_m:?} {layout:?}");
            assert!(left > -1e-3 && top > -1e-3 && layout.size == size);
        }
    }

    #[test]
    fn poses_place_parts() {
        let layout = Layout::new(&Scene { size_m: [10.0, 10.0], ..Scene::default() }, 480, 4);
        let pose = Pose { position_m: [5.0, 5.0], angle_rad: std::f32::consts::FRAC_PI_2 };
        let (placed, expected) = (layout.place(pose, [1.0, 0.0]), layout.px([5.0, 6.0]));
        assert!((placed[0] - expected[0]).abs() < 1e-3 && (placed[1] - expected[1]).abs() < 1e-3);
    }
}
