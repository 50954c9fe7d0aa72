//! Providers for values that are at hand: given, in the environment, in a file.

mod environment;
mod file;
mod given;

pub use environment::EnvironmentCredentials;
pub use file::FileCredentials;
pub use given::StaticCredentials;
