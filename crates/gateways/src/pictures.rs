//! Small pictures of large ones.
//!
//! Decoders read what strangers send, so each has a limit of its own on the memory that it may take. A JPEG is decoded
//! at an eighth, a quarter or half of its size already, which makes twelve megapixels cheap.

use std::io::Cursor;

use intake::scrub::orientation;
use jpeg_decoder::{CodingProcess, PixelFormat};

/// The longer side of a small picture, in pixels.
pub const SIDE: u32 = 512;
const QUALITY: u8 = 80;
/// The most pixels that are decoded as a whole. A progressive JPEG is held as a whole too.
const DECODED_MAX: u64 = 25_000_000;
const MEMORY_MAX: usize = 128 * 1_024 * 1_024;

/// Pixels in rows from the top, three bytes each.
struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

/// Whether pictures of that media type can be made small.
pub fn can_be_small(content_type: &str) -> bool {
    matches!(content_type, "image/jpeg" | "image/png" | "image/gif" | "image/webp")
}

/// A small JPEG of a picture, turned as it is shown, with what is transparent in white; of an animation its first
/// picture. `None` for what can't be decoded within the limits. Blocks, up to about a second.
pub fn thumbnail(content_type: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let (picture, turned) = match content_type {
        "image/jpeg" => jpeg(bytes)?,
        "image/png" => png(bytes)?,
        "image/gif" => (gif(bytes)?, 1),
        "image/webp" => webp(bytes)?,
        _ => return None,
    };
    let small = turn(shrink(picture)?, turned);
    let (width, height) = (u16::try_from(small.width).ok()?, u16::try_from(small.height).ok()?);
    let mut made = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut made, QUALITY);
    encoder.encode(&small.rgb, width, height, jpeg_encoder::ColorType::Rgb).ok()?;
    Some(made)
}

fn is_too_large(width: u32, height: u32) -> bool {
    u64::from(width) * u64::from(height) > DECODED_MAX
}

fn jpeg(bytes: &[u8]) -> Option<(Picture, u8)> {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    decoder.set_max_decoding_buffer_size(MEMORY_MAX);
    decoder.read_info().ok()?;
    let info = decoder.info()?;
    let is_held_whole = info.coding_process != CodingProcess::DctSequential;
    if is_held_whole && is_too_large(info.width.into(), info.height.into()) {
        return None;
    }
    let side = u16::try_from(SIDE).ok()?;
    let (width, height) = decoder.scale(side, side).ok()?;
    let pixels = decoder.decode().ok()?;
    let turned = decoder.exif_data().and_then(orientation).unwrap_or(1);
    let rgb = match decoder.info()?.pixel_format {
        PixelFormat::RGB24 => pixels,
        PixelFormat::L8 => pixels.into_iter().flat_map(|grey| [grey; 3]).collect(),
        PixelFormat::L16 => pixels.chunks_exact(2).flat_map(|grey| [grey[0]; 3]).collect(),
        PixelFormat::CMYK32 => pixels.chunks_exact(4).flat_map(from_cmyk).collect(),
    };
    Some((Picture { width: width.into(), height: height.into(), rgb }, turned))
}

// Adobe's programs write the four inks inverted, and nobody else writes them.
fn from_cmyk(inks: &[u8]) -> [u8; 3] {
    let mix = |ink: u8| scaled(u32::from(ink) * u32::from(inks[3]), 255);
    [mix(inks[0]), mix(inks[1]), mix(inks[2])]
}

fn png(bytes: &[u8]) -> Option<(Picture, u8)> {
    let limits = png::Limits { bytes: MEMORY_MAX };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let info = reader.info();
    if is_too_large(info.width, info.height) {
        return None;
    }
    let turned = info.exif_metadata.as_deref().and_then(orientation).unwrap_or(1);
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut pixels).ok()?;
    pixels.truncate(frame.buffer_size());
    let rgb = match frame.color_type {
        png::ColorType::Rgb => pixels,
        png::ColorType::Rgba => pixels.chunks_exact(4).flat_map(on_white).collect(),
        png::ColorType::Grayscale => pixels.into_iter().flat_map(|grey| [grey; 3]).collect(),
        png::ColorType::GrayscaleAlpha => {
            pixels.chunks_exact(2).flat_map(|two| on_white(&[two[0], two[0], two[0], two[1]])).collect()
        }
        png::ColorType::Indexed => return None,
    };
    Some((Picture { width: frame.width, height: frame.height, rgb }, turned))
}

fn gif(bytes: &[u8]) -> Option<Picture> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    options.set_memory_limit(gif::MemoryLimit::Bytes(u64::try_from(MEMORY_MAX).ok()?.try_into().ok()?));
    let mut decoder = options.read_info(bytes).ok()?;
    let frame = decoder.read_next_frame().ok()??;
    if is_too_large(frame.width.into(), frame.height.into()) {
        return None;
    }
    let rgb = frame.buffer.chunks_exact(4).flat_map(on_white).collect();
    Some(Picture { width: frame.width.into(), height: frame.height.into(), rgb })
}

fn webp(bytes: &[u8]) -> Option<(Picture, u8)> {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(bytes)).ok()?;
    decoder.set_memory_limit(MEMORY_MAX);
    let (width, height) = decoder.dimensions();
    if is_too_large(width, height) {
        return None;
    }
    let turned = decoder.exif_metadata().ok().flatten().as_deref().and_then(orientation).unwrap_or(1);
    let mut pixels = vec![0; decoder.output_buffer_size()?];
    decoder.read_image(&mut pixels).ok()?;
    let rgb = if decoder.has_alpha() { pixels.chunks_exact(4).flat_map(on_white).collect() } else { pixels };
    Some((Picture { width, height, rgb }, turned))
}

fn on_white(rgba: &[u8]) -> [u8; 3] {
    let alpha = u32::from(rgba[3]);
    let over = |value: u8| scaled(u32::from(value) * alpha + 255 * (255 - alpha), 255);
    [over(rgba[0]), over(rgba[1]), over(rgba[2])]
}

fn scaled(sum: u32, by: u32) -> u8 {
    u8::try_from(sum / by.max(1)).unwrap_or(u8::MAX)
}

/// Makes the longer side at most [`SIDE`]: each pixel is the mean of those that it stands for.
fn shrink(picture: Picture) -> Option<Picture> {
    let longer = picture.width.max(picture.height);
    if longer <= SIDE {
        return Some(picture);
    }
    let side = |side: u32| u32::try_from(u64::from(side) * u64::from(SIDE) / u64::from(longer)).ok();
    let (width, height) = (side(picture.width)?.max(1), side(picture.height)?.max(1));
    let mut rgb = Vec::with_capacity(usize::try_from(width * height * 3).ok()?);
    for y in 0..height {
        let rows = covered(y, height, picture.height)?;
        for x in 0..width {
            let columns = covered(x, width, picture.width)?;
            rgb.extend(mean(&picture, columns, rows.clone())?);
        }
    }
    Some(Picture { width, height, rgb })
}

/// Which of `from` old pixels the new pixel at `at`, one of `to`, stands for.
fn covered(at: u32, to: u32, from: u32) -> Option<std::ops::Range<u32>> {
    let place = |at: u32| u32::try_from(u64::from(at) * u64::from(from) / u64::from(to)).ok();
    Some(place(at)?..place(at + 1)?)
}

fn mean(picture: &Picture, columns: std::ops::Range<u32>, rows: std::ops::Range<u32>) -> Option<[u8; 3]> {
    let count = u32::try_from(columns.len() * rows.len()).ok()?;
    let mut sums = [0; 3];
    for y in rows {
        let row = u64::from(y) * u64::from(picture.width);
        let start = usize::try_from((row + u64::from(columns.start)) * 3).ok()?;
        for pixel in picture.rgb.get(start..start + columns.len() * 3)?.chunks_exact(3) {
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += u32::from(*value);
            }
        }
    }
    Some(sums.map(|sum| scaled(sum, count)))
}

/// Turns and mirrors a picture as its EXIF orientation says.
fn turn(picture: Picture, orientation: u8) -> Picture {
    if orientation <= 1 {
        return picture;
    }
    let (from_width, from_height) = (picture.width, picture.height);
    let (width, height) =
        if orientation >= 5 { (from_height, from_width) } else { (from_width, from_height) };
    let mut rgb = Vec::with_capacity(picture.rgb.len());
    for y in 0..height {
        for x in 0..width {
            let (right, down) = (from_width - 1, from_height - 1);
            let (from_x, from_y) = match orientation {
                2 => (right - x, y),
                3 => (right - x, down - y),
                4 => (x, down - y),
                5 => (y, x),
                6 => (y, down - x),
                7 => (right - y, down - x),
                _ => (right - y, x),
            };
            let at = usize::try_from((from_y * from_width + from_x) * 3).unwrap_or(usize::MAX);
            rgb.extend_from_slice(picture.rgb.get(at..at.saturating_add(3)).unwrap_or(&[255; 3]));
        }
    }
    Picture { width, height, rgb }
}

#[cfg(test)]
mod tests {
    use intake::ContentType;
    use intake::scrub::{PictureSize, Scrubber};

    use super::*;

    /// Red above, blue below, the left half of each a little darker.
    fn pixels(width: u32, height: u32) -> Vec<u8> {
        let shade = |x| if x < width / 2 { 150 } else { 250 };
        (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .flat_map(|(x, y)| if y < height / 2 { [shade(x), 0, 0] } else { [0, 0, shade(x)] })
            .collect()
    }

    fn jpeg_of(width: u16, height: u16, segments: &[(u8, Vec<u8>)], is_progressive: bool) -> Vec<u8> {
        let mut made = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut made, 95);
        encoder.set_progressive(is_progressive);
        for (number, data) in segments {
            encoder.add_app_segment(*number, data.clone()).expect("a segment");
        }
        let rgb = pixels(width.into(), height.into());
        encoder.encode(&rgb, width, height, jpeg_encoder::ColorType::Rgb).expect("encodes");
        made
    }

    fn png_of(width: u32, height: u32, texts: bool) -> Vec<u8> {
        let mut made = Vec::new();
        let mut encoder = png::Encoder::new(&mut made, width, height);
        encoder.set_color(png::ColorType::Rgb);
        if texts {
            encoder.add_text_chunk("Comment".to_owned(), "GPS 52.5".to_owned()).expect("a text");
        }
        let mut writer = encoder.write_header().expect("a header");
        writer.write_image_data(&pixels(width, height)).expect("encodes");
        writer.finish().expect("ends");
        made
    }

    fn webp_of(width: u32, height: u32, exif: Option<Vec<u8>>) -> Vec<u8> {
        let mut made = Vec::new();
        let mut encoder = image_webp::WebPEncoder::new(&mut made);
        if let Some(exif) = exif {
            encoder.set_exif_metadata(exif);
        }
        encoder.encode(&pixels(width, height), width, height, image_webp::ColorType::Rgb8).expect("encodes");
        made
    }

    fn gif_of(width: u16, height: u16) -> Vec<u8> {
        let mut made = Vec::new();
        let mut encoder = gif::Encoder::new(&mut made, width, height, &[]).expect("a header");
        let rgb = pixels(width.into(), height.into());
        encoder.write_frame(&gif::Frame::from_rgb(width, height, &rgb)).expect("encodes");
        drop(encoder);
        made
    }

    /// EXIF data as a telephone writes them: how it is turned, and where it was.
    fn exif(turned: u8) -> Vec<u8> {
        let tags = [0x12, 0x01, 3, 0, 1, 0, 0, 0, turned, 0, 0, 0, 0x25, 0x88, 4, 0, 1, 0, 0, 0, 38, 0, 0, 0];
        [b"II*\0\x08\0\0\0\x02\0".as_slice(), &tags, &[0; 4], b"GPS 52.5163N 13.3777E"].concat()
    }

    fn scrubbed(kind: ContentType, file: &[u8]) -> (Vec<u8>, Option<PictureSize>) {
        let (mut scrubber, mut out) = (Scrubber::new(kind), Vec::new());
        for piece in file.chunks(1_000) {
            scrubber.push(piece, &mut out).expect("a picture");
        }
        let size = scrubber.finish(&mut out).expect("a picture");
        (out, size)
    }

    fn size_and_corner(jpeg: &[u8]) -> (u16, u16, [u8; 3]) {
        let mut decoder = jpeg_decoder::Decoder::new(jpeg);
        let pixels = decoder.decode().expect("decodes");
        let info = decoder.info().expect("is read");
        (info.width, info.height, [pixels[0], pixels[1], pixels[2]])
    }

    #[test]
    fn a_small_picture_shows_the_same_of_every_kind() {
        let cases = [
            ("image/jpeg", jpeg_of(1_600, 1_200, &[], false)),
            ("image/jpeg", jpeg_of(1_600, 1_200, &[], true)),
            ("image/png", png_of(1_600, 1_200, false)),
            ("image/webp", webp_of(1_600, 1_200, None)),
            ("image/gif", gif_of(1_600, 1_200)),
        ];
        for (kind, file) in cases {
            let small = thumbnail(kind, &file).expect(kind);
            let (width, height, [red, green, blue]) = size_and_corner(&small);
            assert_eq!((width, height), (512, 384), "{kind}");
            assert!(red.abs_diff(150) < 12 && green < 24 && blue < 24, "{kind}: {red} {green} {blue}");
            assert!(small.len() < 20_000, "{kind}: {} bytes", small.len());
        }
    }

    #[test]
    fn a_photo_decodes_the_same_after_it_was_freed_of_what_it_tells() {
        let told = |turned| (1, [b"Exif\0\0".as_slice(), &exif(turned)].concat());
        let xmp = (1, b"http://ns.adobe.com/xap/1.0/\0<exif:GPSLatitude>GPS 52</exif:GPSLatitude>".to_vec());
        for is_progressive in [false, true] {
            let file = jpeg_of(320, 240, &[told(6), xmp.clone()], is_progressive);
            let (left, size) = scrubbed(ContentType::Jpeg, &file);
            let has_place = |bytes: &[u8]| bytes.windows(3).any(|three| three == b"GPS");
            assert!(has_place(&file) && !has_place(&left));
            assert_eq!(size, Some(PictureSize { width: 240, height: 320 }));
            let decoded = |file: &[u8]| jpeg_decoder::Decoder::new(file).decode().expect("decodes");
            assert!(decoded(&file) == decoded(&left), "every pixel is the same");
            let (width, height, _) = size_and_corner(&thumbnail("image/jpeg", &left).expect("small"));
            assert_eq!((width, height), (240, 320), "still turned");
        }
        let (file, (left, _)) = (png_of(64, 48, true), scrubbed(ContentType::Png, &png_of(64, 48, true)));
        assert!(file.len() > left.len());
        assert!(png(&file).expect("decodes").0.rgb == png(&left).expect("decodes").0.rgb);
        let file = webp_of(64, 48, Some(exif(6)));
        let (left, size) = scrubbed(ContentType::Webp, &file);
        assert_eq!((left.len(), size), (file.len(), Some(PictureSize { width: 48, height: 64 })));
        assert!(!left.windows(3).any(|three| three == b"GPS"));
        let (decoded, turned) = webp(&left).expect("decodes");
        assert!(webp(&file).expect("decodes").0.rgb == decoded.rgb && turned == 6);
        let file = gif_of(64, 48);
        assert_eq!(scrubbed(ContentType::Gif, &file).0, file, "there was nothing to take");
    }

    #[test]
    fn every_way_to_turn_a_picture_is_its_own() {
        let number = |turned| {
            let picture = Picture { width: 2, height: 2, rgb: vec![1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4] };
            turn(picture, turned).rgb.iter().step_by(3).copied().collect::<Vec<u8>>()
        };
        let all: [[u8; 4]; 8] = [
            [1, 2, 3, 4],
            [2, 1, 4, 3],
            [4, 3, 2, 1],
            [3, 4, 1, 2],
            [1, 3, 2, 4],
            [3, 1, 4, 2],
            [4, 2, 3, 1],
            [2, 4, 1, 3],
        ];
        for (turned, expected) in (1..).zip(all) {
            assert_eq!(number(turned), expected, "{turned}");
        }
    }

    #[test]
    fn a_bomb_and_a_broken_picture_have_no_small_one() {
        // Black pixels pack to a thousandth.
        let mut bomb = Vec::new();
        let mut encoder = png::Encoder::new(&mut bomb, 6_000, 6_000);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().expect("a header");
        writer.write_image_data(&vec![0; 36_000_000]).expect("encodes");
        writer.finish().expect("ends");
        assert!(bomb.len() < 200_000);
        assert_eq!(thumbnail("image/png", &bomb), None);
        let huge = b"\xFF\xD8\xFF\xC2\0\x11\x08\xFF\xFF\xFF\xFF\x03\x01\x22\0\x02\x11\0\x03\x11\0\xFF\xDA";
        for (kind, file) in [
            ("image/jpeg", huge.as_slice()),
            ("image/jpeg", b"\xFF\xD8"),
            ("image/png", b"\x89PNG"),
            ("image/gif", b"GIF89a"),
            ("image/webp", b"RIFF"),
            ("application/pdf", b"%PDF-1.7"),
        ] {
            assert_eq!(thumbnail(kind, file), None, "{kind}");
        }
    }
}
