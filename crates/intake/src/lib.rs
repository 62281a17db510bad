//! What a customer tells before they pay.
//!
//! | module | holds |
//! |---|---|
//! | [`vehicle`] | [`Vehicle`]: the car, with every field checked |
//! | [`garage`] | a customer's own list of cars: adding, correcting, taking off |
//! | [`vin`] | [`Vin`]: check digit and model year, worked out without asking anybody |
//! | [`concern`] | [`Concern`]: the problem in the customer's words |
//! | [`waiver`] | [`Waiver`], its versions, and [`WaiverAcceptance`] |
//! | [`upload`] | [`Upload`]: a file that waits for its session; what kind of file it really is |
//! | [`intake`](mod@intake) | [`Intake`]: all of it together |
//! | [`submit`](mod@submit) | checking what was sent and writing it down |
//! | [`scrub`] | [`Scrubber`](scrub::Scrubber): takes out of pictures and videos what they tell besides what they show |
//! | [`gateway`] | [`FileStorage`]: where the bytes of files lie |
//! | [`retention`] | [`RetentionStore`]: what is forgotten when a customer goes or the time is over |
//! | [`store`] | [`Store`]: the port to the database |
//!
//! It owns vehicles, concerns, uploads until they belong to a session, waiver versions and acceptances.
//!
//! It must never know a price, decide whether a plan may be bought, or talk to a network: a VIN is judged by its own
//! arithmetic.

pub mod concern;
pub mod error;
pub mod garage;
pub mod gateway;
pub mod intake;
pub mod retention;
pub mod scrub;
pub mod store;
pub mod submit;
pub mod upload;
pub mod vehicle;
pub mod vin;
pub mod waiver;

pub use concern::Concern;
pub use error::{Error, Fault};
pub use garage::VehicleChange;
pub use gateway::{FileReader, FileStorage, FileStorageError, FileWriter};
pub use intake::{FILES_MAX, Intake, ProviderType, Routing};
pub use retention::{ERASED_CONCERN, RetentionStore};
pub use store::Store;
pub use submit::{NewIntake, Submitted, submit};
pub use upload::{ContentType, Upload};
pub use vehicle::{Vehicle, VehicleForm};
pub use vin::{Vin, VinFault};
pub use waiver::{Waiver, WaiverAcceptance, Waivers};
