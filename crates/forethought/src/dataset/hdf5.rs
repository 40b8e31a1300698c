//! `trajectories.h5`: the column layout that stable-worldmodel reads. Read first: [`write`], then [`read`].
//!
//! Every column is a dataset of its own, trajectory after trajectory along the first axis, and `ep_len` and `ep_offset` say how long
//! each trajectory is and where it begins (stable_worldmodel/data/formats/hdf5.py, version 0.1.1).

use super::{
    Reader, Trajectories,
    card::Card,
    column::{Column, Kind, Rows, Values},
};
use crate::error::Error;
use rust_hdf5::{H5Dataset, H5File, H5Type, HBool, Hdf5Error};
use std::{io, path::Path};

/// A chunk has so many bytes, or one row where that is more: it is read and decompressed as a whole.
const CHUNK_BYTES: usize = 1 << 16;
/// How hard to compress: the fastest that is not far from the best.
const LEVEL: u32 = 4;
/// Rows that are read at once.
const READ_ROWS: usize = 16_384;
/// How many rows each trajectory has, and its first.
const LENGTHS: &str = "ep_len";
const OFFSETS: &str = "ep_offset";

/// Write all trajectories to a file.
pub fn write(path: &Path, card: &Card, all: &mut Trajectories) -> Result<(), Error> {
    let kept = |error| Error::NotKept { path: path.to_owned(), source: as_io(error) };
    let file = H5File::create(path).map_err(kept)?;
    let columns =
        card.columns.iter().map(|column| create(&file, column)).collect::<Result<Vec<_>, _>>().map_err(kept)?;
    let lengths = growing::<i32>(&file, LENGTHS, &[]).map_err(kept)?;
    let offsets = growing::<i64>(&file, OFFSETS, &[]).map_err(kept)?;
    let mut offset = 0_i64;
    all(&mut |rows| {
        for (to, values) in columns.iter().zip(&rows.values) {
            append(to, values).map_err(as_io)?;
        }
        let length = i32::try_from(rows.count).map_err(io::Error::other)?;
        lengths.append(&[length]).and_then(|()| offsets.append(&[offset])).map_err(as_io)?;
        offset += i64::from(length);
        Ok(())
    })?;
    file.close().map_err(kept)
}

/// The dataset of a column.
fn create(file: &H5File, column: &Column) -> Result<H5Dataset, Hdf5Error> {
    let Column { name, shape, kind } = column;
    match kind {
        Kind::F32 => growing::<f32>(file, name, shape),
        Kind::F64 => growing::<f64>(file, name, shape),
        Kind::I64 => growing::<i64>(file, name, shape),
        Kind::U64 => growing::<u64>(file, name, shape),
        Kind::Bool => growing::<HBool>(file, name, shape),
        Kind::U8 => growing::<u8>(file, name, shape),
    }
}

/// A dataset that grows along its first axis; each row is of this shape.
fn growing<T: H5Type>(file: &H5File, name: &str, shape: &[usize]) -> Result<H5Dataset, Hdf5Error> {
    let with = |rows: usize| std::iter::once(rows).chain(shape.iter().copied()).collect::<Vec<_>>();
    let row_bytes = shape.iter().product::<usize>().max(1) * T::element_size();
    let most: Vec<Option<usize>> = std::iter::once(None).chain(shape.iter().map(|side| Some(*side))).collect();
    let builder = file.new_dataset::<T>().shape(with(0)).chunk(&with((CHUNK_BYTES / row_bytes).max(1)));
    builder.max_shape(&most).shuffle_deflate(LEVEL).create(name)
}

fn append(to: &H5Dataset, values: &Values) -> Result<(), Hdf5Error> {
    match values {
        Values::F32(values) => to.append(values),
        Values::F64(values) => to.append(values),
        Values::I64(values) => to.append(values),
        Values::U64(values) => to.append(values),
        Values::Bool(values) => to.append(&values.iter().map(|value| HBool::from(*value)).collect::<Vec<_>>()),
        Values::U8(values) => to.append(values),
    }
}

/// A full disk stays a full disk.
fn as_io(error: Hdf5Error) -> io::Error {
    match error {
        Hdf5Error::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

/// Hand each trajectory of a file to `each`, with the columns of these numbers, of which the first is `step`. Not many trajectories
/// are held at once.
///
/// # Errors
/// Where the file is missing, cut short or not what the card says.
pub fn read(path: &Path, card: &Card, wanted: &[usize], each: &mut Reader) -> Result<(), Error> {
    let damaged = |problem: String| Error::Damaged { path: path.to_owned(), problem };
    let unreadable = |error: Hdf5Error| damaged(format!("{error}; collect it anew, or fetch it again"));
    let file = H5File::open(path).map_err(|error| match error {
        Hdf5Error::Io(error) if error.kind() == io::ErrorKind::NotFound => Error::io("read", path)(error),
        other => unreadable(other),
    })?;
    let lengths = file.dataset(LENGTHS).and_then(|lengths| lengths.read_raw::<i32>()).map_err(unreadable)?;
    let columns: Vec<&Column> = wanted.iter().map(|index| &card.columns[*index]).collect();
    let datasets = columns.iter().map(|column| file.dataset(&column.name)).collect::<Result<Vec<_>, _>>();
    let datasets = datasets.map_err(unreadable)?;
    let widths: Vec<usize> = columns.iter().map(|column| column.width()).collect();
    let (mut begin, mut end) = (0, 0);
    for (index, length) in lengths.iter().enumerate() {
        end +=
            usize::try_from(*length).map_err(|_| damaged(format!("its trajectory {index} is {length} rows long")))?;
        if end - begin < READ_ROWS && index + 1 < lengths.len() {
            continue;
        }
        let values = datasets.iter().zip(&columns).map(|(dataset, column)| get(dataset, column, begin, end - begin));
        let values = values.collect::<Result<_, _>>().map_err(unreadable)?;
        Rows { count: end - begin, values }.trajectories(&widths).into_iter().try_for_each(&mut *each)?;
        begin = end;
    }
    Ok(())
}

/// So many rows of a column.
fn get(dataset: &H5Dataset, column: &Column, begin: usize, rows: usize) -> Result<Values, Hdf5Error> {
    let of_all =
        |first: usize, sides: &mut dyn Iterator<Item = usize>| std::iter::once(first).chain(sides).collect::<Vec<_>>();
    let starts = of_all(begin, &mut column.shape.iter().map(|_| 0));
    let counts = of_all(rows, &mut column.shape.iter().copied());
    Ok(match column.kind {
        Kind::F32 => Values::F32(dataset.read_slice(&starts, &counts)?),
        Kind::F64 => Values::F64(dataset.read_slice(&starts, &counts)?),
        Kind::I64 => Values::I64(dataset.read_slice(&starts, &counts)?),
        Kind::U64 => Values::U64(dataset.read_slice(&starts, &counts)?),
        Kind::Bool => {
            Values::Bool(dataset.read_slice::<HBool>(&starts, &counts)?.into_iter().map(bool::from).collect())
        }
        Kind::U8 => Values::U8(dataset.read_slice(&starts, &counts)?),
    })
}
