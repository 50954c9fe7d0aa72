//! From the configuration to a connector: how servers are reached, and who issues tokens.

use std::sync::Arc;

use email_logging::credential::{CredentialResolver, SealedRefreshTokens, SealedSecrets};
use email_logging::setup::{EwsConnector, GraphConnector, ServiceConnector};
use email_logging::source::AddressPolicy;

use crate::config::Config;
use crate::connect;
use crate::exit::Failure;

/// The connector of a configuration, by whichever service a set-up names.
pub(super) fn connector(
    config: &Config,
    secrets: &SealedSecrets,
    credentials: &Arc<CredentialResolver>,
) -> Result<Arc<ServiceConnector>, Failure> {
    let connector = ServiceConnector::new()
        .with_ews(Arc::new(ews(config, secrets, credentials)?))
        .with_graph(Arc::new(graph(config, secrets, credentials)?));
    Ok(Arc::new(connector))
}

fn ews(
    config: &Config,
    secrets: &SealedSecrets,
    credentials: &Arc<CredentialResolver>,
) -> Result<EwsConnector, Failure> {
    let exchange = &config.exchange;
    let mut builder = EwsConnector::builder()
        .with_credentials(Arc::clone(credentials) as _)
        .with_refresh_tokens(Arc::new(SealedRefreshTokens::new(secrets.clone())))
        .with_identity_service(config.identity.service(None))
        .with_address_policy(AddressPolicy::on_premises(exchange.ranges())?)
        .with_connections(config.run_settings().connections)
        .with_stamps(exchange.stamps.unwrap_or(false))
        .with_gates(config.gates.clone());
    for (host, address) in exchange.host_addresses()? {
        builder = builder.with_host_address(host, address);
    }
    if let Some(file) = &exchange.ca_file {
        builder = builder.with_trusted_roots(connect::text("the certificate authority", file)?);
    }
    if let Some(proxy) = &exchange.proxy {
        builder = builder.with_proxy(proxy);
    }
    if exchange.allow_plain_http_on_loopback.unwrap_or(false) {
        builder = builder.dangerously_allow_plain_http_on_loopback();
    }
    Ok(builder.build()?)
}

fn graph(
    config: &Config,
    secrets: &SealedSecrets,
    credentials: &Arc<CredentialResolver>,
) -> Result<GraphConnector, Failure> {
    let exchange = &config.exchange;
    let mut builder = GraphConnector::builder()
        .with_credentials(Arc::clone(credentials) as _)
        .with_refresh_tokens(Arc::new(SealedRefreshTokens::new(secrets.clone())))
        .with_identity_service(config.identity.service(None))
        .with_address_policy(AddressPolicy::on_premises(exchange.ranges())?)
        .with_connections(config.run_settings().connections)
        .with_gates(config.gates.clone());
    for (host, address) in exchange.host_addresses()? {
        builder = builder.with_host_address(host, address);
    }
    if let Some(file) = &exchange.ca_file {
        builder = builder.with_trusted_roots(connect::text("the certificate authority", file)?);
    }
    if let Some(proxy) = &exchange.proxy {
        builder = builder.with_proxy(proxy);
    }
    if exchange.allow_plain_http_on_loopback.unwrap_or(false) {
        builder = builder.dangerously_allow_plain_http_on_loopback();
    }
    Ok(builder.build()?)
}
