//! The window of Forethought: draws the world and what the agent thinks. Read first: [`open`].
//!
//! The simulation and the mind run on another thread and send [`ViewMessage`]s; the window sends [`ViewCommand`]s
//! back. Nothing here computes what happens: it only shows it, so that a slow thought never stalls the picture.
//!
//! Each frame is one straight path (`app.rs`): hear what the runner says (`story.rs`), obey keys and buttons
//! (`input.rs`), draw the world (`scene.rs`), the energy landscape (`heat.rs`) and the thoughts (`thoughts.rs`) with one brush
//! (`brush.rs`), then the words around them: panels that dock (`dock.rs`), of which the architecture figure (`figure.rs`) is one,
//! `bar.rs` and `overlay.rs`. The gallery has a window of its own (`gallery.rs`). What the mouse does in the world is `hands.rs`, what was shown before `history.rs`.

mod agent_panel;
mod app;
mod bar;
mod brush;
mod camera;
mod capture;
mod display;
mod dock;
mod drawing;
mod figure;
mod frames;
mod gallery;
mod gallery_panel;
mod hands;
mod heat;
mod history;
mod input;
mod motion;
mod overlay;
mod paint;
mod palette;
mod panel;
mod plot;
mod preferences;
mod scene;
mod shelf;
mod shell;
mod showing;
mod story;
mod style;
mod thoughts;
mod timeline;

pub use gallery::{GalleryOptions, open_gallery};
pub use showing::Showing;

use crossbeam::channel::{Receiver, Sender};
use forethought_interface::{ViewCommand, ViewMessage};
use std::path::PathBuf;

/// How to open the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewOptions {
    /// The window's title.
    pub title: String,
    /// The window's first width and height in logical pixels.
    pub size_px: (u32, u32),
    /// Save a PNG of the window here once this control step is shown, or once the episode ends before it.
    pub screenshot: Option<(PathBuf, u32)>,
    /// Close the window when that picture is saved.
    pub close_after_screenshot: bool,
    /// What is shown besides, in place of what was remembered.
    pub showing: Showing,
    /// Write here how long each picture took when the window is closed.
    pub frame_times: Option<PathBuf>,
}

impl Default for ViewOptions {
    fn default() -> Self {
        Self {
            title: "Forethought".into(),
            size_px: (1280, 800),
            screenshot: None,
            close_after_screenshot: false,
            showing: Showing::default(),
            frame_times: None,
        }
    }
}

/// Why there is no window, or no picture of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// There is nothing to open a window on.
    #[error(
        "there is no display to open a window on ({reason}): leave out `--window`, or use `--headless`, to run without one"
    )]
    NoDisplay {
        /// What was tried.
        reason: String,
    },
    /// There is a display, but nothing that can draw on it.
    #[error(
        "no graphics driver can draw the window ({reason}): install one such as mesa-vulkan-drivers, or \
         leave out `--window`, or use `--headless`, to run without one"
    )]
    NoAdapter {
        /// What was tried.
        reason: String,
    },
    /// The picture could not be saved.
    #[error("the picture could not be saved as {}: {reason}", path.display())]
    Screenshot {
        /// Where it should have gone.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The window ended by itself.
    #[error("the window failed: {reason}; leave out `--window`, or use `--headless`, to run without one")]
    Failed {
        /// The message of the panic.
        reason: String,
    },
}

/// Show what `messages` tell until the window is closed, and send what the user asks for to `commands`; the last is
/// always [`ViewCommand::Quit`]. Blocks; must run on the main thread, once in a process.
///
/// # Errors
/// [`ViewError`] where there is no display or no graphics driver, or the picture asked for could not be saved.
pub fn open(
    messages: Receiver<ViewMessage>,
    commands: Sender<ViewCommand>,
    options: ViewOptions,
) -> Result<(), ViewError> {
    display::check()?;
    let shown = app::show(messages, commands.clone(), options);
    // The runner may have gone first; then nobody needs to be told.
    let _ = commands.send(ViewCommand::Quit);
    shown
}
