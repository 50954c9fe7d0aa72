//! Providers for values that are at hand: given, in the environment, in a file.

/// Values that were given.
#[derive(Debug, Default)]
pub struct StaticCredentials {}

/// Values of the environment.
#[derive(Debug, Default)]
pub struct EnvironmentCredentials {}

/// Values of a file.
#[derive(Debug, Default)]
pub struct FileCredentials {}
