//! Email logging for ERP and CRM systems.

#[cfg(feature = "testkit")]
pub mod testkit;
