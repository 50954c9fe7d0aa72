//! Namespaces: which one a prefix stands for, within limits.

use crate::error::{Error, Result, codes};

const DECLARATIONS: usize = 64;

/// The namespaces that an answer's elements can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source::ews) enum Ns {
    /// SOAP 1.1. Some published examples write it with https.
    Soap,
    /// Exchange's messages.
    Messages,
    /// Exchange's types.
    Types,
    /// Exchange's errors, in the detail of a fault.
    Errors,
    /// The autodiscover service. Published examples write it with https.
    Autodiscover,
    /// No namespace.
    None,
    /// Any other.
    Other,
}

impl Ns {
    fn of(uri: &str) -> Self {
        match uri {
            "http://schemas.xmlsoap.org/soap/envelope/"
            | "https://schemas.xmlsoap.org/soap/envelope/" => Self::Soap,
            "http://schemas.microsoft.com/exchange/services/2006/messages" => Self::Messages,
            "http://schemas.microsoft.com/exchange/services/2006/types" => Self::Types,
            "http://schemas.microsoft.com/exchange/services/2006/errors" => Self::Errors,
            "http://schemas.microsoft.com/exchange/2010/Autodiscover"
            | "https://schemas.microsoft.com/exchange/2010/Autodiscover" => Self::Autodiscover,
            "" => Self::None,
            _ => Self::Other,
        }
    }
}

/// The declarations that are in force.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    bindings: Vec<Binding>,
}

#[derive(Debug)]
struct Binding {
    depth: usize,
    prefix: Box<str>,
    ns: Ns,
}

impl Namespaces {
    /// Declares a prefix (empty for the default namespace) from this depth on.
    pub(super) fn declare(
        &mut self,
        depth: usize,
        prefix: &str,
        uri: &str,
        operation: &'static str,
    ) -> Result<()> {
        if self.bindings.len() >= DECLARATIONS {
            let error = Error::new(&codes::EWS_XML_LIMIT, operation);
            return Err(error.with_detail("more than 64 namespace declarations"));
        }
        let ns = Ns::of(uri);
        self.bindings.push(Binding {
            depth,
            prefix: prefix.into(),
            ns,
        });
        Ok(())
    }

    /// Forgets what was declared deeper than this.
    pub(super) fn leave(&mut self, depth: usize) {
        while self
            .bindings
            .last()
            .is_some_and(|binding| binding.depth > depth)
        {
            self.bindings.pop();
        }
    }

    /// The namespace of an element with this prefix. An undeclared prefix is another namespace.
    pub(super) fn resolve(&self, prefix: &str) -> Ns {
        let declared = self
            .bindings
            .iter()
            .rev()
            .find(|binding| &*binding.prefix == prefix);
        match declared {
            Some(binding) => binding.ns,
            None if prefix.is_empty() => Ns::None,
            None => Ns::Other,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_known_by_its_name_and_only_soap_and_autodiscover_by_https_as_well() {
        for (name, plain, secure) in [
            ("schemas.xmlsoap.org/soap/envelope/", Ns::Soap, Ns::Soap),
            (
                "schemas.microsoft.com/exchange/services/2006/messages",
                Ns::Messages,
                Ns::Other,
            ),
            (
                "schemas.microsoft.com/exchange/services/2006/types",
                Ns::Types,
                Ns::Other,
            ),
            (
                "schemas.microsoft.com/exchange/services/2006/errors",
                Ns::Errors,
                Ns::Other,
            ),
            (
                "schemas.microsoft.com/exchange/2010/Autodiscover",
                Ns::Autodiscover,
                Ns::Autodiscover,
            ),
            ("example.com/", Ns::Other, Ns::Other),
        ] {
            assert_eq!(Ns::of(&format!("http://{name}")), plain, "{name}");
            assert_eq!(Ns::of(&format!("https://{name}")), secure, "{name}");
        }
    }

    #[test]
    fn a_prefix_stands_for_what_was_declared_last_and_none_for_no_namespace() {
        let types = "http://schemas.microsoft.com/exchange/services/2006/types";
        let mut namespaces = Namespaces::default();
        let found = |namespaces: &Namespaces| ["", "t"].map(|prefix| namespaces.resolve(prefix));
        assert_eq!(found(&namespaces), [Ns::None, Ns::Other]);
        for (depth, prefix, uri) in [(1, "t", types), (1, "", types), (2, "", ""), (2, "t", "u")] {
            namespaces.declare(depth, prefix, uri, "test").unwrap();
        }
        assert_eq!(found(&namespaces), [Ns::None, Ns::Other]);
        namespaces.leave(1);
        assert_eq!(found(&namespaces), [Ns::Types, Ns::Types]);
        namespaces.leave(0);
        assert_eq!(found(&namespaces), [Ns::None, Ns::Other]);
    }
}
