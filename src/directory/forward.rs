//! The directory roles through shared and owned pointers.

use std::sync::Arc;

use async_trait::async_trait;

use super::{ContactDirectory, ContactEditor};
use crate::error::Result;
use crate::ids::ContactNo;
use crate::message::Address;
use crate::parties::{AddressParties, NewContact};
use crate::scope::Scope;

macro_rules! forward {
    ($pointer:ident) => {
        #[async_trait]
        impl<T: ContactDirectory + ?Sized> ContactDirectory for $pointer<T> {
            async fn resolve(
                &self,
                scope: &Scope,
                addresses: &[Address],
            ) -> Result<Vec<AddressParties>> {
                (**self).resolve(scope, addresses).await
            }
        }

        #[async_trait]
        impl<T: ContactEditor + ?Sized> ContactEditor for $pointer<T> {
            async fn create_contact(
                &self,
                scope: &Scope,
                contact: &NewContact,
            ) -> Result<ContactNo> {
                (**self).create_contact(scope, contact).await
            }
        }
    };
}

forward!(Arc);
forward!(Box);
