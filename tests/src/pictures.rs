//! Photos as telephones take them, and pictures of any length.

/// What the metadata of a photo hold here, wherever a photo can hold any.
pub const PLACE: &str = "52.5163N 13.3777E";

/// The first bytes of a picture, up to the length of its data.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1A\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1F\x15\xC4\x89";

/// A PNG picture of that many bytes and a few.
///
/// # Panics
/// They are more than a picture can have.
pub fn large(bytes: usize) -> Vec<u8> {
    let length = u32::try_from(bytes).expect("not that large").to_be_bytes();
    [PNG, length.as_slice(), b"IDAT", &vec![7; bytes + 4]].concat()
}

/// A photo in JPEG of that size, upright when it is turned by a quarter, that tells where it was taken in its EXIF and XMP
/// data, in a comment of its maker, and behind its end.
///
/// # Panics
/// It can't be encoded.
pub fn photo(width: u16, height: u16) -> Vec<u8> {
    let tags = [0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0x25, 0x88, 4, 0, 1, 0, 0, 0, 38, 0, 0, 0];
    let exif = [b"Exif\0\0II*\0\x08\0\0\0\x02\0".as_slice(), &tags, &[0; 4], PLACE.as_bytes()].concat();
    let xmp = [b"http://ns.adobe.com/xap/1.0/\0".as_slice(), PLACE.as_bytes()].concat();
    let mut made = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut made, 90);
    for (number, data) in [(1, exif.as_slice()), (1, &xmp), (7, PLACE.as_bytes())] {
        encoder.add_app_segment(number, data.to_vec()).expect("a segment");
    }
    let rgb = pixels(width, height);
    encoder.encode(&rgb, width, height, jpeg_encoder::ColorType::Rgb).expect("it is encoded");
    made.extend_from_slice(PLACE.as_bytes());
    made
}

/// The pixels of a JPEG, and how many stand in a row.
///
/// # Panics
/// It is none.
pub fn decoded(jpeg: &[u8]) -> (Vec<u8>, u16) {
    let mut decoder = jpeg_decoder::Decoder::new(jpeg);
    let pixels = decoder.decode().expect("a JPEG");
    (pixels, decoder.info().expect("is read").width)
}

/// Whether these bytes tell where the photo was taken.
pub fn tells_the_place(bytes: &[u8]) -> bool {
    bytes.windows(PLACE.len()).any(|window| window == PLACE.as_bytes())
}

fn pixels(width: u16, height: u16) -> Vec<u8> {
    let shade = |at: u16, all: u16| u8::try_from(u32::from(at) * 255 / u32::from(all)).unwrap_or(u8::MAX);
    (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| [shade(x, width), shade(y, height), 90])
        .collect()
}
