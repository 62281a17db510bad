//! The one thing of EXIF that a picture needs: how it is turned.

/// The tag of the orientation, of the type SHORT.
const ORIENTATION: u64 = 0x0112;
const SHORT: u64 = 3;
const IFD_ENTRY: usize = 12;

/// The orientation, 1 to 8, in EXIF data that begin with the TIFF header; with the prefix `Exif\0\0` or without.
pub fn orientation(data: &[u8]) -> Option<u8> {
    let tiff = data.strip_prefix(b"Exif\0\0").unwrap_or(data);
    let number: fn(&[u8], usize, usize) -> Option<u64> = match tiff.get(..4)? {
        b"II*\0" => super::little_endian,
        b"MM\0*" => super::big_endian,
        _ => return None,
    };
    let directory = usize::try_from(number(tiff, 4, 4)?).ok()?;
    let entries = usize::try_from(number(tiff, directory, 2)?).ok()?;
    let first = directory.checked_add(2)?;
    let place = (0..entries)
        .map_while(|entry| first.checked_add(entry * IFD_ENTRY).filter(|at| *at < tiff.len()))
        .find(|at| number(tiff, *at, 2) == Some(ORIENTATION) && number(tiff, *at + 2, 2) == Some(SHORT))?;
    let value = u8::try_from(number(tiff, place + 8, 2)?).ok()?;
    (1..=8).contains(&value).then_some(value)
}

/// EXIF data that hold an orientation and nothing else.
pub(super) fn bare(orientation: u8) -> [u8; 26] {
    let mut tiff = *b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
    tiff[19] = orientation;
    tiff
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// EXIF data as a telephone writes them: the orientation, then where it was.
    pub(in crate::scrub) fn of_telephone(orientation: u8) -> Vec<u8> {
        let head = b"II*\0\x08\0\0\0\x02\0";
        let turned = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
        let place = [0x25, 0x88, 4, 0, 1, 0, 0, 0, 38, 0, 0, 0];
        [head.as_slice(), &turned, &place, &[0; 4], b"GPS 52.5163N 13.3777E"].concat()
    }

    #[test]
    fn the_orientation_is_found_in_either_byte_order() {
        assert_eq!(orientation(&of_telephone(6)), Some(6));
        assert_eq!(orientation(&[b"Exif\0\0", of_telephone(3).as_slice()].concat()), Some(3));
        for turned in 1..=8 {
            assert_eq!(orientation(&bare(turned)), Some(turned));
        }
        for broken in [
            &of_telephone(9)[..],
            &of_telephone(0),
            b"",
            b"II*\0",
            b"II*\0\xFF\xFF\xFF\xFF",
            b"XX*\0\x08\0\0\0",
        ] {
            assert_eq!(orientation(broken), None, "{broken:?}");
        }
    }
}
