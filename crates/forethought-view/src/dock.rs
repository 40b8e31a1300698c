//! Panels that dock and hide. Read first: [`Panel`] and [`Docking`].

use crate::palette;
use bevy::prelude::Resource;
use bevy_egui::egui::{Color32, CornerRadius, Id, Margin, Stroke, Ui, WidgetText};
use egui_dock::{DockArea, DockState, NodeIndex, OverlayType, Style, TabViewer, tab_viewer::OnCloseResponse};
use serde::{Deserialize, Serialize};

/// What can be docked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Panel {
    /// The world itself.
    World,
    /// The architecture figure, and what each module holds now.
    Mind,
    /// The episode in numbers.
    Episode,
    /// Energy over planning and over time; imagined against realised.
    Energy,
    /// How the agent acts, to be changed.
    Agent,
    /// The episode so far, to look back.
    Timeline,
}

impl Panel {
    /// All that can be hidden, with their keys.
    pub const ALL: [(Self, &'static str); 5] =
        [(Self::Mind, "F2"), (Self::Episode, "F3"), (Self::Energy, "F4"), (Self::Agent, "F6"), (Self::Timeline, "F7")];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::World => "World",
            Self::Mind => "Mind",
            Self::Episode => "Episode",
            Self::Energy => "Energy",
            Self::Agent => "Agent",
            Self::Timeline => "Timeline",
        }
    }

    /// The panel of this name, in small letters.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().map(|(panel, _)| *panel).find(|panel| panel.name().to_lowercase() == name)
    }
}

/// Where panels are.
#[derive(Resource, Debug, Clone, Serialize, Deserialize)]
pub struct Docking {
    state: DockState<Panel>,
}

impl Default for Docking {
    fn default() -> Self {
        let mut state = DockState::new(vec![Panel::World]);
        let tree = state.main_surface_mut();
        let [world, right] = tree.split_right(NodeIndex::root(), 0.72, vec![Panel::Mind, Panel::Agent]);
        tree.split_below(right, 0.675, vec![Panel::Episode, Panel::Energy]);
        tree.split_below(world, 0.89, vec![Panel::Timeline]);
        Self { state }
    }
}

impl Docking {
    /// With just these panels.
    pub fn of(panels: &[Panel]) -> Self {
        let mut docking = Self::default();
        for (panel, _) in Panel::ALL {
            if panels.contains(&panel) != docking.shows(panel) {
                docking.toggle(panel);
            }
        }
        for panel in panels {
            docking.bring_forward(*panel);
        }
        docking
    }

    /// Whether a panel is there, in front or not.
    pub fn shows(&self, panel: Panel) -> bool {
        self.state.find_tab(&panel).is_some()
    }

    /// Whether it makes sense: there is one world, and nothing twice.
    pub fn is_sound(&self) -> bool {
        let count = |panel: Panel| self.state.iter_all_tabs().filter(|(_, tab)| **tab == panel).count();
        count(Panel::World) == 1
            && self.state.find_main_surface_tab(&Panel::World).is_some()
            && Panel::ALL.iter().all(|(panel, _)| count(*panel) <= 1)
    }

    /// Show a panel, or hide it.
    pub fn toggle(&mut self, panel: Panel) {
        if let Some(path) = self.state.find_tab(&panel) {
            self.state.remove_tab(path);
            return;
        }
        let neighbour = |others: &[Panel]| others.iter().find_map(|other| self.state.find_main_surface_tab(other));
        let beside = match panel {
            Panel::Timeline => None,
            Panel::Mind | Panel::Agent => neighbour(&[Panel::Mind, Panel::Agent, Panel::Episode, Panel::Energy]),
            _ => neighbour(&[Panel::Episode, Panel::Energy, Panel::Mind, Panel::Agent]),
        };
        let tree = self.state.main_surface_mut();
        match (beside, tree.find_tab(&Panel::World)) {
            (Some((node, _)), _) => {
                if let Ok(leaf) = tree.leaf_mut(node) {
                    leaf.tabs.push(panel);
                }
                self.bring_forward(panel);
            }
            (None, Some((world, _))) if panel == Panel::Timeline => {
                tree.split_below(world, 0.87, vec![panel]);
            }
            (None, Some((world, _))) => {
                tree.split_right(world, 0.72, vec![panel]);
            }
            (None, None) => tree.push_to_first_leaf(panel),
        }
    }

    fn bring_forward(&mut self, panel: Panel) {
        if let Some(path) = self.state.find_tab(&panel) {
            // Fails only where there is no such tab.
            let _ = self.state.set_active_tab(path);
        }
    }

    /// Draw all panels into this place: `draw` fills one, and gets the place of its middle.
    pub fn show(&mut self, ui: &mut Ui, draw: &mut dyn FnMut(&mut Ui, Panel)) {
        let style = style(ui);
        DockArea::new(&mut self.state)
            .style(style)
            .show_leaf_close_all_buttons(false)
            .show_leaf_collapse_buttons(false)
            .show_inside(ui, &mut Viewer { draw });
    }
}

struct Viewer<'a> {
    draw: &'a mut dyn FnMut(&mut Ui, Panel),
}

impl TabViewer for Viewer<'_> {
    type Tab = Panel;

    fn id(&mut self, tab: &mut Panel) -> Id {
        Id::new(("panel", *tab))
    }

    fn title(&mut self, tab: &mut Panel) -> WidgetText {
        tab.name().into()
    }

    fn ui(&mut self, ui: &mut Ui, tab: &mut Panel) {
        (self.draw)(ui, *tab);
    }

    fn on_close(&mut self, tab: &mut Panel) -> OnCloseResponse {
        if *tab == Panel::World { OnCloseResponse::Ignore } else { OnCloseResponse::Close }
    }

    fn is_closeable(&self, tab: &Panel) -> bool {
        *tab != Panel::World
    }

    fn allowed_in_windows(&self, tab: &mut Panel) -> bool {
        *tab != Panel::World
    }

    fn clear_background(&self, tab: &Panel) -> bool {
        // The world is drawn below all words.
        *tab != Panel::World
    }

    fn scroll_bars(&self, tab: &Panel) -> [bool; 2] {
        [false, !matches!(tab, Panel::World | Panel::Timeline)]
    }
}

fn style(ui: &Ui) -> Style {
    let mut style = Style::from_egui(ui.style());
    let (paper, rule, ink) = (palette::PAPER, palette::RULE, palette::FAINT_INK);
    style.overlay.overlay_type = OverlayType::HighlightedAreas;
    style.separator.width = 3.0;
    style.separator.color_idle = palette::egui(rule);
    style.separator.extra = 90.0;
    style.main_surface_border_stroke = Stroke::NONE;
    style.tab_bar.height = 26.0;
    style.tab_bar.bg_fill = palette::egui(palette::SURROUND);
    style.tab_bar.hline_color = palette::egui(rule);
    style.tab_bar.corner_radius = CornerRadius::ZERO;
    style.tab.tab_body.bg_fill = palette::egui(paper);
    style.tab.tab_body.stroke = Stroke::NONE;
    style.tab.tab_body.corner_radius = CornerRadius::ZERO;
    style.tab.tab_body.inner_margin = Margin::ZERO;
    for tab in [&mut style.tab.inactive, &mut style.tab.hovered] {
        tab.text_color = palette::egui(ink);
        tab.bg_fill = Color32::TRANSPARENT;
    }
    for tab in [&mut style.tab.active, &mut style.tab.focused] {
        tab.text_color = palette::egui(palette::INK);
        tab.bg_fill = palette::egui(paper);
    }
    style
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_hide_and_come_back() {
        let mut docking = Docking::default();
        assert!(docking.is_sound() && Panel::ALL.iter().all(|(panel, _)| docking.shows(*panel)));
        for _ in 0..2 {
            for (panel, _) in Panel::ALL {
                let shown = docking.shows(panel);
                docking.toggle(panel);
                assert!(docking.shows(panel) != shown && docking.is_sound(), "{panel:?}");
            }
        }
        let few = Docking::of(&[Panel::Energy]);
        assert!(few.is_sound() && few.shows(Panel::Energy) && !few.shows(Panel::Mind));
        assert!(Docking::of(&[]).is_sound());
    }

    #[test]
    fn names_are_names() {
        assert_eq!(Panel::from_name("mind"), Some(Panel::Mind));
        assert_eq!(Panel::from_name("world"), None);
    }

    #[test]
    fn where_panels_are_can_be_written_down() {
        let mut docking = Docking::default();
        docking.toggle(Panel::Energy);
        let text = ron::to_string(&docking).unwrap();
        let read: Docking = ron::from_str(&text).unwrap();
        assert!(read.is_sound() && !read.shows(Panel::Energy) && read.shows(Panel::Mind));
    }
}
