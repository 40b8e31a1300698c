//! A picture as plain shapes, so that a chart is laid out once and drawn by whatever draws: a file or a window. Read first:
//! [`Drawing`].

/// A place or a size in pixels, from the upper left corner, y down.
pub type Px = [f32; 2];

/// sRGB.
pub type Rgb = [u8; 3];

/// A picture on white.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drawing {
    /// Its width and height.
    pub size: Px,
    /// From the back to the front.
    pub marks: Vec<Mark>,
}

/// A shape.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// A filled rectangle.
    Rect {
        /// Its upper left corner.
        corner: Px,
        /// Its width and height.
        size: Px,
        /// Its colour.
        color: Rgb,
    },
    /// A filled polygon.
    Polygon {
        /// In order.
        corners: Vec<Px>,
        /// Its colour.
        color: Rgb,
    },
    /// Discs of one size.
    Discs {
        /// Where they are.
        centers: Vec<Px>,
        /// How large.
        radius: f32,
        /// Their colour.
        color: Rgb,
        /// From 0, not to be seen, to 1.
        alpha: f32,
    },
    /// Lines of one kind.
    Lines {
        /// Each through at least two places.
        lines: Vec<Vec<Px>>,
        /// How thick.
        width: f32,
        /// Their colour.
        color: Rgb,
        /// Whether they have gaps.
        dashed: bool,
    },
    /// Words on one line.
    Words {
        /// The words.
        text: String,
        /// Half as high as their capitals.
        at: Px,
        /// Which part of them is there.
        side: Side,
        /// Pixels for an em.
        em: f32,
        /// Whether they are heavier.
        strong: bool,
        /// Their colour.
        color: Rgb,
    },
    /// A picture of pixels.
    Pixels {
        /// Its upper left corner.
        corner: Px,
        /// Its width and height here.
        size: Px,
        /// How many pixels a row has.
        columns: usize,
        /// Red, green, blue and alpha of each pixel, row by row, the highest row first.
        rgba: Vec<u8>,
        /// Whether colours flow from pixel to pixel where it is enlarged.
        smooth: bool,
    },
}

/// Which part of words a place is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// They begin there.
    Left,
    /// Half of them is before it.
    Middle,
    /// They end there.
    Right,
}
