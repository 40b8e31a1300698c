//! Where everything goes in the window, and metres to pixels. Read first: [`Layout`], then [`Mapping`].

use bevy::{
    math::{Rect, Vec2},
    prelude::Resource,
};

/// How the window is divided, in logical pixels from its upper left corner.
#[derive(Resource, Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    /// The whole window.
    pub window: Vec2,
    /// Where the world and the panels are docked. None in a small window, which shows the world alone.
    pub dock: Option<Rect>,
    /// Above the arena: what the lines mean, or how the episode ended. None in a low window.
    pub strip: Option<Rect>,
    /// Where the arena is fitted in.
    pub world: Rect,
    /// The controls. None in a small window.
    pub bar: Option<Rect>,
}

impl Default for Layout {
    fn default() -> Self {
        Self::new(Vec2::new(1280.0, 800.0))
    }
}

impl Layout {
    /// Divide a window of this size; the world gets all but the controls, until it is docked.
    pub fn new(window: Vec2) -> Self {
        let window = window.max(Vec2::ONE);
        let bar_height = if window.y < 260.0 || window.x < 420.0 { 0.0 } else { 46.0 };
        let bottom = window.y - bar_height;
        let rect = |x0, y0, x1, y1| (x1 > x0 && y1 > y0).then(|| Rect::new(x0, y0, x1, y1));
        let above = Rect::new(0.0, 0.0, window.x, bottom);
        let roomy = window.x >= 620.0 && window.y >= 320.0;
        let layout = Self {
            window,
            dock: roomy.then_some(above),
            strip: None,
            world: above,
            bar: rect(0.0, bottom, window.x, window.y),
        };
        layout.with_world(above)
    }

    /// The same with the world docked here.
    pub fn with_world(self, place: Rect) -> Self {
        let strip_height = if place.height() < 280.0 { 0.0 } else { 38.0 };
        let (min, max) = (place.min, place.max.max(place.min + Vec2::ONE));
        let below = Vec2::new(min.x, min.y + strip_height);
        let strip = (strip_height > 0.0).then(|| Rect::from_corners(min, Vec2::new(max.x, below.y)));
        Self { strip, world: Rect::from_corners(below, max), ..self }
    }
}

/// Metres to pixels: one scale for both directions, the arena in the middle of its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mapping {
    /// Logical pixels for a metre.
    pub px_per_m: f32,
    /// The arena's width and height in metres.
    pub size_m: Vec2,
    /// The arena's lower left corner, in logical pixels from the window's upper left corner.
    origin: Vec2,
    window: Vec2,
}

impl Mapping {
    /// Fit an arena of this size into the layout.
    pub fn new(size_m: [f32; 2], layout: &Layout) -> Self {
        let size_m = Vec2::from(size_m.map(|side| if side.is_finite() && side > 0.0 { side } else { 1.0 }));
        let place = layout.world;
        let margin = (place.size().min_element() * 0.04).clamp(2.0, 18.0);
        // Under a strip the margin would be a second one.
        let top = if layout.strip.is_some() { 2.0 } else { margin };
        let (min, max) = (place.min + Vec2::new(margin, top), place.max - Vec2::splat(margin));
        let px_per_m = ((max - min).max(Vec2::ONE) / size_m).min_element();
        let middle = (min + max) / 2.0;
        let origin = middle + Vec2::new(-size_m.x, size_m.y) * px_per_m / 2.0;
        Self { px_per_m, size_m, origin, window: layout.window }
    }

    /// Logical pixels from the window's upper left corner, y down: where words go.
    pub fn to_screen(self, position_m: impl Into<Vec2>) -> Vec2 {
        let position = position_m.into() * self.px_per_m;
        self.origin + Vec2::new(position.x, -position.y)
    }

    /// Back from there to metres.
    pub fn to_metres(self, screen: Vec2) -> Vec2 {
        let offset = (screen - self.origin) / self.px_per_m;
        Vec2::new(offset.x, -offset.y)
    }

    /// Logical pixels from the window's middle, y up: where meshes go.
    pub fn to_canvas(self, position_m: impl Into<Vec2>) -> Vec2 {
        let screen = self.to_screen(position_m);
        Vec2::new(screen.x - self.window.x / 2.0, self.window.y / 2.0 - screen.y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arena_keeps_its_shape_and_its_place() {
        for window in [[1280.0, 800.0], [900.0, 600.0], [700.0, 1200.0], [430.0, 270.0], [200.0, 100.0], [1.0, 1.0]] {
            let layout = Layout::new(Vec2::from(window));
            for size_m in [[10.0, 10.0], [20.0, 5.0], [1.0, 3.0]] {
                let mapping = Mapping::new(size_m, &layout);
                let (low, high) = (mapping.to_screen([0.0, 0.0]), mapping.to_screen(size_m));
                let shape = Vec2::new(high.x - low.x, low.y - high.y) / Vec2::from(size_m);
                assert!((shape.x - shape.y).abs() < 1e-3 * shape.x, "{window:?} {size_m:?}: {shape}");
                if window[0] > 10.0 {
                    let seen = Rect::from_corners(low, high);
                    assert!(layout.world.inflate(1e-3).contains(seen.min), "{window:?} {seen:?}");
                    assert!(layout.world.inflate(1e-3).contains(seen.max), "{window:?} {seen:?}");
                }
            }
        }
    }

    #[test]
    fn canvas_is_centred_with_y_up() {
        let layout = Layout::new(Vec2::new(400.0, 200.0));
        assert_eq!((layout.dock, layout.bar, layout.strip), (None, None, None));
        let mapping = Mapping::new([4.0, 2.0], &layout);
        assert!(mapping.to_canvas([2.0, 1.0]).length() < 1e-3);
        let back = mapping.to_metres(mapping.to_screen([0.3, 1.7]));
        assert!((back - Vec2::new(0.3, 1.7)).length() < 1e-4);
        assert!(mapping.to_canvas([2.0, 2.0]).y > 0.0 && mapping.to_canvas([4.0, 1.0]).x > 0.0);
    }

    #[test]
    fn the_world_is_where_it_is_docked() {
        let place = Rect::new(300.0, 20.0, 900.0, 640.0);
        let layout = Layout::default().with_world(place);
        let mapping = Mapping::new([10.0, 10.0], &layout);
        let seen = Rect::from_corners(mapping.to_screen([0.0, 0.0]), mapping.to_screen([10.0, 10.0]));
        assert!(place.contains(seen.min) && place.contains(seen.max), "{seen:?}");
        assert!(layout.strip.is_some_and(|strip| strip.max.y <= seen.min.y));
        let flat = layout.with_world(Rect::new(10.0, 10.0, 10.0, 10.0));
        assert!(Mapping::new([10.0, 10.0], &flat).px_per_m.is_finite());
    }

    #[test]
    fn a_bad_size_still_maps() {
        let mapping = Mapping::new([0.0, f32::NAN], &Layout::default());
        assert!(mapping.px_per_m.is_finite() && mapping.to_screen([0.5, 0.5]).is_finite());
    }
}
