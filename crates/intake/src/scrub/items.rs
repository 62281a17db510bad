//! The list of items in a HEIC or AVIF picture: which are metadata, and where their bytes lie.

use std::ops::Range;

use super::{Fault, PictureSize, big_endian};

/// What the list tells.
pub(super) struct Found {
    /// Where metadata lie, from the start of the file.
    pub(super) told: Vec<Range<u64>>,
    pub(super) size: PictureSize,
}

/// Boxes in `bytes` from `at`, each with its type and where its content lies.
fn boxes(bytes: &[u8], within: Range<usize>) -> Option<Vec<([u8; 4], Range<usize>)>> {
    let (mut at, mut found) = (within.start, Vec::new());
    while at < within.end {
        let length = usize::try_from(big_endian(bytes, at, 4)?).ok()?;
        let end = if length == 0 { within.end } else { at.checked_add(length)? };
        let kind = <[u8; 4]>::try_from(bytes.get(at + 4..at + 8)?).ok()?;
        if end > within.end || end < at + 8 {
            return None;
        }
        found.push((kind, at + 8..end));
        at = end;
    }
    Some(found)
}

fn find(all: &[([u8; 4], Range<usize>)], kind: &[u8; 4]) -> Option<Range<usize>> {
    all.iter().find(|(found, _)| found == kind).map(|(_, place)| place.clone())
}

/// Reads a `meta` box, and blanks in it the metadata that lie in itself.
///
/// # Errors
/// [`Fault`], also when metadata lie where they can't be blanked.
pub(super) fn read(meta: &mut [u8]) -> Result<Found, Fault> {
    let (told, own, size) = look(meta).ok_or(Fault::Unreadable)?;
    for range in own {
        meta.get_mut(range).ok_or(Fault::Unreadable)?.fill(0);
    }
    Ok(Found { told, size: size? })
}

type Looked = (Vec<Range<u64>>, Vec<Range<usize>>, Result<PictureSize, Fault>);

fn look(meta: &[u8]) -> Option<Looked> {
    // A head, then a version and flags.
    let all = boxes(meta, 12..meta.len())?;
    let ids = metadata(meta, find(&all, b"iinf")?)?;
    let (mut told, mut own) = (Vec::new(), Vec::new());
    if !ids.is_empty() {
        for (id, method, range) in extents(meta, find(&all, b"iloc")?)? {
            if !ids.contains(&id) {
                continue;
            }
            match method {
                0 => told.push(range),
                1 => {
                    let data = find(&all, b"idat")?;
                    let place = |at: u64| data.start.checked_add(usize::try_from(at).ok()?);
                    own.push(place(range.start)?..place(range.end)?);
                }
                _ => return None,
            }
        }
    }
    Some((told, own, size(meta, find(&all, b"iprp")?)?))
}

/// The items that are EXIF or XMP.
fn metadata(meta: &[u8], list: Range<usize>) -> Option<Vec<u64>> {
    let count = if big_endian(meta, list.start, 1)? == 0 { 2 } else { 4 };
    let mut ids = Vec::new();
    for (kind, entry) in boxes(meta, list.start + 4 + count..list.end)? {
        let version = big_endian(meta, entry.start, 1)?;
        if kind != *b"infe" || version < 2 {
            return None;
        }
        let id = if version == 2 { 2 } else { 4 };
        let at = entry.start + 4;
        if matches!(meta.get(at + id + 2..at + id + 6)?, b"Exif" | b"mime" | b"uri ") {
            ids.push(big_endian(meta, at, id)?);
        }
    }
    Some(ids)
}

/// The pieces of every item: whose, by which method, and where.
fn extents(meta: &[u8], list: Range<usize>) -> Option<Vec<(u64, u64, Range<u64>)>> {
    let mut at = list.start;
    let mut take = |length: u64| {
        let length = usize::try_from(length).ok()?;
        let number = big_endian(meta.get(..list.end)?, at, length)?;
        at += length;
        Some(number)
    };
    let version = take(1)?;
    take(3)?;
    let (sizes, bases) = (take(1)?, take(1)?);
    let index = if version == 0 { 0 } else { bases & 15 };
    let wide = if version < 2 { 2 } else { 4 };
    let mut found = Vec::new();
    for _ in 0..take(wide)? {
        let id = take(wide)?;
        let method = if version == 0 { 0 } else { take(2)? & 15 };
        // Bytes that lie in another file can't be blanked here.
        let elsewhere = take(2)? != 0;
        let base = take(bases >> 4)?;
        for _ in 0..take(2)? {
            take(index)?;
            let start = base.checked_add(take(sizes >> 4)?)?;
            let length = take(sizes & 15)?;
            // No length means the whole file.
            let end = if length == 0 { u64::MAX } else { start.checked_add(length)? };
            found.push((id, if elsewhere { u64::MAX } else { method }, start..end));
        }
    }
    Some(found)
}

/// The size of the largest picture among the items, as it is shown.
fn size(meta: &[u8], properties: Range<usize>) -> Option<Result<PictureSize, Fault>> {
    let all = boxes(meta, find(&boxes(meta, properties)?, b"ipco")?)?;
    let side = |place: &Range<usize>, at| u32::try_from(big_endian(meta, place.start + at, 4)?).ok();
    let sizes = all.iter().filter(|(kind, _)| kind == b"ispe");
    let largest = sizes
        .filter_map(|(_, place)| Some((side(place, 4)?, side(place, 8)?)))
        .max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))?;
    let quarter =
        find(&all, b"irot").and_then(|place| meta.get(place.start)).is_some_and(|turns| turns % 2 == 1);
    let size = PictureSize::new(largest.0, largest.1);
    Some(size.map(|size| if quarter { size.turned(6) } else { size }))
}

#[cfg(test)]
pub(super) mod tests {
    pub(in crate::scrub) fn bx(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).expect("short").to_be_bytes();
        [length.as_slice(), kind, content].concat()
    }

    fn entry(id: u8, kind: &[u8; 4]) -> Vec<u8> {
        bx(b"infe", &[b"\x02\0\0\0\0".as_slice(), &[id], b"\0\0", kind, b"\0"].concat())
    }

    /// A picture of 64 by 48 pixels, turned by a quarter, with EXIF beside it and XMP in its list. `odd`: 1 puts the EXIF
    /// before the list, 2 says that it lies in another file.
    pub(in crate::scrub) fn picture(brand: &[u8; 4], odd: u8) -> Vec<u8> {
        let start = bx(b"ftyp", &[brand.as_slice(), b"\0\0\0\0"].concat());
        let entries = [entry(1, b"hvc1"), entry(2, b"Exif"), entry(3, b"mime")].concat();
        let list = bx(b"iinf", &[b"\0\0\0\0\0\x03", entries.as_slice()].concat());
        let size = |width: u32, height: u32| {
            bx(b"ispe", &[[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat())
        };
        let properties = bx(b"iprp", &bx(b"ipco", &[size(64, 48), size(8, 6), bx(b"irot", &[1])].concat()));
        let own = bx(b"idat", b"<x>GPS</x>");
        let places = |data: u32| {
            let item = |id: u8, method: u8, file: u8, at: u32, length: u8| {
                [&[0, id, 0, method, 0, file, 0, 1], at.to_be_bytes().as_slice(), &[0, 0, 0, length]].concat()
            };
            let exif = if odd == 1 { 8 } else { data + 6 };
            let items = [item(1, 0, 0, data, 6), item(2, 0, odd & 2, exif, 3), item(3, 1, 0, 0, 10)];
            bx(b"iloc", &[b"\x01\0\0\0\x44\0\0\x03", items.concat().as_slice()].concat())
        };
        let meta =
            |data| bx(b"meta", &[b"\0\0\0\0", list.as_slice(), &properties, &places(data), &own].concat());
        let data = start.len() + meta(0).len() + 8;
        let meta = meta(u32::try_from(data).expect("small"));
        [start, meta, bx(b"mdat", b"pixelsGPS")].concat()
    }
}
