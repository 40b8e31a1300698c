//! A GIF that is written frame by frame, so that memory stays as it is however long the episode. Read first: [`Film::add`].

use super::{
    canvas::Canvas,
    palette::{Table, UNCHANGED},
};
use gif::{DisposalMethod, Encoder, EncodingError, Frame, Repeat};
use std::{
    borrow::Cow,
    io::{self, Write},
};

/// A film under way, which starts again at its end.
pub struct Film<W: Write> {
    encoder: Encoder<W>,
    table: Table,
    size: [u16; 2],
    /// The latest frame, as entries of the table.
    shown: Vec<u8>,
    frames: u64,
}

/// Where something changed: left, top, width, height.
type Area = [usize; 4];

impl<W: Write> Film<W> {
    /// Begin a film of this size whose colours are all in the table.
    pub fn begin(to: W, size: [u16; 2], table: Table) -> io::Result<Self> {
        let mut encoder = Encoder::new(to, size[0], size[1], &table.bytes()).map_err(told)?;
        encoder.set_repeat(Repeat::Infinite).map_err(told)?;
        Ok(Self { encoder, table, size, shown: Vec::new(), frames: 0 })
    }

    /// One more frame, in sight for so many hundredths of a second. Only what changed is written.
    pub fn add(&mut self, canvas: &Canvas, delay: u16) -> io::Result<()> {
        let table = &mut self.table;
        let mut latest = ([0; 3], UNCHANGED);
        let now: Vec<u8> = canvas
            .colors()
            .map(|color| {
                // Most pixels are as the one before them.
                if latest.1 == UNCHANGED || latest.0 != color {
                    latest = (color, table.nearest(color));
                }
                latest.1
            })
            .collect();
        let area = self.changed(&now);
        let [left, top, width, height] = area.map(|number| number as u16);
        let buffer = Cow::Owned(self.difference(&now, area));
        let frame = Frame {
            delay,
            dispose: DisposalMethod::Keep,
            transparent: Some(UNCHANGED),
            left,
            top,
            width,
            height,
            buffer,
            ..Frame::default()
        };
        self.encoder.write_frame(&frame).map_err(told)?;
        self.shown = now;
        self.frames += 1;
        Ok(())
    }

    /// How many frames there are.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Write the end, and give back what it was written to.
    pub fn end(self) -> io::Result<W> {
        self.encoder.into_inner().map_err(told)
    }

    /// The smallest area that holds all that changed; a pixel where nothing did.
    fn changed(&self, now: &[u8]) -> Area {
        let [width, height] = self.size.map(usize::from);
        if self.shown.len() != now.len() {
            return [0, 0, width, height];
        }
        let (mut low, mut high) = ([width, height], [0, 0]);
        for (y, (before, now)) in self.shown.chunks(width).zip(now.chunks(width)).enumerate() {
            let differs = |x: &usize| before[*x] != now[*x];
            let Some(first) = (0..width).find(differs) else { continue };
            let last = (first..width).rev().find(differs).unwrap_or(first);
            low = [low[0].min(first), low[1].min(y)];
            high = [high[0].max(last), y];
        }
        if low[0] > high[0] {
            return [0, 0, 1, 1];
        }
        [low[0], low[1], high[0] - low[0] + 1, high[1] - low[1] + 1]
    }

    /// What is in this area, without what was there before: long runs of nothing take little room.
    fn difference(&self, now: &[u8], [left, top, width, height]: Area) -> Vec<u8> {
        let across = usize::from(self.size[0]);
        let rows = (top..top + height).map(|y| y * across + left..y * across + left + width);
        rows.flatten()
            .map(|index| if self.shown.get(index) == Some(&now[index]) { UNCHANGED } else { now[index] })
            .collect()
    }
}

/// What the disk said, where it was the disk.
fn told(error: EncodingError) -> io::Error {
    match error {
        EncodingError::Io(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::palette::{CHOSEN, Color},
        *,
    };
    use forethought_interface::Scene;

    fn canvas(x: f32) -> Canvas {
        let mut canvas = Canvas::new(64, 40).unwrap();
        canvas.clear([255; 3]);
        canvas.disc([x, 20.0], 8.0, CHOSEN, 1.0);
        canvas
    }

    fn film(to: Vec<u8>) -> Film<Vec<u8>> {
        Film::begin(to, [64, 40], Table::of(&Scene::default(), false)).unwrap()
    }

    #[test]
    fn frames_come_back_as_they_were_drawn() {
        let mut film = film(Vec::new());
        let places = [10.0, 12.0, 12.0, 50.0];
        for (x, delay) in places.into_iter().zip(7..) {
            film.add(&canvas(x), delay).unwrap();
        }
        assert_eq!(film.frames(), 4);
        let bytes = film.end().unwrap();

        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(bytes.as_slice()).unwrap();
        let mut shown = vec![0; 64 * 40 * 4];
        for (x, delay) in places.into_iter().zip(7..) {
            let frame = decoder.read_next_frame().unwrap().unwrap();
            assert_eq!(frame.delay, delay);
            let [left, top, width] = [frame.left, frame.top, frame.width].map(usize::from);
            for (index, pixel) in frame.buffer.chunks(4).enumerate().filter(|(_, pixel)| pixel[3] > 0) {
                let at = 4 * ((top + index / width) * 64 + left + index % width);
                shown[at..at + 4].copy_from_slice(pixel);
            }
            let middle = 4 * (20 * 64 + x as usize);
            assert_eq!(shown[middle..middle + 3], CHOSEN);
            let drawn: Vec<Color> = canvas(x).colors().collect();
            let off = drawn
                .iter()
                .zip(shown.chunks(4))
                .filter(|(drawn, shown)| drawn.iter().zip(*shown).any(|(drawn, shown)| drawn.abs_diff(*shown) > 60));
            assert_eq!(off.count(), 0, "at {x}");
        }
        assert!(decoder.read_next_frame().unwrap().is_none());
    }

    #[test]
    fn what_stands_still_takes_no_room() {
        let sizes = [1, 2, 3].map(|frames| {
            let mut film = film(Vec::new());
            (0..frames).for_each(|_| film.add(&canvas(30.0), 10).unwrap());
            film.end().unwrap().len()
        });
        assert!(sizes[2] - sizes[1] == sizes[1] - sizes[0] && sizes[2] - sizes[1] < 40, "{sizes:?}");
    }

    /// A disk with room for so many bytes.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_told() {
        let mut film = Film::begin(Full(1500), [64, 40], Table::of(&Scene::default(), false)).unwrap();
        let told = (0_u8..60).find_map(|step| film.add(&canvas(f32::from(step)), 10).err());
        assert_eq!(told.unwrap().kind(), io::ErrorKind::StorageFull);
    }
}
