//! A certificate for the provider, and the authority that signed it.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};

/// A key and a certificate for 127.0.0.1, and the certificate of their authority; all PEM.
pub(crate) struct ServerCertificate {
    pub(crate) key: String,
    pub(crate) certificate: String,
    pub(crate) authority: String,
}

impl ServerCertificate {
    pub(crate) fn make() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        Self {
            certificate: leaf.signed_by(&key, &authority).unwrap().pem(),
            key: key.serialize_pem(),
            authority: authority.pem(),
        }
    }
}
