//! `trajectories.parquet`: a table of moments. Read first: [`write`], then [`read`].
//!
//! A column with an array a row is a list; the manifest has its shape. Pictures are PNG files, a binary value each. A row group
//! holds whole trajectories.

use super::{
    Reader, Trajectories,
    card::Card,
    column::{Column, Kind, Rows, Values},
};
use crate::error::Error;
use parquet::{
    basic::{Compression, Encoding, GzipLevel, LogicalType, Repetition, Type as Physical},
    column::{reader::get_typed_column_reader, writer::ColumnWriter},
    data_type::{BoolType, ByteArray, DataType, DoubleType, FloatType, Int64Type},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        reader::{FileReader, RowGroupReader, SerializedFileReader},
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::{ColumnPath, Type},
};
use std::{
    fs::File,
    io::{self, BufWriter},
    path::Path,
    sync::Arc,
};

/// A row group is written once it has so many rows, or so many values.
const GROUP_ROWS: usize = 16_384;
const GROUP_VALUES: usize = 1 << 24;
/// How hard to compress: the fastest that is not far from the best.
const LEVEL: u32 = 4;

/// Write all trajectories to a file.
pub fn write(path: &Path, card: &Card, all: &mut Trajectories) -> Result<(), Error> {
    let columns = &card.columns;
    let file = BufWriter::new(File::create(path).map_err(Error::io("write", path))?);
    let kept = |error| Error::NotKept { path: path.to_owned(), source: as_io(error) };
    let mut writer = begin(file, card).map_err(kept)?;
    let mut group = Rows::none(columns);
    all(&mut |rows| {
        group.append(rows);
        let values: usize = columns.iter().map(|column| group.count * column.width()).sum();
        if group.count < GROUP_ROWS && values < GROUP_VALUES {
            return Ok(());
        }
        flush(&mut writer, columns, &mut group).map_err(as_io)
    })?;
    flush(&mut writer, columns, &mut group).map_err(kept)?;
    writer.close().map(drop).map_err(kept)
}

fn begin(file: BufWriter<File>, card: &Card) -> Result<SerializedFileWriter<BufWriter<File>>, ParquetError> {
    let fields = card.columns.iter().map(|column| field(column).map(Arc::new)).collect::<Result<_, _>>()?;
    let schema = Type::group_type_builder("trajectories").with_fields(fields).build()?;
    let shapes: Vec<(&str, &[usize])> =
        card.columns.iter().map(|column| (&column.name[..], &column.shape[..])).collect();
    let shapes = serde_json::to_string(&shapes).map_err(|error| ParquetError::General(error.to_string()))?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::GZIP(GzipLevel::try_new(LEVEL)?))
        .set_created_by(concat!("forethought version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new("forethought.shapes".into(), shapes)]));
    for column in &card.columns {
        // Numbers of sensors hardly repeat, but their bytes of the same rank do.
        if column.kind == Kind::F32 {
            let path = ColumnPath::new(path_of(column));
            properties = properties.set_column_dictionary_enabled(path.clone(), false);
            properties = properties.set_column_encoding(path, Encoding::BYTE_STREAM_SPLIT);
        }
        if column.kind == Kind::U8 {
            properties = properties.set_column_dictionary_enabled(ColumnPath::new(path_of(column)), false);
        }
    }
    SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties.build()))
}

/// Whether a row has a list of values rather than one.
fn is_list(column: &Column) -> bool {
    !column.shape.is_empty() && column.kind != Kind::U8
}

fn path_of(column: &Column) -> Vec<String> {
    let inner: &[&str] = if is_list(column) { &["list", "element"] } else { &[] };
    std::iter::once(&column.name[..]).chain(inner.iter().copied()).map(str::to_owned).collect()
}

fn field(column: &Column) -> Result<Type, ParquetError> {
    let physical = match column.kind {
        Kind::F32 => Physical::FLOAT,
        Kind::F64 => Physical::DOUBLE,
        Kind::I64 | Kind::U64 => Physical::INT64,
        Kind::Bool => Physical::BOOLEAN,
        Kind::U8 => Physical::BYTE_ARRAY,
    };
    let logical = (column.kind == Kind::U64).then(|| LogicalType::integer(64, false));
    let primitive = |name: &str| {
        let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED);
        builder.with_logical_type(logical.clone()).build()
    };
    if !is_list(column) {
        return primitive(&column.name);
    }
    let list = Type::group_type_builder("list").with_repetition(Repetition::REPEATED);
    let list = list.with_fields(vec![Arc::new(primitive("element")?)]).build()?;
    let outer = Type::group_type_builder(&column.name).with_repetition(Repetition::REQUIRED);
    outer.with_logical_type(Some(LogicalType::List)).with_fields(vec![Arc::new(list)]).build()
}

/// Write the rows that are held.
fn flush<W: io::Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    columns: &[Column],
    rows: &mut Rows,
) -> Result<(), ParquetError> {
    if rows.count == 0 {
        return Ok(());
    }
    let rows = std::mem::replace(rows, Rows::none(columns));
    let mut group = writer.next_row_group()?;
    let mut from = columns.iter().zip(rows.values);
    while let (Some(mut to), Some((column, values))) = (group.next_column()?, from.next()) {
        put(&mut to, column, rows.count, values)?;
        to.close()?;
    }
    group.close().map(drop)
}

fn put(to: &mut SerializedColumnWriter, column: &Column, rows: usize, values: Values) -> Result<(), ParquetError> {
    let levels = is_list(column).then(|| {
        let width = column.width();
        let repeated: Vec<i16> = (0..rows * width).map(|index| i16::from(!index.is_multiple_of(width))).collect();
        (vec![1_i16; rows * width], repeated)
    });
    let (defined, repeated) =
        levels.as_ref().map_or((None, None), |(defined, repeated)| (Some(&defined[..]), Some(&repeated[..])));
    match (to.untyped(), values) {
        (ColumnWriter::FloatColumnWriter(to), Values::F32(values)) => to.write_batch(&values, defined, repeated)?,
        (ColumnWriter::DoubleColumnWriter(to), Values::F64(values)) => to.write_batch(&values, defined, repeated)?,
        (ColumnWriter::Int64ColumnWriter(to), Values::I64(values)) => to.write_batch(&values, defined, repeated)?,
        (ColumnWriter::Int64ColumnWriter(to), Values::U64(values)) => {
            let values: Vec<i64> = values.into_iter().map(u64::cast_signed).collect();
            to.write_batch(&values, defined, repeated)?
        }
        (ColumnWriter::BoolColumnWriter(to), Values::Bool(values)) => to.write_batch(&values, defined, repeated)?,
        (ColumnWriter::ByteArrayColumnWriter(to), Values::U8(pixels)) => {
            let pictures = pixels.chunks_exact(column.width().max(1)).map(|picture| png_of(picture, &column.shape));
            to.write_batch(&pictures.collect::<Result<Vec<_>, _>>()?, defined, repeated)?
        }
        _ => return Err(ParquetError::General(format!("the column {} is of another kind", column.name))),
    };
    Ok(())
}

/// A picture as a PNG file.
fn png_of(pixels: &[u8], shape: &[usize]) -> Result<ByteArray, ParquetError> {
    let side = |axis: usize| shape.get(axis).and_then(|side| u32::try_from(*side).ok()).unwrap_or_default();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side(1), side(0));
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    let external = |error: png::EncodingError| ParquetError::External(Box::new(error));
    let mut writer = encoder.write_header().map_err(external)?;
    writer.write_image_data(pixels).map_err(external)?;
    writer.finish().map_err(external)?;
    Ok(ByteArray::from(bytes))
}

/// A full disk stays a full disk.
fn as_io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

/// Hand each trajectory of a file to `each`, with the columns of these numbers, of which the first is `step`; pictures cannot be
/// asked for. No more than a row group is held.
///
/// # Errors
/// Where the file is missing, cut short or not what the card says.
pub fn read(path: &Path, card: &Card, wanted: &[usize], each: &mut Reader) -> Result<(), Error> {
    let damaged = |problem: String| Error::Damaged { path: path.to_owned(), problem };
    let unreadable = |error: ParquetError| damaged(format!("{error}; collect it anew, or fetch it again"));
    let file = SerializedFileReader::new(File::open(path).map_err(Error::io("read", path))?).map_err(unreadable)?;
    let names: Vec<&str> =
        file.metadata().file_metadata().schema().get_fields().iter().map(|field| field.name()).collect();
    if !names.iter().copied().eq(card.columns.iter().map(|column| &column.name[..])) {
        return Err(damaged("its columns are not those of manifest.json".into()));
    }
    let widths: Vec<usize> = wanted.iter().map(|index| card.columns[*index].width()).collect();
    for group in 0..file.num_row_groups() {
        let group = file.get_row_group(group).map_err(unreadable)?;
        let count = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
        let columns = wanted.iter().map(|index| get(&*group, *index, &card.columns[*index], count));
        let values = columns.collect::<Result<_, _>>().map_err(unreadable)?;
        Rows { count, values }.trajectories(&widths).into_iter().try_for_each(&mut *each)?;
    }
    Ok(())
}

/// All values of a column in a row group.
fn get(group: &dyn RowGroupReader, index: usize, column: &Column, rows: usize) -> Result<Values, ParquetError> {
    fn all<T: DataType>(
        group: &dyn RowGroupReader,
        index: usize,
        rows: usize,
        width: usize,
    ) -> Result<Vec<T::T>, ParquetError> {
        let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
        let mut reader = get_typed_column_reader::<T>(group.get_column_reader(index)?);
        let mut done = 0;
        while done < rows {
            let (records, _, _) =
                reader.read_records(rows - done, Some(&mut defined), Some(&mut repeated), &mut values)?;
            if records == 0 {
                break;
            }
            done += records;
        }
        if values.len() == rows * width {
            Ok(values)
        } else {
            Err(ParquetError::General(format!("{} values where {} belong", values.len(), rows * width)))
        }
    }
    let width = column.width();
    Ok(match column.kind {
        Kind::F32 => Values::F32(all::<FloatType>(group, index, rows, width)?),
        Kind::F64 => Values::F64(all::<DoubleType>(group, index, rows, width)?),
        Kind::I64 => Values::I64(all::<Int64Type>(group, index, rows, width)?),
        Kind::U64 => {
            Values::U64(all::<Int64Type>(group, index, rows, width)?.into_iter().map(i64::cast_unsigned).collect())
        }
        Kind::Bool => Values::Bool(all::<BoolType>(group, index, rows, width)?),
        Kind::U8 => return Err(ParquetError::General("pictures are not read".into())),
    })
}
