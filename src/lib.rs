//! Email logging for ERP and CRM systems.

