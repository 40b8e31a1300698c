//! Datasets as experience to train on. Read first: [`read_experience`].

use super::{
    card::{Card, DataFormat, DatasetSummary},
    column::Rows,
    hdf5, parquet,
};
use crate::{error::Error, experience::nothing_yet, setup::Setup};
use forethought_interface::ObservationLayout;
use forethought_mind::{
    perception::{MAP, senses},
    training::{Experience, Trajectory},
};
use std::{path::Path, sync::Arc};

/// What one dataset tells of the world, as [`crate::experience::collect`] would have recorded it, and its card.
///
/// # Errors
/// Where there is no whole dataset, one of its files is damaged, or the agents of one of the setups sense, remember or act
/// differently.
pub fn read_experience(folder: &Path, setups: &[Arc<Setup>]) -> Result<(Card, Experience), Error> {
    let card = Card::read(folder)?;
    let unfinished = || Error::DatasetUnfinished(folder.to_owned());
    let summary = DatasetSummary::read(folder)?.ok_or_else(unfinished)?;
    for setup in setups {
        if let Some(difference) = difference(&nothing_yet(setup)?, &card) {
            let scenario = setup.name().to_owned();
            return Err(Error::OtherDataset { path: folder.to_owned(), scenario, difference });
        }
    }
    let Card { layout, action_len, recalls, arena_m, .. } = card.clone();
    let mut experience = Experience { layout, action_len, recalls, arena_m, episodes: Vec::new() };
    // Of several files, they all hold the same.
    let format = card.formats.first().copied().unwrap_or(DataFormat::Parquet);
    let path = folder.join(format.file());
    let damaged = |problem: String| Error::Damaged { path: path.clone(), problem };
    let expected = summary.files.iter().find(|file| file.format == format).map(|file| file.bytes);
    let bytes = path.metadata().ok().map(|file| file.len());
    if bytes.is_none() || bytes != expected {
        let told = |bytes: Option<u64>| bytes.map_or("not there".to_owned(), |bytes| format!("{bytes} bytes long"));
        let told = [bytes, expected].map(told);
        let problem =
            format!("it is {}, and was {} when it was collected; collect it anew, or fetch it again", told[0], told[1]);
        return Err(damaged(problem));
    }
    let wanted = Wanted::of(&card).ok_or_else(|| damaged("its manifest.json names other columns".into()))?;
    let mut rows_there = 0;
    let mut each = |rows: Rows| {
        rows_there += rows.count as u64;
        let index = experience.episodes.len();
        let trajectory = wanted.trajectory(&rows).ok_or_else(|| damaged(format!("trajectory {index} is not whole")))?;
        experience.episodes.push(trajectory);
        Ok(())
    };
    match format {
        DataFormat::Parquet => parquet::read(&path, &card, &wanted.columns, &mut each),
        DataFormat::Hdf5 => hdf5::read(&path, &card, &wanted.columns, &mut each),
    }?;
    let trajectories = experience.episodes.len() as u64;
    if (trajectories, rows_there) != (summary.trajectories, summary.rows) {
        return Err(damaged(format!(
            "it holds {rows_there} rows of {trajectories} trajectories, not the {} of {} that summary.json tells of; \
             collect it anew, or fetch it again",
            summary.rows, summary.trajectories
        )));
    }
    Ok((card, experience))
}

/// What is otherwise in a dataset than an agent has it, in words.
fn difference(here: &Experience, there: &Card) -> Option<String> {
    if here.layout != there.layout {
        let [here, there] = [&here.layout, &there.layout].map(told);
        return Some(format!("what was sensed in it is {there}, and its agent senses {here}"));
    }
    if here.action_len != there.action_len {
        return Some(format!(
            "an action in it has {} values, and its agent's has {}",
            there.action_len, here.action_len
        ));
    }
    if here.recalls != there.recalls {
        let [here, there] = [&here.recalls, &there.recalls]
            .map(|recalls| if recalls.is_empty() { "nothing".to_owned() } else { recalls.join(", ") });
        return Some(format!("{there} was completed from memory in it, and its agent completes {here}"));
    }
    // A floor plan covers the arena.
    (here.layout.range(MAP).is_some() && here.arena_m != there.arena_m)
        .then(|| format!("its arena is {:?} m, not {:?} m", there.arena_m, here.arena_m))
}

/// An observation's channels for people.
fn told(layout: &ObservationLayout) -> String {
    let channels: Vec<String> =
        layout.channels.iter().map(|channel| format!("{} {:?}", channel.name, channel.shape)).collect();
    channels.join(", ")
}

/// The columns that training needs.
struct Wanted {
    /// Their numbers: `step`, the channels of senses, the floor plan if there is one, and those of [`Wanted::LAST`].
    columns: Vec<usize>,
    /// Values of each channel of senses in a row.
    senses: Vec<usize>,
    /// Values of the floor plan.
    map: Option<usize>,
    action_len: usize,
}

impl Wanted {
    const LAST: [&str; 3] = ["action", "position_m", "clearance_m"];

    /// In the columns of this card; none where they are not there.
    fn of(card: &Card) -> Option<Self> {
        // Senses are whole channels.
        let sensed = senses(&card.layout);
        let is_sense = |name: &str| {
            card.layout.range(name).is_some_and(|range| !range.is_empty() && sensed.binary_search(&range.start).is_ok())
        };
        let channels: Vec<_> = card.layout.channels.iter().filter(|channel| is_sense(&channel.name)).collect();
        let map = card.layout.range(MAP).map(|range| range.len());
        let names = std::iter::once("step")
            .chain(channels.iter().map(|channel| &channel.name[..]))
            .chain(map.map(|_| MAP))
            .chain(Self::LAST);
        let number = |name: &str| card.columns.iter().position(|column| column.name == name);
        Some(Self {
            columns: names.map(number).collect::<Option<_>>()?,
            senses: channels.iter().map(|channel| channel.len()).collect(),
            map,
            action_len: card.action_len,
        })
    }

    /// A trajectory as training has it; none where rows or values are missing.
    fn trajectory(&self, rows: &Rows) -> Option<Trajectory> {
        let steps = rows.count.checked_sub(1)?;
        let mut columns = rows.values.iter().skip(1).map(|values| values.f32s());
        let senses: Vec<&[f32]> = columns.by_ref().take(self.senses.len()).collect();
        let map = self.map.map(|_| columns.next()).unwrap_or(Some(&[]))?;
        let (actions, positions, clearances) = (columns.next()?, columns.next()?, columns.next()?);
        let whole = senses.iter().zip(&self.senses).all(|(values, width)| values.len() == rows.count * width);
        if !whole || actions.len() != rows.count * self.action_len || positions.len() != rows.count * 2 {
            return None;
        }
        let row = |at: usize| {
            senses.iter().zip(&self.senses).flat_map(move |(values, width)| &values[at * width..][..*width])
        };
        let apart = |clearance: &f32| !clearance.is_nan();
        Some(Trajectory {
            observations: (0..rows.count).flat_map(row).copied().collect(),
            map: map.get(steps * self.map.unwrap_or(0)..)?.to_vec(),
            // The last observation has no action.
            actions: actions[..steps * self.action_len].to_vec(),
            positions_m: positions.as_chunks().0.to_vec(),
            clearances_m: if clearances.iter().all(apart) { clearances.to_vec() } else { Vec::new() },
        })
    }
}
