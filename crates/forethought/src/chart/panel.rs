//! One pair of axes with what lies on them. Read first: [`Plot::draw`].

use super::{
    axis::{Axis, number},
    bar_words::BarWords,
    colors::{self, Shades},
    legend::Legend,
    lines::{Frame, segment_within, within},
    words::{LABEL, Pen, TICK, words},
};
use forethought_interface::{Hue, Layer, Mark, Panel, Px, Rgb, Side};

/// From the frame to what stands at its ticks.
const TO_TICKS: f32 = 5.0;
/// How wide the bar is that explains a heat map's colours.
const COLOR_BAR: f32 = 10.0;
/// How high a plot is for its width, unless units are as long on both axes.
const RATIO: f32 = 0.66;
/// No plot is higher for its width.
const HIGHEST: f32 = 1.25;
/// Ticks that there is room for at most.
const TICKS: usize = 6;
/// A heat map of fewer numbers along one edge is shown as the squares that it is.
const SMOOTH_FROM: usize = 20;
/// So much of the room for a bar is the bar.
const BAR: f32 = 0.8;

/// A panel, measured.
pub struct Plot<'a> {
    panel: &'a Panel,
    x: Axis,
    y: Axis,
    /// Room for the ticks' words on the left, and for the colour bar on the right.
    gutters: [f32; 2],
    /// How wide the frame is.
    width: f32,
    y_label: Vec<String>,
    x_label: Vec<String>,
    /// Below bars.
    bar_words: BarWords,
    legend: Legend,
    heat: Option<Shades>,
}

impl<'a> Plot<'a> {
    /// Measure a panel for so much room.
    pub fn of(panel: &'a Panel, pen: &Pen, room: f32) -> Self {
        let (x, y) = (Axis::of(&panel.x), Axis::of(&panel.y));
        let heat = panel.layers.iter().find_map(|layer| match layer {
            Layer::Heat { range, signed, .. } => Some(Shades::new(*range, *signed)),
            _ => None,
        });
        let widest =
            |texts: &mut dyn Iterator<Item = String>| texts.map(|text| pen.width(&text, TICK)).fold(0.0, f32::max);
        let left = TO_TICKS + widest(&mut y.ticks(TICKS).into_iter().map(|(_, text)| text));
        let right = heat.map_or(6.0, |shades| {
            8.0 + COLOR_BAR + 4.0 + widest(&mut bar_ticks(shades).into_iter().map(|value| number(value.into())))
        });
        let width = (room - left - right).max(20.0);
        let bar_words = BarWords::of(panel, width * (x.share(1.0) - x.share(0.0)).abs(), pen);
        Self {
            panel,
            x,
            y,
            gutters: [left, right],
            width,
            y_label: pen.wrapped(&panel.y.label, LABEL, room, 2),
            x_label: pen.wrapped(&panel.x.label, LABEL, width, 2),
            bar_words,
            legend: Legend::of(panel, pen, room),
            heat,
        }
    }

    /// How high the words above the frame are.
    pub fn head(&self) -> f32 {
        self.y_label.len() as f32 * LABEL.line()
    }

    /// How high the frame likes to be.
    pub fn body(&self) -> f32 {
        let ratio = if self.panel.equal { (self.y.length() / self.x.length()) as f32 } else { RATIO };
        self.width * ratio.clamp(0.15, HIGHEST)
    }

    /// How high ticks, words and legend below the frame are.
    pub fn foot(&self) -> f32 {
        TO_TICKS
            + self.bar_words.height() as f32 * TICK.line()
            + self.x_label.len() as f32 * LABEL.line()
            + self.legend.height
    }

    /// From this corner on, the frame no higher than this.
    pub fn draw(&self, [left, top]: Px, height: f32, pen: &Pen, marks: &mut Vec<Mark>) {
        let mut size = [self.width, height];
        if self.panel.equal {
            let unit = (f64::from(size[0]) / self.x.length()).min(f64::from(size[1]) / self.y.length());
            size = [self.x.length() * unit, self.y.length() * unit].map(|length| length as f32);
        }
        let min = [left + self.gutters[0], top];
        let frame = Frame { min, max: [min[0] + size[0], min[1] + size[1]] };
        for (index, line) in self.y_label.iter().rev().enumerate() {
            let at = [left, top - 7.0 - (index as f32 + 0.5) * LABEL.line()];
            marks.push(words(line, at, Side::Left, LABEL));
        }
        self.axes(frame, pen, marks);
        let bars = self.panel.layers.iter().filter(|layer| matches!(layer, Layer::Bars { .. })).count();
        let mut bar = 0;
        for layer in &self.panel.layers {
            self.layer(layer, frame, [bar, bars], marks);
            bar += usize::from(matches!(layer, Layer::Bars { .. }));
        }
        let corners = [frame.min, [frame.max[0], frame.min[1]], frame.max, [frame.min[0], frame.max[1]], frame.min];
        marks.push(Mark::Lines { lines: vec![corners.to_vec()], width: 1.0, color: colors::FRAME, dashed: false });
        if let Some(shades) = self.heat {
            color_bar(shades, frame, marks);
        }
        self.below(frame, left, marks);
    }

    /// What stands below the ticks.
    fn below(&self, frame: Frame, left: f32, marks: &mut Vec<Mark>) {
        let mut y = frame.max[1] + TO_TICKS + self.bar_words.height() as f32 * TICK.line();
        for line in &self.x_label {
            let middle = (frame.min[0] + frame.max[0]) / 2.0;
            marks.push(words(line, [middle, y + LABEL.line() / 2.0], Side::Middle, LABEL));
            y += LABEL.line();
        }
        self.legend.draw([left, y], marks);
    }

    /// The frame with its gutters and what stands at the ticks below it.
    fn reach(&self, frame: Frame) -> Frame {
        let min = [frame.min[0] - self.gutters[0], frame.max[1] + TO_TICKS];
        Frame { min, max: [frame.max[0] + self.gutters[1], min[1] + TICK.line()] }
    }

    fn place(&self, frame: Frame, [x, y]: [f32; 2]) -> Px {
        let [width, height] = frame.size();
        [frame.min[0] + self.x.share(x) * width, frame.max[1] - self.y.share(y) * height]
    }

    /// Ticks with their words, and the lines behind everything.
    fn axes(&self, frame: Frame, pen: &Pen, marks: &mut Vec<Mark>) {
        let [width, height] = frame.size();
        let mut grid = vec![];
        let y_most = ((height / 26.0) as usize).min(TICKS);
        for (value, text) in self.y.ticks(y_most) {
            let y = self.place(frame, [0.0, value])[1];
            grid.push(vec![[frame.min[0], y], [frame.max[0], y]]);
            marks.push(words(text, [frame.min[0] - TO_TICKS, y], Side::Right, TICK));
        }
        let middle = frame.max[1] + TO_TICKS + TICK.line() / 2.0;
        if self.bar_words.is_empty() {
            let widest = self.x.ticks(TICKS).iter().map(|(_, text)| pen.width(text, TICK)).fold(20.0, f32::max);
            for (value, text) in self.x.ticks(((width / (widest + 16.0)) as usize).min(8)) {
                let x = self.place(frame, [value, 0.0])[0];
                grid.push(vec![[x, frame.min[1]], [x, frame.max[1]]]);
                marks.push(words(text, [x, middle], Side::Middle, TICK));
            }
        }
        self.bar_words.draw(|index| self.place(frame, [index as f32, 0.0])[0], self.reach(frame), pen, marks);
        if self.heat.is_none() {
            marks.push(Mark::Lines { lines: grid, width: 1.0, color: colors::GRID, dashed: false });
        }
    }

    fn layer(&self, layer: &Layer, frame: Frame, bar: [usize; 2], marks: &mut Vec<Mark>) {
        match layer {
            Layer::Heat { values, columns, x, y, range, signed, .. } => {
                let shades = Shades::new(*range, *signed);
                self.heat(values, *columns, [*x, *y], shades, frame, marks);
            }
            Layer::Points { places, hue, radius, .. } => {
                let places = places.iter().map(|place| self.place(frame, *place));
                let centers: Vec<Px> = places.filter(|place| frame.holds(*place)).collect();
                let radius = radius.clamp(0.5, 20.0);
                if self.halo(*hue) {
                    let (centers, radius) = (centers.clone(), radius + 1.0);
                    marks.push(Mark::Discs { centers, radius, color: colors::PAPER, alpha: 0.9 });
                }
                // Where they are crowded it shows.
                let alpha = if self.heat.is_none() && centers.len() > 150 { 0.6 } else { 1.0 };
                marks.push(Mark::Discs { centers, radius, color: colors::of(*hue), alpha });
            }
            Layer::Line { places, hue, dashed, .. } => {
                let lines = within(frame, places.iter().map(|place| self.place(frame, *place)));
                let width = if *hue == Hue::Faint { 1.2 } else { 2.0 };
                self.lines(lines, width, *hue, *dashed, marks);
            }
            Layer::Segments { places, hue, arrows, .. } => {
                let ends = places.iter().map(|ends| ends.map(|place| self.place(frame, place)));
                let ends = ends.filter(|ends| ends.as_flattened().iter().all(|number| number.is_finite()));
                let shown: Vec<([Px; 2], bool)> = ends
                    .filter_map(|ends| segment_within(frame, ends).map(|inside| (inside, inside[1] == ends[1])))
                    .collect();
                let lines = shown.iter().map(|(ends, _)| ends.to_vec()).collect();
                self.lines(lines, if *hue == Hue::Faint { 0.9 } else { 1.4 }, *hue, false, marks);
                if *arrows {
                    let heads = shown.iter().filter(|(_, whole)| *whole).filter_map(|(ends, _)| head(*ends));
                    let color = colors::of(*hue);
                    marks.extend(heads.map(|corners| Mark::Polygon { corners, color }));
                }
            }
            Layer::Bars { heights, hue, .. } => self.bars(heights, colors::of(*hue), frame, bar, marks),
            // Tiles have a panel of their own.
            Layer::Tiles { .. } => {}
        }
    }

    /// On colours, what is drawn stands out by a white edge.
    fn halo(&self, hue: Hue) -> bool {
        self.heat.is_some() && hue != Hue::Faint
    }

    fn lines(&self, lines: Vec<Vec<Px>>, width: f32, hue: Hue, dashed: bool, marks: &mut Vec<Mark>) {
        if self.halo(hue) {
            let (lines, color) = (lines.clone(), colors::PAPER);
            marks.push(Mark::Lines { lines, width: width + 2.0, color, dashed: false });
        }
        marks.push(Mark::Lines { lines, width, color: colors::of(hue), dashed });
    }

    /// A grid of colours, as much of it as lies within the frame.
    fn heat(
        &self,
        values: &[f32],
        columns: usize,
        [x, y]: [[f32; 2]; 2],
        shades: Shades,
        frame: Frame,
        marks: &mut Vec<Mark>,
    ) {
        let rows = values.len().checked_div(columns).unwrap_or(0);
        if rows == 0 {
            return;
        }
        let [low, high] = [self.place(frame, [x[0], y[0]]), self.place(frame, [x[1], y[1]])];
        let cell = [(high[0] - low[0]) / columns as f32, (low[1] - high[1]) / rows as f32];
        if !(cell[0] > 0.0 && cell[1] > 0.0 && cell[0].is_finite() && cell[1].is_finite()) {
            return;
        }
        // What would lie beyond the frame is left out, cell by cell.
        let kept = |from: f32, cell: f32, count: usize, [first, last]: [f32; 2]| {
            let begin = ((first - from) / cell - 0.01).ceil().clamp(0.0, count as f32) as usize;
            let end = ((last - from) / cell + 0.01).floor().clamp(0.0, count as f32) as usize;
            begin..end.max(begin)
        };
        let across = kept(low[0], cell[0], columns, [frame.min[0], frame.max[0]]);
        let down = kept(high[1], cell[1], rows, [frame.min[1], frame.max[1]]);
        if across.is_empty() || down.is_empty() {
            return;
        }
        let row = |row: usize| &values[(rows - 1 - row) * columns..][..columns];
        let rgba = down.clone().flat_map(|index| &row(index)[across.clone()]).flat_map(|value| shades.rgba(*value));
        marks.push(Mark::Pixels {
            corner: [low[0] + across.start as f32 * cell[0], high[1] + down.start as f32 * cell[1]],
            size: [across.len() as f32 * cell[0], down.len() as f32 * cell[1]],
            columns: across.len(),
            rgba: rgba.collect(),
            smooth: columns.min(rows) >= SMOOTH_FROM,
        });
    }

    /// Bars from zero, those of several layers side by side.
    fn bars(&self, heights: &[f32], color: Rgb, frame: Frame, [bar, bars]: [usize; 2], marks: &mut Vec<Mark>) {
        let clamp = |y: f32| if y.is_finite() { y.clamp(frame.min[1], frame.max[1]) } else { frame.max[1] };
        let zero = clamp(self.place(frame, [0.0, 0.0])[1]);
        let width = BAR / bars as f32;
        for (index, height) in heights.iter().enumerate().filter(|(_, height)| height.is_finite()) {
            let left = index as f32 - BAR / 2.0 + bar as f32 * width;
            let [from, to] =
                [left, left + 0.94 * width].map(|x| self.place(frame, [x, 0.0])[0].clamp(frame.min[0], frame.max[0]));
            let end = clamp(self.place(frame, [0.0, *height])[1]);
            let corner = [from, zero.min(end)];
            marks.push(Mark::Rect { corner, size: [to - from, (zero - end).abs().max(0.5)], color });
        }
    }
}

/// The numbers at a colour bar; what is next to nothing is nothing.
fn bar_ticks(shades: Shades) -> [f32; 3] {
    let [low, high] = shades.range();
    [low, (low + high) / 2.0, high].map(|value| if value.abs() < 1e-3 * (high - low) { 0.0 } else { value })
}

/// What a heat map's colours mean.
fn color_bar(shades: Shades, frame: Frame, marks: &mut Vec<Mark>) {
    let ([low, high], height) = (shades.range(), frame.size()[1]);
    let corner = [frame.max[0] + 8.0, frame.min[1]];
    let rgba = (0..=32_u8).rev().flat_map(|step| shades.rgba(low + (high - low) * f32::from(step) / 32.0)).collect();
    marks.push(Mark::Pixels { corner, size: [COLOR_BAR, height], columns: 1, rgba, smooth: true });
    for (value, share) in bar_ticks(shades).into_iter().zip([0.0, 0.5, 1.0]) {
        // The words at the ends stay beside the bar.
        let y = frame.max[1] - 5.0 - share * (height - 10.0);
        marks.push(words(number(value.into()), [corner[0] + COLOR_BAR + 4.0, y], Side::Left, TICK));
    }
}

/// The head of an arrow; too short ones have none.
fn head([from, to]: [Px; 2]) -> Option<Vec<Px>> {
    let along = [to[0] - from[0], to[1] - from[1]];
    let length = along[0].hypot(along[1]);
    let size = (0.6 * length).min(6.0);
    let [x, y] = along.map(|part| part / length * size);
    (length > 2.0)
        .then(|| vec![to, [to[0] - x - y / 2.0, to[1] - y + x / 2.0], [to[0] - x + y / 2.0, to[1] - y - x / 2.0]])
}
