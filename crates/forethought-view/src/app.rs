//! The engine around the picture. Read first: [`show`].

use crate::{ViewError, ViewOptions, display::panic_text};
use bevy::prelude::*;
use crossbeam::channel::{Receiver, Sender};
use forethought_interface::{ViewCommand, ViewMessage};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Run the window until it is closed.
pub fn show(
    messages: Receiver<ViewMessage>,
    _commands: Sender<ViewCommand>,
    options: ViewOptions,
) -> Result<(), ViewError> {
    let run = move || {
        let window = Window { title: options.title, ..default() };
        App::new()
            .add_plugins(DefaultPlugins.set(WindowPlugin { primary_window: Some(window), ..default() }))
            .add_systems(Update, move || messages.try_iter().for_each(drop))
            .run()
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(_) => Ok(()),
        Err(panic) => Err(ViewError::Failed { reason: panic_text(&*panic) }),
    }
}
