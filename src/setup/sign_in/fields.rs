//! The fields of the set-up as a connection sees them.

use crate::setup::EmailLoggingSetup;

/// The fields that say where a connection goes and who makes it; all others are blank.
pub(in crate::setup) fn of_connection(setup: &EmailLoggingSetup) -> EmailLoggingSetup {
    EmailLoggingSetup {
        autodiscovery_email_address: setup.autodiscovery_email_address.clone(),
        exchange_service_url: setup.exchange_service_url.clone(),
        exchange_account_user_name: setup.exchange_account_user_name.clone(),
        exchange_client_id: setup.exchange_client_id.clone(),
        exchange_redirect_url: setup.exchange_redirect_url.clone(),
        exchange_tenant_id: setup.exchange_tenant_id.clone(),
        authentication_type: setup.authentication_type,
        mail_service: setup.mail_service,
        ..EmailLoggingSetup::default()
    }
}
