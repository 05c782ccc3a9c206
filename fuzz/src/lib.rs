//! What must hold for every input, each as a function of bytes: the fuzz targets feed them, and so do the tests, with the seeds.
//!
//! A `check` panics where the property does not hold. Where there is a second implementation (OpenSSL's, or a naive one written
//! from the rules), it is asked as well.

// Those that need no second implementation from elsewhere are properties of the package's own suite, too.
pub mod envelope;
#[path = "../../tests/properties/escape.rs"]
pub mod escape;
pub mod image_signatures;
#[path = "../../tests/properties/images.rs"]
pub mod images;
pub mod key;
pub mod list;
#[path = "../../tests/properties/pairing.rs"]
pub mod pairing;
pub mod signature;
pub mod tar;
pub mod verify;
