//! Raster: a picture of the world from above, drawn on the CPU. Read first: [`RasterSpec`].

use forethought_interface::impl_numbers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Channel `raster.rgb` `[height_px, width_px, 3]`: linear colour in `[0, 1]`, the whole arena, first row at the top.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RasterSpec {
    /// The picture's width in pixels.
    pub width_px: u32,
    /// The picture's height in pixels.
    pub height_px: u32,
}

impl Default for RasterSpec {
    fn default() -> Self {
        Self { width_px: 64, height_px: 64 }
    }
}

impl_numbers!(
    struct RasterSpec {}
);
