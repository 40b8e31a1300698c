//! Charts as pictures. Read first: [`draw`] lays a chart out as plain shapes, which [`svg`], [`png`] and the window draw alike.

mod axis;
mod bar_words;
mod colors;
mod legend;
mod lines;
mod page;
mod panel;
mod png;
mod svg;
#[cfg(test)]
mod tests;
mod tiles;
mod words;

pub use axis::number;
pub use page::{Room, draw};
pub use png::png;
pub use svg::svg;

use crate::{
    error::Error,
    files::{make_folder, write_whole},
};
use forethought_interface::Chart;
use std::path::Path;

/// How wide pictures are without being told, in pixels.
pub const WIDTH_PX: u16 = 960;

/// What a file with a picture of a chart is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Shapes
    Svg,
    /// Pixels
    Png,
}

impl Format {
    /// How the name of such a file ends.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}

/// Write the picture of a chart.
///
/// # Errors
/// Where the file cannot be written.
pub fn write(path: &Path, format: Format, chart: &Chart, width_px: u16) -> Result<(), Error> {
    let drawing = draw(chart, Room { width: width_px.into(), height: None });
    let bytes = match format {
        Format::Svg => svg(&drawing).into_bytes(),
        Format::Png => png(&drawing).map_err(Error::io("draw", path))?,
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)?;
    }
    write_whole(path, &bytes)
}
