//! Where the panels of a chart stand. Read first: [`draw`].

use super::{
    panel::Plot,
    tiles::Sheet,
    words::{HEADING, Pen, TITLE, words},
};
use forethought_interface::{Chart, Drawing, Layer, Mark, Panel, Px, Side};

/// Around everything, and between panels.
const MARGIN: f32 = 14.0;
const APART: Px = [26.0, 16.0];
/// No panel is narrower or lower; where they would be narrower, fewer stand side by side.
const LEAST: Px = [150.0, 50.0];

/// What a picture may take up, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    /// As wide as it is.
    pub width: f32,
    /// As high as it is; as it likes without.
    pub height: Option<f32>,
}

/// Lay a chart out.
#[must_use]
pub fn draw(chart: &Chart, room: Room) -> Drawing {
    let pen = Pen::new();
    let mut marks = vec![];
    let mut y = MARGIN;
    for line in pen.wrapped(&chart.title, HEADING, room.width - 2.0 * MARGIN, 3) {
        marks.push(words(line, [MARGIN, y + HEADING.line() / 2.0], Side::Left, HEADING));
        y += HEADING.line();
    }
    y += if y > MARGIN { 6.0 } else { 0.0 };
    let most = ((room.width - 2.0 * MARGIN + APART[0]) / (LEAST[0] + APART[0])) as usize;
    let columns = chart.columns.min(most).clamp(1, chart.panels.len().max(1));
    let between = (columns - 1) as f32 * APART[0];
    let width = ((room.width - 2.0 * MARGIN - between) / columns as f32).max(LEAST[0]);
    let rows: Vec<Row> = chart.panels.chunks(columns).map(|panels| Row::of(panels, &pen, width)).collect();
    // With a height to keep to, what panels show takes what is left.
    let left = room.height.map(|height| {
        let gaps = rows.len().saturating_sub(1) as f32 * APART[1];
        height - y - MARGIN - gaps - rows.iter().map(|row| row.head + row.foot).sum::<f32>()
    });
    for (row, body) in rows.iter().zip(bodies(&rows, left)) {
        for (index, block) in row.blocks.iter().enumerate() {
            block.draw([MARGIN + index as f32 * (width + APART[0]), y], row.head, body, &pen, &mut marks);
        }
        y += row.head + body + row.foot + APART[1];
    }
    let end = if rows.is_empty() { y } else { y - APART[1] };
    Drawing { size: [room.width, room.height.unwrap_or((end + MARGIN).ceil())], marks }
}

/// How high each row's body is where so much is left for all of them: by what they like, but no higher than they can use.
fn bodies(rows: &[Row], left: Option<f32>) -> Vec<f32> {
    let Some(left) = left else { return rows.iter().map(|row| row.body).collect() };
    let wanted: f32 = rows.iter().map(|row| row.body).sum();
    let share = left / wanted.max(1.0);
    let (content, greedy): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.content && share > 1.0);
    let kept: f32 = content.iter().map(|row| row.body).sum();
    let others = (left - kept) / greedy.iter().map(|row| row.body).sum::<f32>().max(1.0);
    let body = |row: &Row| if row.content && share > 1.0 { row.body } else { (row.body * others).max(LEAST[1]) };
    rows.iter().map(body).collect()
}

/// Panels side by side: heads, bodies and feet are each as high as the highest.
struct Row<'a> {
    blocks: Vec<Block<'a>>,
    /// Whether no panel can use more height than it likes, because its width is all it has.
    content: bool,
    head: f32,
    body: f32,
    foot: f32,
}

impl<'a> Row<'a> {
    fn of(panels: &'a [Panel], pen: &Pen, width: f32) -> Self {
        let blocks: Vec<Block<'a>> = panels.iter().map(|panel| Block::of(panel, pen, width)).collect();
        let sizes = blocks.iter().map(|block| [block.head(), block.inside.body(), block.inside.foot()]);
        let [head, body, foot] =
            sizes.fold([0.0; 3], |most: [f32; 3], size| std::array::from_fn(|part| most[part].max(size[part])));
        let content = panels.iter().all(|panel| panel.equal || matches!(panel.layers[..], [Layer::Tiles { .. }]));
        Self { blocks, content, head, body, foot }
    }
}

/// A panel with its title.
struct Block<'a> {
    title: Vec<String>,
    inside: Inside<'a>,
}

/// What is in a panel.
enum Inside<'a> {
    Plot(Box<Plot<'a>>),
    Sheet(Sheet<'a>),
}

impl<'a> Block<'a> {
    fn of(panel: &'a Panel, pen: &Pen, width: f32) -> Self {
        let inside = match &panel.layers[..] {
            [Layer::Tiles { images, width: pixels, across, captions }] => {
                Inside::Sheet(Sheet::of(images, (*pixels, *across), captions, pen, width))
            }
            _ => Inside::Plot(Box::new(Plot::of(panel, pen, width))),
        };
        Self { title: pen.wrapped(&panel.title, TITLE, width, 3), inside }
    }

    fn titles(&self) -> f32 {
        self.title.len() as f32 * TITLE.line()
    }

    fn head(&self) -> f32 {
        self.titles() + self.inside.head() + 7.0
    }

    /// From this corner on; the head and the body are so high.
    fn draw(&self, [x, y]: Px, head: f32, body: f32, pen: &Pen, marks: &mut Vec<Mark>) {
        for (line, index) in self.title.iter().zip(0_u8..) {
            let at = [x, y + (f32::from(index) + 0.5) * TITLE.line()];
            marks.push(words(line, at, Side::Left, TITLE));
        }
        match &self.inside {
            Inside::Plot(plot) => plot.draw([x, y + head], body, pen, marks),
            Inside::Sheet(sheet) => sheet.draw([x, y + head], body, marks),
        }
    }
}

impl Inside<'_> {
    fn head(&self) -> f32 {
        match self {
            Self::Plot(plot) => plot.head(),
            Self::Sheet(_) => 0.0,
        }
    }

    fn body(&self) -> f32 {
        match self {
            Self::Plot(plot) => plot.body(),
            Self::Sheet(sheet) => sheet.body(),
        }
    }

    fn foot(&self) -> f32 {
        match self {
            Self::Plot(plot) => plot.foot(),
            Self::Sheet(_) => 0.0,
        }
    }
}
